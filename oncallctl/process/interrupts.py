"""Signals that end the program, recorded on arrival so that no signal is lost.

The handler raises `Signal`, but Python swallows exceptions in import callbacks and finalizers. Therefore the signal is
also recorded. The record is checked before every change, and once more at the end.
"""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType

from oncallctl.errors import Signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Seconds in which further signals raise nothing: a second one must not interrupt the message about the first.
BURST = 1.0


class _State:
    """The first signal that arrived, and whether the next one raises."""

    arrived: int | None = None
    raises = False
    last_raised = -BURST


def install() -> None:
    """Install the handlers; until `begin`, signals are only recorded."""
    for signum in SIGNALS:
        if signal.getsignal(signum) is not signal.SIG_IGN:  # nohup ignores SIGHUP, which must stay ignored
            signal.signal(signum, _arrive)
    sys.unraisablehook = _ignore_signals


def begin() -> None:
    """Raise `Signal` for every further signal, and now if one has already arrived."""
    _State.raises = True
    check()


def end() -> None:
    """Only record signals from now on, because the program is about to exit."""
    _State.raises = False


def arrived() -> int | None:
    """Return the first signal that arrived, or None."""
    return _State.arrived


def settle() -> None:
    """Forget the signal after the operation that it was meant to stop has stopped."""
    _State.arrived = None


def check() -> None:
    """Raise `Signal` if a signal has arrived, even if Python has swallowed its exception."""
    if _State.arrived is not None:
        raise Signal(_State.arrived)


def _arrive(signum: int, _frame: FrameType | None) -> None:
    if _State.arrived is None:
        _State.arrived = signum
    if _State.raises and time.monotonic() - _State.last_raised >= BURST:
        _State.last_raised = time.monotonic()
        raise Signal(signum)


def _ignore_signals(unraisable: sys.UnraisableHookArgs) -> None:
    """Print no traceback for a `Signal` that Python swallows, because it is recorded."""
    if not isinstance(unraisable.exc_value, Signal):
        sys.__unraisablehook__(unraisable)
