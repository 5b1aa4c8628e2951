"""The shifts of a schedule in a stretch of time that is too long to be asked for at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.rota import shifts
from oncallctl.rota.shifts import Rota, Shift, Span

# With the margins that are asked for besides, far below the year that the server allows (schedules recordings).
PIECE = timedelta(days=180)


def read(oncall: OnCall, ident: str, span: Span) -> Rota:
    """Read the shifts of a schedule that touch a stretch of time, however long; the pieces of it at the same time.

    Raises:
        NotFound: no such schedule.
    """
    rotas = list(parallel.in_order(lambda piece: shifts.read(oncall, ident, piece), _pieces(span)))
    usernames = {user: name for rota in rotas for user, name in rota.usernames.items()}
    found = _once(shift for rota in rotas for shift in rota.shifts)
    return Rota(rotas[0].schedule, span, found, usernames)


def _pieces(span: Span) -> list[Span]:
    pieces = [span]
    while pieces[-1].length > PIECE:
        last = pieces.pop()
        cut = last.start + PIECE
        pieces += [Span(last.start, cut), Span(cut, last.end)]
    return pieces


def _once(found: Iterable[Shift]) -> tuple[Shift, ...]:
    """Say a shift once that two pieces have, also where each of them knows it in part."""
    once: list[Shift] = []
    for shift in sorted(found, key=lambda each: each.span):
        for index, known in enumerate(once):
            if known.users == shift.users and known.span.touches(shift.span):
                end = max(known.span.end, shift.span.end)
                once[index] = replace(known, span=Span(known.span.start, end))
                break
        else:
            once.append(shift)
    return tuple(once)
