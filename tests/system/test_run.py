"""`maintenance run` as a process: every way in which it can end, and concurrent runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Serving, drop, status
from tests.system.program import PATIENCE, Program, Ran

ONE = "C5BPMMTY9FMXJ"  # service-010
START = f"POST /api/v1/integrations/{ONE}/maintenance_start"
STOP = f"POST /api/v1/integrations/{ONE}/maintenance_stop"
RUN = ("maintenance", "run", ONE, "--for", "30m")
SIGNALS = pytest.mark.parametrize(
    ("signum", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)],
    ids=["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"],
)


def window(cloud: Serving, ident: str = ONE) -> dict[str, Any] | None:
    """Return the integration if it has an open window, or None."""
    found = cloud.call("GET", f"integrations/{ident}/")
    return found if found["maintenance_mode"] else None


class Pipe:
    """FIFOs by which a command reports its start, and waits for permission to end."""

    def __init__(self, folder: Path) -> None:
        self.up, self.down = folder / "up", folder / "down"
        os.mkfifo(self.up)
        os.mkfifo(self.down)

    @property
    def command(self) -> tuple[str, ...]:
        """A command that writes its PID, reads a number and exits with it."""
        return ("sh", "-c", f"echo $$ >{self.up}; read code <{self.down}; exit $code")

    def pid(self) -> int:
        """Wait for the command, and return its PID."""
        return int(_within(lambda: self.up.read_text(encoding="utf-8")))

    def end(self, code: int = 0) -> None:
        """Let the command exit."""
        _within(lambda: self.down.write_text(f"{code}\n", encoding="utf-8"))


def _within(work: Callable[[], Any]) -> Any:
    """Call a function that may block, and fail if it takes too long."""
    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(work()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert made, "nobody came"
    return made[0]


@pytest.fixture
def pipe(tmp_path: Path) -> Pipe:
    return Pipe(tmp_path)


@pytest.fixture
def running(work: Program, pipe: Pipe) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a run, and yield its process and the PID of its command."""
    with work.started(*RUN, "--", *pipe.command) as process:
        yield process, pipe.pid()


def over(process: subprocess.Popen[bytes]) -> Ran:
    out, err = process.communicate(timeout=PATIENCE)
    ran = Ran(process.returncode, out, err)
    assert b"Traceback" not in err, ran.stderr
    return ran


class TestTheCommand:
    def test_command_uses_the_streams_of_the_program(self, work: Program, cloud: Serving) -> None:
        ran = work(*RUN, "--", "sh", "-c", "cat; echo oops >&2", stdin=b"\x00\xff\n through")
        assert ran.out == b"\x00\xff\n through"
        assert ran.err == b"oops\n"
        assert cloud.changes() == [START, STOP]

    @pytest.mark.parametrize("code", [0, 1, 2, 8, 125, 255])
    def test_exit_status_of_the_command_is_returned(self, work: Program, cloud: Serving, code: int) -> None:
        ran = work(*RUN, "--", "sh", "-c", f"exit {code}", status=code)
        assert ran.err == b""
        assert window(cloud) is None

    def test_command_runs_during_the_window_with_variables_about_it(
        self, work: Program, cloud: Serving, pipe: Pipe
    ) -> None:
        with work.started(
            *RUN, "--", "sh", "-c", f"env >{pipe.up}; read go <{pipe.down}", ONCALLCTL_NOT="hers"
        ) as process:
            seen = dict(
                line.split("=", 1) for line in _within(lambda: pipe.up.read_text(encoding="utf-8")).splitlines()
            )
            found = window(cloud)
            pipe.end()
            assert over(process).status == 0
        assert found is not None
        assert seen["ONCALLCTL_NOT"] == "hers"
        assert seen["ONCALLCTL_WINDOW_TARGETS"] == ONE
        shown = datetime.fromisoformat(seen["ONCALLCTL_WINDOW_ENDS_AT"])
        assert shown.tzinfo == UTC
        assert abs((shown - datetime.fromisoformat(found["maintenance_end_at"])).total_seconds()) < 60
        assert window(cloud) is None

    def test_options_after_the_command_belong_to_it(self, work: Program, cloud: Serving) -> None:
        ran = work(*RUN, "--", "printf", "%s|", "--yes", "--", "-o", "json", "")
        assert ran.out == b"--yes|--|-o|json||"

    def test_missing_command_exits_127_and_stops_the_window(self, work: Program, cloud: Serving) -> None:
        ran = work(*RUN, "--", "no-such-command", status=127)
        assert "command not found: 'no-such-command'" in ran.stderr
        assert window(cloud) is None

    def test_command_without_permission_exits_126(self, work: Program, cloud: Serving, tmp_path: Path) -> None:
        (tmp_path / "script").write_text("#!/bin/sh\n", encoding="utf-8")
        ran = work(*RUN, "--", tmp_path / "script", status=126)
        assert "Permission denied" in ran.stderr
        assert window(cloud) is None

    def test_run_without_a_command_sends_nothing(self, work: Program, cloud: Serving) -> None:
        for words in ((), ("--",)):
            assert "no command to run" in work(*RUN, *words, status=2).stderr
        assert cloud.seen == []


