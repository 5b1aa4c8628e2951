"""Valid tokens, and tokens printed by a command."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from oncallctl.config.credentials import (
    run_token_command,
    token_command,
    valid_token,
)
from oncallctl.errors import ExitCode, InvalidInput
from tests.places import ROOT
from tests.unit.config.credentials.refusals import TOKEN, refused, without_root_rights

if TYPE_CHECKING:
    from collections.abc import Callable


def test_token_surrounding_blanks_are_removed() -> None:
    assert valid_token(f" \t{TOKEN}\r\n", "stdin") == TOKEN


@pytest.mark.parametrize("text", ["", " \n"])
def test_token_empty_is_refused(text: str) -> None:
    assert refused(valid_token, text, "stdin").message == "stdin: contains no token"


@pytest.mark.parametrize(
    "text",
    [
        f"Bearer {TOKEN}",
        f"{TOKEN}\r\nX-Other: header",
        f"{TOKEN}\x00",
        f"{TOKEN}\x7f",
        f"{TOKEN}\u00e9",
        f"\u200b{TOKEN}",
        f"{TOKEN}\u00a0{TOKEN}",
    ],
)
def test_token_unfit_for_a_header_is_refused(text: str) -> None:
    assert refused(valid_token, text, "ONCALLCTL_TOKEN").message.startswith("ONCALLCTL_TOKEN: not a token: ")


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Write a shell script and return its path."""

    def make(lines: str) -> str:
        script = tmp_path / "program"
        script.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
        script.chmod(0o700)
        return str(script)

    return make


def test_token_command_first_line_is_the_token(program: Callable[[str], str]) -> None:
    assert run_token_command(program(f"echo '  {TOKEN} '; echo second line; echo remark >&2")) == TOKEN


@pytest.mark.promise("token-command-runs-without-shell")
def test_token_command_is_split_into_words_and_run_without_a_shell(program: Callable[[str], str]) -> None:
    script = program('printf "%s|" "$@"')
    assert run_token_command(f"{script} 'a' \"b\" $HOME ; *") == "a|b|$HOME|;|*|"


def test_token_command_stdin_is_empty(program: Callable[[str], str]) -> None:
    assert run_token_command(program(f"cat; echo {TOKEN}")) == TOKEN


@pytest.mark.promise("token-command-runs-without-shell")
def test_token_command_has_no_terminal(program: Callable[[str], str]) -> None:
    script = program(f"if (: </dev/tty) 2>/dev/null; then echo terminal; else echo {TOKEN}; fi")
    # A process with a terminal of its own, which the command must not inherit.
    code = (
        "import os, pty, sys\n"
        "pid, terminal = pty.fork()\n"
        "if pid == 0:\n"
        "    from oncallctl.config.credentials import run_token_command\n"
        "    open('/dev/tty').close()\n"
        "    print('got', run_token_command(sys.argv[1]))\n"
        "    sys.exit()\n"
        "text = b''\n"
        "try:\n"
        "    while part := os.read(terminal, 1024):\n"
        "        text += part\n"
        "except OSError:\n"
        "    pass\n"
        "print(text.decode())\n"
    )
    run = subprocess.run([sys.executable, "-c", code, script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == f"got {TOKEN}"


def test_token_command_long_output_is_read_to_its_end(program: Callable[[str], str]) -> None:
    script = program(f"echo {TOKEN}; head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2")
    assert run_token_command(script) == TOKEN


def test_token_command_background_process_does_not_delay_the_token(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    script = program(f"sleep 60 & echo $! >{tmp_path}/pid; echo {TOKEN}")
    try:
        assert run_token_command(script) == TOKEN
    finally:
        os.kill(int((tmp_path / "pid").read_text(encoding="ascii")), signal.SIGKILL)


def test_token_command_missing_is_reported() -> None:
    error = refused(run_token_command, "no-such-program-anywhere --flag")
    assert error.message == "token_command no-such-program-anywhere: not found"
    assert "full path" in str(error.hint)


def test_token_command_missing_with_unreadable_path_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "closed").mkdir(mode=0)
    monkeypatch.setenv("PATH", f"{tmp_path}/closed:{tmp_path}/a-file")
    with without_root_rights():
        error = refused(run_token_command, "no-such-program-anywhere")
    assert error.message.endswith(": not found")


def test_token_command_with_a_nul_is_refused() -> None:
    assert "cannot be run" in refused(run_token_command, "echo a\0b").message


@pytest.mark.parametrize("content", ["#!/bin/sh\n", "no interpreter"])
def test_token_command_not_executable_is_reported(tmp_path: Path, content: str) -> None:
    file = tmp_path / "program"
    file.write_text(content, encoding="ascii")
    file.chmod(0o700 if content == "no interpreter" else 0o600)
    error = refused(run_token_command, str(file))
    assert error.message.startswith(f"token_command {file}: cannot be run: ")
    assert "chmod +x" in str(error.hint)


@pytest.mark.parametrize("command", ["", "  ", "pass 'show"])
def test_token_command_unsplittable_is_wrong_usage(command: str) -> None:
    assert refused(run_token_command, command, kind=InvalidInput).exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            "echo first >&2; printf 'the vault\\033[31m is sealed\\n\\n' >&2; exit 3",
            "exit status 3: the vault [31m is sealed",
        ),
        ("exit 1", "exit status 1"),
        ("kill -9 $$", "signal 9"),
    ],
)
def test_token_command_failure_names_status_and_last_line_of_stderr(
    program: Callable[[str], str], lines: str, reason: str
) -> None:
    script = program(lines)
    assert refused(run_token_command, script).message == f"token_command {script}: failed with {reason}"


def test_token_command_failure_quotes_neither_output_nor_arguments(program: Callable[[str], str]) -> None:
    script = program(f"echo {TOKEN}; echo 'refused: {TOKEN}' >&2; exit 1")
    assert refused(run_token_command, f"{script} --secret {TOKEN}").message.endswith(": refused: ***")


def test_token_command_given_a_token_does_not_print_it() -> None:
    assert refused(run_token_command, TOKEN).message == "token_command ***: not found"


def test_token_command_without_output_is_refused(program: Callable[[str], str]) -> None:
    assert refused(run_token_command, program("exit 0")).message.endswith(": contains no token")


def all_ended(leash: int) -> bool:
    """True if all writers of a pipe end within a few seconds."""
    written = b""
    while select.select([leash], [], [], 5)[0]:
        part = os.read(leash, 1024)
        if not part:
            assert written, "no writer had started"
            return True
        written += part
    return False


@pytest.mark.parametrize("end", ["time-out", "interrupt"])
def test_token_command_timeout_kills_its_children(
    program: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    pipe = tmp_path / "leash"
    os.mkfifo(pipe)
    script = program(f"exec 9>{pipe}; echo begun >&9; sleep 30 & sleep 30")
    leash = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if end == "time-out":
            monkeypatch.setattr(token_command, "COMMAND_SECONDS", 1.5)
            assert refused(run_token_command, script).message.endswith(": did not finish within 1.5 s")
        else:
            before = signal.signal(signal.SIGALRM, signal.default_int_handler)
            signal.setitimer(signal.ITIMER_REAL, 1.5)
            try:
                with pytest.raises(KeyboardInterrupt):
                    run_token_command(script)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
        assert all_ended(leash)
    finally:
        os.close(leash)


def test_token_command_timeout_kills_it_after_closed_output(
    program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_command, "COMMAND_SECONDS", 0.5)
    script = program(f"echo {TOKEN}; exec >/dev/null 2>&1; sleep 30")
    assert "did not finish" in refused(run_token_command, script).message
