"""A token that a program prints: pass, op, vault."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import shutil
import signal
import subprocess
import time

from oncallctl.config.credentials.text import MAX_BYTES, first_line, masked, named, reason
from oncallctl.errors import InvalidInput, NoCredentials

COMMAND_SECONDS = 10.0

_TRY_IT = "run it by hand with </dev/null: it must print the token and ask nothing"


def run_token_command(command: str) -> str:
    """Return the first line that `command` prints; it runs without a shell and without a terminal, for at most 10 s.

    Its stderr is kept, and the last line quoted when it fails. Its arguments never are: one may be a secret.
    Raises InvalidInput for a command that cannot be split into words, else NoCredentials.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InvalidInput(f"token_command: {reason(error)}", hint="quote its words as for a shell") from None
    if not words:
        raise InvalidInput("token_command: is empty", hint="name a program that prints the token")
    where = f"token_command {named(words[0])}"
    with _started(words, where) as process:
        try:
            output, complaints = _finish(process)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, (TimeoutError, subprocess.TimeoutExpired)):
                raise
            raise NoCredentials(f"{where}: did not finish within {COMMAND_SECONDS:g} s", hint=_TRY_IT) from None
    if process.returncode:
        how = f"exit status {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
        raise NoCredentials(f"{where}: failed with {how}{_quoted(complaints, output)}", hint=_TRY_IT)
    return first_line(output, where)


def _started(words: list[str], where: str) -> subprocess.Popen[bytes]:
    try:
        # A session of its own: it can be killed with all that it started, and it fails where it would ask a terminal.
        return subprocess.Popen(  # noqa: S603  # running it is what the user asked for
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        # A name that is nowhere is "permission denied" where PATH leads through a directory closed to this user.
        nowhere = "/" not in words[0] and shutil.which(words[0]) is None
        if nowhere or isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise NoCredentials(
                f"{where}: not found",
                hint="give its full path: PATH is short in cron, ~ and $NAME are not expanded; a script needs #!",
            ) from None
        raise NoCredentials(
            f"{where}: cannot be run: {reason(error)}", hint="chmod +x makes it a program; a script needs a #! line"
        ) from None


def _finish(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Return the beginning of stdout and the end of stderr once the process has ended; raises one of two time-outs."""
    assert process.stdout is not None  # noqa: S101  # both are pipes
    assert process.stderr is not None  # noqa: S101
    output, complaints = process.stdout.fileno(), process.stderr.fileno()
    kept = {output: b"", complaints: b""}
    deadline = time.monotonic() + COMMAND_SECONDS
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ended = process.poll() is not None
            ready = selector.select(0 if ended else 0.1)
            if ended and not ready:
                break  # what it left behind, an agent for example, keeps the pipes open
            if time.monotonic() > deadline:
                raise TimeoutError
            for key, _ in ready:
                part = os.read(key.fd, MAX_BYTES)
                if not part:
                    selector.unregister(key.fd)
                joined = kept[key.fd] + part
                kept[key.fd] = joined[:MAX_BYTES] if key.fd == output else joined[-MAX_BYTES:]
    process.wait(max(0.0, deadline - time.monotonic()))
    return kept[output], kept[complaints]


def _quoted(complaints: bytes, output: bytes) -> str:
    """Return the last line of stderr as the end of a sentence, without what may be the token."""
    lines = [line for line in complaints.decode(errors="replace").splitlines() if line.strip()]
    return f": {masked(lines[-1], *output.decode(errors='replace').splitlines())}" if lines else ""
