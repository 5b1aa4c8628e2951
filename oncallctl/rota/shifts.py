"""The shifts that a schedule comes to, with their true starts and ends, and the times that none of them covers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from oncallctl.api.client import OnCall
from oncallctl.api.models import FinalShift, Schedule

# The server clips shifts to the time asked for, so that more is asked for than is shown. Nearly every turn of a rota is
# shorter than this; where one is not, the longest time that may be asked for is asked for.
MARGIN = timedelta(days=35)
MOST = timedelta(days=365)


@dataclass(frozen=True, order=True)
class Span:
    """From a moment until before another one, both with a time zone."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    def touches(self, other: Span) -> bool:
        """Whether the two have a moment in common."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Shift:
    """A time on call, whole also where it reaches beyond the time asked for.

    Attributes:
        users: the ids of those on call together, at least one.
        override: whether somebody stands in for the rotation; None where the server does not tell.
    """

    span: Span
    users: tuple[str, ...]
    override: bool | None = None


@dataclass(frozen=True)
class Rota:
    """What a schedule comes to in a stretch of time.

    Attributes:
        span: the stretch.
        shifts: those that touch it, in order.
        usernames: user id -> user name, of everybody in the shifts.
    """

    schedule: Schedule
    span: Span
    shifts: tuple[Shift, ...]
    usernames: Mapping[str, str] = field(default_factory=dict)

    def gaps(self) -> tuple[Span, ...]:
        """The times in the stretch in which nobody is on call."""
        return uncovered([self], self.span)


def uncovered(rotas: Iterable[Rota], span: Span) -> tuple[Span, ...]:
    """The times in a stretch that no shift of any of these covers."""
    gaps = []
    reached = span.start
    for shift in sorted(shift.span for rota in rotas for shift in rota.shifts):
        if shift.start > reached:
            gaps.append(Span(reached, min(shift.start, span.end)))
        reached = max(reached, shift.end)
        if reached >= span.end:
            return tuple(gaps)
    return (*gaps, Span(reached, span.end))


def read(oncall: OnCall, schedule: Schedule, span: Span) -> Rota:
    """Read the shifts of a schedule that touch a stretch of time.

    One request, and a second, wider one only where a shift is longer than `MARGIN`.

    Raises:
        NotFound: no such schedule.
    """
    # Not on the hour, where a shift that begins there would look like one that was clipped.
    begin = (span.start - MARGIN).replace(minute=31, second=0, microsecond=0)
    asked = Span(begin, span.end + MARGIN)
    entries = oncall.schedules.final_shifts(schedule.id, asked.start, asked.end)
    if any(_clipped(entry, asked) and _span(entry).touches(span) for entry in entries):
        room = (MOST - span.length) / 2 - timedelta(minutes=1)
        entries = oncall.schedules.final_shifts(schedule.id, span.start - room, span.end + room)
    shifts = [shift for shift in _together(entries) if shift.span.touches(span)]
    usernames = {entry.user_pk: entry.user_username or entry.user_pk for entry in entries}
    return Rota(schedule, span, tuple(shifts), usernames)


def _span(entry: FinalShift) -> Span:
    return Span(entry.shift_start, entry.shift_end)


def _clipped(entry: FinalShift, asked: Span) -> bool:
    return entry.shift_start <= asked.start or entry.shift_end >= asked.end.replace(second=0, microsecond=0)


def _together(entries: Sequence[FinalShift]) -> Iterator[Shift]:
    """Bring those together who are on call in the same shift: the server has an entry for each of them."""
    people: dict[Span, dict[str, None]] = {}
    for entry in entries:
        people.setdefault(_span(entry), {})[entry.user_pk] = None
    for span in sorted(people):
        yield Shift(span, tuple(people[span]))
