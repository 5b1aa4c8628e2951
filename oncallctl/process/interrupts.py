"""Signals that end the program: remembered from their arrival on, so that none of them is lost.

The handler raises `Signal`. Python can swallow that, in the callbacks of an import or in a finalizer; so it is also
remembered, and checked before every change is sent and once more at the end.
"""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType
from typing import Any

from oncallctl.errors import Signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Seconds after a signal in which others raise nothing: a second one must not cut short the message about the first.
BURST = 1.0


class _State:
    """The signals that arrived, and whether the next one raises."""

    arrived: int | None = None
    raises = False
    last_raised = -BURST


def install() -> None:
    """Handle the signals; until `begin` they are only remembered."""
    for signum in SIGNALS:
        if signal.getsignal(signum) is not signal.SIG_IGN:  # what nohup ignores stays ignored
            signal.signal(signum, _arrive)
    sys.unraisablehook = _ignore_signals


def begin() -> None:
    """Raise `Signal` from now on, and for what has arrived."""
    _State.raises = True
    check()


def end() -> None:
    """Only remember signals from now on: the program is about to end, and nothing is left to be cut short."""
    _State.raises = False


def arrived() -> int | None:
    """Return the first signal that arrived, or None."""
    return _State.arrived


def settle() -> None:
    """Forget what arrived: a signal that ended what it was meant to end."""
    _State.arrived = None


def check() -> None:
    """Raise `Signal` if one has arrived, even if Python has swallowed it since."""
    if _State.arrived is not None:
        raise Signal(_State.arrived)


def _arrive(signum: int, _frame: FrameType | None) -> None:
    if _State.arrived is None:
        _State.arrived = signum
    if _State.raises and time.monotonic() - _State.last_raised >= BURST:
        _State.last_raised = time.monotonic()
        raise Signal(signum)


def _ignore_signals(unraisable: Any) -> None:  # noqa: ANN401  # its type cannot be imported
    """Print no traceback for a `Signal` that was raised where nothing can be raised; it is remembered."""
    if not isinstance(unraisable.exc_value, Signal):
        sys.__unraisablehook__(unraisable)
