"""Interrupted runs: messages, exit codes, and no page sent twice."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from tests.serving import Serving, drop, lose, status
from tests.system.program import PATIENCE, Program, Ran

PAGE = ("escalate", "--team", "platform", "--title", "disk full")
SIGNALS = pytest.mark.parametrize(
    ("signum", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)


class Held:
    """A fault that carries requests out and delays their responses; `parts` limits it to some paths."""

    def __init__(self, *parts: str) -> None:
        self._parts = parts
        self._arrived = threading.Semaphore(0)
        self._released = threading.Event()

    def __call__(self, request: Request, answer: Callable[[], Response]) -> Response:
        response = answer()
        if not self._parts or any(part in request.path for part in self._parts):
            self._arrived.release()
            self._released.wait(PATIENCE)
        return response

    def wait(self, requests: int = 1) -> None:
        """Wait until a number of requests has been carried out."""
        for _ in range(requests):
            assert self._arrived.acquire(timeout=PATIENCE), "the request did not arrive"

    def release(self) -> None:
        self._released.set()


@pytest.fixture
def held(cloud: Serving) -> Iterator[Held]:
    """Return a fault that delays the response to a page."""
    fault = Held()
    cloud.fail("POST", "escalation/", fault)
    yield fault
    fault.release()


def ended(process: subprocess.Popen[bytes], *signals: signal.Signals) -> Ran:
    """Send signals to a process, and wait for its end."""
    for signum in signals:
        os.kill(process.pid, signum)
    out, err = process.communicate(timeout=PATIENCE)
    ran = Ran(process.returncode, out or b"", err)
    assert b"Traceback" not in err, ran.stderr
    return ran


def ended_from_stopped(process: subprocess.Popen[bytes], *signals: signal.Signals) -> Ran:
    """Send signals to a stopped process, so that all arrive at once, as after Ctrl-Z and `kill %1`."""
    return ended(process, signal.SIGSTOP, *signals, signal.SIGCONT)


def groups(program: Program) -> set[str]:
    return set(program("alert-groups", "list", "-o", "id").stdout.split())


def pages(cloud: Serving) -> list[str]:
    return [each for each in cloud.changes() if each == "POST /api/v1/escalation/"]


def shown_by(program: Program, hint: str) -> list[str]:
    """Run the command of a hint, and return the titles that it prints."""
    words = shlex.split(hint[hint.index("oncallctl") :])[1:]
    shown = program(*words, "-o", "json").json
    return [each["title"] for each in (shown if isinstance(shown, list) else [shown])]


@SIGNALS
def test_interrupted_page_is_reported_as_possibly_sent_with_a_command_to_check(
    work: Program, cloud: Serving, held: Held, signum: signal.Signals, code: int
) -> None:
    with work.started(*PAGE) as process:
        held.wait()
        ran = ended(process, signum)
    assert ran.status == code
    assert ran.out == b""
    note, error, hint = ran.stderr.splitlines()
    assert note.startswith("note: paging team platform")
    assert error == "error: interrupted while the page was under way: it may have been sent"
    assert hint.startswith("hint: oncallctl alert-groups list --state firing")
    assert "--profile work" in hint
    assert len(pages(cloud)) == 1
    assert "disk full" in shown_by(work, hint)


def test_interrupted_page_is_one_json_line_for_a_script(work: Program, cloud: Serving, held: Held) -> None:
    with work.started(*PAGE, "-o", "json") as process:
        held.wait()
        ran = ended(process, signal.SIGTERM)
    note, line = ran.stderr.splitlines()
    assert set(json.loads(note)) == {"note"}
    error = json.loads(line)["error"]
    assert (error["code"], error["exit_code"], ran.status) == ("interrupted", 143, 143)
    assert "may have been sent" in error["message"]
    assert "disk full" in shown_by(work, error["hint"])
    assert len(pages(cloud)) == 1


def test_interrupted_page_to_an_alert_group_names_the_group(work: Program, cloud: Serving, held: Held) -> None:
    group = cloud.call("GET", "alert_groups/?state=new")["results"][0]["id"]
    with work.started("escalate", "--user", "alice", "--alert-group", group) as process:
        held.wait()
        ran = ended(process, signal.SIGINT)
    assert ran.status == 130
    assert f"oncallctl alert-groups get {group}" in ran.stderr
    assert len(pages(cloud)) == 1


def test_second_signal_does_not_hide_the_report_about_a_page(work: Program, cloud: Serving, held: Held) -> None:
    with work.started(*PAGE) as process:
        held.wait()
        ran = ended_from_stopped(process, signal.SIGINT, signal.SIGTERM)
    assert ran.status in {130, 143}
    assert "it may have been sent" in ran.stderr
    assert "hint: oncallctl alert-groups list" in ran.stderr
    assert len(pages(cloud)) == 1


def test_ctrl_c_during_a_page_reports_it_as_possibly_sent(work: Program, cloud: Serving, held: Held) -> None:
    with work.at_terminal(*PAGE) as terminal:
        terminal.expect("[y/N] ")
        terminal.type("y\n")
        held.wait()
        terminal.type("\x03")
        assert "it may have been sent" in terminal.end(status=130)
    assert len(pages(cloud)) == 1


def test_ctrl_c_while_choosing_a_recipient_sends_nothing(work: Program, cloud: Serving) -> None:
    with work.at_terminal("escalate") as terminal:
        terminal.expect("Part of the name:")
        terminal.type("\x03")
        assert "interrupted; nothing was sent" in terminal.end(status=130)
    assert pages(cloud) == []


def test_ctrl_c_at_the_prompt_sends_nothing(work: Program, cloud: Serving) -> None:
    with work.at_terminal(*PAGE) as terminal:
        terminal.expect("[y/N] ")
        terminal.type("\x03")
        assert "may have been sent" not in terminal.end(status=130)
    assert pages(cloud) == []


def test_signal_before_a_page_sends_nothing(work: Program, cloud: Serving) -> None:
    check = Held()
    cloud.fail("GET", "current_oncall", check)
    with work.started(*PAGE) as process:
        check.wait()
        ran = ended(process, signal.SIGINT)
    check.release()
    assert ran.status == 130
    assert ran.stderr == "error: interrupted; nothing was sent\n"
    assert pages(cloud) == []


@pytest.mark.promise("nobody-paged-twice")
def test_page_without_a_response_is_an_unknown_outcome_and_not_resent(work: Program, cloud: Serving) -> None:
    cloud.fail("POST", "escalation/", lose)
    ran = work(*PAGE, "-o", "json", status=9)
    assert ran.error["code"] == "outcome_unknown"
    assert "the page may have been sent" in ran.error["message"]
    assert "disk full" in shown_by(work, ran.error["hint"])
    assert len(pages(cloud)) == 1


@pytest.mark.parametrize(
    "fault", [drop, status(500), status(502), status(504), status(200)], ids=["dropped", "500", "502", "504", "HTML"]
)
def test_page_with_an_unreadable_response_is_not_resent(work: Program, cloud: Serving, fault: object) -> None:
    cloud.fail("POST", "escalation/", fault, times=5)  # type: ignore[arg-type]
    work(*PAGE, status=9)
    assert len(pages(cloud)) == 1


def test_page_that_exceeds_the_timeout_is_an_unknown_outcome(work: Program, cloud: Serving, held: Held) -> None:
    ran = work(*PAGE, "--timeout", "0.5", "-o", "json", status=9)
    held.wait()
    assert "the page may have been sent" in ran.error["message"]
    assert len(pages(cloud)) == 1


def test_page_to_an_unreachable_server_is_unavailable(work: Program, cloud: Serving) -> None:
    environment = {"ONCALLCTL_URL": "http://127.0.0.1:9", "ONCALLCTL_TOKEN": cloud.token, "ONCALLCTL_API": "cloud"}
    ran = work("escalate", "--team", "id:TKPSLLWBFUI9R", "--anyway", "-o", "json", status=8, **environment)
    assert ran.error["code"] == "unavailable"
    assert cloud.seen == []


@SIGNALS
def test_interrupted_starts_list_done_and_unknown_targets(
    work: Program, cloud: Serving, signum: signal.Signals, code: int
) -> None:
    ids = {each["name"]: each["id"] for each in cloud.call("GET", "integrations/?perpage=1000")["results"]}
    names = [f"service-{number:03}" for number in range(16)]
    # Eight are sent at a time: seven wait, the eighth worker continues to the fourteenth, and two are never started.
    unknown = [*names[1:8], names[13]]
    done = [names[0], *names[8:13]]
    fault = Held(*(ids[name] for name in unknown))
    cloud.fail("POST", "maintenance_start", fault, times=50)
    with work.started("maintenance", "start", *names, "--for", "30m", "-o", "json") as process:
        fault.wait(len(unknown))
        ran = ended(process, signum)
    fault.release()
    assert ran.status == code
    outcomes = ran.json
    assert [each["name"] for each in outcomes] == names
    statuses = {each["name"]: each["status"] for each in outcomes}
    assert [name for name in names if statuses[name] == "started"] == done
    assert [name for name in names if statuses[name] == "unknown"] == unknown
    assert [name for name in names if statuses[name] == "not-begun"] == names[14:]
    assert {each["error"]["exit_code"] for each in outcomes if each["status"] == "unknown"} == {9}
    assert (ran.error["code"], ran.error["exit_code"]) == ("interrupted", code)
    said_done, said_unknown = ran.error["message"].split("; sent, outcome unknown: ")
    assert said_done == f"interrupted; done: {', '.join(done)}"
    assert said_unknown == ", ".join(unknown)
    assert "oncallctl maintenance status" in ran.error["hint"]
    open_windows = {each["name"] for each in work("maintenance", "status", "-o", "json").json}
    assert open_windows == {*done, *unknown}, "they were carried out, which the program could not know"
    assert len(cloud.changes()) == len(set(cloud.changes())) == 14, "nothing was sent twice"


def test_suspended_and_ended_start_sends_nothing_more(work: Program, cloud: Serving) -> None:
    fault = Held()
    cloud.fail("POST", "maintenance_start", fault, times=50)
    names = [f"service-{number:03}" for number in range(16)]
    with work.started("maintenance", "start", *names, "--for", "30m", "-o", "json", "--timeout", "5") as process:
        fault.wait(8)
        ran = ended_from_stopped(process, signal.SIGTERM)
    fault.release()
    assert ran.status == 143
    assert len(cloud.changes()) == 8


def test_interrupted_starts_print_a_table_and_unknown_targets(work: Program, cloud: Serving) -> None:
    fault = Held("CRX5VWIUH5PFF")
    cloud.fail("POST", "maintenance_start", fault, times=50)
    with work.started("maintenance", "start", "service-000", "service-001", "--for", "30m") as process:
        fault.wait()
        ran = ended(process, signal.SIGINT)
    fault.release()
    assert ran.status == 130
    rows = {row[1]: row[2] for row in (line.split("\t") for line in ran.stdout.splitlines()[1:])}
    assert rows["service-001"] == "unknown"
    assert rows["service-000"] in {"started", "unknown"}, "its answer may be on its way"
    assert "outcome unknown: " in ran.stderr
    assert "service-001" in ran.stderr.partition("outcome unknown: ")[2]
    assert "oncallctl maintenance status" in ran.stderr


def test_interrupted_acknowledgements_list_outcomes_and_a_command_to_check(work: Program, cloud: Serving) -> None:
    first, second = "IWM9M5WQXRBEN", "I5LU4CET91TPA"
    fault = Held(second)
    cloud.fail("POST", "/acknowledge/", fault, times=2)
    with work.started("alert-groups", "acknowledge", first, second, "-o", "json") as process:
        fault.wait()
        ran = ended(process, signal.SIGINT)
    fault.release()
    assert ran.status == 130
    statuses = {each["id"]: each["status"] for each in ran.json}
    assert statuses[second] == "unknown"
    assert statuses[first] in {"acknowledged", "unknown"}, "its answer may be on its way"
    assert second in ran.error["message"].partition("outcome unknown: ")[2]
    assert "oncallctl alert-groups list" in ran.error["hint"]
    assert len(cloud.changes()) == len(set(cloud.changes())) == 2, "nothing was sent twice"


@pytest.mark.parametrize(
    "options", [[], ["-o", "json"], ["-o", "csv"], ["-o", "id"]], ids=["table", "json", "csv", "id"]
)
def test_closed_pipe_ends_the_program_silently(work: Program, options: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        work.words("integrations", "list", *options),
        env=work.environment,
        cwd=work.folder,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 128 + signal.SIGPIPE


def test_pipe_to_head_prints_no_error(work: Program) -> None:
    line = f"{shlex.join(work.words('integrations', 'list', '-o', 'jsonl'))} | head -n 1"
    done = subprocess.run(
        ["sh", "-c", line], env=work.environment, cwd=work.folder, capture_output=True, timeout=PATIENCE, check=True
    )
    assert json.loads(done.stdout)["name"] == "[prod] api"
    assert done.stderr == b""


@pytest.mark.promise("whatever-ends-program-after-change")
def test_page_with_a_closed_stdout_is_sent_and_reported(work: Program, cloud: Serving) -> None:
    before = groups(work)
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        work.words(*PAGE), env=work.environment, cwd=work.folder, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    note, error, hint = done.stderr.decode().splitlines()
    assert note.startswith("note: paging")
    (group,) = groups(work) - before
    assert error.startswith(
        "error: the reader of stdout has exited; the page (POST /api/v1/escalation/) got response 20"
    )
    assert error.endswith(group)
    assert "oncallctl alert-groups list" in hint
    assert done.returncode == 128 + signal.SIGPIPE
    assert len(pages(cloud)) == 1


# Early ends after a change was sent


def full_pipe() -> tuple[int, int]:
    """Return a full pipe."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 65536)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, b"x")
    os.set_blocking(write, True)
    return read, write


