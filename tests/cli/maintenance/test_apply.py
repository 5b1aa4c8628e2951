"""`maintenance apply` against the sandbox behind a socket: requests that reached it, and output."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from oncallctl import sandbox
from tests.serving import Serving, lose, status

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

    from tests.conftest import Run, Runner

ONE, OTHER = "C5BPMMTY9FMXJ", "service-011"
START = f"POST /api/v1/integrations/{ONE}/maintenance_start"


def window(name: str = "nightly", targets: str = 'integrations = ["service-010"]', **keys: str) -> str:
    """Return a window that began ten minutes ago and lasts two hours."""
    ago = timedelta(minutes=int(keys.pop("ago", "10")))
    begun = (datetime.now(UTC) - ago).replace(microsecond=0, tzinfo=None)
    values = {"at": begun.isoformat(), "timezone": '"UTC"', "duration": '"2h"', **keys}
    lines = "\n".join(f"{key} = {value}" for key, value in values.items())
    return f'[[window]]\nname = "{name}"\n{targets}\n{lines}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "windows.toml"
    path.write_text(window())
    return path


def state(serving: Serving, name: str = ONE) -> dict[str, Any]:
    matches = serving.call("GET", f"integrations/?search={name}")["results"]
    return next(each for each in matches if name in {each["id"], each["name"]})


def stop(serving: Serving) -> None:
    serving.call("POST", f"integrations/{ONE}/maintenance_stop")


def statuses(done: Run) -> dict[tuple[str, str | None], str]:
    return {(each["window"], each["name"]): each["status"] for each in done.json}


class TestStarts:
    def test_due_window_is_started_for_the_remaining_time(self, server: Serving, run: Runner, file: Path) -> None:
        (outcome,) = run(f"maintenance apply {file} -o json").json
        begun = datetime.fromisoformat(file.read_text().split("at = ")[1].split("\n")[0])
        assert {key: outcome[key] for key in ("target", "id", "name", "status", "error", "window", "occurrence")} == {
            "target": "service-010",
            "id": ONE,
            "name": "service-010",
            "status": "started",
            "error": None,
            "window": "nightly",
            "occurrence": f"{begun.isoformat()}Z",
        }
        assert server.changes() == [START]
        assert 110 * 60 - 30 <= server.bodies()[0]["duration"] <= 110 * 60

    def test_repeated_apply_starts_a_window_once(self, cloud: Serving, run: Runner, file: Path) -> None:
        for expected in ("started", "unchanged", "unchanged"):
            assert run(f"maintenance apply {file} -o json").json[0]["status"] == expected
        assert cloud.changes() == [START]

    @pytest.mark.parametrize(
        "keys",
        [
            {"ago": "-10"},
            {"ago": "126"},
            {"ago": "10", "skip": "[{day}]"},
        ],
    )
    def test_apply_without_due_windows_sends_only_the_clock_check(
        self, cloud: Serving, run: Runner, file: Path, keys: dict[str, str]
    ) -> None:
        day = (datetime.now(UTC) - timedelta(minutes=10)).date()
        file.write_text(window(**{key: value.format(day=day) for key, value in keys.items()}))
        assert run(f"maintenance apply {file} -o json").json == []
        assert cloud.reads() == ["GET /api/v1/teams/"]  # the first run learns the server's time
        cloud.seen.clear()
        assert run(f"maintenance apply {file} -o json").json == []
        assert cloud.seen == []

    def test_due_windows_are_determined_by_the_servers_clock(self, cloud: Serving, run: Runner, file: Path) -> None:
        file.write_text(window(ago="0", duration='"1h"'))
        cloud.ahead = timedelta(minutes=-3)
        assert run(f"maintenance apply {file} -o json").json == []
        cloud.ahead = timedelta(minutes=57)
        cloud.seen.clear()
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "started"
        assert 0 < cloud.bodies()[0]["duration"] <= 180

    def test_window_is_started_at_its_time_on_a_machine_whose_clock_is_wrong_by_hours(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        file.write_text(window(ago="-170", duration='"30m"'))
        cloud.ahead = timedelta(hours=3)
        for expected in ("started", "unchanged"):
            assert run(f"maintenance apply {file} -o json").json[0]["status"] == expected
        assert 19 * 60 < cloud.bodies()[0]["duration"] <= 20 * 60

    def test_occurrence_started_by_a_host_with_a_fast_clock_is_not_restarted_by_another(
        self, cloud: Serving, run: Runner, file: Path, tmp_path: Path
    ) -> None:
        """The first host is three minutes ahead; by its clock the window ends while it is still due."""
        file.write_text(window(ago="5", duration='"1h"'))
        cloud.ahead = timedelta(minutes=-3)
        run(f"maintenance apply {file}")
        cloud.ahead = timedelta(minutes=53)
        done = run(f"maintenance apply {file} -o json", XDG_STATE_HOME=str(tmp_path / "other"))
        assert (done.json[0]["status"], cloud.changes()) == ("unchanged", [START])
        cloud.ahead = timedelta(minutes=56)
        assert run(f"maintenance apply {file} -o json", XDG_STATE_HOME=str(tmp_path / "other")).json == []

    def test_targets_of_a_window_are_looked_up_once(self, cloud: Serving, run: Runner, file: Path) -> None:
        file.write_text(window("often", at="", cron='"* * * * *"', duration='"1h"').replace("at = \n", ""))
        (outcome,) = run(f"maintenance apply {file} -o json").json
        assert outcome["status"] == "started"
        assert 59 * 60 - 5 <= cloud.bodies()[0]["duration"] <= 3600
        assert len(cloud.seen) <= 3

    def test_window_that_the_guard_rails_refuse_is_refused_at_once(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        file.write_text(window("long", at="", cron='"* * * * *"', duration='"3650d"').replace("at = \n", ""))
        done = run(f"maintenance apply {file}", status=2)
        assert "longer than the 7d" in done.stderr
        assert cloud.reads() == ["GET /api/v1/teams/"]
        run(f"maintenance plan {file} --days 1 --quiet")

    def test_occurrence_in_its_last_minute_is_not_started(self, cloud: Serving, run: Runner, file: Path) -> None:
        file.write_text(window(ago="119", duration='"7170s"'))
        assert run(f"maintenance apply {file} -o json").json == []

    def test_window_shorter_than_a_minute_is_started(self, cloud: Serving, run: Runner, file: Path) -> None:
        file.write_text(window(ago="0", duration='"50s"'))
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "started"

    def test_mode_of_the_engine_is_an_alias(self, server: Serving, run: Runner, file: Path) -> None:
        file.write_text(window(mode='"maintenance"'))
        run(f"maintenance apply {file}")
        assert server.bodies()[0]["mode"] == ("group_alerts" if server.dialect == "cloud" else "maintenance")

    @pytest.mark.parametrize("option", ["", "--dry-run"])
    def test_apply_on_a_terminal_without_due_windows_prints_that_nothing_is_due(
        self, cloud: Serving, run: Runner, file: Path, option: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        printed: list[str] = []
        stdout = SimpleNamespace(isatty=lambda: True, write=printed.append, flush=lambda: None)
        monkeypatch.setattr("oncallctl.output.render.sys", SimpleNamespace(stdout=stdout))
        file.write_text(window(ago="-10"))
        run(f"maintenance apply {file} {option}")
        assert printed == ["nothing is due\n"]
        assert cloud.changes() == []

    @pytest.mark.promise("dry-run-sends-no-change")
    def test_apply_dry_run_prints_the_request_and_changes_nothing(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        (outcome,) = run(f"maintenance apply {file} --dry-run -o json").json
        assert outcome["status"] == "would-start"
        assert outcome["requests"][0]["url"].endswith(f"{ONE}/maintenance_start")
        assert cloud.changes() == []
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "started"

    def test_lost_response_is_read_back(self, cloud: Serving, run: Runner, file: Path) -> None:
        cloud.fail("POST", "maintenance_start", lose)
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "started"
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "unchanged"
        assert cloud.changes() == [START]


class TestOtherWindows:
    def test_window_stopped_by_a_user_is_not_restarted(self, server: Serving, run: Runner, file: Path) -> None:
        run(f"maintenance apply {file}")
        stop(server)
        (outcome,) = run(f"maintenance apply {file} -o json").json
        assert outcome["status"] == "unchanged"
        assert state(server)["maintenance_mode"] is None

    def test_window_stopped_by_a_user_is_not_restarted_in_another_mode(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        run(f"maintenance apply {file}")
        stop(cloud)
        file.write_text(f'{file.read_text()}mode = "group_alerts"\n')
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "unchanged"

    def test_next_occurrence_of_a_stopped_window_is_started(self, cloud: Serving, run: Runner, file: Path) -> None:
        run(f"maintenance apply {file}")
        stop(cloud)
        file.write_text(window(ago="5"))
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "started"

    @pytest.mark.promise("window-you-stop-stays-stopped")
    @pytest.mark.parametrize("started", ["by this host", "by another host", "by a longer window"])
    def test_window_stopped_on_this_machine_is_not_restarted(
        self, cloud: Serving, run: Runner, file: Path, tmp_path: Path, started: str
    ) -> None:
        if started == "by a longer window":
            run("maintenance start service-010 --for 5h", XDG_STATE_HOME=str(tmp_path / "other"))
        else:
            other = {"XDG_STATE_HOME": str(tmp_path / "other")} if started == "by another host" else {}
            run(f"maintenance apply {file}", **other)
        run("maintenance stop service-010")
        for _ in range(2):
            assert run(f"maintenance apply {file} -o json").json[0]["status"] == "unchanged"
        assert state(cloud)["maintenance_mode"] is None

    @pytest.mark.promise("window-you-stop-stays-stopped")
    def test_stop_whose_program_was_killed_is_respected(
        self, cloud: Serving, run: Runner, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def killed(*_: object) -> None:
            stop(cloud)
            raise SystemExit(137)

        run(f"maintenance apply {file}", XDG_STATE_HOME=str(tmp_path / "other"))
        with monkeypatch.context() as patch:
            patch.setattr("oncallctl.maintenance.windows.change.stop", killed)
            run("maintenance stop service-010", status=137)
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "unchanged"

    def test_stop_before_an_occurrence_does_not_prevent_it(self, cloud: Serving, run: Runner, file: Path) -> None:
        cloud.ahead = timedelta(minutes=-1)
        run("maintenance start service-010 --for 1h")
        run("maintenance stop service-010")
        cloud.ahead = timedelta()
        file.write_text(window(ago="0"))
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "started"

    def test_stop_on_another_server_does_not_count(self, cloud: Serving, run: Runner, file: Path, world: Path) -> None:
        run("maintenance start service-010 --for 1h")
        run("maintenance stop service-010")
        journal = world / "home/.local/state/oncallctl/journal.jsonl"
        journal.write_text(journal.read_text().replace('"server": "127.0.0.1:', '"server": "oncall.example.org:'))
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "started"

    def test_end_of_a_run_that_replaced_the_window_does_not_count_as_a_stop(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        run(f"maintenance apply {file}")
        run("maintenance run service-010 --for 3h --if-active replace -- true")
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "started"

    def test_expiry_of_a_shorter_replacement_does_not_count_as_a_stop(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        run(f"maintenance apply {file}")
        run("maintenance start service-010 --for 20m --mode group_alerts --if-active replace")
        cloud.ahead = timedelta(minutes=30)
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "started"

    def test_stop_on_another_host_is_not_known(self, cloud: Serving, run: Runner, file: Path, tmp_path: Path) -> None:
        run(f"maintenance apply {file}")
        stop(cloud)
        done = run(f"maintenance apply {file} -o json", XDG_STATE_HOME=str(tmp_path / "other"))
        assert done.json[0]["status"] == "started"

    def test_active_window_that_lasts_long_enough_is_kept_without_a_message(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        run("maintenance start service-010 --for 3h")
        done = run(f"maintenance apply {file} -o json")
        assert (done.json[0]["status"], done.stderr) == ("unchanged", "")
        assert cloud.changes() == [START]

    @pytest.mark.parametrize("options", ["--for 30m", "--for 3h --mode group_alerts"])
    def test_other_active_window_is_left_alone_with_a_warning(
        self, cloud: Serving, run: Runner, file: Path, options: str
    ) -> None:
        run(f"maintenance start service-010 {options}")
        before = state(cloud)
        done = run(f"maintenance apply {file} -o json")
        assert done.json[0]["status"] == "unchanged"
        assert "window 'nightly'" in done.stderr
        assert "it is left alone" in done.stderr
        assert state(cloud) == before

    def test_overdue_window_is_not_stopped(self, unswept: Serving, run: Runner, file: Path) -> None:
        unswept.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": "maintenance", "duration": 0})
        unswept.seen.clear()
        done = run(f"maintenance apply {file} -o json")
        assert done.json[0]["status"] == "unchanged"
        assert "waits until the server closes it" in done.stderr
        assert unswept.changes() == []

    def test_window_started_by_somebody_else_meanwhile_is_left_alone(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        def quicker(_request: Request, answer: Any) -> Response:
            cloud.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 60})
            return answer()

        mode = "group_alerts"
        cloud.fail("POST", "maintenance_start", quicker)
        done = run(f"maintenance apply {file} -o json")
        assert done.json[0]["status"] == "unchanged"
        assert "it is left alone" in done.stderr

    @pytest.mark.parametrize("first", ["long", "short"])
    def test_two_due_windows_on_an_integration_start_the_one_that_ends_last(
        self, cloud: Serving, run: Runner, file: Path, first: str
    ) -> None:
        both = {"long": window("long", duration='"4h"'), "short": window("short")}
        file.write_text(both.pop(first) + "".join(both.values()))
        done = run(f"maintenance apply {file} -o json")
        assert statuses(done) == {("long", "service-010"): "started", ("short", "service-010"): "unchanged"}
        assert len(cloud.changes()) == 1
        assert cloud.bodies()[0]["duration"] > 3 * 3600

    def test_stop_of_the_longer_of_two_due_windows_restarts_neither(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        file.write_text(window("long", duration='"4h"') + window("short"))
        run(f"maintenance apply {file}")
        stop(cloud)
        assert set(statuses(run(f"maintenance apply {file} -o json")).values()) == {"unchanged"}
        assert state(cloud)["maintenance_mode"] is None

    def test_dry_run_of_two_due_windows_starts_one(self, cloud: Serving, run: Runner, file: Path) -> None:
        file.write_text(window("long", duration='"4h"') + window("short"))
        done = run(f"maintenance apply {file} --dry-run -o json")
        assert [each["status"] for each in done.json] == ["would-start", "unchanged"]


class TestFailures:
    def test_invalid_file_starts_nothing(self, cloud: Serving, run: Runner, file: Path) -> None:
        file.write_text(window() + "[[window]]\n")
        done = run(f"maintenance apply {file}", status=2)
        assert f"{file}:7: " in done.stderr
        assert cloud.seen == []

    def test_missing_target_fails_only_its_window(self, cloud: Serving, run: Runner, file: Path) -> None:
        file.write_text(window("lost", 'integrations = ["service-010", "nowhere"]') + window())
        done = run(f"maintenance apply {file} -o json", status=4)
        assert statuses(done) == {("lost", None): "failed", ("nightly", "service-010"): "started"}
        lost = done.json[0]
        assert (lost["target"], lost["id"], lost["integration"]) == ("service-010, nowhere", None, None)
        assert lost["error"]["code"] == "not_found"

    @pytest.mark.parametrize("targets", ['match = "nothing-*"', 'team = "nobody"', 'integrations = ["nowhere"]'])
    def test_missing_target_of_the_only_due_window_is_the_exit_status(
        self, cloud: Serving, run: Runner, file: Path, targets: str
    ) -> None:
        file.write_text(window(targets=targets))
        done = run(f"maintenance apply {file}", status=6)
        assert "window 'nightly'" in done.stderr

    def test_unsupported_mode_fails_only_its_window(self, oss: Serving, run: Runner, file: Path) -> None:
        file.write_text(window("cloud", mode='"disable_alerts"') + window())
        done = run(f"maintenance apply {file} -o json", status=4)
        assert [each["status"] for each in done.json] == ["failed", "started"]
        assert done.json[0]["error"]["code"] == "unsupported"

    def test_refused_start_does_not_prevent_others(self, cloud: Serving, run: Runner, file: Path) -> None:
        cloud.fail("POST", ONE, status(403, '{"detail": "no"}'))
        file.write_text(window(targets='integrations = ["service-010", "service-011"]'))
        done = run(f"maintenance apply {file} -o json", status=4)
        assert statuses(done) == {("nightly", "service-010"): "failed", ("nightly", "service-011"): "started"}

    def test_quiet_apply_prints_nothing_or_one_line_on_failure(self, cloud: Serving, run: Runner, file: Path) -> None:
        file.write_text(window() + window("other mode", mode='"group_alerts"'))
        for _ in range(2):
            done = run(f"maintenance apply {file} -q")
            assert (done.stdout, done.stderr) == ("", "")
        file.write_text(window("lost", 'team = "nobody"') + window("lost too", 'match = "nothing"'))
        done = run(f"maintenance apply {file} -q", status=6)
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1


class TestLocking:
    @pytest.fixture
    def lock(self, cloud: Serving, run: Runner, file: Path, world: Path) -> Path:
        """Hold the lock of the file, like a run that has just started."""
        run(f"maintenance apply {file}")
        (path,) = (world / "home/.local/state/oncallctl").glob("apply-*.lock")
        assert path.read_bytes() == b""
        cloud.seen.clear()
        return path

    def hold(self, path: Path, since: timedelta) -> int:
        descriptor = os.open(path, os.O_RDWR)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.pwrite(descriptor, f"4711 {(datetime.now(UTC) - since).isoformat()}\n".encode(), 0)
        return descriptor

    def test_apply_during_another_run_does_nothing(self, cloud: Serving, run: Runner, file: Path, lock: Path) -> None:
        descriptor = self.hold(lock, timedelta(minutes=9))
        done = run(f"maintenance apply {file} -o json")
        assert (done.json, cloud.seen) == ([], [])
        assert "process 4711" in done.stderr
        assert run(f"maintenance apply {file} --quiet").stderr == ""
        os.close(descriptor)
        assert len(run(f"maintenance apply {file} -o json").json) == 1

    def test_apply_during_a_hanging_run_fails(self, cloud: Serving, run: Runner, file: Path, lock: Path) -> None:
        descriptor = self.hold(lock, timedelta(minutes=11))
        done = run(f"maintenance apply {file} -o json", status=8)
        assert "process 4711 has been applying" in done.error["message"]
        assert done.error["hint"].endswith("kill 4711")
        os.close(descriptor)
        assert cloud.seen == []

    def test_lock_of_a_file_does_not_block_another_file(
        self, cloud: Serving, run: Runner, file: Path, lock: Path, tmp_path: Path
    ) -> None:
        other = tmp_path / "other.toml"
        other.write_text(window("other", 'integrations = ["service-011"]'))
        descriptor = self.hold(lock, timedelta(minutes=11))
        assert run(f"maintenance apply {other} -o json").json[0]["status"] == "started"
        assert run(f"maintenance apply {file} --dry-run -o json").json[0]["status"] == "unchanged"
        os.close(descriptor)

    def test_locked_journal_does_not_prevent_the_start(
        self, cloud: Serving, run: Runner, file: Path, world: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.config.private_files.LOCK_SECONDS", 0.0)
        folder = world / "home/.local/state/oncallctl"
        folder.mkdir(parents=True, mode=0o700)
        descriptor = os.open(folder / "journal.jsonl.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        done = run(f"maintenance apply {file} -o json")
        os.close(descriptor)
        assert done.json[0]["status"] == "started"
        assert "the journal cannot be written" in done.stderr
        assert "another process has locked it" in done.stderr


class TestConfirmation:
    def test_named_direct_paging_integration_is_started_without_a_prompt(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        file.write_text(window(targets='integrations = ["Direct paging (platform team)"]'))
        assert run(f"maintenance apply {file} -o json").json[0]["status"] == "started"

    def test_selector_omits_direct_paging_integrations(self, cloud: Serving, run: Runner, file: Path) -> None:
        file.write_text(window(targets='match = "Direct paging*"'))
        run(f"maintenance apply {file}", status=6)
        assert cloud.changes() == []

    def test_many_matching_integrations_are_started_without_a_prompt(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        file.write_text(window(targets='match = "service-*"'))
        done = run(f"maintenance apply {file} -o json")
        assert len(done.json) > 20
        assert {each["status"] for each in done.json} == {"started"}

    @pytest.mark.parametrize(
        ("rail", "message"),
        [
            ('longest_window = "1h"', "longer than the 1h"),
            ("reason_required = true", "requires a reason"),
            ('modes_allowed = ["group_alerts"]', "does not allow silence_escalations"),
            ("most_targets = 0", "more than the 0"),
        ],
    )
    def test_guard_rails_of_the_profile_apply(
        self, cloud: Serving, run: Runner, file: Path, tmp_path: Path, rail: str, message: str
    ) -> None:
        token = tmp_path / "token"
        token.write_text(cloud.token)
        token.chmod(0o600)
        config = tmp_path / "config.toml"
        config.write_text(f'[profiles.p]\nurl = "{cloud.url}"\napi = "cloud"\ntoken_file = "{token}"\n{rail}\n')
        done = run(f"maintenance apply {file} --profile p", status=2, ONCALLCTL_CONFIG=str(config))
        assert message in done.stderr
        assert cloud.changes() == []


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["oss"])
def test_concurrent_runs_on_two_hosts_start_each_window_once(tmp_path: Path, dialect: str, file: Path) -> None:
    file.write_text(
        window()
        + window("team", 'team = "platform"')
        + window("mode", 'integrations = ["service-030"]', mode='"debug"')
    )
    answered: list[tuple[str, int]] = []

    def counted(request: Request, answer: Any) -> Response:
        response = answer()
        answered.append((request.path, response.status_code))
        return response

    with Serving(tmp_path / "many.sqlite3", dialect, rate_limit=10_000) as serving:
        serving.fail("POST", "maintenance_start", counted, times=1000)
        environment = {**os.environ, "ONCALLCTL_URL": serving.url, "ONCALLCTL_TOKEN": sandbox.ADMIN_TOKEN}
        environment["ONCALLCTL_API"] = dialect
        command = [sys.executable, "-m", "oncallctl", "maintenance", "apply", str(file), "-o", "json"]
        runs = [
            subprocess.Popen(
                command,
                env={**environment, "XDG_STATE_HOME": str(tmp_path / f"host{number % 2}")},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for number in range(4)
        ]
        ends = [(*process.communicate(), process.returncode) for process in runs]
    assert [code for _, _, code in ends] == [0] * 4, ends
    successes = sorted(path for path, code in answered if code == 200)
    wanted = {each["id"] for stdout, _, _ in ends for each in json.loads(stdout)}
    assert len(wanted) > 2
    assert len(successes) == len(set(successes)) == len(wanted)
