"""Fork server for the program: starts it without the 0.2 s that its imports take.

`fork_server.py FD` imports the program once, and accepts connections on the listening Unix socket FD until stdin is
closed. A client sends a JSON object of `Start` and the descriptors for stdin, stdout and stderr. The server responds
with two lines: the PID, and the exit status as in `subprocess`.

A forked program differs from `python -m oncallctl` in its argv and environ in /proc, and in settings that Python reads
at its start, such as the locale.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAX_REQUEST = 1_000_000  # bytes


@dataclass(frozen=True)
class Start:
    """Request to start the program.

    Attributes:
        words: arguments.
        environment: all environment variables.
        folder: working directory.
        terminal: True to make stdin the controlling terminal of a new session.
    """

    words: list[str]
    environment: dict[str, str]
    folder: str
    terminal: bool

    def encode(self) -> bytes:
        """Return the request as a line."""
        return json.dumps(asdict(self)).encode() + b"\n"


def import_everything() -> None:
    """Import the program and its libraries, except keyring, which reads the environment on import."""
    import oncallctl

    for module in pkgutil.walk_packages(oncallctl.__path__, "oncallctl."):
        importlib.import_module(module.name)
    for name in ("httpx", "pydantic", "rich.console", "rich.table", "rich.live", "rich.progress", "tomlkit"):
        importlib.import_module(name)


def serve(listener: socket.socket) -> None:
    """Fork for every connection, and return in the processes that are to run the program."""
    while True:
        ready, _, _ = select.select([listener, 0], [], [])
        if 0 in ready:
            sys.exit()
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            attend(connection)
            return
        connection.close()


def attend(connection: socket.socket) -> None:
    """Fork the program and return in the new process; report its exit status from this one."""
    line, descriptors = receive(connection)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        connection.close()
        become(Start(**json.loads(line)), descriptors)
        return
    for descriptor in descriptors:
        os.close(descriptor)
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    """Return the request and its descriptors."""
    line, descriptors, _, _ = socket.recv_fds(connection, MAX_REQUEST, 3)
    while not line.endswith(b"\n"):
        line += connection.recv(MAX_REQUEST)
    return line, descriptors


def become(start: Start, descriptors: list[int]) -> None:
    """Turn this process into what `python -m oncallctl` starts as."""
    if start.terminal:
        os.login_tty(os.dup(descriptors[0]))
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
    for descriptor in descriptors:
        os.close(descriptor)
    os.chdir(start.folder)
    os.environ.clear()
    os.environ.update(start.environment)
    time.tzset()
    sys.argv = [str(ROOT / "oncallctl" / "__main__.py"), *start.words]
    sys.stdin = sys.__stdin__ = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", encoding="utf-8", closefd=False, newline="\n")
    sys.stderr = sys.__stderr__ = os.fdopen(
        2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False, newline="\n"
    )


def main() -> None:
    """Serve, and run the program in the forked processes."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended processes need not be waited for
    import_everything()
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    from oncallctl.__main__ import main as program

    program()


if __name__ == "__main__":
    main()
