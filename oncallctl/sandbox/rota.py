"""Who is on call at which time: the shifts of a schedule, layered by level, after swaps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from oncallctl.sandbox.shift_rows import recurrence_of, shifts_of_schedule, user_groups_of
from oncallctl.sandbox.swap_rows import effective_swaps
from oncallctl.sandbox.timestamps import local_time, local_timestamp

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

    from oncallctl.sandbox.variants import Variant

OVERRIDE_LEVEL: Final = math.inf
MAX_CLOCK_CHANGE: Final = timedelta(days=1)
"""More than clocks are ever put forward or back."""


class TimeRange(NamedTuple):
    """A half-open range in seconds since 1970: the end does not belong to it."""

    start: float
    end: float


class UserSwap(NamedTuple):
    """A shift swap of a user; `replaced_id` is the user who was relieved, or None while the swap is open."""

    id: str
    replaced_id: str | None


@dataclass(frozen=True)
class OnCallPeriod:
    """A time range with the users who are on call in it.

    Attributes:
        range: the time range.
        users: the IDs of the users.
        shift: the row of the shift.
        swaps: user ID -> the swap that concerns the user in this period.
    """

    range: TimeRange
    users: tuple[str, ...]
    shift: sqlite3.Row
    swaps: Mapping[str, UserSwap] = field(default_factory=dict)


def periods(
    db: sqlite3.Connection, schedule_id: str, within: TimeRange, variant: Variant, *, now: float
) -> list[OnCallPeriod]:
    """Return the periods of a schedule that overlap a time range, in order and not clipped to it.

    A shift replaces shifts of lower levels where it covers them, and splits those that it interrupts. Overrides are
    above all levels; shifts of the same level apply at the same time. Users whom the server does not notify are left
    out: on OSS a shift of viewers looks like a gap. Shift swaps split the periods of their beneficiary; in a taken swap
    the benefactor replaces the beneficiary.
    """
    schedule = db.execute("SELECT time_zone FROM schedules WHERE id = ?", (schedule_id,)).fetchone()
    shifts = sorted(shifts_of_schedule(db, schedule_id), key=level_of, reverse=True)
    # A period outside of the range may split one that overlaps it.
    touching = [period.range for shift in shifts for period in _occurrences(shift, schedule["time_zone"], within)]
    around = TimeRange(min(each.start for each in [within, *touching]), max(each.end for each in [within, *touching]))
    layered: list[OnCallPeriod] = []
    for _, layer in groupby(shifts, key=level_of):
        new = [period for shift in layer for period in _occurrences(shift, schedule["time_zone"], around)]
        for covered in [period.range for period in layered]:
            new = list(chain.from_iterable(_without(period, covered) for period in new))
        layered += new
    found = list(_with_notified_users(db, layered, variant))
    for swap in effective_swaps(db, schedule_id, now):
        found = list(chain.from_iterable(_swapped(period, swap) for period in found))
    return sorted((each for each in found if _overlap(each.range, within)), key=lambda each: each.range)


def users_on_call(db: sqlite3.Connection, schedule_id: str, now: float, variant: Variant) -> list[str]:
    """Return the users on call whom the server notifies, each once."""
    current = periods(db, schedule_id, TimeRange(now, math.nextafter(now, math.inf)), variant, now=now)
    notified = _with_notified_users(db, current, variant)  # the benefactor of a swap may be a viewer
    return list(dict.fromkeys(user for period in notified for user in period.users))


def _with_notified_users(
    db: sqlite3.Connection, found: Iterable[OnCallPeriod], variant: Variant
) -> Iterator[OnCallPeriod]:
    """Drop the users whom the server does not notify, and the periods without users."""
    notified = {row["id"] for row in db.execute("SELECT id, role FROM users") if variant.notifies(row["role"])}
    for period in found:
        users = tuple(user for user in period.users if user in notified)
        if users:
            yield replace(period, users=users)


def _swapped(period: OnCallPeriod, swap: sqlite3.Row) -> Iterator[OnCallPeriod]:
    """Yield the parts of a period outside and inside of a swap. Inside, the benefactor of a taken swap is on call."""
    time_range, beneficiary = TimeRange(swap["swap_start"], swap["swap_end"]), swap["beneficiary_id"]
    if beneficiary not in period.users or not _overlap(period.range, time_range):
        yield period
        return
    yield from _without(period, time_range)
    benefactor = swap["benefactor_id"]
    on_call = benefactor or beneficiary
    others = {user: each for user, each in period.swaps.items() if user != beneficiary}
    yield replace(
        period,
        range=TimeRange(max(period.range.start, time_range.start), min(period.range.end, time_range.end)),
        users=tuple(on_call if user == beneficiary else user for user in period.users),
        swaps={**others, on_call: UserSwap(swap["id"], beneficiary if benefactor else None)},
    )


def level_of(shift: sqlite3.Row) -> float:
    """Return the level of a shift."""
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
                yield OnCallPeriod(time_range, users, shift)
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
