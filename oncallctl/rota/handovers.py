"""Handovers: times at which the people on call change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from oncallctl.rota.shifts import Rota, Shift

NOBODY = "nobody"


@dataclass(frozen=True)
class Handover:
    """A time at which the people on call change.

    Attributes:
        before: the IDs of the people on call before; empty if nobody was.
        after: the IDs of the people on call after; empty if nobody is.
        overrides: the IDs of those in `after` who are on call through an override.
    """

    at: datetime
    before: tuple[str, ...]
    after: tuple[str, ...]
    overrides: frozenset[str] = frozenset()

    @property
    def changed(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The people who leave and who take over; everybody, if people only join or only leave."""
        leave = tuple(user for user in self.before if user not in self.after)
        join = tuple(user for user in self.after if user not in self.before)
        return (leave, join) if leave and join else (self.before, self.after)

    @property
    def leaving(self) -> str:
        """The people who leave, as text."""
        return " + ".join(self.changed[0]) or NOBODY

    @property
    def taking_over(self) -> str:
        """The people who take over, as text, such as ``bob + carol (override)``."""
        return (
            " + ".join(f"{user} (override)" if user in self.overrides else user for user in self.changed[1]) or NOBODY
        )

    @property
    def text(self) -> str:
        """The change as text, such as ``alice → bob``."""
        return f"{self.leaving} → {self.taking_over}"

    def with_names(self, names: Mapping[str, str]) -> Handover:
        """Return the handover with names instead of IDs."""
        return Handover(
            self.at,
            tuple(names[user] for user in self.before),
            tuple(names[user] for user in self.after),
            frozenset(names[user] for user in self.overrides),
        )


def handovers(rota: Rota) -> Iterator[Handover]:
    """Yield the handovers within the span of a rota, without its start."""
    starting: dict[datetime, list[Shift]] = {}
    for shift in rota.shifts:
        starting.setdefault(max(shift.span.start, rota.span.start), []).append(shift)
    active = starting.pop(rota.span.start, [])
    before = _users(active)
    moments = {*starting, *(shift.span.end for shift in rota.shifts if shift.span.end < rota.span.end)}
    for moment in sorted(moments):
        active = [shift for shift in active if shift.span.end > moment] + starting.get(moment, [])
        after = _users(active)
        if after.keys() != before.keys():
            overrides = frozenset(user for user, is_override in after.items() if is_override)
            yield Handover(moment, tuple(before), tuple(after), overrides)
        before = after


def _users(shifts: list[Shift]) -> dict[str, bool]:
    """Return the people on call in these shifts: user -> True if only through an override."""
    users: dict[str, bool] = {}
    for shift in shifts:
        for user in shift.users:
            users[user] = users.get(user, True) and shift.override is True
    return users