class TestWhenWindowsCannotBeOpened:
    def test_refused_window_exits_125_without_running_the_command(
        self, work: Program, cloud: Serving, tmp_path: Path
    ) -> None:
        cloud.fail("POST", "maintenance_start", status(403, '{"detail": "no"}'))
        ran = work(*RUN, "-o", "json", "--", "touch", tmp_path / "done", status=125)
        assert (ran.error["code"], ran.error["exit_code"]) == ("access_denied", 125)
        assert not (tmp_path / "done").exists()

    def test_started_windows_are_stopped_if_another_is_refused(
        self, work: Program, cloud: Serving, tmp_path: Path
    ) -> None:
        cloud.fail("POST", f"{ONE}/maintenance_start", status(403, '{"detail": "no"}'))
        work("maintenance", "run", "service-000", ONE, "service-001", "--for", "1h", "--", "false", status=125)
        assert work("maintenance", "status", "-o", "json").json == []
        assert sum("maintenance_stop" in each for each in cloud.changes()) == 2

    def test_continue_with_a_refused_window_runs_the_command_with_a_warning(
        self, work: Program, cloud: Serving
    ) -> None:
        cloud.fail("POST", "maintenance_start", status(403, '{"detail": "no"}'))
        ran = work(*RUN, "--if-start-fails", "continue", "--", "sh", "-c", "exit 5", status=5)
        assert "the command runs anyway" in ran.stderr

    def test_continue_without_a_server_runs_the_command(self, work: Program) -> None:
        nowhere: dict[str, Any] = {
            "ONCALLCTL_URL": "http://127.0.0.1:9",
            "ONCALLCTL_TOKEN": "x",
            "ONCALLCTL_API": "cloud",
        }
        words = ("maintenance", "run", "service-010", "--for", "30m", "--timeout", "1")
        work(*words, "--", "true", status=125, **nowhere)
        ran = work(*words, "--if-start-fails", "continue", "--", "echo", "done", **nowhere)
        assert ran.out == b"done\n"

    def test_lost_response_to_the_start_leaves_no_window(self, work: Program, cloud: Serving) -> None:
        def carry_out_and_say_nothing(_request: object, answer: Callable[[], object]) -> None:
            answer()
            cloud.fail("GET", f"integrations/{ONE}/", status(403, '{"detail": "no"}'))

        cloud.fail("POST", "maintenance_start", carry_out_and_say_nothing)
        ran = work(*RUN, "-o", "json", "--", "false", status=125)
        assert ran.error["code"] == "outcome_unknown"
        assert cloud.changes() == [START, STOP]
        assert window(cloud) is None


