"""Tokens printed by a program, such as pass, op or vault."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import shutil
import signal
import subprocess
import time

from oncallctl.config.credentials.text import MAX_BYTES, display_name, masked, reason, token_on_first_line
from oncallctl.errors import InvalidInput, NoCredentials

COMMAND_SECONDS = 10.0

_TRY_IT = "run it by hand with </dev/null: it must print the token without a prompt"


def run_token_command(command: str) -> str:
    """Return the first line that a command prints. It runs without a shell or a terminal, for at most 10 s.

    If the command fails, the error quotes the last line of its stderr. It never quotes arguments, which may be secret.

    Raises:
        InvalidInput: the command cannot be split into words.
        NoCredentials: the command fails or prints no token.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InvalidInput(f"token_command: {reason(error)}", hint="quote its words as for a shell") from None
    if not words:
        raise InvalidInput("token_command: is empty", hint="give a program that prints the token")
    where = f"token_command {display_name(words[0])}"
    with _start(words, where) as process:
        try:
            output, errors = _finish(process)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, (TimeoutError, subprocess.TimeoutExpired)):
                raise
            raise NoCredentials(f"{where}: did not finish within {COMMAND_SECONDS:g} s", hint=_TRY_IT) from None
    if process.returncode:
        how = f"exit status {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
        raise NoCredentials(f"{where}: failed with {how}{_quoted(errors, output)}", hint=_TRY_IT)
    return token_on_first_line(output, where)


def _start(words: list[str], where: str) -> subprocess.Popen[bytes]:
    try:
        # In a session of its own it has no terminal for prompts, and can be killed together with its children.
        return subprocess.Popen(  # noqa: S603  # the user configured the command
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        # If a folder in PATH is not accessible, a missing program fails with "permission denied".
        missing = "/" not in words[0] and shutil.which(words[0]) is None
        if missing or isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise NoCredentials(
                f"{where}: not found",
                hint="give its full path: PATH is short in cron, ~ and $NAME are not expanded; a script needs #!",
            ) from None
        raise NoCredentials(
            f"{where}: cannot be run: {reason(error)}",
            hint="make it executable with chmod +x; a script needs a #! line",
        ) from None


def _finish(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Wait for the process; return the beginning of its stdout and the end of its stderr.

    Raises:
        TimeoutError: the output did not end in time.
        subprocess.TimeoutExpired: the output ended in time, but not the process.
    """
    if process.stdout is None or process.stderr is None:
        raise ValueError("stdout and stderr of the process must be pipes")
    output, errors = process.stdout.fileno(), process.stderr.fileno()
    read = {output: b"", errors: b""}
    deadline = time.monotonic() + COMMAND_SECONDS
    with selectors.DefaultSelector() as selector:
        for stream in read:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ended = process.poll() is not None
            ready = selector.select(0 if ended else 0.1)
            if ended and not ready:
                break  # a background process, such as an agent, keeps the pipes open
            if time.monotonic() > deadline:
                raise TimeoutError
            for key, _ in ready:
                part = os.read(key.fd, MAX_BYTES)
                if not part:
                    selector.unregister(key.fd)
                joined = read[key.fd] + part
                read[key.fd] = joined[:MAX_BYTES] if key.fd == output else joined[-MAX_BYTES:]
    process.wait(max(0.0, deadline - time.monotonic()))
    return read[output], read[errors]


def _quoted(errors: bytes, output: bytes) -> str:
    """Format the last line of stderr for the end of a message, with the lines of stdout masked."""
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return f": {masked(lines[-1], *output.decode(errors='replace').splitlines())}" if lines else ""
