"""The changes sent by this process. The last message reports them, even if a signal or a bug ends the program."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from oncallctl.process import interrupts

NOTHING_SENT = "interrupted; nothing was sent"
_MAX_LISTED = 10  # changes that one message names


@dataclass(eq=False)
class SentChange:
    """A change that was sent, and its outcome as far as it is known.

    Attributes:
        request: method and path.
        name: a description of the change, or an empty string.
        check: the command that shows whether the change took effect, or None.
        response: a summary of the response, such as "got response 201, I1"; None until it arrives.
        accounted: True if the error that the command raises would report the change.
        reported: True if the command has reported the change on stdout.
    """

    request: str
    name: str = ""
    check: str | None = None
    response: str | None = None
    accounted: bool = False
    reported: bool = False

    def __str__(self) -> str:
        named = f"{self.name} ({self.request})" if self.name else self.request
        return f"{named} {self.response or 'was sent, outcome unknown'}"

    def record_response(self, status: int, document: object) -> None:
        """Record the response."""
        ident = document.get("id") if isinstance(document, dict) else None
        self.response = f"got response {status}" + (f", {ident}" if isinstance(ident, str) else "")

    def withdraw(self) -> None:
        """Remove the change: it certainly did not arrive, or the server refused it."""
        with _lock:
            _sent.remove(self)
            if self in _context.changes:
                _context.changes.remove(self)


class _Context(threading.local):
    """The name and the check of the changes that this thread sends."""

    name = ""
    check: str | None = None

    def __init__(self) -> None:
        self.changes: list[SentChange] = []


_lock = threading.Lock()
_sent: list[SentChange] = []
_context = _Context()


def reset() -> None:
    """Forget all changes, at the beginning of a run."""
    with _lock:
        _sent.clear()


def record(request: str) -> SentChange:
    """Record a change that is about to be sent.

    Raises:
        Signal: a signal has arrived, so nothing may be sent.
    """
    change = SentChange(request, _context.name, _context.check)
    with _lock:  # after a signal, the final message takes the lock and sees all changes that were sent
        interrupts.check()
        _context.changes.append(change)
        _sent.append(change)
    return change


@contextmanager
def named(name: str, check: str | None) -> Iterator[list[SentChange]]:
    """Name the changes that this thread sends in the context; yield the list of them."""
    before = _context.name, _context.check, _context.changes
    _context.name, _context.check, _context.changes = name, check, []
    try:
        yield _context.changes
    finally:
        _context.name, _context.check, _context.changes = before


def any_sent() -> bool:
    """True if a change was sent that may have taken effect."""
    with _lock:
        return bool(_sent)


def unreported() -> list[SentChange]:
    """Return the changes that the command has not reported on stdout."""
    with _lock:
        return [each for each in _sent if not each.reported]


def account() -> None:
    """Mark all changes so far as covered by the error that the command raises if it fails."""
    with _lock:
        for each in _sent:
            each.accounted = True


def mark_reported() -> None:
    """Mark all changes so far as reported on stdout."""
    with _lock:
        for each in _sent:
            each.reported = True


def format_changes(changes: list[SentChange]) -> str:
    """Format changes for a message; abbreviate a long list."""
    more = f"; and {len(changes) - _MAX_LISTED} more" if len(changes) > _MAX_LISTED else ""
    return "; ".join(map(str, changes[:_MAX_LISTED])) + more
