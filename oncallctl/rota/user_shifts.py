"""Shifts of users in all schedules, with the shift swaps that they took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from pydantic import BaseModel, ValidationError

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.resources.base import Instant
from oncallctl.api.resources.schedules import Schedule
from oncallctl.api.resources.shift_swaps import ShiftSwap
from oncallctl.api.resources.users import User
from oncallctl.errors import NotFound
from oncallctl.rota import shifts
from oncallctl.rota.shifts import Rota
from oncallctl.spans import Span


@dataclass(frozen=True)
class UserShift:
    """A time on call of one user in one schedule.

    Attributes:
        covering_for: the ID of the user who had this shift before a shift swap, or None.
        covering_name: the name of that user.
    """

    user: User
    schedule: Schedule
    span: Span
    covering_for: str | None = None
    covering_name: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the JSON document, with times in ISO 8601 and UTC."""
        return {
            "user": {"id": self.user.id, "username": self.user.username, "email": self.user.email},
            "schedule_id": self.schedule.id,
            "schedule_name": self.schedule.name,
            "shift_start": self.span.start.astimezone(UTC).isoformat(),
            "shift_end": self.span.end.astimezone(UTC).isoformat(),
            "covering_for": self.covering_for,
        }


def read(oncall: OnCall, users: Sequence[User], span: Span) -> list[UserShift]:
    """Fetch the shifts of users that overlap a span, in all schedules, in the order of their starts.

    Shifts of a user in one schedule that overlap or follow each other without a break are merged, unless they cover for
    different people.
    """
    rotas, swaps = parallel.together(
        lambda: shifts.read_several(oncall, [schedule.id for schedule in oncall.schedules.everything()], span),
        lambda: _swaps(oncall, users, span),
    )
    merged_shifts = [
        merged for rota in rotas.values() for user in users for merged in _merged(_shifts(rota, user, swaps))
    ]
    return sorted(merged_shifts, key=lambda shift: (shift.span, shift.schedule.name, shift.user.username))


class _Person(BaseModel):
    pk: str
    display_name: str


class _SwapOfShift(BaseModel):
    pk: str
    user: _Person


class _SwappedUser(BaseModel):
    pk: str
    swap_request: _SwapOfShift | None = None


class _SwappedShift(BaseModel):
    """A shift in the response for one swap (shift_swaps recordings)."""

    start: Instant
    end: Instant
    users: list[_SwappedUser]


@dataclass(frozen=True)
class _Cover:
    """A time in which a user is on call instead of another one."""

    schedule_id: str
    user_id: str
    span: Span
    person: _Person


def _swaps(oncall: OnCall, users: Sequence[User], span: Span) -> list[_Cover]:
    """Return the shifts that users took over in swaps that overlap a span."""
    lists = parallel.in_order(lambda user: list(oncall.shift_swaps.list(benefactor=user.id)), users)
    taken = [
        swap
        for swaps in lists
        for swap in swaps
        if swap.is_taken and Span(swap.swap_start, swap.swap_end).touches(span)
    ]
    return [cover for covers in parallel.in_order(lambda swap: _covers(oncall, swap), taken) for cover in covers]


def _covers(oncall: OnCall, swap: ShiftSwap) -> list[_Cover]:
    """Return the shifts that a swap changes. It changes nothing while its beneficiary is not on call."""
    covers = []
    with suppress(NotFound, ValidationError):  # deleted since; or a server that reports shifts in another form
        document = oncall.shift_swaps.get(swap.id).raw
        for shift in [_SwappedShift.model_validate(each) for each in document.get("shifts") or ()]:
            for user in shift.users:
                request = user.swap_request
                if request and request.pk == swap.id and user.pk == swap.benefactor:
                    covers.append(_Cover(swap.schedule, user.pk, Span(shift.start, shift.end), request.user))
    return covers


def _shifts(rota: Rota, user: User, covers: Iterable[_Cover]) -> Iterator[UserShift]:
    """Yield the shifts of a user in a schedule, in order."""
    own = [cover for cover in covers if (cover.schedule_id, cover.user_id) == (rota.schedule.id, user.id)]
    for shift in rota.shifts:
        if user.id in shift.users:
            relieved = next((cover.person for cover in own if shift.span.within(cover.span) == shift.span), None)
            ident, name = (relieved.pk, relieved.display_name) if relieved else (None, None)
            yield UserShift(user, rota.schedule, shift.span, ident, name)


def _merged(shifts_of_user: Iterable[UserShift]) -> Iterator[UserShift]:
    """Merge shifts that overlap or follow each other without a break."""
    current: UserShift | None = None
    for shift in shifts_of_user:
        if current and shift.span.start <= current.span.end and shift.covering_for == current.covering_for:
            current = replace(current, span=Span(current.span.start, max(current.span.end, shift.span.end)))
            continue
        if current:
            yield current
        current = shift
    if current:
        yield current