def wait_until_blocked(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process blocks while it writes to a pipe."""
    give_up = time.monotonic() + PATIENCE
    while "pipe_write" not in Path(f"/proc/{process.pid}/wchan").read_text():
        assert time.monotonic() < give_up, "it does not write"
        assert process.poll() is None, "it ended"
        time.sleep(0.02)


blocks = pytest.mark.skipif(sys.platform != "linux", reason="/proc says where a process is blocked")


@pytest.mark.promise("whatever-ends-program-after-change")
@blocks
def test_ctrl_c_at_a_blocked_stdout_reports_the_page(work: Program, cloud: Serving) -> None:
    before = groups(work)
    read, write = full_pipe()
    with work.started(*PAGE, stdout=write) as process:
        wait_until_blocked(process)
        ran = ended(process, signal.SIGINT)
    os.close(read)
    os.close(write)
    assert ran.status == 130
    (group,) = groups(work) - before
    note, error, hint = ran.stderr.splitlines()
    assert note.startswith("note: paging")
    assert error.startswith("error: interrupted; the page (POST /api/v1/escalation/) got response 20")
    assert error.endswith(group)
    assert "disk full" in shown_by(work, hint)
    assert len(pages(cloud)) == 1


@blocks
def test_ctrl_c_with_blocked_stdout_and_stderr_ends_the_program(work: Program, cloud: Serving) -> None:
    read, write = full_pipe()
    words = ("maintenance", "start", "service-000", "--for", "30m")
    with work.started(*words, stdout=write, stderr=write) as process:
        wait_until_blocked(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    os.close(read)
    os.close(write)
    assert len(cloud.changes()) == 1


HARNESS = """
import os, signal, sys, threading
from oncallctl import __main__
sys.argv[0] = "oncallctl"
{patch}
__main__.main()
"""


def with_patch(work: Program, patch: str, *words: str) -> subprocess.Popen[bytes]:
    """Start the program with a patch."""
    return subprocess.Popen(
        [sys.executable, "-c", HARNESS.replace("{patch}", patch), *words],
        env=work.environment,
        cwd=work.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


# Python swallows exceptions so in import callbacks and finalizers.
SWALLOWED = """
from oncallctl.api.transport import Transport
read = Transport.read
class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
def swallowing(*args, **more):
    Finalized()
    return read(*args, **more)
Transport.read = swallowing
"""


@pytest.mark.promise("signal-arrives-before-change-sent")
def test_signal_that_python_swallows_prevents_the_page(work: Program, cloud: Serving) -> None:
    with with_patch(work, SWALLOWED, *PAGE) as process:
        ran = ended(process)
    assert ran.status == 130
    assert ran.stderr.splitlines()[-1] == "error: interrupted; nothing was sent"
    assert pages(cloud) == []


def test_signal_that_python_swallows_ends_a_read_with_its_status(work: Program) -> None:
    with with_patch(work, SWALLOWED, "teams", "list") as process:
        ran = ended(process)
    assert ran.status == 130


LATE = """
class Late:
    def __del__(self, kill=os.kill, pid=os.getpid(), signum=signal.SIGTERM):
        kill(pid, signum)
late = Late()
"""


def test_signal_after_the_output_does_not_change_the_exit_status(work: Program, cloud: Serving) -> None:
    with with_patch(work, LATE, *PAGE) as process:
        ran = ended(process)
    assert ran.status == 0
    assert len(pages(cloud)) == 1


DURING_IMPORT = """
class Finder:
    def find_spec(self, name, *_):
        if name == "{module}":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.{signal})
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.promise("signal-arrives-before-change-sent")
@pytest.mark.parametrize("module", ["oncallctl.cli", "typer", "httpx"])
@SIGNALS
def test_signal_during_an_import_ends_the_program_without_a_traceback(
    work: Program, cloud: Serving, module: str, signum: signal.Signals, code: int
) -> None:
    patch = DURING_IMPORT.replace("{module}", module).replace("{signal}", signum.name)
    with with_patch(work, patch, *PAGE) as process:
        ran = ended(process)
    assert (ran.status, ran.stderr) == (code, "error: interrupted; nothing was sent\n")
    assert pages(cloud) == []