class TestEndingInEveryWay:
    @SIGNALS
    def test_signal_is_forwarded_to_the_command_and_stops_the_window(
        self, running: tuple[subprocess.Popen[bytes], int], cloud: Serving, signum: signal.Signals, code: int
    ) -> None:
        process, _ = running
        assert window(cloud) is not None
        process.send_signal(signum)
        assert over(process).status == code
        assert window(cloud) is None

    @SIGNALS
    def test_command_that_handles_a_signal_receives_it_once_and_continues(
        self, work: Program, cloud: Serving, signum: signal.Signals, code: int, pipe: Pipe
    ) -> None:
        # A shell may take the signal just before it blocks in `read`, and run its trap only afterwards.
        script = f"""
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [{signum:d}])
with open({str(pipe.up)!r}, "w") as up:
    up.write(str(os.getpid()))
signal.sigwait([{signum:d}])
print("got", flush=True)
with open({str(pipe.down)!r}) as down:
    down.read()
sys.exit(8 if signal.sigpending() else 7)
"""
        with work.started(*RUN, "--", sys.executable, "-c", script) as process:
            pipe.pid()
            process.send_signal(signum)
            assert process.stdout is not None
            assert _within(process.stdout.readline) == b"got\n"
            assert window(cloud) is not None, "the command goes on, and so does its window"
            pipe.end()
            ran = over(process)
        assert (ran.status, ran.out) == (7, b""), "and no second one came"
        assert window(cloud) is None

    def test_killed_command_exits_137_and_stops_the_window(
        self, running: tuple[subprocess.Popen[bytes], int], cloud: Serving
    ) -> None:
        process, pid = running
        os.kill(pid, signal.SIGKILL)
        assert over(process).status == 137
        assert window(cloud) is None

    def test_several_signals_stop_the_window_once(
        self, running: tuple[subprocess.Popen[bytes], int], cloud: Serving
    ) -> None:
        process, _ = running
        for signum in (signal.SIGSTOP, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGCONT):
            process.send_signal(signum)
        assert over(process).status in {129, 130, 143}
        assert cloud.changes() == [START, STOP]

    def test_ctrl_c_reaches_the_command_once(self, work: Program, cloud: Serving) -> None:
        script = "trap 'echo got' INT; echo ready; read a; echo then $?; read b; exit 7"
        with work.at_terminal(*RUN, "--", "sh", "-c", script) as terminal:
            terminal.expect("ready")
            terminal.type("\x03")
            terminal.expect("got")
            terminal.type("\n\n")
            assert terminal.end(status=7).count("got") == 1
        assert cloud.changes() == [START, STOP]

    def test_ctrl_c_ends_a_command_without_a_handler(self, work: Program, cloud: Serving) -> None:
        with work.at_terminal(*RUN, "--", "sh", "-c", "echo ready; read a") as terminal:
            terminal.expect("ready")
            terminal.type("\x03")
            terminal.end(status=130)
        assert cloud.changes() == [START, STOP]

    def test_terminal_shows_when_windows_start_and_end(self, work: Program) -> None:
        with work.at_terminal(*RUN, "--", "echo", "working") as terminal:
            shown = terminal.end(status=0)
        start, output, end = (shown.index(text) for text in ("in maintenance until", "working", "maintenance stopped"))
        assert start < output < end

    def test_closed_terminal_stops_the_window(self, work: Program, cloud: Serving) -> None:
        with work.at_terminal(*RUN, "--", "sh", "-c", "echo ready; read a") as terminal:
            terminal.expect("ready")
            terminal.hang_up()
            assert terminal.process.wait(PATIENCE) in {129, 1}, "the command is hung up on, or reads the end"
        assert cloud.changes() == [START, STOP]

    def test_signal_during_the_start_stops_the_windows_and_runs_nothing(
        self, work: Program, cloud: Serving, tmp_path: Path
    ) -> None:
        arrived, go_on = threading.Event(), threading.Event()

        def hold(_request: object, answer: Callable[[], object]) -> object:
            made = answer()
            arrived.set()
            go_on.wait(PATIENCE)
            return made

        cloud.fail("POST", "maintenance_start", hold)  # type: ignore[arg-type]
        with work.started(*RUN, "--", "touch", tmp_path / "done") as process:
            assert arrived.wait(PATIENCE)
            process.terminate()
            _until_handled(process.pid)
            go_on.set()
            ran = over(process)
        assert ran.status == 143
        assert "the command was not run" in ran.stderr
        assert not (tmp_path / "done").exists()
        assert cloud.changes() == [START, STOP]
        assert window(cloud) is None


