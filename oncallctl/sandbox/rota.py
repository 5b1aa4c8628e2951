"""Who is on call when: rotations and overrides laid out as shifts."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


class Span(NamedTuple):
    """From a moment until before another, in seconds since 1970."""

    start: float
    end: float


@dataclass(frozen=True)
class Shift:
    """A stretch of time with the people on call in it."""

    span: Span
    users: tuple[str, ...]


def shifts(db: sqlite3.Connection, schedule_id: str, within: Span) -> list[Shift]:
    """Lay out the shifts of a schedule that touch a span, in order; not clipped to it.

    An override takes the place of what it covers, and cuts in two a shift that it falls into.
    """
    rows = db.execute("SELECT * FROM rotations WHERE schedule_id = ? ORDER BY position", (schedule_id,)).fetchall()
    planned = [shift for row in rows if row["kind"] == "rotation" for shift in _turns(row, within)]
    overrides = [shift for row in rows if row["kind"] == "override" for shift in _turns(row, within)]
    for override in overrides:
        planned = list(chain.from_iterable(_cut(shift, override.span) for shift in planned))
    laid = [shift for shift in planned + overrides if _touch(shift.span, within)]
    return sorted(laid, key=lambda shift: shift.span)


def on_call(db: sqlite3.Connection, schedule_id: str, now: float) -> list[str]:
    """List the users on call, each once."""
    current = shifts(db, schedule_id, Span(now, math.nextafter(now, math.inf)))
    return list(dict.fromkeys(user for shift in current for user in shift.users))


def _turns(row: sqlite3.Row, within: Span) -> Iterator[Shift]:
    """Go through the turns of one rotation that touch a span."""
    groups: list[list[str]] = json.loads(row["people_json"])
    weekdays = json.loads(row["weekdays_json"] or "null")
    period, length = row["period_seconds"], row["length_seconds"]
    number = 0
    if period:
        number = max(0, math.floor((within.start - row["starts_at"] - length) / period))
    while True:
        start = row["starts_at"] + number * (period or 0)
        if start >= within.end:
            return
        span = Span(start, start + length)
        if _touch(span, within) and (weekdays is None or datetime.fromtimestamp(start, UTC).weekday() in weekdays):
            yield Shift(span, tuple(groups[number % len(groups)]))
        if not period:
            return
        number += 1


def _cut(shift: Shift, out: Span) -> Iterator[Shift]:
    """Take a span out of a shift: what is left of it, none to two pieces."""
    for start, end in (
        (shift.span.start, min(shift.span.end, out.start)),
        (max(shift.span.start, out.end), shift.span.end),
    ):
        if start < end:
            yield replace(shift, span=Span(start, end))


def _touch(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
