"""The program as a process: with pipes, in the background, or at a pseudo-terminal.

Its environment is only what the test gives, as under `env -i`.
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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.places import ROOT
from tests.system.fork_server import Start
from tests.system.forked import Forked

PATIENCE = 60.0  # seconds until a test that hangs fails

Process = subprocess.Popen[bytes] | Forked

# Escape sequences that rich writes: colors, cursor movements, cleared lines.
RICH = re.compile(rb"\x1b\[(?:[0-9;]*m|\?25[lh]|[0-9]*[ABCDGJK])")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

# A session leader makes its stdin the controlling terminal, before it runs the program.
_AT_TERMINAL = "import os, sys; os.login_tty(0); os.execv(sys.argv[1], sys.argv[1:])"


@dataclass(frozen=True)
class Ran:
    """Exit status and output of the program."""

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
        """The last line of stderr as the JSON error that scripts read."""
        return json.loads(self.err.splitlines()[-1])["error"]

    def __str__(self) -> str:
        return f"exit {self.status}\n--- stdout\n{self.out!r}\n--- stderr\n{self.err!r}"


@dataclass
class Program:
    """Runs the program.

    Attributes:
        environment: all of its environment variables.
        folder: its working directory.
        forks: False to start a new interpreter, for tests of the start, of /proc or of other locales. Forking a process
            that has imported the program saves 0.2 s per run; see `fork_server.py`.
    """

    environment: dict[str, str]
    folder: Path = ROOT
    forks: bool = sys.platform == "linux"

    def words(self, *words: str | Path) -> list[str]:
        """Return the argument vector of a run."""
        return [sys.executable, "-m", "oncallctl", *map(str, words)]

    def __call__(
        self, *words: str | Path, stdin: str | bytes = b"", status: int | None = 0, **environment: str | None
    ) -> Ran:
        """Run it with pipes as stdin, stdout and stderr; a variable that is None is removed."""
        read, write = os.pipe()
        content = stdin.encode() if isinstance(stdin, str) else stdin
        assert len(content) <= 4096, "a pipe that nobody reads holds at least 4096 bytes"
        os.write(write, content)
        os.close(write)
        with self._start(words, environment, stdin=read) as process:
            os.close(read)
            out, err = process.communicate(timeout=PATIENCE)
        ran = Ran(process.returncode, out, err)
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
    ) -> Iterator[Process]:
        """Start it in the background with pipes, and kill it at the end of the context."""
        with (
            Path(os.devnull).open("rb") as stdin,
            self._start(words, environment, stdin.fileno(), stdout, stderr) as process,
        ):
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
        """Start it at a new terminal; `stdout` is a file descriptor that replaces the terminal there."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        out = theirs if stdout is None else stdout
        process = self._start(words, {"TERM": "xterm-256color", **environment}, theirs, out, theirs, terminal=True)
        os.close(theirs)
        terminal = Terminal(process, ours)
        with process:
            try:
                yield terminal
            finally:
                if process.poll() is None:
                    process.kill()
                terminal.hang_up()

    def _start(
        self,
        words: tuple[str | Path, ...],
        environment: Mapping[str, str | None],
        stdin: int,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        *,
        terminal: bool = False,
    ) -> Process:
        variables = self.with_(environment)
        if self.forks:
            start = Start([str(word) for word in words], variables, str(self.folder), terminal)
            return Forked(start, stdin, stdout, stderr)
        argv = self.words(*words)
        keep = ()
        if terminal:
            # login_tty makes the terminal stdout, too.
            restore = "" if stdout == stdin else f"; os.dup2({stdout}, 1)"
            argv = [sys.executable, "-c", _AT_TERMINAL.replace("; os.execv", f"{restore}; os.execv"), *argv]
            keep = (stdout,)
        return subprocess.Popen(
            argv,
            env=variables,
            cwd=self.folder,
            stdin=stdin,
            stdout=stdin if terminal else stdout,
            stderr=stderr,
            pass_fds=keep,
        )

    def with_(self, more: Mapping[str, str | None]) -> dict[str, str]:
        """Return the environment with changed variables; those that are None are removed."""
        merged = {**self.environment, **more}
        return {name: value for name, value in merged.items() if value is not None}


@dataclass
class Terminal:
    """A terminal that runs the program; `shown` is every byte written to it."""

    process: Process
    descriptor: int
    shown: bytearray = field(default_factory=bytearray)
    _searched: int = 0

    def expect(self, text: str) -> str:
        """Wait for a text, and return the output from the end of the previous one to its end."""
        wanted = text.encode()
        give_up = time.monotonic() + PATIENCE
        while (found := self.shown.find(wanted, self._searched)) < 0:
            assert time.monotonic() < give_up, f"not shown: {text!r}; shown: {bytes(self.shown)!r}"
            assert self._read(), f"ended without showing {text!r}; shown: {bytes(self.shown)!r}"
        began, self._searched = self._searched, found + len(wanted)
        return bytes(self.shown[began : self._searched]).decode()

    def type(self, keys: str) -> None:
        """Press keys; the character 3 is Ctrl-C, and 4 is Ctrl-D."""
        os.write(self.descriptor, keys.encode())

    def end(self, status: int | None = 0) -> str:
        """Wait for the end of the program, and return all output."""
        give_up = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < give_up, f"does not end; shown: {bytes(self.shown)!r}"
        ended = self.process.wait(PATIENCE)
        assert b"Traceback" not in self.shown, self.text
        if status is not None:
            assert ended == status, f"exit {ended}; shown: {bytes(self.shown)!r}"
        return self.text

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    @property
    def text(self) -> str:
        return self.shown.decode()

    @property
    def plain(self) -> str:
        """The output without the escape sequences of rich."""
        return RICH.sub(b"", bytes(self.shown)).decode().replace("\r\n", "\n")

    def _read(self) -> bool:
        """Read available output; return False at the end."""
        if not select.select([self.descriptor], [], [], 1.0)[0]:
            return True
        try:
            more = os.read(self.descriptor, 65536)
        except OSError:  # Linux reports the end of a terminal so
            return False
        self.shown += more
        return bool(more)


@contextlib.contextmanager
def sandbox_server(program: Program, api: str) -> Iterator[str]:
    """Run `oncallctl sandbox serve`, and yield its URL."""
    with program.started("sandbox", "serve", "--port", "0", "--api", api) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().decode().strip()
        assert url.startswith("http://127.0.0.1:"), process.stderr.read()
        yield url
        process.terminate()
        process.communicate(timeout=PATIENCE)
