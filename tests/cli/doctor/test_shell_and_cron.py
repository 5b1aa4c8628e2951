"""`doctor`: completion scripts, and the environment of cron jobs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oncallctl.doctor import completions, cron
from oncallctl.errors import OncallError
from tests.cli.doctor.setups import Doctor, write
from tests.conftest import Runner
from tests.serving import Serving


class TestCompletions:
    @pytest.fixture
    def places(self, world: Path) -> dict[str, Path]:
        home = world / "home"
        return {
            "bash": home / ".local/share/bash-completion/completions/oncallctl",
            "zsh": home / ".zfunc/_oncallctl",
            "fish": home / ".config/fish/completions/oncallctl.fish",
        }

    @pytest.mark.parametrize("shell", completions.SHELLS)
    def test_completions_missing_for_the_shell_in_use_are_a_warning(self, doctor: Doctor, shell: str) -> None:
        row = doctor("-p sandbox", SHELL=f"/usr/bin/{shell}")[f"completions-{shell}"]
        assert row["status"] == "warn"
        assert f"oncallctl completion {shell} > " in row["hint"]

    @pytest.mark.parametrize("shell", completions.SHELLS)
    def test_completions_from_another_version_are_a_warning(
        self, doctor: Doctor, run: Runner, places: dict[str, Path], shell: str
    ) -> None:
        places[shell].parent.mkdir(parents=True)
        places[shell].write_text(run(f"completion {shell}").stdout)
        assert doctor("-p sandbox")[f"completions-{shell}"]["status"] == "ok"
        places[shell].write_text("# an old one\n")
        row = doctor("-p sandbox")[f"completions-{shell}"]
        assert row["status"] == "warn"
        assert row["hint"] == f"oncallctl completion {shell} > {places[shell]}"

    def test_completions_loaded_by_a_startup_file_are_ok(self, doctor: Doctor, world: Path) -> None:
        (world / "home/.bashrc").write_text("# oncallctl completion bash\nsource <(oncallctl completion bash)\n")
        assert doctor("-p sandbox", SHELL="/bin/bash")["completions-bash"]["status"] == "ok"

    def test_completions_in_a_comment_of_a_startup_file_are_a_warning(self, doctor: Doctor, world: Path) -> None:
        (world / "home/.bashrc").write_text("# source <(oncallctl completion bash)\n")
        assert doctor("-p sandbox", SHELL="/bin/bash")["completions-bash"]["status"] == "warn"


class TestAsCron:
    def test_as_cron_token_file_is_ok(self, work: Path, doctor: Doctor, cloud: Serving) -> None:
        rows = doctor("--as-cron")
        assert {row["status"] for check, row in rows.items() if check != "environment"} == {"ok"}
        assert cloud.seen

    def test_as_cron_variables_of_this_shell_are_named_and_missing(self, cloud: Serving, doctor: Doctor) -> None:
        assert doctor()["profile"]["status"] == "ok"
        rows = doctor("--as-cron", exit_code=3)
        assert "ONCALLCTL_TOKEN" in rows["environment"]["message"]
        assert rows["profile"]["status"] == "fail"
        assert cloud.seen

    def test_as_cron_config_named_by_a_variable_is_missing(
        self, work: Path, doctor: Doctor, config: Path, world: Path
    ) -> None:
        moved = config.rename(world / "elsewhere.toml")
        assert doctor(ONCALLCTL_CONFIG=str(moved))["config"]["status"] == "ok"
        rows = doctor("--as-cron", exit_code=3, ONCALLCTL_CONFIG=str(moved))
        assert "ONCALLCTL_CONFIG" in rows["environment"]["message"]

    def test_as_cron_first_failure_decides_the_exit_status(self, work: Path, doctor: Doctor, config: Path) -> None:
        write(config, '[profiles.work]\nurl = "http://127.0.0.1:9"\ntoken_file = "/nowhere"\n')
        assert doctor("--as-cron", exit_code=3)["credentials"]["status"] == "fail"
        write(config, f'[profiles.work]\nurl = "http://127.0.0.1:9"\ntoken_file = "{work}"\n')
        assert doctor("--as-cron", exit_code=8)["url"]["status"] == "fail"

    def test_as_cron_profile_option_is_passed_on(self, doctor: Doctor) -> None:
        assert "sandbox" in doctor("--as-cron --profile sandbox")["profile"]["message"]

    def test_as_cron_without_variables_is_ok(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in list(os.environ):
            if cron._VARIABLES.fullmatch(name):
                monkeypatch.delenv(name)
        assert cron._environment().status == "ok"

    def test_as_cron_program_that_fails_to_start_is_a_failure(
        self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch, world: Path
    ) -> None:
        fake = world / "python"
        fake.write_text("#!/bin/sh\necho 'No module named oncallctl' >&2; exit 1\n")
        fake.chmod(0o755)
        monkeypatch.setattr("sys.executable", str(fake))
        assert "No module named oncallctl" in doctor("--as-cron", exit_code=1)["cron"]["message"]

    def test_as_cron_program_missing_is_a_failure(self, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.executable", "/nowhere/python")
        assert "cannot start the program" in doctor("--as-cron", exit_code=1)["cron"]["message"]

    @pytest.mark.parametrize("code", ["no_credentials", "unavailable", "failed", "interrupted"])
    def test_as_cron_error_keeps_its_code(self, code: str) -> None:
        error = cron._error(code, "message", None, None)
        assert isinstance(error, OncallError)
        assert error.code == (code if code != "interrupted" else "failed")
