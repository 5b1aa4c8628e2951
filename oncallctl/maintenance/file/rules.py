"""The windows of a file, and their occurrences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from oncallctl.maintenance import Mode
from oncallctl.maintenance.file.occurrences import Clocks, Moment, Recurrence
from oncallctl.maintenance.windows.model import utc


@dataclass(frozen=True)
class WindowRule:
    """A window of the file: which integrations, when, for how long.

    Attributes:
        mode: in Cloud's words.
        duration: elapsed time, even across a clock change.
        skip: the days, in the window's time zone, on which it does not start.
    """

    name: str
    schedule: Recurrence
    duration: timedelta
    mode: str = Mode.SILENCE.value
    integrations: tuple[str, ...] = ()
    team: str | None = None
    match: str | None = None
    label: tuple[str, str] | None = None
    reason: str | None = None
    skip: frozenset[date] = frozenset()

    @property
    def targets(self) -> str:
        """A short description of its targets."""
        if self.integrations:
            return ", ".join(self.integrations)
        if self.label:
            return f"label {'='.join(self.label)}"
        return f"team {self.team}" if self.team else f"match {self.match}"

    def occurrences(self, begin: datetime, end: datetime) -> Iterator[Occurrence]:
        """Yield the occurrences that start from `begin` to before `end`, in order, except on the days to skip."""
        for moment in self.schedule.moments(begin, end):
            if moment.clocks is not Clocks.LEFT_OUT and not self._skips(moment):
                yield Occurrence(self, moment)

    def left_out(self, begin: datetime, end: datetime) -> Iterator[Moment]:
        """Yield the starts in this time that do not happen because of a clock change."""
        for moment in self.schedule.moments(begin, end):
            if moment.clocks is Clocks.LEFT_OUT and not self._skips(moment):
                yield moment

    def due(self, at: datetime) -> Occurrence | None:
        """Return the current occurrence, or None; if several overlap, the last one to start."""
        return self._last(at - self.duration, at)

    def touches(self, begin: datetime, end: datetime) -> bool:
        """True if an occurrence overlaps the time from `begin` to `end`."""
        return self._last(begin - self.duration, end) is not None

    def _last(self, after: datetime, until: datetime) -> Occurrence | None:
        """Return the last occurrence to start after `after` and not after `until`, or None.

        The search goes backwards, a day at a time: a window of ten years has thousands of overlapping occurrences.
        """
        instant = timedelta(microseconds=1)
        begin, end = after + instant, until + instant
        while begin < end:
            day = max(begin, end - timedelta(days=1))
            if occurrences := list(self.occurrences(day, end)):
                return occurrences[-1]
            end = day
        return None

    def _skips(self, moment: Moment) -> bool:
        return moment.instant.astimezone(self.schedule.zone).date() in self.skip


@dataclass(frozen=True)
class Occurrence:
    """One time at which a window of the file is active."""

    rule: WindowRule
    moment: Moment

    @property
    def start(self) -> datetime:
        """When it starts, in UTC."""
        return self.moment.instant

    @property
    def end(self) -> datetime:
        """When it ends, in UTC."""
        return self.start + self.rule.duration

    @property
    def key(self) -> str:
        """The name of the occurrence in the journal."""
        return f"{self.rule.name}@{utc(self.start)}"
