"""The program as a process of its own: piped, in the background, or at a pseudo-terminal.

It gets the environment that it is given and nothing else, as under `env -i`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.places import ROOT

PATIENCE = 60.0  # seconds; nothing is measured by it, it only ends a test that would hang

# What rich itself writes at a terminal: colours and weights, the cursor on and off, lines cleared.
RICH = re.compile(rb"\x1b\[(?:[0-9;]*m|\?25[lh]|[0-9]*[ABCDGJK])")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

# A terminal of its own is what the child makes of its stdin: a session leader must do that, before the program runs.
_AT_TERMINAL = "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"


@dataclass(frozen=True)
class Ran:
    """What a run left behind, in bytes and as text."""

    status: int
    out: bytes
    err: bytes

    @property
    def stdout(self) -> str:
        return self.out.decode()

    @property
    def stderr(self) -> str:
        return self.err.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error as scripts read it: the last line of stderr."""
        return json.loads(self.err.splitlines()[-1])["error"]

    def __str__(self) -> str:
        return f"exit {self.status}\n--- stdout\n{self.out!r}\n--- stderr\n{self.err!r}"


@dataclass
class Program:
    """How to run the program; `environment` is all that it gets."""

    environment: dict[str, str]
    folder: Path = ROOT

    def words(self, *words: str | Path) -> list[str]:
        """The argument vector of a run."""
        return [sys.executable, "-m", "oncallctl", *map(str, words)]

    def __call__(
        self, *words: str | Path, stdin: str | bytes = b"", status: int | None = 0, **environment: str | None
    ) -> Ran:
        """Run it with stdin, stdout and stderr piped; a variable that is None is left out."""
        done = subprocess.run(
            self.words(*words),
            env=self.with_(environment),
            cwd=self.folder,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout, done.stderr)
        assert b"Traceback" not in ran.err, ran.stderr
        if status is not None:
            assert ran.status == status, str(ran)
        return ran

    @contextlib.contextmanager
    def started(
        self,
        *words: str | Path,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        **environment: str | None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start it in the background, piped; it is ended with the context."""
        process = subprocess.Popen(
            self.words(*words),
            env=self.with_(environment),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
        with process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()

    @contextlib.contextmanager
    def at_terminal(
        self,
        *words: str | Path,
        width: int = 200,
        height: int = 50,
        stdout: int | None = None,
        **environment: str | None,
    ) -> Iterator[Terminal]:
        """Start it at a terminal of its own; `stdout` is a file descriptor to have that elsewhere."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        # login_tty makes the terminal stdin, stdout and stderr; who wants stdout elsewhere has it put back.
        keep = "" if stdout is None else f"; os.dup2({stdout}, 1)"
        code = _AT_TERMINAL.replace("; os.execv", f"{keep}; os.execv")
        process = subprocess.Popen(
            [sys.executable, "-c", code, *self.words(*words)],
            env=self.with_({"TERM": "xterm-256color", **environment}),
            cwd=self.folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            pass_fds=() if stdout is None else (stdout,),
        )
        os.close(theirs)
        terminal = Terminal(process, ours)
        with process:
            try:
                yield terminal
            finally:
                if process.poll() is None:
                    process.kill()
                terminal.hang_up()

    def with_(self, more: dict[str, str | None]) -> dict[str, str]:
        """The environment with some variables changed or left out."""
        merged = {**self.environment, **more}
        return {name: value for name, value in merged.items() if value is not None}


@dataclass
class Terminal:
    """A terminal with the program at it; `shown` is every byte that reached it."""

    process: subprocess.Popen[bytes]
    descriptor: int
    shown: bytearray = field(default_factory=bytearray)
    _looked: int = 0

    def expect(self, text: str) -> str:
        """Wait until a text is shown; return what was shown up to its end since the last one."""
        wanted = text.encode()
        give_up = time.monotonic() + PATIENCE
        while (found := self.shown.find(wanted, self._looked)) < 0:
            assert time.monotonic() < give_up, f"not shown: {text!r}; shown: {bytes(self.shown)!r}"
            assert self._read(), f"ended without showing {text!r}; shown: {bytes(self.shown)!r}"
        began, self._looked = self._looked, found + len(wanted)
        return bytes(self.shown[began : self._looked]).decode()

    def type(self, keys: str) -> None:
        """Press keys; the character 3 is Ctrl-C, 4 is Ctrl-D."""
        os.write(self.descriptor, keys.encode())

    def end(self, status: int | None = 0) -> str:
        """Wait for the program's end; return all that was shown."""
        give_up = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < give_up, f"does not end; shown: {bytes(self.shown)!r}"
        ended = self.process.wait(PATIENCE)
        assert b"Traceback" not in self.shown, self.text
        if status is not None:
            assert ended == status, f"exit {ended}; shown: {bytes(self.shown)!r}"
        return self.text

    def hang_up(self) -> None:
        """Take the terminal away, as a lost connection does."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    @property
    def text(self) -> str:
        return self.shown.decode()

    @property
    def plain(self) -> str:
        """What was shown, without what rich itself writes to a terminal."""
        return RICH.sub(b"", bytes(self.shown)).decode().replace("\r\n", "\n")

    def _read(self) -> bool:
        """Read what there is; False at the end."""
        if not select.select([self.descriptor], [], [], 1.0)[0]:
            return True
        try:
            more = os.read(self.descriptor, 65536)
        except OSError:  # how Linux says that the other side is closed
            return False
        self.shown += more
        return bool(more)


@contextlib.contextmanager
def sandbox_server(program: Program, api: str) -> Iterator[str]:
    """Have `oncallctl sandbox serve` run; yields its URL."""
    with program.started("sandbox", "serve", "--port", "0", "--api", api) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().decode().strip()
        assert url.startswith("http://127.0.0.1:"), process.stderr.read()
        yield url
        process.terminate()
        process.communicate(timeout=PATIENCE)
