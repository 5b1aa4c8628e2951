"""Shifts of users in all schedules, with the shift swaps that they took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from itertools import chain
from typing import Any

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.resources.schedules import Schedule
from oncallctl.api.resources.users import User
from oncallctl.rota import shifts, taken_shifts
from oncallctl.rota.shifts import Rota
from oncallctl.rota.taken_shifts import TakenShift
from oncallctl.times import Span


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
    rotas, lists = parallel.together(
        lambda: shifts.read_several(oncall, [schedule.id for schedule in oncall.schedules.everything()], span),
        lambda: parallel.in_order(lambda user: taken_shifts.read(oncall, span, benefactor=user.id), users),
    )
    taken = list(chain.from_iterable(lists))
    merged_shifts = [
        merged for rota in rotas.values() for user in users for merged in _merged(_shifts(rota, user, taken))
    ]
    return sorted(merged_shifts, key=lambda shift: (shift.span, shift.schedule.name, shift.user.username))


def _shifts(rota: Rota, user: User, taken: Sequence[TakenShift]) -> Iterator[UserShift]:
    """Yield the shifts of a user in a schedule, in order."""
    for shift in rota.shifts:
        if user.id in shift.users:
            relieved = taken_shifts.relieved(taken, rota.schedule.id, user.id, shift.span)
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
