"""Lanes of a rota, one per person, and the handovers between them, for all pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from oncallctl.rota import handovers
from oncallctl.rota.drawing.local import DAY
from oncallctl.rota.handovers import NOBODY, HandOver
from oncallctl.rota.shifts import Rota, Span
from oncallctl.text import caption, visible


@dataclass(frozen=True)
class Bar:
    """A shift or a gap in a lane.

    Attributes:
        span: the part within the picture.
        whole: the full time, from start to end.
    """

    span: Span
    whole: Span
    override: bool = False


@dataclass(frozen=True)
class Lane:
    """The time on call of one person; `user` is None for the times without anybody on call."""

    user: str | None
    name: str
    bars: tuple[Bar, ...]

    def holds(self, instant: datetime) -> Bar | None:
        """Return the bar at an instant, or None. Overrides take precedence."""
        there = [bar for bar in self.bars if bar.span.start <= instant < bar.span.end]
        return max(there, key=lambda bar: bar.override, default=None)


def in_utc(rota: Rota) -> Rota:
    """Return the rota with its times in UTC. Within a zone with DST, Python compares and subtracts local times."""
    span = _utc(rota.span)
    shifts = (replace(shift, span=_utc(shift.span)) for shift in rota.shifts)
    return replace(
        rota,
        span=span,
        shifts=tuple(shift for shift in shifts if shift.span.touches(span) and shift.span.start < shift.span.end),
    )


def lanes(rota: Rota, now: datetime) -> list[Lane]:
    """Return one lane per person: first those on call now, then by their first shift, and last the gaps.

    Args:
        rota: a rota from `in_utc`.
        now: the current time.
    """
    bars: dict[str, list[Bar]] = {}
    for shift in rota.shifts:
        bar = Bar(_clip(shift.span, rota.span), shift.span, shift.override is True)
        for user in dict.fromkeys(shift.users):
            bars.setdefault(user, []).append(bar)
    names = _names(rota)
    people = [Lane(user, names[user], tuple(mine)) for user, mine in bars.items()]
    people.sort(key=lambda lane: (lane.holds(now) is None, min(bar.span.start for bar in lane.bars)))
    gaps = tuple(Bar(gap, gap) for gap in rota.gaps())
    return [*people, Lane(None, NOBODY, gaps)] if gaps else people


def hand_overs(rota: Rota) -> Iterator[HandOver]:
    """Return the handovers of a rota, with the same names as the lanes.

    Args:
        rota: a rota from `in_utc`.
    """
    names = _names(rota)
    return (each.named(names) for each in handovers.hand_overs(rota))


def nobody_at_all(rota: Rota) -> str:
    """Return the sentence to show instead of lanes if there are no shifts."""
    days = round(rota.span.length / DAY)
    return f"{NOBODY} on call {'on this day' if days <= 1 else f'in these {days} days'}"


def colours(rotas: Sequence[Rota], count: int) -> dict[str, int]:
    """Return the index of a color for each person, the same in every schedule."""
    users = sorted({user for rota in rotas for shift in rota.shifts for user in shift.users})
    return {user: index % count for index, user in enumerate(users)}


def _names(rota: Rota) -> dict[str, str]:
    """Return the label of each person, with the ID if two people have the same name."""
    users = dict.fromkeys(user for shift in rota.shifts for user in shift.users)
    shown = {user: caption(rota.usernames.get(user) or user) for user in users}
    times = Counter([*shown.values(), NOBODY])
    return {user: f"{name} ({visible(user)})" if times[name] > 1 else name for user, name in shown.items()}


def _clip(span: Span, to: Span) -> Span:
    return Span(max(span.start, to.start), min(span.end, to.end))


def _utc(span: Span) -> Span:
    return Span(span.start.astimezone(UTC), span.end.astimezone(UTC))
