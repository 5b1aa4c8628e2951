"""When the windows of a file occur.

cronsim expands an expression to wall-clock times. Times that a clock change skips or repeats are handled here, by the
rules of cronsim and of Debian's cron. cronsim is not used with a time zone, because it loses occurrences when the
clocks change by half an hour (Lord Howe).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from oncallctl.errors import InvalidInput

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_LEAP = datetime.fromisoformat("2024-01-01")  # a wall-clock time before a February 29


class Clocks(StrEnum):
    """The effect of a clock change on the start of an occurrence."""

    STEADY = "steady"
    SKIPPED = "skipped"  # the time does not exist, so the window starts at the next minute that does
    LEFT_OUT = "left out"  # the time does not exist, and a repeating expression such as */5 omits it
    FIRST = "first"  # the time occurs twice, and only the first one counts
    TWICE_FIRST = "twice, first"  # the time occurs twice, and both count
    TWICE_SECOND = "twice, second"


@dataclass(frozen=True, order=True)
class Moment:
    """A start: the instant in UTC, the scheduled wall-clock time, and the effect of a clock change."""

    instant: datetime
    wall: datetime
    clocks: Clocks = Clocks.STEADY


class Recurrence(Protocol):
    """The schedule of a window."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of its wall-clock times."""

    def moments(self, begin: datetime, end: datetime) -> Iterator[Moment]:
        """Yield the starts from `begin` to before `end`, in order, including omitted ones."""


@dataclass(frozen=True)
class Once:
    """A schedule with one start."""

    instant: datetime
    zone: ZoneInfo

    @classmethod
    def of(cls, value: object, zone: ZoneInfo) -> Once:
        """Read a local date-time of TOML.

        Raises:
            InvalidInput: it is not a local date-time, or a clock change skips or repeats it.
        """
        if not isinstance(value, datetime):
            raise InvalidInput("must be a date and a time without quotes, such as 2026-12-01T02:00:00")
        if value.tzinfo is not None:
            raise InvalidInput("must not have an offset; set timezone instead")
        try:
            starts = [moment for moment in _moments(value, zone, once=False) if moment.clocks is not Clocks.LEFT_OUT]
        except OverflowError as error:
            raise InvalidInput(f"time out of range: {value}") from error
        if not starts:
            raise InvalidInput(f"{value} does not exist in {zone}: the clocks skip it")
        if len(starts) > 1:
            readings = " and as ".join(moment.instant.astimezone(zone).isoformat() for moment in starts)
            raise InvalidInput(f'{value} occurs twice in {zone}: as {readings}; use timezone = "UTC"')
        return cls(starts[0].instant, zone)

    def moments(self, begin: datetime, end: datetime) -> Iterator[Moment]:
        """Yield the start if it is in this time."""
        if begin <= self.instant < end:
            yield Moment(self.instant, self.instant.astimezone(self.zone).replace(tzinfo=None))


@dataclass(frozen=True)
class Cron:
    """A schedule from a cron expression."""

    expression: str
    zone: ZoneInfo

    @classmethod
    def parse(cls, expression: str, zone: ZoneInfo) -> Cron:
        """Parse an expression of five fields.

        Raises:
            InvalidInput: it is malformed, or matches no time.
        """
        if len(expression.split()) != 5:
            raise InvalidInput(f"not a cron expression with five fields: {expression!r}")
        try:
            next(CronSim(expression, _LEAP))
        except StopIteration:
            raise InvalidInput(f"the cron expression {expression!r} matches no time") from None
        except (CronSimError, AssertionError, TypeError, ValueError) as error:
            reason = f": {str(error).lower()}" if isinstance(error, CronSimError) else ""
            raise InvalidInput(f"not a cron expression: {expression!r}{reason}") from error
        return cls(expression, zone)

    def moments(self, begin: datetime, end: datetime) -> Iterator[Moment]:
        """Yield the starts in this time. Two starts that a clock change moves to one instant count once."""
        day, last = begin.astimezone(UTC).date(), end.astimezone(UTC).date()
        while day <= last:
            for moment in _moments_of_utc_day(self.expression, self.zone, day):
                if begin <= moment.instant < end:
                    yield moment
            day += _DAY


@lru_cache(maxsize=4096)
def _moments_of_utc_day(expression: str, zone: ZoneInfo, day: date) -> tuple[Moment, ...]:
    """Return the starts on one UTC day, from the local days that overlap it."""
    moments: dict[tuple[datetime, bool], Moment] = {}
    for days in range(-1, 2):
        for moment in _moments_of_day(expression, zone, day + timedelta(days=days)):
            if moment.instant.date() == day:
                moments.setdefault((moment.instant, moment.clocks is Clocks.LEFT_OUT), moment)
    return tuple(sorted(moments.values()))


@lru_cache(maxsize=4096)
def _moments_of_day(expression: str, zone: ZoneInfo, day: date) -> tuple[Moment, ...]:
    """Return the starts on one local day."""
    minute, hour = expression.split()[:2]
    once = not minute.startswith("*") and not hour.startswith("*")  # as in cronsim: a time of day, not an interval
    midnight = datetime.combine(day, time())
    moments: list[Moment] = []
    for wall in CronSim(expression, midnight - timedelta(seconds=1)):
        if wall >= midnight + _DAY:
            break
        moments += _moments(wall, zone, once=once)
    return tuple(moments)


def _moments(wall: datetime, zone: ZoneInfo, *, once: bool) -> list[Moment]:
    """Return the starts for a wall-clock time."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return [Moment(first, wall)]
    if first < second:
        if once:
            return [Moment(first, wall, Clocks.FIRST)]
        return [Moment(first, wall, Clocks.TWICE_FIRST), Moment(second, wall, Clocks.TWICE_SECOND)]
    if not once:
        return [Moment(first, wall, Clocks.LEFT_OUT)]
    start = wall
    while not _exists(start, zone):
        start += _MINUTE
    return [Moment(start.replace(tzinfo=zone).astimezone(UTC), wall, Clocks.SKIPPED)]


def _exists(wall: datetime, zone: ZoneInfo) -> bool:
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
