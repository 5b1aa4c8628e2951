"""When the windows of a file occur.

cronsim says which wall-clock times an expression means; what becomes of a time that a change of the clocks skips or
repeats is decided here, as cronsim and Debian's cron do. cronsim itself is not asked for times in a zone: stepping
through a change by half an hour (Lord Howe) it loses occurrences.
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
_LEAP = datetime(2024, 1, 1)  # noqa: DTZ001  # a wall-clock time: any from which every date is still to come


class Clocks(StrEnum):
    """What a change of the clocks does to the start of an occurrence."""

    STEADY = "steady"
    SKIPPED = "skipped"  # the time does not exist: it starts at the first minute that does
    LEFT_OUT = "left out"  # the time does not exist, and the expression names too many for it to be made up
    FIRST = "first"  # the time comes twice and only the first counts
    TWICE_FIRST = "twice, first"  # the time comes twice and both count
    TWICE_SECOND = "twice, second"


@dataclass(frozen=True, order=True)
class Moment:
    """A start: the instant in UTC, the wall-clock time that was meant, and what the clocks did to it."""

    instant: datetime
    wall: datetime
    clocks: Clocks = Clocks.STEADY


class Recurrence(Protocol):
    """When windows begin."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its wall-clock times."""

    def moments(self, begin: datetime, end: datetime) -> Iterator[Moment]:
        """The starts from `begin` to before `end`, in order; with those that are left out."""


@dataclass(frozen=True)
class Once:
    """Once."""

    instant: datetime
    zone: ZoneInfo

    @classmethod
    def of(cls, value: object, zone: ZoneInfo) -> Once:
        """Read a local date-time of TOML.

        Raises:
            InvalidInput: it is none, or it does not name one instant.
        """
        if not isinstance(value, datetime):
            raise InvalidInput("at must be a date and a time without quotes, such as 2026-12-01T02:00:00")
        if value.tzinfo is not None:
            raise InvalidInput("at must not have an offset: timezone says which zone it is in")
        try:
            found = [moment for moment in _moments(value, zone, once=False) if moment.clocks is not Clocks.LEFT_OUT]
        except OverflowError as error:
            raise InvalidInput(f"at is out of range: {value}") from error
        if not found:
            raise InvalidInput(f"{value} does not exist in {zone}: the clocks skip it")
        if len(found) > 1:
            readings = " and as ".join(moment.instant.astimezone(zone).isoformat() for moment in found)
            raise InvalidInput(f'{value} comes twice in {zone}: as {readings}; write it with timezone = "UTC"')
        return cls(found[0].instant, zone)

    def moments(self, begin: datetime, end: datetime) -> Iterator[Moment]:
        """The start, if it is in this time."""
        if begin <= self.instant < end:
            yield Moment(self.instant, self.instant.astimezone(self.zone).replace(tzinfo=None))


@dataclass(frozen=True)
class Cron:
    """Whenever a cron expression says."""

    expression: str
    zone: ZoneInfo

    @classmethod
    def parse(cls, expression: str, zone: ZoneInfo) -> Cron:
        """Read an expression of five fields.

        Raises:
            InvalidInput: it is none, or one that never comes.
        """
        if len(expression.split()) != 5:
            raise InvalidInput(f"not a cron expression of five fields: {expression!r}")
        try:
            next(CronSim(expression, _LEAP))
        except StopIteration:
            raise InvalidInput(f"the cron expression {expression!r} never comes") from None
        except (CronSimError, AssertionError, TypeError, ValueError) as error:
            reason = f": {str(error).lower()}" if isinstance(error, CronSimError) else ""
            raise InvalidInput(f"not a cron expression: {expression!r}{reason}") from error
        return cls(expression, zone)

    def moments(self, begin: datetime, end: datetime) -> Iterator[Moment]:
        """The starts in this time; two that the clocks bring together are one."""
        day, last = begin.astimezone(UTC).date(), end.astimezone(UTC).date()
        while day <= last:
            for moment in _moments_of_utc_day(self.expression, self.zone, day):
                if begin <= moment.instant < end:
                    yield moment
            day += _DAY


@lru_cache(maxsize=4096)
def _moments_of_utc_day(expression: str, zone: ZoneInfo, day: date) -> tuple[Moment, ...]:
    """The starts on one day of UTC: from the days of the calendar that have a part in it."""
    found: dict[tuple[datetime, bool], Moment] = {}
    for days in range(-1, 2):
        for moment in _moments_of_day(expression, zone, day + timedelta(days=days)):
            if moment.instant.date() == day:
                found.setdefault((moment.instant, moment.clocks is Clocks.LEFT_OUT), moment)
    return tuple(sorted(found.values()))


@lru_cache(maxsize=4096)
def _moments_of_day(expression: str, zone: ZoneInfo, day: date) -> tuple[Moment, ...]:
    """The starts on one day of the calendar."""
    minute, hour = expression.split()[:2]
    once = not minute.startswith("*") and not hour.startswith("*")  # cronsim: a time of day, not an interval
    midnight = datetime.combine(day, time())
    found: list[Moment] = []
    for wall in CronSim(expression, midnight - timedelta(seconds=1)):
        if wall >= midnight + _DAY:
            break
        found += _moments(wall, zone, once=once)
    return tuple(found)


def _moments(wall: datetime, zone: ZoneInfo, *, once: bool) -> list[Moment]:
    """Turn a wall-clock time into the starts that it means."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return [Moment(first, wall)]
    if first < second:
        if once:
            return [Moment(first, wall, Clocks.FIRST)]
        return [Moment(first, wall, Clocks.TWICE_FIRST), Moment(second, wall, Clocks.TWICE_SECOND)]
    if not once:
        return [Moment(first, wall, Clocks.LEFT_OUT)]
    there = wall
    while not _exists(there, zone):
        there += _MINUTE
    return [Moment(there.replace(tzinfo=zone).astimezone(UTC), wall, Clocks.SKIPPED)]


def _exists(wall: datetime, zone: ZoneInfo) -> bool:
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
