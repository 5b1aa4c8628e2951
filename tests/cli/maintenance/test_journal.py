"""The journal, and the commands `history` and `status` that read it."""

import json
import os
import re
import stat as modes
import subprocess
import sys
from pathlib import Path

import pytest

from oncallctl.api.resources.integrations import Integration
from oncallctl.config.profiles import Profile
from oncallctl.maintenance.journal import KEPT, Author, Event, Journal
from oncallctl.times import now
from tests.conftest import Runner
from tests.places import ROOT
from tests.serving import Serving, drop, status

ONE = "C5BPMMTY9FMXJ"
STATE = "home/.local/state/oncallctl"
PLACE = Profile("prod", "https://oncall.example.org")
INTEGRATION = Integration.read(
    {
        "id": "C1",
        "name": "api",
        "type": "webhook",
        "maintenance_mode": "debug",
        "maintenance_started_at": "2026-11-21T05:58:48Z",
        "maintenance_end_at": "2026-11-21T06:58:48Z",
        "link": "https://oncall.example.org/integrations/v1/webhook/secret/",
    }
)


class TestWriting:
    def test_history_has_the_author_time_and_reason_of_each_window(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --reason 'db upgrade'")
        run("maintenance stop service-010")
        start, stop = run("maintenance history -o json").json
        assert (start["event"], stop["event"]) == ("started", "stopped")
        assert start["integration"] == {"id": ONE, "name": "service-010"}
        assert start["reason"] == "db upgrade"
        assert (start["mode"], start["outcome"]) == ("silence_escalations", "done")
        assert start["started_at"] == stop["started_at"]
        assert start["ends_at"]
        assert start["run"] != stop["run"]
        assert start["server"] == server.url.removeprefix("http://")
        assert {"time", "profile", "host", "user"} <= set(start)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", start["time"])

    def test_unchanged_window_is_not_recorded(self, cloud: Serving, run: Runner) -> None:
        run("maintenance stop service-010")
        run("maintenance start service-010 --for 30m --dry-run")
        assert run("maintenance history -o json").json == []

    def test_replacement_is_recorded_as_a_stop_and_a_start(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        run("maintenance start service-010 --for 2h --if-active replace")
        entries = run("maintenance history -o json").json
        assert [entry["event"] for entry in entries] == ["started", "stopped", "started"]

    def test_end_of_a_window_is_recorded_with_its_cause(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        run("maintenance start service-010 --for 2h --if-active replace")
        run("maintenance stop service-010")
        run("maintenance run service-010 --for 30m -- true")
        causes = [(entry["event"], entry["cause"]) for entry in run("maintenance history -o json").json]
        assert causes == [
            ("started", None),
            ("stopped", "replace"),
            ("started", None),
            ("stopped", "stop"),
            ("started", None),
            ("stopped", "run"),
        ]

    def test_stop_interrupted_by_a_kill_is_recorded_as_unknown(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def killed(*_: object) -> None:
            raise SystemExit(137)

        run("maintenance start service-010 --for 30m")
        monkeypatch.setattr("oncallctl.maintenance.windows.change.stop", killed)
        run("maintenance stop service-010", status=None)
        last = run("maintenance history -o json").json[-1]
        assert (last["event"], last["cause"], last["outcome"]) == ("stopped", "stop", "unknown")

    def test_stop_that_did_not_arrive_is_not_recorded(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        cloud.fail("POST", "maintenance_stop", status(403, '{"detail": "no"}'))
        run("maintenance stop service-010", status=3)
        assert [entry["event"] for entry in run("maintenance history -o json").json] == ["started"]

    def test_unknown_outcome_is_recorded_as_unknown(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0,))
        cloud.fail("POST", "maintenance_start", drop)
        run("maintenance start service-010 --for 30m", status=9)
        assert run("maintenance history -o json").json[0]["outcome"] == "unknown"

    def test_unwritable_journal_does_not_undo_the_window(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("oncallctl.config.private_files.os.write", full)
        done = run("maintenance start service-010 --for 30m -o json")
        assert done.json[0]["status"] == "started"
        assert "No space left" in done.stderr

    @pytest.mark.promise("in-no-file-this-programs")
    def test_journal_contains_no_secret(self, cloud: Serving, run: Runner, world: Path) -> None:
        run("maintenance start service-010 --for 30m")
        text = (world / STATE / "journal.jsonl").read_text()
        assert cloud.token not in text
        assert "/integrations/v1/" not in text

    def test_journal_is_readable_only_by_its_owner(self, cloud: Serving, run: Runner, world: Path) -> None:
        run("maintenance start service-010 --for 30m")
        assert modes.S_IMODE((world / STATE / "journal.jsonl").stat().st_mode) == 0o600
        assert modes.S_IMODE((world / STATE).stat().st_mode) == 0o700

    def test_concurrent_writers_lose_nothing_during_a_rotation(self, tmp_path: Path) -> None:
        code = (
            "import sys; from pathlib import Path; from tests.cli.maintenance.test_journal import *\n"
            "import oncallctl.maintenance.journal as journal; journal.LARGEST = 20000\n"
            "for number in range(25): Journal(Path(sys.argv[1])).record("
            "Event.STARTED, PLACE, INTEGRATION, Author(f'{sys.argv[2]}-{number}'), at=now())"
        )
        writers = [
            subprocess.Popen([sys.executable, "-c", code, tmp_path, str(writer)], cwd=ROOT) for writer in range(4)
        ]
        assert [writer.wait() for writer in writers] == [0] * 4
        reasons = {entry.reason for entry in Journal(tmp_path).entries(pytest.fail)}
        assert reasons == {f"{writer}-{number}" for writer in range(4) for number in range(25)}
        assert (tmp_path / "journal.jsonl.1").exists()

    def test_rotation_limits_the_number_of_files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oncallctl.maintenance.journal.LARGEST", 1)
        for number in range(10):
            Journal(tmp_path).record(Event.STARTED, PLACE, INTEGRATION, Author(str(number)), at=now())
        assert [entry.reason for entry in Journal(tmp_path).entries(pytest.fail)] == ["6", "7", "8", "9"]
        files = {path.name for path in tmp_path.glob("journal.jsonl*")}
        assert files == {
            "journal.jsonl",
            "journal.jsonl.lock",
            *(f"journal.jsonl.{number}" for number in range(1, KEPT + 1)),
        }


class TestReading:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ('{"time": "2026', "not JSON"),
            (r'{"user": "\ud800', "not JSON"),
            ("[]", "not an object"),
            ('{"time": 3}', "no event"),
            ('WITHOUT "mode"', "no mode"),
            ('WITHOUT "integration"', "no integration"),
            ('WITH "started_at": [3]', "started_at: "),
            ('WITH "time": "yesterday"', "time: "),
            ('WITH "integration": {"id": 7}', "integration.id: "),
        ],
    )
    def test_line_that_is_incomplete_is_skipped_with_a_warning(self, tmp_path: Path, line: str, reason: str) -> None:
        Journal(tmp_path).record(Event.STARTED, PLACE, INTEGRATION, Author(), at=now())
        path = tmp_path / "journal.jsonl"
        word, _, rest = line.partition(" ")
        if word == "WITHOUT":
            line = json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key not in rest})
        elif word == "WITH":
            line = json.dumps(json.loads(path.read_text()) | json.loads(f"{{{rest}}}"))
        path.write_text(f"{line}\n{path.read_text()}")
        warnings: list[str] = []
        assert len(Journal(tmp_path).entries(warnings.append)) == 1
        (warning,) = warnings
        assert warning.startswith(f"{path}: line 1 is skipped: {reason}")

    def test_name_with_half_of_a_surrogate_pair_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        integration = INTEGRATION.model_copy(update={"name": "api \ud800"})
        Journal(tmp_path).record(Event.STARTED, PLACE, integration, Author(), at=now())
        (entry,) = Journal(tmp_path).entries(pytest.fail)
        assert entry.integration.name == entry.raw["integration"]["name"] == "api \ud800"

    def test_every_command_that_reads_the_journal_warns_of_an_incomplete_line(
        self, cloud: Serving, run: Runner, world: Path
    ) -> None:
        run("maintenance start service-010 --for 30m")
        path = world / STATE / "journal.jsonl"
        path.write_text(f'{{"event": "started"}}\n{path.read_text()}')
        file = world / "windows.toml"
        begun = now().replace(microsecond=0, tzinfo=None).isoformat()
        file.write_text(
            f'[[window]]\nname = "w"\nat = {begun}\ntimezone = "UTC"\nduration = "5m"\nintegrations = ["service-010"]\n'
        )
        for command in ("history", "status", "orphans", "debrief service-010 --since 1d", f"apply {file}"):
            done = run(f"maintenance {command}")
            assert done.stderr.count(f"warning: {path}: line 1 is skipped: no time\n") == 1

    def test_lines_that_are_incomplete_are_counted(self, run: Runner, world: Path) -> None:
        (world / STATE).mkdir(parents=True)
        (world / STATE / "journal.jsonl").write_text("{}\n[]\n{\n")
        done = run("maintenance history")
        assert done.stderr.count("warning") == 1
        assert "journal.jsonl: line 1 is skipped: no time (3 such lines)" in done.stderr

    def test_line_of_an_older_version_has_no_cause(self, cloud: Serving, run: Runner, world: Path) -> None:
        run("maintenance start service-010 --for 30m")
        run("maintenance stop service-010")
        path = world / STATE / "journal.jsonl"
        path.write_text(path.read_text().replace('"cause": "stop", ', "").replace('"cause": null, ', ""))
        done = run("maintenance history -o json")
        assert [entry["event"] for entry in done.json] == ["started", "stopped"]
        assert done.stderr == ""

    def test_server_is_recognized_in_another_spelling(self, cloud: Serving, run: Runner, world: Path) -> None:
        run("maintenance start service-010 --for 30m --reason 'db upgrade'")
        path = world / STATE / "journal.jsonl"
        path.write_text(path.read_text().replace("127.0.0.1:", "LOCALHOST.:"))
        local = cloud.url.replace("127.0.0.1", "localhost")
        (window,) = run("maintenance status -o json", ONCALLCTL_URL=local).json
        assert window["reason"] == "db upgrade"

    def test_history_on_a_terminal_omits_constant_columns(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("maintenance start service-010 --for 30m")
        assert "HOST" in run("maintenance history").stdout
        monkeypatch.setattr("oncallctl.commands.maintenance.journal.on_a_terminal", lambda: True)
        header = run("maintenance history").stdout.splitlines()[0].split("\t")
        assert {"PROFILE", "BY", "HOST", "OUTCOME"}.isdisjoint(header)
        with monkeypatch.context() as patch:
            patch.setattr("oncallctl.maintenance.journal.socket.gethostname", lambda: "another-host")
            run("maintenance stop service-010")
        assert "HOST" in run("maintenance history").stdout

    def test_history_since_a_time_omits_older_events(self, cloud: Serving, run: Runner, world: Path) -> None:
        run("maintenance start service-010 --for 30m")
        path = world / STATE / "journal.jsonl"
        old = {**json.loads(path.read_text()), "time": "2020-01-01T00:00:00+00:00"}
        path.write_text(json.dumps(old) + "\n" + path.read_text())
        assert len(run("maintenance history -o json").json) == 2
        assert len(run("maintenance history --since 1d -o json").json) == 1

    def test_history_of_an_empty_journal_is_an_empty_list(self, run: Runner) -> None:
        assert run("maintenance history -o json").json == []

    def test_status_has_the_author_and_reason_of_a_window(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --reason 'db upgrade'")
        (window,) = run("maintenance status -o json").json
        assert window["reason"] == "db upgrade"
        assert "@" in window["started_by"]

    def test_window_unknown_to_the_journal_is_foreign(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --reason mine")
        run("maintenance stop service-010")
        mode = "silence_escalations"
        cloud.call("POST", "integrations/C6WEX17LQRP1K/maintenance_start", {"mode": mode, "duration": 600})
        (window,) = run("maintenance status -o json").json
        assert (window["started_by"], window["reason"]) == ("foreign", None)

    def test_status_without_a_window_has_no_author(self, cloud: Serving, run: Runner) -> None:
        (window,) = run("maintenance status service-010 -o json").json
        assert window["started_by"] is None

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
    def test_state_folder_of_another_user_is_refused(self, cloud: Serving, run: Runner, world: Path) -> None:
        (world / STATE).mkdir(parents=True)
        os.chown(world / STATE, 12345, 12345)
        run("maintenance start service-010 --for 30m", status=2)
        assert cloud.changes() == []


class TestGuardRails:
    @pytest.fixture
    def profile(self, cloud: Serving, world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        token = world / "token"
        token.write_text(cloud.token)
        token.chmod(0o600)
        path = world / "config.toml"
        path.write_text(
            f'[profiles.work]\nurl = "{cloud.url}"\napi = "cloud"\ntoken_file = "{token}"\n'
            'longest_window = "1h"\nmost_targets = 2\nreason_required = true\nmodes_allowed = ["silence_escalations"]\n'
        )
        monkeypatch.setenv("ONCALLCTL_CONFIG", str(path))
        return path

    @pytest.mark.usefixtures("profile")
    @pytest.mark.parametrize(
        "options",
        [
            "service-010 --for 30m",
            "service-010 --for 30m --reason ' '",
            "service-010 --for 2h --reason r",
            "service-010 --for 2h --max 3h --reason r",
            "service-010 --for 30m --reason r --mode group_alerts",
            "service-010 service-011 service-012 --for 30m --reason r",
        ],
    )
    def test_window_that_the_profile_forbids_is_refused_before_any_change(
        self, cloud: Serving, run: Runner, options: str
    ) -> None:
        run(f"maintenance start {options} --yes -p work", status=2)
        assert cloud.changes() == []

    @pytest.mark.usefixtures("profile")
    def test_window_that_the_profile_allows_is_started(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 service-011 --for 30m --reason r -p work")
        assert len(cloud.changes()) == 2
