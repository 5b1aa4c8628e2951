"""Plan of a cover: which schedules change, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import islice

from oncallctl import parallel
from oncallctl.api import lookup
from oncallctl.api.client import OnCall
from oncallctl.api.nouns import SCHEDULES
from oncallctl.api.resources.schedules import Schedule
from oncallctl.api.resources.shift_swaps import ShiftSwap
from oncallctl.api.resources.users import User
from oncallctl.batch import Target
from oncallctl.drawing.local_time import LocalTime
from oncallctl.errors import Conflict, OncallError
from oncallctl.rota import shifts
from oncallctl.rota.shifts import Rota
from oncallctl.swaps.request import TOLERANCE, SwapRequest, soonest
from oncallctl.times import Span

AHEAD = timedelta(days=30)  # how far to search for the next shifts of a user who is not on call
MOST_NEXT = 3  # shifts that a message lists


@dataclass(frozen=True)
class Cover:
    """A request that one user covers for another.

    Attributes:
        user: is relieved.
        by: takes over; None for an open request, which anybody may take.
        span: the time.
        schedules: names or IDs; empty for all schedules in which the user is on call.
        message: the description of the swaps, or None.
    """

    user: User
    by: User | None
    span: Span
    schedules: Sequence[str] = ()
    message: str | None = None


@dataclass(frozen=True)
class CoverStep:
    """The plan for one schedule.

    Attributes:
        target: the schedule.
        request: the swap.
        known: the IDs of the beneficiary's swaps that existed before.
        spans: when the user is on call in the time of the swap.
        doubled: when the benefactor is already on call in these spans.
        done: the swap that makes the wanted one unnecessary, or None.
        open: an open request for the same time, which is taken instead of making another, or None.
        error: the reason why nothing can be done, or None.
    """

    target: Target[Schedule]
    request: SwapRequest
    known: frozenset[str]
    spans: tuple[Span, ...] = ()
    doubled: tuple[Span, ...] = ()
    done: ShiftSwap | None = None
    open: ShiftSwap | None = None
    error: OncallError | None = None

    @property
    def changes(self) -> bool:
        """True if requests will be sent."""
        return not (self.done or self.error)

    def describe(self, cover: Cover, tz: tzinfo | None) -> str:
        """Format the change: ``platform-primary: alice Thu 26 Nov 16:00 - 18:00 → bob``."""
        taker = cover.by.username if cover.by else "whoever takes the request"
        times = ", ".join(LocalTime(tz).from_until(span, month=True) for span in self.spans)
        return f"{self.target.found.name}: {cover.user.username} {times} → {taker}"


def plan(oncall: OnCall, cover: Cover, tz: tzinfo | None) -> list[CoverStep]:
    """Plan a cover: find the schedules in which the user is on call, and the swaps that are there.

    Args:
        oncall: the server.
        cover: the request.
        tz: the time zone of times in messages.

    Raises:
        NotFound, Ambiguous: a schedule.
        Conflict: the user is not on call in this time in any schedule; the hint lists their next shifts.
    """
    targets = _targets(oncall, cover.schedules)
    wider = Span(cover.span.start, max(cover.span.end, cover.span.start + AHEAD))
    rotas, *lists = parallel.together(
        lambda: shifts.read_several(oncall, [each.found.id for each in targets], wider),
        lambda: list(oncall.shift_swaps.list(beneficiary=cover.user.id)),
        lambda: list(oncall.shift_swaps.list(benefactor=cover.user.id)),
    )
    swaps = sorted(
        {swap.id: swap for found in lists for swap in found}.values(),
        key=lambda swap: swap.created_at or soonest(oncall),
    )
    steps = [_step(oncall, cover, target, rotas.get(target.found.id), swaps) for target in targets]
    if not any(step.spans or step.done for step in steps):
        raise Conflict(
            f"{cover.user.username} is not on call {LocalTime(tz).from_until(cover.span, month=True)}"
            f"{f' in {_names(targets)}' if cover.schedules else ''}",
            hint=_next_shifts(cover.user, rotas.values(), cover.span.start, tz),
        )
    if not cover.schedules:
        steps = [step for step in steps if step.spans or step.done]
    return steps


def _targets(oncall: OnCall, given: Sequence[str]) -> list[Target[Schedule]]:
    if not given:
        return [Target(each.name, each, SCHEDULES) for each in oncall.schedules.everything()]
    found = zip(given, lookup.several(oncall.schedules, given), strict=True)
    return list({schedule.id: Target(text, schedule, SCHEDULES) for text, schedule in found}.values())


def _step(
    oncall: OnCall, cover: Cover, target: Target[Schedule], rota: Rota | None, swaps: Sequence[ShiftSwap]
) -> CoverStep:
    schedule = target.found
    request = SwapRequest(schedule.id, cover.user.id, cover.span, cover.message)
    own = [swap for swap in swaps if swap.schedule == schedule.id]
    known = frozenset(swap.id for swap in own)
    open_swap = _open(oncall, request, own)
    done = _settled(cover, request, own) if cover.by else open_swap
    of_user = _of(rota, cover.user.id, cover.span)
    if done:
        return CoverStep(target, request, known, done=done)
    if not of_user:
        error = Conflict(f"{cover.user.username} is not on call in {schedule.name!r} in this time")
        return CoverStep(target, request, known, error=error)
    doubled = tuple(
        part.within(other)
        for other in _of(rota, cover.by.id if cover.by else "", cover.span)
        for part in of_user
        if other.touches(part)
    )
    return CoverStep(target, request, known, of_user, doubled, open=open_swap)


def _settled(cover: Cover, request: SwapRequest, swaps: Iterable[ShiftSwap]) -> ShiftSwap | None:
    """Return the taken swap that covers the time already. Swaps apply in the order of their creation."""
    settled = None
    for swap in swaps:
        if not swap.is_taken:
            continue
        if cover.by and swap.benefactor == cover.by.id and request.is_met_by(swap):
            settled = swap
        elif swap.benefactor == cover.user.id and Span(swap.swap_start, swap.swap_end).touches(cover.span):
            settled = None  # the user has taken shifts back since
    return settled


def _open(oncall: OnCall, request: SwapRequest, swaps: Iterable[ShiftSwap]) -> ShiftSwap | None:
    """Return an open request for the same time, such as one of an earlier run that was interrupted."""
    matching = (
        swap
        for swap in swaps
        if swap.status == "open"
        and not swap.is_taken
        and request.is_met_by(swap)
        and swap.swap_start >= request.span.start - TOLERANCE
        and swap.swap_end <= request.span.end + TOLERANCE
        and swap.swap_start > oncall.now() + TOLERANCE / 4
    )
    return next(matching, None)


def _of(rota: Rota | None, user: str, span: Span) -> tuple[Span, ...]:
    """Return when a user is on call in a span; adjacent and overlapping shifts are merged."""
    merged: list[Span] = []
    for shift in rota.shifts if rota else ():
        if user not in shift.users or not shift.span.touches(span):
            continue
        part = shift.span.within(span)
        if merged and part.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, part.end))
        else:
            merged.append(part)
    return tuple(merged)


def _next_shifts(user: User, rotas: Iterable[Rota], at: datetime, tz: tzinfo | None) -> str:
    """Return a sentence with the next shifts of a user."""
    ahead = Span(at, at + AHEAD)
    found = sorted((span, rota.schedule.name) for rota in rotas for span in _of(rota, user.id, ahead))
    if not found:
        return f"{user.username} has no shift in the {AHEAD.days} days after that start"
    named = [f"{name} {LocalTime(tz).from_until(span, month=True)}" for span, name in islice(found, MOST_NEXT)]
    return f"next shifts of {user.username}: {'; '.join(named)}"


def _names(targets: Sequence[Target[Schedule]]) -> str:
    return ", ".join(repr(target.found.name) for target in targets)
