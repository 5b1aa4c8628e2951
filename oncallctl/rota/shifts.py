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
from oncallctl.times import Span, zone

# The server clips shifts to the requested time, so more is requested than is shown. Nearly all shifts are shorter than
# this margin. For longer ones, the maximum time is requested.
MARGIN = timedelta(days=35)
LONGEST_REQUEST = timedelta(days=365)


@dataclass(frozen=True)
class Shift:
    """A shift with its full time, even beyond the requested time.

    Attributes:
        users: the IDs of the people on call together, at least one.
        override: True if the shift is an override; None if the server does not report it.
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
    """Return the times in a span that no shift of these rotas covers."""
    gaps = []
    covered_until = span.start
    for shift in sorted(shift.span for rota in rotas for shift in rota.shifts):
        if shift.start > covered_until:
            gaps.append(Span(covered_until, min(shift.start, span.end)))
        covered_until = max(covered_until, shift.end)
        if covered_until >= span.end:
            return tuple(gaps)
    return (*gaps, Span(covered_until, span.end))


def read(oncall: OnCall, ident: str, span: Span) -> Rota:
    """Fetch the shifts of one schedule that overlap a span; see `read_several`.

    Raises:
        NotFound: there is no schedule with this ID.
    """
    rotas = read_several(oncall, [ident], span)
    return rotas[ident] if ident in rotas else Rota(oncall.schedules.get(ident), span, ())


def read_several(oncall: OnCall, idents: Collection[str], span: Span, *, overrides: bool = False) -> dict[str, Rota]:
    """Fetch the shifts of schedules that overlap a span.

    Shifts and schedules are requested concurrently, with one request for the shifts of each schedule. A second, wider
    request is only needed for shifts longer than `MARGIN`.

    Args:
        oncall: the server.
        idents: the IDs of the schedules.
        span: the time span, a few months at most.
        overrides: True to determine which shifts are overrides, with one more request per schedule.

    Returns:
        ID -> rota, in the order of the IDs, without schedules that do not exist.
    """
    wanted = list(dict.fromkeys(idents))
    schedules, entries, override_shifts = parallel.together(
        lambda: oncall.schedules.several(wanted),
        lambda: dict(zip(wanted, parallel.in_order(lambda ident: _entries(oncall, ident, span), wanted), strict=True)),
        lambda: _overrides(oncall, wanted) if overrides else {},
    )
    return {
        ident: _rota(schedule, span, entries[ident], override_shifts.get(ident))
        for ident, schedule in schedules.items()
    }


def _entries(oncall: OnCall, ident: str, span: Span) -> Sequence[FinalShift]:
    # Not on the hour: a shift that starts there would look clipped.
    begin = (span.start - MARGIN).replace(minute=31, second=0, microsecond=0)
    requested = Span(begin, (span.end + MARGIN).replace(second=0, microsecond=0))
    try:
        entries = oncall.schedules.final_shifts(ident, requested.start, requested.end)
        if any(_is_clipped(entry, requested) and _span(entry).touches(span) for entry in entries):
            room = (LONGEST_REQUEST - span.length) / 2 - timedelta(minutes=1)
            entries = oncall.schedules.final_shifts(ident, span.start - room, span.end + room)
    except NotFound:  # a chain may name a deleted schedule
        return ()
    return entries


def _overrides(oncall: OnCall, idents: Sequence[str]) -> dict[str, list[OnCallShift]]:
    def fetch(ident: str) -> list[OnCallShift]:
        return [each for each in oncall.on_call_shifts.list(schedule_id=ident) if each.type == "override"]

    return dict(zip(idents, parallel.in_order(fetch, idents), strict=True))


def _rota(
    schedule: Schedule, span: Span, entries: Sequence[FinalShift], overrides: Sequence[OnCallShift] | None
) -> Rota:
    shifts = tuple(shift for shift in _merged(entries) if shift.span.touches(span))
    if overrides is not None:
        shifts = tuple(replace(shift, override=_is_override(schedule, shift, overrides)) for shift in shifts)
    on_call = {user for shift in shifts for user in shift.users}
    usernames = {entry.user_pk: entry.user_username or entry.user_pk for entry in entries if entry.user_pk in on_call}
    return Rota(schedule, span, shifts, usernames)


def _is_override(schedule: Schedule, shift: Shift, overrides: Sequence[OnCallShift]) -> bool | None:
    """True if the shift is from an override; None for an imported calendar, which does not report overrides."""
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
    except OverflowError:  # beyond the year 9999
        return False
    return start <= shift.span.start and shift.span.end <= end and not people.isdisjoint(shift.users)


def _zone(name: str | None) -> tzinfo:
    try:
        return zone(name or "UTC") or UTC
    except InvalidInput:  # a zone that this machine does not know
        return UTC


def _span(entry: FinalShift) -> Span:
    return Span(entry.shift_start, entry.shift_end)


def _is_clipped(entry: FinalShift, requested: Span) -> bool:
    return entry.shift_start <= requested.start or entry.shift_end >= requested.end


def _merged(entries: Sequence[FinalShift]) -> Iterator[Shift]:
    """Yield shifts with all of their people. The server returns one entry per person."""
    people: dict[Span, dict[str, None]] = {}
    for entry in entries:
        people.setdefault(_span(entry), {})[entry.user_pk] = None
    for span in sorted(people):
        yield Shift(span, tuple(people[span]))
