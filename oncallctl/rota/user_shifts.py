"""Shifts of users in all schedules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from oncallctl.api.client import OnCall
from oncallctl.api.resources.schedules import Schedule
from oncallctl.api.resources.users import User
from oncallctl.rota import shifts
from oncallctl.rota.shifts import Rota
from oncallctl.spans import Span


@dataclass(frozen=True)
class UserShift:
    """A time on call of one user in one schedule.

    Attributes:
        covering_for: the ID of the user whose shift this was before a shift swap, or None.
    """

    user: User
    schedule: Schedule
    span: Span
    covering_for: str | None = None

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

    Shifts of a user in one schedule that overlap or follow each other without a break are merged.
    """
    rotas = shifts.read_several(oncall, [schedule.id for schedule in oncall.schedules.everything()], span)
    found = [
        UserShift(user, rota.schedule, merged)
        for rota in rotas.values()
        for user in users
        for merged in _merged(_of(rota, user))
    ]
    return sorted(found, key=lambda shift: (shift.span, shift.schedule.name, shift.user.username))


def _of(rota: Rota, user: User) -> Iterator[Span]:
    return (shift.span for shift in rota.shifts if user.id in shift.users)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Merge spans that overlap or follow each other without a break."""
    current: Span | None = None
    for span in sorted(spans):
        if current and span.start <= current.end:
            current = Span(current.start, max(current.end, span.end))
            continue
        if current:
            yield current
        current = span
    if current:
        yield current
