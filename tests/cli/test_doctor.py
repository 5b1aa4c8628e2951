"""`doctor`: the states of every check."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from oncallctl import sandbox
from oncallctl.config.profiles import Profile
from oncallctl.doctor import completions, cron, local, server as server_checks
from oncallctl.errors import OncallError
from tests import certificates
from tests.conftest import Run, Runner
from tests.memory_keyring import ENTRIES
from tests.serving import Fault, Serving, status

READS = {"read-integrations", "read-teams", "read-users", "read-alert-groups"}
TOKENS = (
    sandbox.ADMIN_TOKEN,
    sandbox.EDITOR_TOKEN,
    sandbox.VIEWER_TOKEN,
    sandbox.SERVICE_ACCOUNT_TOKEN,
    "not-the-right-token",
)
Rows = dict[str, dict[str, Any]]
Doctor = Callable[..., Rows]


@pytest.fixture(autouse=True)
def _plain_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    for name in ("XDG_DATA_DIRS", "BASH_COMPLETION_USER_DIR", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def doctor(run: Runner) -> Doctor:
    """Run `doctor` and return its rows by check, after checking the properties of every run."""

    def invoke(line: str = "", *, exit_code: int = 0, **environment: str) -> Rows:
        done: Run = run(f"doctor -o json {line}", status=exit_code, **environment)
        assert not [token for token in TOKENS if token in done.stdout + done.stderr]
        failed = [row for row in done.json if row["status"] == "fail"]
        assert bool(failed) == (exit_code != 0)
        for row in done.json:
            assert set(row) == {"check", "status", "message", "hint"}
            assert row["status"] in {"ok", "warn", "fail"}
            assert row["hint"] is None if row["status"] == "ok" else row["status"] == "fail" or row["hint"]
        if failed:
            assert done.error["exit_code"] == exit_code
            assert done.error["message"] == f"{failed[0]['check']}: {failed[0]['message']}"
        rows = {row["check"]: row for row in done.json}
        assert len(rows) == len(done.json)
        return rows

    return invoke


@pytest.fixture
def config(world: Path) -> Path:
    path = world / "home/.config/oncallctl/config.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def work(server: Serving, config: Path, world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The token file of a profile that the environment does not name."""
    for name in ("ONCALLCTL_URL", "ONCALLCTL_TOKEN", "ONCALLCTL_API"):
        monkeypatch.delenv(name)
    token = world / "token"
    token.write_text(server.token)
    token.chmod(0o600)
    write(config, f'[profiles.work]\nurl = "{server.url}"\napi = "{server.dialect}"\ntoken_file = "{token}"\n')
    return token


def write(config: Path, text: str) -> None:
    config.write_text(f'default_profile = "work"\n{text}')
    config.chmod(0o600)


def passing(_request: Request, answer: Callable[[], Response]) -> Response:
    return answer()


