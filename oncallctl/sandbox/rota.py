"""Who is on call at which time: the shifts of a schedule, layered by level."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from oncallctl.sandbox.shift_rows import recurrence_of, shifts_of_schedule, user_groups_of
from oncallctl.sandbox.timestamps import local_time, local_timestamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from oncallctl.sandbox.variants import Variant

OVERRIDE_LEVEL: Final = math.inf
MAX_CLOCK_CHANGE: Final = timedelta(days=1)
"""More than clocks are ever put forward or back."""


class TimeRange(NamedTuple):
    """A range in seconds since 1970, without its end."""

    start: float
    end: float


@dataclass(frozen=True)
class OnCallPeriod:
    """A time range with the users who are on call in it."""

    range: TimeRange
    users: tuple[str, ...]


def periods(db: sqlite3.Connection, schedule_id: str, within: TimeRange, variant: Variant) -> list[OnCallPeriod]:
    """Return the periods of a schedule that overlap a time range, in order and not clipped to it.

    A shift replaces shifts of lower levels where it covers them, and splits those that it interrupts. Overrides are
    above all levels; shifts of the same level stand side by side. Users whom the server does not notify are left out:
    on OSS a shift of viewers looks like a gap.
    """
    schedule = db.execute("SELECT time_zone FROM schedules WHERE id = ?", (schedule_id,)).fetchone()
    shifts = sorted(shifts_of_schedule(db, schedule_id), key=_level, reverse=True)
    # A period that splits another one may lie outside of the range.
    touching = [period.range for shift in shifts for period in _occurrences(shift, schedule["time_zone"], within)]
    around = TimeRange(min(each.start for each in [within, *touching]), max(each.end for each in [within, *touching]))
    layered: list[OnCallPeriod] = []
    for _, layer in groupby(shifts, key=_level):
        new = [period for shift in layer for period in _occurrences(shift, schedule["time_zone"], around)]
        for covered in [period.range for period in layered]:
            new = list(chain.from_iterable(_without(period, covered) for period in new))
        layered += new
    overlapping = sorted((each for each in layered if _overlap(each.range, within)), key=lambda each: each.range)
    return list(_with_notified_users(db, overlapping, variant))


def users_on_call(db: sqlite3.Connection, schedule_id: str, now: float, variant: Variant) -> list[str]:
    """Return the users on call, each once."""
    current = periods(db, schedule_id, TimeRange(now, math.nextafter(now, math.inf)), variant)
    return list(dict.fromkeys(user for period in current for user in period.users))


def _with_notified_users(
    db: sqlite3.Connection, found: Iterable[OnCallPeriod], variant: Variant
) -> Iterator[OnCallPeriod]:
    """Drop the users whom the server does not notify, and the periods without users."""
    notified = {row["id"] for row in db.execute("SELECT id, role FROM users") if variant.notifies(row["role"])}
    for period in found:
        users = tuple(user for user in period.users if user in notified)
        if users:
            yield replace(period, users=users)


def _level(shift: sqlite3.Row) -> float:
    return OVERRIDE_LEVEL if shift["type"] == "override" else float(shift["level"])


def _occurrences(shift: sqlite3.Row, schedule_zone: str | None, within: TimeRange) -> Iterator[OnCallPeriod]:
    """Yield the occurrences of a shift that overlap a time range.

    They start and end by the clocks of the shift's time zone, or else of the schedule's: 09:00 stays 09:00 when the
    clocks change.
    """
    zone = ZoneInfo(shift["time_zone"] or schedule_zone or "UTC")
    groups, duration = user_groups_of(shift), timedelta(seconds=shift["duration_seconds"])
    until = math.inf
    if shift["until"] is not None:
        until = datetime.fromisoformat(shift["until"]).replace(tzinfo=UTC).timestamp()
    try:
        recurrence = recurrence_of(shift)
        since = local_time(within.start, zone) - duration - MAX_CLOCK_CHANGE
        before = local_time(within.end, zone) + MAX_CLOCK_CHANGE
        if recurrence is None or not groups:
            return
        for number, start in recurrence.occurrences(since, before):
            time_range = TimeRange(local_timestamp(start, zone), min(local_timestamp(start + duration, zone), until))
            users = tuple(groups[number % len(groups)])
            if users and time_range.start < time_range.end and _overlap(time_range, within):
                yield OnCallPeriod(time_range, users)
    except OverflowError:
        # It starts or ends after the year 9999.
        return


def _without(period: OnCallPeriod, covered: TimeRange) -> Iterator[OnCallPeriod]:
    """Yield the parts of a period before and after a time range."""
    for start, end in (
        (period.range.start, min(period.range.end, covered.start)),
        (max(period.range.start, covered.end), period.range.end),
    ):
        if start < end:
            yield replace(period, range=TimeRange(start, end))


def _overlap(one: TimeRange, other: TimeRange) -> bool:
    return one.start < other.end and other.start < one.end