def test_ctrl_c_ends_a_name_lookup(work: Program) -> None:
    hanging = """
import socket, time
def hang(*_, **more):
    print("looking up", file=sys.stderr, flush=True)
    time.sleep(600)
socket.getaddrinfo = hang
"""
    with with_patch(work, hanging, "teams", "list") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"looking up\n"
        ran = ended(process, signal.SIGINT)
    assert (ran.status, ran.stderr) == (130, "error: interrupted; nothing was sent\n")


@pytest.mark.parametrize("targets", [1, 2])
def test_signal_ends_the_rate_limit_wait_of_an_ending_run(work: Program, cloud: Serving, targets: int) -> None:
    cloud.fail("POST", "maintenance_stop", status(429, '{"detail": "throttled"}', Retry_After="290"), times=50)
    names = [f"service-{number:03}" for number in range(targets)]
    with work.started("maintenance", "run", *names, "--for", "30m", "--", "true") as process:
        assert process.stderr is not None
        assert b"rate limited" in process.stderr.readline()
        ran = ended(process, signal.SIGTERM)
    assert ran.status != 0
    assert "could not be stopped" in ran.stderr


def test_signal_ends_the_rate_limit_wait_before_a_change(work: Program, cloud: Serving) -> None:
    cloud.fail("POST", "maintenance_start", status(429, '{"detail": "throttled"}', Retry_After="290"), times=50)
    with work.started("maintenance", "start", "service-000", "--for", "30m") as process:
        assert process.stderr is not None
        assert b"rate limited" in process.stderr.readline()
        ran = ended(process, signal.SIGTERM)
    assert ran.status == 143
    assert "error: interrupted; nothing was sent" in ran.stderr
    assert len(cloud.changes()) == 1


# Core dumps


@pytest.mark.promise("gets-into-no-core-dump")
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the limits of a process")
def test_core_dumps_are_disabled_and_a_command_keeps_its_own_limit(work: Program) -> None:
    # The original limit holds in the parent, too, until the child has started.
    show = "ulimit -c; until grep 'core file size  *0 ' /proc/$PPID/limits; do sleep 0.01; done"
    words = work.words("maintenance", "run", "service-000", "--for", "30m", "--", "sh", "-c", show)
    done = subprocess.run(
        ["sh", "-c", f"ulimit -Sc 4; {shlex.join(words)}"],
        env=work.environment,
        cwd=work.folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    own, ours = done.stdout.splitlines()
    assert int(own) > 0
    assert ours.split()[4] == "0"