def with_headers(**headers: str) -> Fault:
    def fault(_request: Request, answer: Callable[[], Response]) -> Response:
        response = answer()
        for name, value in headers.items():
            response.headers[name.replace("_", "-")] = value
        return response

    return fault


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

    def test_checks_send_only_reads(self, work: Path, doctor: Doctor, server: Serving) -> None:
        doctor()
        assert server.changes() == []
        assert server.reads()

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

    def test_first_failure_decides_the_exit_status(self, work: Path, doctor: Doctor, server: Serving) -> None:
        work.unlink()
        server.fail("GET", "teams", status(500))
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
    def test_no_profile_is_exit_3_and_other_checks_continue(self, doctor: Doctor) -> None:
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
        self, work: Path, doctor: Doctor, server: Serving
    ) -> None:
        work.unlink()
        rows = doctor(exit_code=3)
        assert "does not exist" in rows["credentials"]["message"]
        assert rows["url"]["status"] == "ok"
        assert rows["authorization"]["status"] == "warn"
        assert not READS & set(rows)
        assert not [seen for seen in server.seen if server.token in seen.headers["Authorization"]]

    def test_token_file_open_to_others_is_exit_3(self, work: Path, doctor: Doctor) -> None:
        work.chmod(0o644)
        assert doctor(exit_code=3)["credentials"]["hint"] == f"chmod 600 {work}"

    def test_token_command_is_named_without_its_arguments(
        self, work: Path, doctor: Doctor, config: Path, server: Serving
    ) -> None:
        write(config, f'[profiles.work]\nurl = "{server.url}"\ntoken_command = "echo {server.token}"\n')
        config.write_text(config.read_text() + f'api = "{server.dialect}"\n')
        assert doctor()["credentials"]["message"] == "a token from token_command echo"

    def test_token_source_slow_is_a_warning(self, work: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(local, "SLOW_SOURCE", 0.0)
        row = doctor()["credentials"]
        assert row["status"] == "warn"
        assert "took" in row["message"]

    def test_keyring_absent_is_exit_3_with_an_alternative(
        self, work: Path, doctor: Doctor, config: Path, server: Serving
    ) -> None:
        write(config, f'[profiles.work]\nurl = "{server.url}"\n')
        row = doctor(exit_code=3)["credentials"]
        assert "no keyring available" in row["message"]
        assert "--token-file" in row["hint"]

    def test_keyring_usable_is_named(
        self, work: Path, doctor: Doctor, config: Path, server: Serving, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(config, f'[profiles.work]\nurl = "{server.url}"\napi = "{server.dialect}"\n')
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.memory_keyring.Memory")
        monkeypatch.setitem(ENTRIES, ("oncallctl", f"work {server.url}"), server.token)
        assert doctor()["credentials"]["message"] == "a token from the keyring"


class TestUrl:
    def test_url_unreachable_is_exit_8(self, doctor: Doctor) -> None:
        rows = doctor(exit_code=8, ONCALLCTL_URL="http://127.0.0.1:9", ONCALLCTL_TOKEN="not-the-right-token")
        assert rows["url"]["status"] == "fail"
        assert "clock" not in rows

    @pytest.mark.parametrize(
        ("answer", "exit_code"),
        [(status(404), 1), (status(500), 8), (status(200, "<html>log in</html>"), 8), (status(302, Location="/x"), 1)],
    )
    def test_url_not_oncall_is_a_failure(self, cloud: Serving, doctor: Doctor, answer: Fault, exit_code: int) -> None:
        cloud.fail("GET", "", answer, times=9)
        rows = doctor(exit_code=exit_code)
        assert rows["url"]["status"] == "fail"
        assert not READS & set(rows)
        assert rows["clock"]["status"] == "ok"

    def test_url_failing_is_requested_once(self, cloud: Serving, doctor: Doctor) -> None:
        cloud.fail("GET", "", status(500), times=9)
        doctor(exit_code=8)
        assert len(cloud.seen) == 1

    @pytest.fixture
    def tls(self, world: Path) -> Iterator[str]:
        application = sandbox.application(world / "tls.sqlite3", "cloud")
        listening = make_server("127.0.0.1", 0, application, threaded=True, ssl_context=certificates.shown())
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()
        listening.server_close()

    def test_certificate_untrusted_is_exit_8(self, doctor: Doctor, tls: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        rows = doctor(exit_code=8, ONCALLCTL_URL=tls, ONCALLCTL_TOKEN=sandbox.ADMIN_TOKEN)
        assert "certificate" in rows["url"]["hint"]

    def test_certificate_trusted_is_reported(self, doctor: Doctor, tls: str, world: Path) -> None:
        pair = {"ONCALLCTL_URL": tls, "ONCALLCTL_TOKEN": sandbox.ADMIN_TOKEN, "ONCALLCTL_API": "cloud"}
        rows = doctor(SSL_CERT_FILE=str(certificates.trust_in(world)), SSL_CERT_DIR=str(world), **pair)
        assert "its certificate is trusted" in rows["url"]["message"]

    def test_plain_http_over_a_network_is_a_warning(self) -> None:
        finding = server_checks._url(Profile("work", "http://oncall.example.org", allow_http=True), None, 0.1)
        assert (finding.status, "unencrypted" in finding.message) == ("warn", True)


class TestDialect:
    def test_dialect_cloud_for_a_self_hosted_engine_is_exit_2(self, oss: Serving, doctor: Doctor) -> None:
        rows = doctor(exit_code=2, ONCALLCTL_API="cloud")
        assert "it is oss" in rows["dialect"]["message"]
        assert 'api = "oss"' in rows["dialect"]["hint"]
        assert {rows[check]["status"] for check in READS} == {"ok"}

    def test_dialect_oss_for_cloud_is_a_warning(self, cloud: Serving, doctor: Doctor) -> None:
        rows = doctor(ONCALLCTL_API="oss")
        assert rows["dialect"]["status"] == "warn"
        assert "it is Cloud" in rows["dialect"]["message"]

    def test_dialect_auto_names_the_host_as_the_reason(self, oss: Serving, doctor: Doctor) -> None:
        assert doctor(ONCALLCTL_API="auto")["dialect"]["message"].startswith("oss by its host")


class TestAuthorization:
    def test_token_refused_in_both_forms_is_exit_3(self, server: Serving, doctor: Doctor) -> None:
        rows = doctor(exit_code=3, ONCALLCTL_TOKEN="not-the-right-token")
        assert rows["authorization"]["status"] == "fail"
        assert rows["dialect"]["status"] == "warn"
        assert "no token" not in rows["dialect"]["message"]
        assert rows["url"]["status"] == "ok"

    def test_token_of_a_user_without_permissions_is_recognized_and_refused(
        self, server: Serving, doctor: Doctor
    ) -> None:
        refusal = status(403, '{"detail": "You do not have permission to perform this action."}')
        server.fail("GET", "teams", refusal, times=9)
        rows = doctor(exit_code=3)
        assert rows["dialect"]["status"] == "ok"
        assert "recognizes the token" in rows["dialect"]["message"]
        assert "You do not have permission" in rows["authorization"]["message"]
        assert "another user" in rows["authorization"]["hint"]

    def test_authorization_names_the_user_of_the_token(self, server: Serving, doctor: Doctor) -> None:
        assert doctor(ONCALLCTL_TOKEN=sandbox.EDITOR_TOKEN)["authorization"]["message"].startswith("bob")

    @pytest.mark.parametrize(
        ("token", "refused"), [(sandbox.EDITOR_TOKEN, "maintenance windows"), (sandbox.VIEWER_TOKEN, "pages, actions")]
    )
    def test_role_without_permissions_on_an_engine_is_a_warning(
        self, oss: Serving, doctor: Doctor, token: str, refused: str
    ) -> None:
        row = doctor(ONCALLCTL_TOKEN=token)["authorization"]
        assert row["status"] == "warn"
        assert f"the server refuses {refused}" in row["message"]

    def test_role_without_permissions_on_cloud_is_ok(self, cloud: Serving, doctor: Doctor) -> None:
        assert doctor(ONCALLCTL_TOKEN=sandbox.EDITOR_TOKEN)["authorization"]["status"] == "ok"

    def test_service_account_on_cloud_is_ok(self, cloud: Serving, doctor: Doctor) -> None:
        environment = {"ONCALLCTL_TOKEN": sandbox.SERVICE_ACCOUNT_TOKEN, "ONCALLCTL_GRAFANA_URL": sandbox.GRAFANA_URL}
        assert doctor(**environment)["authorization"] == {
            "check": "authorization",
            "status": "ok",
            "message": "a service account",
            "hint": None,
        }

    def test_service_account_without_its_stack_is_exit_3_with_a_hint(self, cloud: Serving, doctor: Doctor) -> None:
        rows = doctor(exit_code=3, ONCALLCTL_TOKEN=sandbox.SERVICE_ACCOUNT_TOKEN)
        assert "grafana_url" in rows["authorization"]["hint"]

    def test_service_account_on_a_self_hosted_engine_is_a_warning(self, oss: Serving, doctor: Doctor) -> None:
        row = doctor(ONCALLCTL_TOKEN=sandbox.SERVICE_ACCOUNT_TOKEN)["authorization"]
        assert row["status"] == "warn"
        assert "maintenance" in row["message"]

    def test_stack_unknown_to_the_server_is_exit_8(self, cloud: Serving, doctor: Doctor) -> None:
        row = doctor(exit_code=8, ONCALLCTL_GRAFANA_URL="https://other.grafana.net")["authorization"]
        assert "grafana_url" in row["hint"]


class TestPermissions:
    @pytest.mark.parametrize("name", ["integrations", "users/", "alert_groups"])
    def test_read_permission_missing_is_exit_3(self, server: Serving, doctor: Doctor, name: str) -> None:
        if name == "users/":
            server.fail("GET", name, passing)  # who the token is
        server.fail("GET", name, status(403, '{"detail": "You do not have permission."}'))
        check = f"read-{name.strip('/').replace('_', '-')}"
        rows = doctor(exit_code=3)
        assert [each for each, row in rows.items() if row["status"] == "fail"] == [check]
        assert "You do not have permission" in rows[check]["message"]

    def test_each_read_requests_one_object(self, server: Serving, doctor: Doctor) -> None:
        doctor()
        lists = [seen for seen in server.seen if "users/current" not in seen.path]
        assert {seen.query["perpage"] for seen in lists} == {"1"}
        assert len(lists) <= 6


class TestClock:
    @pytest.mark.parametrize(("seconds", "how"), [(95, "ahead of"), (-95, "behind")])
    def test_clock_skewed_is_a_warning(
        self, server: Serving, doctor: Doctor, monkeypatch: pytest.MonkeyPatch, seconds: int, how: str
    ) -> None:
        monkeypatch.setattr(server_checks, "now", lambda: datetime.now(UTC) + timedelta(seconds=seconds))
        row = doctor()["clock"]
        assert row["status"] == "warn"
        assert re.search(rf"^9[4-6] s {how} the server's", row["message"])

    @pytest.mark.parametrize("seconds", [-25, 25])
    def test_clock_slightly_skewed_is_ok(
        self, server: Serving, doctor: Doctor, monkeypatch: pytest.MonkeyPatch, seconds: int
    ) -> None:
        monkeypatch.setattr(server_checks, "now", lambda: datetime.now(UTC) + timedelta(seconds=seconds))
        assert doctor()["clock"]["status"] == "ok"

    @pytest.mark.parametrize("date", ["", "yesterday"])
    def test_clock_without_a_date_header_is_a_warning(self, date: str) -> None:
        finding = server_checks._clock(Profile("work", "https://h"), {"date": date}, datetime.now(UTC))
        assert finding.status == "warn"


class TestRateLimit:
    @pytest.mark.parametrize(
        ("headers", "state", "expected"),
        [
            ({"RateLimit_Remaining": "250", "RateLimit_Limit": "300"}, "ok", "250 of 300 requests left"),
            ({"X_RateLimit_Remaining": "3"}, "warn", "3 requests left"),
            ({"RateLimit": '"default";r=2;t=30'}, "warn", "2 requests left"),
            ({"RateLimit_Remaining": "many"}, "ok", "does not report"),
        ],
    )
    def test_rate_limit_headers_are_reported(
        self, cloud: Serving, doctor: Doctor, headers: dict[str, str], state: str, expected: str
    ) -> None:
        cloud.fail("GET", "alert_groups", with_headers(**headers))
        row = doctor()["rate-limit"]
        assert row["status"] == state
        assert expected in row["message"]

    def test_rate_limit_used_up_is_reported_without_waiting(self, cloud: Serving, doctor: Doctor) -> None:
        cloud.fail("GET", "teams", status(429, '{"detail": "throttled"}', Retry_After="40"))
        rows = doctor()
        assert "retry in 40 s" in rows["rate-limit"]["message"]
        assert rows["authorization"]["status"] == "warn"
        assert len(cloud.seen) == 1


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
    def test_as_cron_token_file_is_ok(self, work: Path, doctor: Doctor, server: Serving) -> None:
        rows = doctor("--as-cron")
        assert {row["status"] for check, row in rows.items() if check != "environment"} == {"ok"}
        assert server.seen

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
