"""The changes that this process has sent: the last message tells of them, whatever ends the program."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from oncallctl.process import interrupts

NOTHING_SENT = "interrupted; nothing was sent"
_MOST = 10  # changes that one message names


@dataclass(eq=False)
class SentChange:
    """A change that was sent, and what is known of it.

    Attributes:
        request: method and path.
        name: what it does, in words, or an empty string.
        look: the command that shows what became of it, or None.
        response: what the server answered, or None while that is not known.
        accounted: whether the error of its command tells of it.
        reported: whether stdout has told of it.
    """

    request: str
    name: str = ""
    look: str | None = None
    response: str | None = None
    accounted: bool = False
    reported: bool = False

    def __str__(self) -> str:
        named = f"{self.name} ({self.request})" if self.name else self.request
        return f"{named} was {self.response or 'sent, outcome unknown'}"

    def answer(self, status: int, document: object) -> None:
        """Take note of the response to it."""
        ident = document.get("id") if isinstance(document, dict) else None
        self.response = f"answered {status}" + (f", {ident}" if isinstance(ident, str) else "")

    def withdraw(self) -> None:
        """Forget it: it certainly did not arrive, or the server refused it."""
        with _lock:
            _sent.remove(self)
            if self in _context.changes:
                _context.changes.remove(self)


class _Context(threading.local):
    """What the changes of this thread are about."""

    name = ""
    look: str | None = None

    def __init__(self) -> None:
        self.changes: list[SentChange] = []


_lock = threading.Lock()
_sent: list[SentChange] = []
_context = _Context()


def reset() -> None:
    """Forget all of them: a new run of the program begins."""
    with _lock:
        _sent.clear()


def record(request: str) -> SentChange:
    """Record a change that is about to be sent.

    Raises:
        Signal: one has arrived; nothing is to be sent any more.
    """
    change = SentChange(request, _context.name, _context.look)
    with _lock:  # whoever takes the lock after a signal arrived sees every change that is sent
        interrupts.check()
        _context.changes.append(change)
        _sent.append(change)
    return change


@contextmanager
def named(name: str, look: str | None) -> Iterator[list[SentChange]]:
    """Name the changes that this thread sends in the context; yield the list of them."""
    before = _context.name, _context.look, _context.changes
    _context.name, _context.look, _context.changes = name, look, []
    try:
        yield _context.changes
    finally:
        _context.name, _context.look, _context.changes = before


def any_sent() -> bool:
    """True if a change was sent that may have been carried out."""
    with _lock:
        return bool(_sent)


def unreported() -> list[SentChange]:
    """Return the changes that stdout has not told of."""
    with _lock:
        return [each for each in _sent if not each.reported]


def account() -> None:
    """Take note that the error of the command, if it fails, tells of all that was sent so far."""
    with _lock:
        for each in _sent:
            each.accounted = True


def mark_reported() -> None:
    """Take note that stdout has told of all that was sent so far."""
    with _lock:
        for each in _sent:
            each.reported = True


def listed(changes: list[SentChange]) -> str:
    """Write a list of changes for a message."""
    more = f"; and {len(changes) - _MOST} more" if len(changes) > _MOST else ""
    return "; ".join(map(str, changes[:_MOST])) + more
