"""`doctor`: the configuration, the profile, the credentials and the output."""

from __future__ import annotations

from pathlib import Path

import pytest

from oncallctl.doctor import local
from tests.cli.doctor.setups import READS, Doctor, write
from tests.conftest import Runner
from tests.memory_keyring import ENTRIES
from tests.serving import Serving, status


class TestAll:
    def test_correct_setup_is_all_ok(self, work: Path, doctor: Doctor) -> None:
        rows = doctor()
        assert {row["status"] for row in rows.values()} == {"ok"}
        assert set(rows) == READS | {
            "config",
            "profile",
            "credentials",
            "url",
            "dialect",
            "authorization",
            "clock",
            "rate-limit",
            "completions",
        }

    @pytest.mark.parametrize("name", ["sandbox", "sandbox-oss"])
    def test_sandbox_is_all_ok(self, doctor: Doctor, name: str) -> None:
        rows = doctor(f"--profile {name}")
        assert {row["status"] for row in rows.values()} == {"ok"}
        assert "named by --profile" in rows["profile"]["message"]

    def test_checks_send_only_reads(self, work: Path, doctor: Doctor, cloud: Serving) -> None:
        doctor()
        assert cloud.changes() == []
        assert cloud.reads()

    def test_piped_output_has_a_line_for_each_check(self, work: Path, run: Runner) -> None:
        work.write_text("not-the-right-token")
        done = run("doctor", status=3)
        header, *lines = [line.split("\t") for line in done.stdout.splitlines()]
        assert header == ["STATUS", "CHECK", "MESSAGE", "HINT"]
        (failed,) = [line for line in lines if line[0] == "fail"]
        assert failed[1] == "authorization"
        assert failed[3]
        assert done.stderr.startswith("error: authorization: the server refused the token")

    def test_quiet_failure_prints_one_line(self, work: Path, run: Runner) -> None:
        assert run("doctor --quiet").stdout == ""
        work.unlink()
        done = run("doctor --quiet", status=3)
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1

    def test_output_format_of_the_profile_is_used(self, work: Path, run: Runner, config: Path) -> None:
        config.write_text(config.read_text() + 'output = "jsonl"\n')
        assert run("doctor").stdout.startswith('{"check": "config"')

    def test_first_failure_decides_the_exit_status(self, work: Path, doctor: Doctor, cloud: Serving) -> None:
        work.unlink()
        cloud.fail("GET", "teams", status(500))
        rows = doctor(exit_code=3)
        assert [check for check, row in rows.items() if row["status"] == "fail"] == ["credentials", "url"]


class TestConfig:
    def test_config_missing_is_ok(self, doctor: Doctor) -> None:
        assert "no config file yet" in doctor("--profile sandbox")["config"]["message"]

    def test_config_missing_but_named_is_a_warning(self, doctor: Doctor, world: Path) -> None:
        rows = doctor("--profile sandbox", ONCALLCTL_CONFIG=str(world / "nowhere.toml"))
        assert rows["config"]["status"] == "warn"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("[profiles", "config.toml"),
            ("profiles = 3", "must be tables"),
            ('[profiles.work]\nurl = "https://h"\ncolour = "red"', "unknown key"),
            ("[profiles.work]", "profile work: url is missing"),
            ('[profiles.other]\nurl = "https://h"', "no profile 'work'"),
        ],
    )
    def test_config_invalid_is_one_failure(self, doctor: Doctor, config: Path, text: str, expected: str) -> None:
        write(config, text)
        rows = doctor(exit_code=2)
        assert rows["config"]["status"] == "fail"
        assert expected in rows["config"]["message"]

    def test_config_unreadable_is_a_failure(self, doctor: Doctor, config: Path) -> None:
        config.mkdir()
        assert doctor(exit_code=2)["config"]["status"] == "fail"

    def test_config_invalid_does_not_prevent_checks_of_the_sandbox(self, doctor: Doctor, config: Path) -> None:
        write(config, "[profiles")
        assert doctor("-p sandbox", exit_code=2)["read-teams"]["status"] == "ok"

    @pytest.mark.parametrize("mode", [0o640, 0o644])
    def test_config_readable_by_others_is_a_warning(self, work: Path, doctor: Doctor, config: Path, mode: int) -> None:
        config.chmod(mode)
        row = doctor()["config"]
        assert row["status"] == "warn"
        assert row["hint"] == f"chmod 600 {config}"

    @pytest.mark.parametrize("mode", [0o620, 0o602])
    def test_config_writable_by_others_is_a_failure(self, work: Path, doctor: Doctor, config: Path, mode: int) -> None:
        config.chmod(mode)
        assert doctor(exit_code=2)["config"]["status"] == "fail"


