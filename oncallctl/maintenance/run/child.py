"""A command that is run as if this program were not there: its streams, its signals, its exit status."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any, Self

from oncallctl.errors import InvalidInput, OncallError
from oncallctl.process import core_dumps

NOT_EXECUTABLE, NOT_FOUND = 126, 127
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# What a terminal sends to everybody in its foreground by itself.
FROM_KEYS = frozenset({signal.SIGINT, signal.SIGQUIT})


class Inbox:
    """The signals that arrived: kept until they are asked for, so that none cuts short what must be finished.

    A context manager; only in the main thread.

    Args:
        arrived: called at every signal.
    """

    def __init__(self, arrived: Callable[[], None] = lambda: None) -> None:
        self._call = arrived
        self._signals: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        os.set_blocking(self._read, False)
        for signum in PASSED_ON:
            if signal.getsignal(signum) is not signal.SIG_IGN:  # what nohup ignores stays ignored
                self._before[signum] = signal.signal(signum, self._arrived)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._wake)
        return self

    def __exit__(self, *_: object) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        os.close(self._read)
        os.close(self._write)

    @property
    def first(self) -> int | None:
        """The first signal that arrived and was not taken."""
        return self._signals[0] if self._signals else None

    def take(self) -> list[int]:
        """Take out all that arrived, in their order."""
        taken, self._signals = self._signals, []
        return taken

    def wait(self, seconds: float) -> None:
        """Wait for a signal or a child's end, at most so long."""
        if self._signals:
            return
        select.select([self._read], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)

    def _arrived(self, signum: int, _frame: FrameType | None) -> None:
        self._signals.append(signum)
        self._call()
        self._wake()

    def _wake(self, *_: object) -> None:
        with contextlib.suppress(BlockingIOError):  # full: it wakes anyway
            os.write(self._write, b"!")


class Child:
    """The command, running, with this program's own stdin, stdout and stderr.

    Args:
        words: the command and its arguments.
        variables: beside those of the environment.

    Raises:
        OncallError: it is not there, or cannot be run; with the exit code that shells have for it.
    """

    def __init__(self, words: Sequence[str], variables: Mapping[str, str]) -> None:
        try:
            with core_dumps.original_limit():
                self._process = subprocess.Popen(words, env={**os.environ, **variables})  # noqa: S603  # as asked for
        except FileNotFoundError as error:
            raise _cannot_run(f"command not found: {words[0]!r}", NOT_FOUND) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise _cannot_run(f"{words[0]!r} cannot be run: {reason}", NOT_EXECUTABLE) from error

    def wait(self, inbox: Inbox, seconds: float) -> int | None:
        """Wait for its end, for a signal, or so long at most.

        Returns:
            Its exit status, 128+n where signal n ended it; None while it runs.
        """
        code = self._process.poll()
        if code is None:
            inbox.wait(seconds)
            code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def pass_on(self, signum: int, *, anyway: bool = False) -> None:
        """Send it a signal, unless it has got that already.

        Args:
            signum: the signal.
            anyway: whether it cannot have got it.

        Raises:
            PermissionError: it belongs to somebody else now, as under sudo.
        """
        if anyway or not (signum in FROM_KEYS and self._shares_foreground()):
            self._process.send_signal(signum)

    def _shares_foreground(self) -> bool:
        """Whether the keys of a terminal reach the command as they reach this program."""
        try:
            terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        except OSError:  # none
            return False
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp() == os.getpgid(self._process.pid)
        except OSError:
            return False
        finally:
            os.close(terminal)


def _cannot_run(message: str, exit_code: int) -> OncallError:
    return InvalidInput(message).ending_with(exit_code)