def _until_handled(pid: int) -> None:
    """Wait until a process has no pending signals."""
    give_up = time.monotonic() + PATIENCE
    while any(
        int(line.split()[1], 16)
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        if line.startswith(("SigPnd", "ShdPnd"))
    ):
        assert time.monotonic() < give_up


class TestWhenTheWindowCannotBeEnded:
    def test_window_not_stopped_after_success_exits_8_and_names_its_end(self, work: Program, cloud: Serving) -> None:
        cloud.fail("POST", "maintenance_stop", status(403, '{"detail": "no"}'))
        ran = work(*RUN, "-o", "json", "--", "true", status=8)
        found = window(cloud)
        assert found is not None
        assert ran.error["code"] == "unavailable"
        shown = ran.error["message"].rpartition(" expires at ")[2]
        apart = datetime.fromisoformat(shown) - datetime.fromisoformat(found["maintenance_end_at"])
        assert abs(apart.total_seconds()) < 60

    def test_window_not_stopped_after_failure_keeps_the_status_and_names_its_end(
        self, work: Program, cloud: Serving
    ) -> None:
        cloud.fail("POST", "maintenance_stop", status(403, '{"detail": "no"}'))
        ran = work(*RUN, "-q", "--", "sh", "-c", "exit 3", status=3)
        assert "could not be stopped" in ran.stderr
        assert "expires at" in ran.stderr

    @pytest.mark.parametrize(("code", "expected"), [(0, 8), (4, 4)])
    def test_unreachable_server_at_the_end_is_reported(
        self, running: tuple[subprocess.Popen[bytes], int], cloud: Serving, pipe: Pipe, code: int, expected: int
    ) -> None:
        cloud.fail("GET", "", drop, times=100)
        cloud.fail("POST", "", drop, times=100)
        pipe.end(code)
        ran = over(running[0])
        assert ran.status == expected
        assert "expires at" in ran.stderr

    def test_window_not_stopped_is_listed_as_an_orphan(self, work: Program, cloud: Serving) -> None:
        cloud.fail("POST", "maintenance_stop", status(403, '{"detail": "no"}'))
        work(*RUN, "--", "true", status=8)
        assert work("maintenance", "orphans", "-o", "id").stdout == f"{ONE}\n"


