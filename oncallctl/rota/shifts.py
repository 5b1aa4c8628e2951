"""Final shifts of schedules with their full times, and gaps between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, tzinfo
from itertools import chain
from typing import Any

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.resources.on_call_shifts import OnCallShift
from oncallctl.api.resources.schedules import FinalShift, Schedule
from oncallctl.errors import InvalidInput, NotFound
from oncallctl.spans import Span
from oncallctl.times import zone

# The server clips shifts to the requested time, so more is requested than is shown. Nearly all shifts are shorter than
# this margin. For longer ones, the maximum time is requested.
MARGIN = timedelta(days=35)
MOST = timedelta(days=365)


@dataclass(frozen=True)
class Shift:
    """A shift with its full time, even beyond the requested time.

    Attributes:
        users: the IDs of the people on call together, at least one.
        override: whether the shift is an override; None if the server does not tell.
    """

    span: Span
    users: tuple[str, ...]
    override: bool | None = None


@dataclass(frozen=True)
class Rota:
    """The shifts of a schedule in a time span.

    Attributes:
        span: the time span.
        shifts: the shifts that overlap it, in order.
        usernames: user ID -> user name, for everybody in the shifts.
    """

    schedule: Schedule
    span: Span
    shifts: tuple[Shift, ...]
    usernames: Mapping[str, str] = field(default_factory=dict)

    def documents(self) -> list[dict[str, Any]]:
        """Return the shifts in the form of Cloud's Teams API, with user names and whether each is an override."""
        return [
            {
                **document(self.schedule, shift),
                "usernames": [self.usernames.get(user, user) for user in shift.users],
                "override": shift.override,
            }
            for shift in self.shifts
        ]

    def gaps(self) -> tuple[Span, ...]:
        """Return the times in the span at which nobody is on call."""
        return uncovered([self], self.span)


def document(schedule: Schedule, shift: Shift) -> dict[str, Any]:
    """Return a shift in the form of Cloud's Teams API: times in ISO 8601 and UTC, users as IDs."""
    return {
        "schedule_id": schedule.id,
        "schedule_name": schedule.name,
        "team_id": schedule.team_id,
        "shift_start": shift.span.start.astimezone(UTC).isoformat(),
        "shift_end": shift.span.end.astimezone(UTC).isoformat(),
        "users": list(shift.users),
    }


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


def read(oncall: OnCall, ident: str, span: Span) -> Rota:
    """Read the shifts of one schedule that touch a stretch of time; see `read_several`.

    Raises:
        NotFound: no such schedule.
    """
    found = read_several(oncall, [ident], span)
    return found[ident] if ident in found else Rota(oncall.schedules.get(ident), span, ())


def read_several(oncall: OnCall, idents: Collection[str], span: Span, *, overrides: bool = False) -> dict[str, Rota]:
    """Read the shifts of schedules that touch a stretch of time.

    A request for the shifts of each schedule, at the same time as for the schedules themselves; and a second, wider one
    only where a shift is longer than `MARGIN`.

    Args:
        oncall: the server.
        idents: of the schedules.
        span: the stretch, some months at most.
        overrides: whether to find out which shifts are overrides, for one more request a schedule.

    Returns:
        Id -> rota, in the order asked for; a schedule that there is not (any more) is left out.
    """
    wanted = list(dict.fromkeys(idents))
    schedules, entries, standing_in = parallel.together(
        lambda: oncall.schedules.several(wanted),
        lambda: dict(zip(wanted, parallel.in_order(lambda ident: _entries(oncall, ident, span), wanted), strict=True)),
        lambda: _overrides(oncall, wanted) if overrides else {},
    )
    return {
        ident: _rota(schedule, span, entries[ident], standing_in.get(ident)) for ident, schedule in schedules.items()
    }


def _entries(oncall: OnCall, ident: str, span: Span) -> Sequence[FinalShift]:
    # Not on the hour, where a shift that begins there would look like one that was clipped.
    begin = (span.start - MARGIN).replace(minute=31, second=0, microsecond=0)
    asked = Span(begin, (span.end + MARGIN).replace(second=0, microsecond=0))
    try:
        entries = oncall.schedules.final_shifts(ident, asked.start, asked.end)
        if any(_clipped(entry, asked) and _span(entry).touches(span) for entry in entries):
            room = (MOST - span.length) / 2 - timedelta(minutes=1)
            entries = oncall.schedules.final_shifts(ident, span.start - room, span.end + room)
    except NotFound:  # a chain may name a schedule that is gone
        return ()
    return entries


def _overrides(oncall: OnCall, idents: Sequence[str]) -> dict[str, list[OnCallShift]]:
    def ask(ident: str) -> list[OnCallShift]:
        return [each for each in oncall.on_call_shifts.list(schedule_id=ident) if each.type == "override"]

    return dict(zip(idents, parallel.in_order(ask, idents), strict=True))


def _rota(
    schedule: Schedule, span: Span, entries: Sequence[FinalShift], overrides: Sequence[OnCallShift] | None
) -> Rota:
    shifts = tuple(shift for shift in _together(entries) if shift.span.touches(span))
    if overrides is not None:
        shifts = tuple(replace(shift, override=_is_override(schedule, shift, overrides)) for shift in shifts)
    on_call = {user for shift in shifts for user in shift.users}
    usernames = {entry.user_pk: entry.user_username or entry.user_pk for entry in entries if entry.user_pk in on_call}
    return Rota(schedule, span, shifts, usernames)


def _is_override(schedule: Schedule, shift: Shift, overrides: Sequence[OnCallShift]) -> bool | None:
    """Whether an override explains a shift; an imported calendar does not tell (None)."""
    if any(_explains(schedule, each, shift) for each in overrides):
        return True
    return False if schedule.type == "web" else None


def _explains(schedule: Schedule, override: OnCallShift, shift: Shift) -> bool:
    if override.start is None or override.duration is None:
        return False
    start = override.start.replace(tzinfo=_zone(override.time_zone or schedule.time_zone))
    people = {*(override.users or ()), *chain.from_iterable(override.rolling_users or ())}
    try:
        end = start.astimezone(UTC) + timedelta(seconds=override.duration)
    except OverflowError:  # beyond all calendars
        return False
    return start <= shift.span.start and shift.span.end <= end and not people.isdisjoint(shift.users)


def _zone(name: str | None) -> tzinfo:
    try:
        return zone(name or "UTC") or UTC
    except InvalidInput:  # the server knows a zone that this machine does not
        return UTC


def _span(entry: FinalShift) -> Span:
    return Span(entry.shift_start, entry.shift_end)


def _clipped(entry: FinalShift, asked: Span) -> bool:
    return entry.shift_start <= asked.start or entry.shift_end >= asked.end


def _together(entries: Sequence[FinalShift]) -> Iterator[Shift]:
    """Bring those together who are on call in the same shift: the server has an entry for each of them."""
    people: dict[Span, dict[str, None]] = {}
    for entry in entries:
        people.setdefault(_span(entry), {})[entry.user_pk] = None
    for span in sorted(people):
        yield Shift(span, tuple(people[span]))
