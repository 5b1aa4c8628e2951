"""A child process with this program's own streams, signals and exit status."""

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
# Signals that a terminal sends to every process in its foreground group.
FROM_KEYS = frozenset({signal.SIGINT, signal.SIGQUIT})


class SignalInbox:
    """Signals that have arrived, queued so that none interrupts work that must be finished.

    A context manager, for the main thread only.

    Args:
        on_arrival: called at every signal.
    """

    def __init__(self, on_arrival: Callable[[], None] = lambda: None) -> None:
        self._on_arrival = on_arrival
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
        """The first signal in the queue, or None."""
        return self._signals[0] if self._signals else None

    def take(self) -> list[int]:
        """Remove all signals from the queue and return them, in the order of arrival."""
        taken, self._signals = self._signals, []
        return taken

    def wait(self, seconds: float) -> None:
        """Wait for a signal or the end of a child process, for up to this many seconds."""
        if self._signals:
            return
        select.select([self._read], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)

    def _arrived(self, signum: int, _frame: FrameType | None) -> None:
        self._signals.append(signum)
        self._on_arrival()
        self._wake()

    def _wake(self, *_: object) -> None:
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes the reader too
            os.write(self._write, b"!")


class Child:
    """A running command that uses this program's stdin, stdout and stderr.

    Args:
        words: the command and its arguments.
        variables: added to the environment.

    Raises:
        OncallError: the command was not found, or is not executable; with the exit code that shells use.
    """

    def __init__(self, words: Sequence[str], variables: Mapping[str, str]) -> None:
        try:
            with core_dumps.original_limit():
                self._process = subprocess.Popen(words, env={**os.environ, **variables})  # noqa: S603  # the user's own command
        except FileNotFoundError as error:
            raise _cannot_run(f"command not found: {words[0]!r}", NOT_FOUND) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise _cannot_run(f"cannot run {words[0]!r}: {reason}", NOT_EXECUTABLE) from error

    def wait(self, inbox: SignalInbox, seconds: float) -> int | None:
        """Wait for the command to end, for a signal, or for this many seconds.

        Returns:
            The exit status, 128+n if signal n ended the command; None while it runs.
        """
        code = self._process.poll()
        if code is None:
            inbox.wait(seconds)
            code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def pass_on(self, signum: int, *, always: bool = False) -> None:
        """Send a signal to the command, unless the terminal has sent it already.

        Args:
            signum: the signal.
            always: send it in any case, because the command did not exist when the signal arrived.

        Raises:
            PermissionError: the process belongs to another user now, as under sudo.
        """
        if always or not (signum in FROM_KEYS and self._shares_foreground()):
            self._process.send_signal(signum)

    def _shares_foreground(self) -> bool:
        """True if the terminal sends signals from its keys to the command as well as to this program."""
        try:
            terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        except OSError:  # no terminal
            return False
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp() == os.getpgid(self._process.pid)
        except OSError:
            return False
        finally:
            os.close(terminal)


def _cannot_run(message: str, exit_code: int) -> OncallError:
    return InvalidInput(message).ending_with(exit_code)
