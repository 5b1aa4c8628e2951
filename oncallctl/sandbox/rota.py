"""Who is on call when: the shifts of a schedule laid over one another."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from oncallctl.sandbox.moments import from_the_wall, on_the_wall
from oncallctl.sandbox.shift_rows import groups, of_schedule, rule

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from oncallctl.sandbox.dialects import Dialect

OVER_ALL: Final = math.inf
SHIFT_OF_CLOCKS: Final = timedelta(days=1)
"""More than clocks are ever put forward or back."""


class Span(NamedTuple):
    """From a moment until before another, in seconds since 1970."""

    start: float
    end: float


@dataclass(frozen=True)
class Shift:
    """A stretch of time with the people on call in it."""

    span: Span
    users: tuple[str, ...]


def shifts(db: sqlite3.Connection, schedule_id: str, within: Span, dialect: Dialect) -> list[Shift]:
    """Lay out the shifts of a schedule that touch a span, in order; not clipped to it.

    A shift of a higher level takes the place of those that it covers, an override that of all others, and cuts in two a
    shift that it falls into. Shifts of one level stand side by side. Users that the server never notifies are left out:
    on OSS a shift of viewers looks like a gap.
    """
    schedule = db.execute("SELECT time_zone FROM schedules WHERE id = ?", (schedule_id,)).fetchone()
    rows = sorted(of_schedule(db, schedule_id), key=_level, reverse=True)
    # What cuts a shift may lie beside the span.
    touching = [turn.span for row in rows for turn in _turns(row, schedule["time_zone"], within)]
    around = Span(min(span.start for span in [within, *touching]), max(span.end for span in [within, *touching]))
    laid: list[Shift] = []
    for _, layer in groupby(rows, key=_level):
        fresh = [turn for row in layer for turn in _turns(row, schedule["time_zone"], around)]
        for covered in [shift.span for shift in laid]:
            fresh = list(chain.from_iterable(_cut(shift, covered) for shift in fresh))
        laid += fresh
    touched = sorted((shift for shift in laid if _touch(shift.span, within)), key=lambda shift: shift.span)
    return list(_notified(db, touched, dialect))


def on_call(db: sqlite3.Connection, schedule_id: str, now: float, dialect: Dialect) -> list[str]:
    """List the users on call, each once."""
    current = shifts(db, schedule_id, Span(now, math.nextafter(now, math.inf)), dialect)
    return list(dict.fromkeys(user for shift in current for user in shift.users))


def _notified(db: sqlite3.Connection, laid: Iterable[Shift], dialect: Dialect) -> Iterator[Shift]:
    """Leave the users whom the server notifies, and the shifts that have any."""
    known = {row["id"] for row in db.execute("SELECT id, role FROM users") if dialect.notifies(row["role"])}
    for shift in laid:
        users = tuple(user for user in shift.users if user in known)
        if users:
            yield replace(shift, users=users)


def _level(row: sqlite3.Row) -> float:
    return OVER_ALL if row["type"] == "override" else float(row["level"])


def _turns(row: sqlite3.Row, schedule_zone: str | None, within: Span) -> Iterator[Shift]:
    """Go through the turns of one shift that touch a span.

    They begin and end by the clocks of the shift's zone, or of the schedule's: 09:00 stays 09:00 when these change.
    """
    zone = ZoneInfo(row["time_zone"] or schedule_zone or "UTC")
    people, length = groups(row), timedelta(seconds=row["duration_seconds"])
    until = math.inf
    if row["until"] is not None:
        until = datetime.fromisoformat(row["until"]).replace(tzinfo=UTC).timestamp()
    try:
        stated = rule(row)
        since = on_the_wall(within.start, zone) - length - SHIFT_OF_CLOCKS
        before = on_the_wall(within.end, zone) + SHIFT_OF_CLOCKS
        if stated is None or not people:
            return
        for number, start in stated.turns(since, before):
            span = Span(from_the_wall(start, zone), min(from_the_wall(start + length, zone), until))
            users = tuple(people[number % len(people)])
            if users and span.start < span.end and _touch(span, within):
                yield Shift(span, users)
    except OverflowError:
        # It begins or ends after the year 9999.
        return


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