class TestProfile:
    def test_profile_missing_is_exit_3_and_other_checks_continue(self, doctor: Doctor) -> None:
        rows = doctor(exit_code=3)
        assert "auth login" in rows["profile"]["hint"]
        assert rows["url"]["status"] == "warn"
        assert "completions" in rows

    def test_incomplete_pair_of_variables_is_exit_2(self, doctor: Doctor) -> None:
        assert "ONCALLCTL_TOKEN is not" in doctor(exit_code=2, ONCALLCTL_URL="https://h")["profile"]["message"]

    def test_profile_is_reported_with_the_reason(self, doctor: Doctor, cloud: Serving) -> None:
        assert "environment" in doctor()["profile"]["message"]

    def test_profile_from_a_variable_names_the_variable(self, doctor: Doctor) -> None:
        assert "ONCALLCTL_PROFILE" in doctor(ONCALLCTL_PROFILE="sandbox")["profile"]["message"]


class TestCredentials:
    def test_token_file_missing_is_exit_3_and_the_url_is_checked(
        self, work: Path, doctor: Doctor, cloud: Serving
    ) -> None:
        work.unlink()
        rows = doctor(exit_code=3)
        assert "does not exist" in rows["credentials"]["message"]
        assert rows["url"]["status"] == "ok"
        assert rows["authorization"]["status"] == "warn"
        assert not READS & set(rows)
        assert not [seen for seen in cloud.seen if cloud.token in seen.headers["Authorization"]]

    def test_token_file_open_to_others_is_exit_3(self, work: Path, doctor: Doctor) -> None:
        work.chmod(0o644)
        assert doctor(exit_code=3)["credentials"]["hint"] == f"chmod 600 {work}"

    def test_token_command_is_named_without_its_arguments(
        self, work: Path, doctor: Doctor, config: Path, cloud: Serving
    ) -> None:
        write(config, f'[profiles.work]\nurl = "{cloud.url}"\ntoken_command = "echo {cloud.token}"\n')
        config.write_text(config.read_text() + 'api = "cloud"\n')
        assert doctor()["credentials"]["message"] == "a token from token_command echo"

    def test_token_source_slow_is_a_warning(self, work: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local, "SLOW_SOURCE", 0.0)
        row = doctor()["credentials"]
        assert row["status"] == "warn"
        assert "took" in row["message"]

    def test_keyring_absent_is_exit_3_with_an_alternative(
        self, work: Path, doctor: Doctor, config: Path, cloud: Serving
    ) -> None:
        write(config, f'[profiles.work]\nurl = "{cloud.url}"\n')
        row = doctor(exit_code=3)["credentials"]
        assert "no keyring available" in row["message"]
        assert "--token-file" in row["hint"]

    def test_keyring_usable_is_named(
        self, work: Path, doctor: Doctor, config: Path, cloud: Serving, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(config, f'[profiles.work]\nurl = "{cloud.url}"\napi = "cloud"\n')
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.memory_keyring.Memory")
        monkeypatch.setitem(ENTRIES, ("oncallctl", f"work {cloud.url}"), cloud.token)
        assert doctor()["credentials"]["message"] == "a token from the keyring"
