"""When the turns of a shift begin, on the wall clock of wherever it is kept: all times here are naive."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Frequency = Literal["hourly", "daily", "weekly", "monthly"]

DAY: Final = timedelta(days=1)
FAR: Final = timedelta(days=3660)
"""How far ahead the first turn of a rotation is looked for."""


@dataclass(frozen=True)
class Rule:
    """How often a turn begins.

    Attributes:
        start: before it no turn begins, and its time of day is that of all turns.
        frequency: None for a single turn at `start`.
        interval: every so many hours, days, weeks or months.
        week_start: the weekday that weeks are counted from, Monday = 0.
        days: the weekdays a turn may begin on; empty for those that follow from `start`.
        month_days: the days of a month, -1 for its last; empty as above.
        months: the months; empty for all.
        counts_days: whether a daily rule counts only `days`, so that every `interval` of them somebody else takes over.
    """

    start: datetime
    frequency: Frequency | None = None
    interval: int = 1
    week_start: int = 6
    days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    counts_days: bool = False

    def turns(self, since: datetime, before: datetime) -> Iterator[tuple[int, datetime]]:
        """Go through the turns that begin from `since` until before `before`.

        Yields:
            The number of the turn in its rotation, from 0, and its beginning. All turns of a week or a month of a
            weekly or monthly rule have the same number.
        """
        if self.frequency is None:
            if since <= self.start < before:
                yield 0, self.start
        elif self.frequency == "hourly":
            yield from self._hours(since, before)
        else:
            yield from self._days(since, before)

    def beginning(self, moment: datetime) -> Rule | None:
        """Count turns from the first one that begins at a moment or later; None where there is none."""
        since = max(moment, self.start)
        _, first = next(self.turns(since, since + FAR), (0, None))
        return None if first is None else replace(self, start=first)

    def _hours(self, since: datetime, before: datetime) -> Iterator[tuple[int, datetime]]:
        period = timedelta(hours=self.interval)
        number = max(0, -((self.start - since) // period))
        while (at := self.start + number * period) < before:
            if self._allows(at.date()):
                yield number, at
            number += 1

    def _days(self, since: datetime, before: datetime) -> Iterator[tuple[int, datetime]]:
        at = datetime.combine(max(since, self.start).date(), self.start.time())
        while at < before:
            number = self._number(at.date()) if at >= since else None
            if number is not None:
                yield number, at
            at += DAY

    def _number(self, day: date) -> int | None:
        """Number the turn of a day; None where there is none."""
        first = self.start.date()
        if not self._allows(day):
            return None
        match self.frequency:
            case "weekly":
                if not self.days and day.weekday() != first.weekday():
                    return None
                passed = (self._week(day) - self._week(first)).days // 7
            case "monthly":
                if not self.days and not self.month_days and day.day != first.day:
                    return None
                passed = (day.year - first.year) * 12 + day.month - first.month
            case _ if self.counts_days:
                return self._days_before(day) // self.interval
            case _:
                passed = (day - first).days
        number, rest = divmod(passed, self.interval)
        return number if rest == 0 else None

    def _allows(self, day: date) -> bool:
        from_the_end = day.day - monthrange(day.year, day.month)[1] - 1
        return (
            (not self.days or day.weekday() in self.days)
            and (not self.months or day.month in self.months)
            and (not self.month_days or not self.month_days.isdisjoint({day.day, from_the_end}))
        )

    def _week(self, day: date) -> date:
        return day - timedelta(days=(day.weekday() - self.week_start) % 7)

    def _days_before(self, day: date) -> int:
        """Count the chosen weekdays from the start until before a day."""
        first = self.start.date()
        weeks, rest = divmod((day - first).days, 7)
        return weeks * len(self.days) + sum((first.weekday() + number) % 7 in self.days for number in range(rest))
