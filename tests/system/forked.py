"""Processes of the fork server, with the interface of `subprocess.Popen`."""

from __future__ import annotations

import atexit
import math
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.places import ROOT
from tests.system.fork_server import Start


@cache
def server_socket() -> str:
    """Start the fork server of this test process, and return the path of its socket."""
    folder = tempfile.TemporaryDirectory(prefix="oncallctl-fork-")
    path = str(Path(folder.name) / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/system/fork_server.py"), str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )

    def end() -> None:
        assert server.stdin is not None
        server.stdin.close()
        server.wait()
        folder.cleanup()

    atexit.register(end)
    return path


class Forked:
    """A process of the fork server.

    Attributes:
        stdout, stderr: the readable ends of pipes, or None.
        returncode: as in `subprocess`; None while the process runs.
    """

    def __init__(self, start: Start, stdin: int, stdout: int, stderr: int) -> None:
        """Start the program; `subprocess.PIPE` stands for a new pipe, every other number is a descriptor."""
        self.stdout: FileIO | None = None
        self.stderr: FileIO | None = None
        self.returncode: int | None = None
        given = [stdin, stdout, stderr]
        opened = []
        for number, name in ((1, "stdout"), (2, "stderr")):
            if given[number] == subprocess.PIPE:
                read, given[number] = os.pipe()
                opened.append(given[number])
                setattr(self, name, os.fdopen(read, "rb", buffering=0))  # `communicate` reads what `readline` left
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(server_socket())
        request = start.encode()
        sent = socket.send_fds(self._connection, [request], given)
        self._connection.sendall(request[sent:])
        for descriptor in opened:
            os.close(descriptor)
        self._lines = self._connection.makefile("rb")
        self.pid = int(self._lines.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in (self.stdout, self.stderr):
            if stream:
                stream.close()
        self.wait()

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status of the process when it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not ended within `timeout` seconds.
        """
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("oncallctl", timeout or 0)
            self.returncode = int(self._lines.readline())
            self._lines.close()
            self._connection.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def communicate(self, timeout: float | None = None) -> tuple[bytes | None, bytes | None]:
        """Read the pipes to their end, and wait for the process.

        Raises:
            subprocess.TimeoutExpired: a pipe is still open, or the process runs, after `timeout` seconds. It is killed.
        """
        give_up = time.monotonic() + (timeout or math.inf)
        try:
            content = self._read_pipes(give_up)
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        out, err = (stream and bytes(content[stream]) for stream in (self.stdout, self.stderr))
        return out, err

    def _read_pipes(self, give_up: float) -> dict[FileIO, bytearray]:
        content = {stream: bytearray() for stream in (self.stdout, self.stderr) if stream}
        unfinished = list(content)
        while unfinished:
            rest = give_up - time.monotonic()
            ready, _, _ = select.select(unfinished, [], [], None if rest == math.inf else max(rest, 0))
            if not ready:
                raise subprocess.TimeoutExpired("oncallctl", rest)
            for stream in ready:
                more = os.read(stream.fileno(), 65536)
                content[stream] += more
                if not more:
                    unfinished.remove(stream)
        return content

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
