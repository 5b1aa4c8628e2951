"""When somebody takes over from somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oncallctl.rota.shifts import Rota


@dataclass(frozen=True)
class Handover:
    """A moment at which other people come on call in a schedule; either side may be nobody.

    Attributes:
        leaving: the ids of those who were on call and are not any more.
        taking_over: the ids of those who were not and are.
        override: whether those who take over stand in for the rotation; None where the server does not tell.
    """

    at: datetime
    leaving: tuple[str, ...]
    taking_over: tuple[str, ...]
    override: bool | None = None


def handovers(rota: Rota) -> list[Handover]:
    """The hand-overs of a schedule within its stretch of time, in order; one at its beginning is left out."""
    moments = sorted({moment for shift in rota.shifts for moment in (shift.span.start, shift.span.end)})
    found = []
    for at in moments:
        if not rota.span.start < at < rota.span.end:
            continue
        before = [shift for shift in rota.shifts if shift.span.start < at <= shift.span.end]
        after = [shift for shift in rota.shifts if shift.span.start <= at < shift.span.end]
        were = dict.fromkeys(user for shift in before for user in shift.users)
        are = dict.fromkeys(user for shift in after for user in shift.users)
        if were.keys() != are.keys():
            found.append(
                Handover(
                    at,
                    tuple(user for user in were if user not in are),
                    tuple(user for user in are if user not in were),
                    next((shift.override for shift in after if not were.keys() & set(shift.users)), None),
                )
            )
    return found
