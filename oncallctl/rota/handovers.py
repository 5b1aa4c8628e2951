"""When other people come on call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from oncallctl.rota.shifts import Rota, Shift

NOBODY = "nobody"


@dataclass(frozen=True)
class HandOver:
    """A moment at which other people are on call than before.

    Attributes:
        before: the ids of those who were on call; empty where nobody was.
        after: the same for those who are.
        overrides: the ids of those among `after` who stand in for somebody else.
    """

    at: datetime
    before: tuple[str, ...]
    after: tuple[str, ...]
    overrides: frozenset[str] = frozenset()

    @property
    def changed(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Who leaves and who comes; all of them where somebody only joins or only leaves the others."""
        leaves = tuple(user for user in self.before if user not in self.after)
        comes = tuple(user for user in self.after if user not in self.before)
        return (leaves, comes) if leaves and comes else (self.before, self.after)

    @property
    def said(self) -> str:
        """Who, and then who: ``alice → bob + carol (override)``."""
        leave, come = self.changed
        marked = (f"{user} (override)" if user in self.overrides else user for user in come)
        return f"{' + '.join(leave) or NOBODY} → {' + '.join(marked) or NOBODY}"

    def named(self, names: Mapping[str, str]) -> HandOver:
        """The same with names instead of ids."""
        return HandOver(
            self.at,
            tuple(names[user] for user in self.before),
            tuple(names[user] for user in self.after),
            frozenset(names[user] for user in self.overrides),
        )


def hand_overs(rota: Rota) -> Iterator[HandOver]:
    """Every moment in the rota's span, but its beginning, at which the people on call are others than before."""
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
            overrides = frozenset(user for user, override in after.items() if override)
            yield HandOver(moment, tuple(before), tuple(after), overrides)
        before = after


def _users(shifts: list[Shift]) -> dict[str, bool]:
    """Those on call in any of these shifts, and whether only as an override."""
    users: dict[str, bool] = {}
    for shift in shifts:
        for user in shift.users:
            users[user] = users.get(user, True) and shift.override is True
    return users