class TestOrphans:
    def test_killed_run_leaves_an_orphan_that_can_be_stopped(self, work: Program, cloud: Serving, pipe: Pipe) -> None:
        with work.started(*RUN, "--reason", "upgrade", "--", *pipe.command) as process:
            pipe.pid()
            assert work("maintenance", "orphans", "-o", "json").json == [], "it lives"
            process.kill()
            process.wait(PATIENCE)
            pipe.end()
        (orphan,) = work("maintenance", "orphans", "-o", "json").json
        found = window(cloud)
        assert found is not None
        assert (orphan["id"], orphan["name"], orphan["reason"]) == (ONE, "service-010", "upgrade")
        assert (orphan["mode"], orphan["ends_at"]) == ("silence_escalations", found["maintenance_end_at"])
        assert "@" in orphan["started_by"]
        (entry,) = work("maintenance", "history", "-o", "json").json
        assert orphan["run"] == entry["run"]
        ids = work("maintenance", "orphans", "-o", "id").out
        work("maintenance", "stop", "-", stdin=ids)
        assert window(cloud) is None
        assert work("maintenance", "orphans", "-o", "json").json == []

    def test_later_window_of_another_person_is_not_an_orphan(self, work: Program, cloud: Serving, pipe: Pipe) -> None:
        with work.started(*RUN, "--", *pipe.command) as process:
            pipe.pid()
            process.kill()
            process.wait(PATIENCE)
            pipe.end()
        cloud.call("POST", f"integrations/{ONE}/maintenance_stop")
        _begin_in_another_second(cloud)
        assert work("maintenance", "orphans", "-o", "json").json == []

    def test_later_run_adopts_and_stops_an_orphan(self, work: Program, cloud: Serving, pipe: Pipe) -> None:
        with work.started(*RUN, "--", *pipe.command) as process:
            pipe.pid()
            process.kill()
            process.wait(PATIENCE)
            pipe.end()
        work(*RUN, "--", "true")
        assert cloud.changes() == [START, STOP]
        assert window(cloud) is None

    def test_killed_run_with_a_lease_leaves_a_window_of_one_lease(
        self, work: Program, cloud: Serving, pipe: Pipe
    ) -> None:
        with work.started(*RUN, "--lease", "10m", "--", *pipe.command) as process:
            pipe.pid()
            process.kill()
            process.wait(PATIENCE)
            pipe.end()
        assert cloud.bodies() == [{"mode": "silence_escalations", "duration": 600}]
        assert work("maintenance", "orphans", "-o", "id").stdout == f"{ONE}\n"


def _begin_in_another_second(cloud: Serving) -> None:
    """Start a window as another person; windows differ by the second of their start."""
    import sqlite3

    cloud.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": "silence_escalations", "duration": 1800})
    with sqlite3.connect(cloud.database) as database:
        database.execute(
            "UPDATE integrations SET maintenance_started_at = maintenance_started_at + 5,"
            " maintenance_end_at = maintenance_end_at + 5 WHERE id = ?",
            (ONE,),
        )


class TestManyAtOnce:
    def test_twenty_runs_share_a_window_and_leave_none(self, work: Program, cloud: Serving) -> None:
        with ExitStack() as stack:
            runs = [
                stack.enter_context(work.started(*RUN, "--", "sh", "-c", f"sleep 0.{number % 3}; exit {number}"))
                for number in range(20)
            ]
            done = [over(each) for each in runs]
        assert [each.status for each in done] == list(range(20)), [each.stderr for each in done]
        assert {each.stderr for each in done} == {""}
        assert window(cloud) is None
        starts, stops = cloud.changes().count(START), cloud.changes().count(STOP)
        assert starts == stops >= 1

    def test_shared_window_lasts_until_the_last_run_ends(self, work: Program, cloud: Serving, tmp_path: Path) -> None:
        pipes = []
        with ExitStack() as stack:
            runs = []
            for name in ("first", "second"):
                (tmp_path / name).mkdir()
                pipes.append(Pipe(tmp_path / name))
                runs.append(stack.enter_context(work.started(*RUN, "--", *pipes[-1].command)))
                pipes[-1].pid()
            pipes[0].end()
            assert over(runs[0]).status == 0
            assert cloud.changes() == [START]
            pipes[1].end()
            assert over(runs[1]).status == 0
        assert cloud.changes() == [START, STOP]

    def test_killed_run_does_not_keep_a_shared_window_open(self, work: Program, cloud: Serving, tmp_path: Path) -> None:
        pipes = []
        with ExitStack() as stack:
            runs = []
            for name in ("first", "second"):
                (tmp_path / name).mkdir()
                pipes.append(Pipe(tmp_path / name))
                runs.append(stack.enter_context(work.started(*RUN, "--", *pipes[-1].command)))
                pipes[-1].pid()
            runs[0].kill()
            runs[0].wait(PATIENCE)
            pipes[0].end()
            pipes[1].end()
            assert over(runs[1]).status == 0
        assert cloud.changes() == [START, STOP]
