"""Shifts that users took over in shift swaps, with the person who is relieved."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from pydantic import BaseModel, ValidationError

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.resources.base import Instant
from oncallctl.api.resources.shift_swaps import ShiftSwap
from oncallctl.errors import NotFound
from oncallctl.times import Span


class Person(BaseModel):
    """A user in the response for one swap."""

    pk: str
    display_name: str


class _SwapOfShift(BaseModel):
    pk: str
    user: Person


class _SwappedUser(BaseModel):
    pk: str
    swap_request: _SwapOfShift | None = None


class _SwappedShift(BaseModel):
    """A shift in the response for one swap (shift_swaps recordings)."""

    start: Instant
    end: Instant
    users: list[_SwappedUser]


@dataclass(frozen=True)
class TakenShift:
    """A time in which a user is on call instead of another one."""

    schedule_id: str
    user_id: str
    span: Span
    relieved: Person


def read(oncall: OnCall, span: Span, *, schedules: Collection[str] | None = None, **filters: str) -> list[TakenShift]:
    """Fetch the shifts that were taken over in a span: one request for the list, and one for each swap in the span.

    Args:
        oncall: the server.
        span: the time.
        schedules: the IDs of schedules; None for all.
        filters: see `ShiftSwaps.list`.
    """
    taken = [
        swap
        for swap in oncall.shift_swaps.list(None, **filters)
        if swap.is_taken
        and Span(swap.swap_start, swap.swap_end).touches(span)
        and (schedules is None or swap.schedule in schedules)
    ]
    return list(chain.from_iterable(parallel.in_order(lambda swap: _shifts_of(oncall, swap), taken)))


def relieved(taken: Iterable[TakenShift], schedule_id: str, user_id: str, span: Span) -> Person | None:
    """Return whom a user relieves in a shift of a schedule; None if the shift is their own."""
    return next(
        (
            each.relieved
            for each in taken
            if (each.schedule_id, each.user_id) == (schedule_id, user_id)
            and span.touches(each.span)
            and span.within(each.span) == span
        ),
        None,
    )


def _shifts_of(oncall: OnCall, swap: ShiftSwap) -> list[TakenShift]:
    """Return the shifts that a swap changes. It changes nothing while its beneficiary is not on call."""
    taken = []
    with suppress(NotFound, ValidationError):  # deleted since; or a server that reports shifts in another form
        document = oncall.shift_swaps.get(swap.id).raw
        for shift in [_SwappedShift.model_validate(each) for each in document.get("shifts") or ()]:
            for user in shift.users:
                request = user.swap_request
                if request and request.pk == swap.id and user.pk == swap.benefactor:
                    taken.append(TakenShift(swap.schedule, user.pk, Span(shift.start, shift.end), request.user))
    return taken
