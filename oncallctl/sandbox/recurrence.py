"""Recurrence rules: when the occurrences of a shift start. All times are naive local times."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Frequency = Literal["hourly", "daily", "weekly", "monthly"]

DAY: Final = timedelta(days=1)
MAX_LOOKAHEAD: Final = timedelta(days=3660)
"""The range in which the first occurrence of a rotation is searched."""


@dataclass(frozen=True)
class RecurrenceRule:
    """A recurrence rule.

    Attributes:
        start: the earliest start; all occurrences have its time of day.
        frequency: None for a single occurrence at `start`.
        interval: the number of hours, days, weeks or months from one occurrence to the next.
        week_start: the first day of a week; Monday is 0.
        days: the weekdays on which an occurrence may start; empty if `start` decides.
        month_days: the days of the month, -1 for the last one; empty if `start` decides.
        months: the months; empty for all.
        counts_days: True if a daily rule counts only `days`, so that the rotation advances after `interval` of them.
    """

    start: datetime
    frequency: Frequency | None = None
    interval: int = 1
    week_start: int = 6
    days: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    counts_days: bool = False

    def occurrences(self, since: datetime, before: datetime) -> Iterator[tuple[int, datetime]]:
        """Yield the occurrences that start from `since` until before `before`.

        Yields:
            The number of the occurrence in the rotation, from 0, and its start. All occurrences of a week or month of
            a weekly or monthly rule have the same number.
        """
        if self.frequency is None:
            if since <= self.start < before:
                yield 0, self.start
        elif self.frequency == "hourly":
            yield from self._hourly(since, before)
        else:
            yield from self._on_days(since, before)

    def starting_at(self, earliest: datetime) -> RecurrenceRule | None:
        """Return the rule, starting at its first occurrence from a time on; None without a further occurrence."""
        since = max(earliest, self.start)
        _, first = next(self.occurrences(since, since + MAX_LOOKAHEAD), (0, None))
        return None if first is None else replace(self, start=first)

    def _hourly(self, since: datetime, before: datetime) -> Iterator[tuple[int, datetime]]:
        period = timedelta(hours=self.interval)
        number = max(0, -((self.start - since) // period))
        while (start := self.start + number * period) < before:
            if self._allows(start.date()):
                yield number, start
            number += 1

    def _on_days(self, since: datetime, before: datetime) -> Iterator[tuple[int, datetime]]:
        start = datetime.combine(max(since, self.start).date(), self.start.time())
        while start < before:
            number = self._number(start.date()) if start >= since else None
            if number is not None:
                yield number, start
            start += DAY

    def _number(self, day: date) -> int | None:
        """Return the number of the occurrence on a day, or None."""
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
                return self._count_days_before(day) // self.interval
            case _:
                passed = (day - first).days
        number, rest = divmod(passed, self.interval)
        return number if rest == 0 else None

    def _allows(self, day: date) -> bool:
        from_month_end = day.day - monthrange(day.year, day.month)[1] - 1
        return (
            (not self.days or day.weekday() in self.days)
            and (not self.months or day.month in self.months)
            and (not self.month_days or not self.month_days.isdisjoint({day.day, from_month_end}))
        )

    def _week(self, day: date) -> date:
        return day - timedelta(days=(day.weekday() - self.week_start) % 7)

    def _count_days_before(self, day: date) -> int:
        """Return the number of `days` from the start until before a day."""
        first = self.start.date()
        weeks, rest = divmod((day - first).days, 7)
        return weeks * len(self.days) + sum((first.weekday() + number) % 7 in self.days for number in range(rest))
