"""Requests for shift swaps: created once, taken, and withdrawn if nobody takes them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command_line, not_yet_visible, read_back
from oncallctl.api.resources.shift_swaps import ShiftSwap
from oncallctl.api.resources.users import User
from oncallctl.errors import Conflict, InvalidInput, NotFound, OncallError, OutcomeUnknown, Unavailable
from oncallctl.times import Span, show

# The server accepts only swaps that start in the future, and the take must arrive before the start.
LEAD = timedelta(minutes=1)
# A swap with these times, to within this tolerance, is the requested one.
TOLERANCE = timedelta(minutes=1)


def soonest(oncall: OnCall) -> datetime:
    """Return the earliest start of a swap that is created now, in whole seconds of the server's clock."""
    return (oncall.now() + LEAD).replace(microsecond=0) + timedelta(seconds=1)


@dataclass(frozen=True)
class SwapRequest:
    """A shift swap that a user asks for.

    Attributes:
        schedule: the ID of the schedule.
        beneficiary: the ID of the user who is relieved.
        span: the requested time. A start that is too early becomes the earliest that the server accepts.
        description: a text for those who see the request, or None.
    """

    schedule: str
    beneficiary: str
    span: Span
    description: str | None = None

    def body(self, oncall: OnCall) -> dict[str, Any]:
        """Return the request body at the moment of sending.

        Raises:
            InvalidInput: the end has passed.
        """
        start = max(self.span.start, soonest(oncall))
        if start >= self.span.end:
            raise InvalidInput(f"the end has passed: a swap starts a minute ahead, {show(start, ZoneInfo('UTC'))}")
        text = {} if self.description is None else {"description": self.description}
        times = {"swap_start": _iso(start), "swap_end": _iso(self.span.end)}
        return {"schedule": self.schedule, **times, "beneficiary": self.beneficiary, **text}

    def is_met_by(self, swap: ShiftSwap) -> bool:
        """True if a swap of the beneficiary in this schedule covers the requested time, within the tolerance."""
        return (
            (swap.schedule, swap.beneficiary) == (self.schedule, self.beneficiary)
            and swap.swap_start <= self.span.start + TOLERANCE
            and swap.swap_end >= self.span.end - TOLERANCE
        )


def create(oncall: OnCall, request: SwapRequest, known: Collection[str], check: str) -> ShiftSwap:
    """Create an open swap request, once. If the response is lost, search for the swap instead of resending.

    Args:
        oncall: the server.
        request: the swap.
        known: the IDs of the swaps that existed before.
        check: the command that shows open requests.

    Raises:
        Unavailable: the request certainly did not take effect; it is safe to try again.
        OutcomeUnknown: the response was lost, and reading back did not find the swap.
    """
    sent: dict[str, Any] = {}

    def body() -> dict[str, Any]:
        sent.update(request.body(oncall))  # a request that waits for a rate limit is built again
        return dict(sent)

    def send() -> ShiftSwap:
        made = oncall.send(replace(oncall.shift_swaps.create({}), body=body))
        if not _is(made, sent):
            raise OutcomeUnknown(f"the response to the request for a shift swap shows another one: {made.id}")
        return made

    try:
        return send()
    except OutcomeUnknown as lost:
        found = read_back(lost, lambda: _created(oncall, sent, known), bool, check)
        if found:
            return found[-1]
        if lost.is_engine_crash:  # the engine has ended the request, and a transaction that failed left nothing
            raise Unavailable(
                f"{lost.message}; no shift swap was created", hint="run the command again", http_status=lost.http_status
            ) from lost
        raise not_yet_visible(lost, "the server shows no such shift swap", check) from lost


def take(oncall: OnCall, swap: ShiftSwap, by: User, check: str) -> ShiftSwap:
    """Take an open swap on behalf of a user, once.

    Raises:
        Conflict: the swap is taken or has begun.
        OutcomeUnknown: the response was lost, and reading back did not show the change.
    """

    def send() -> ShiftSwap:
        taken = oncall.send(oncall.shift_swaps.take(swap.id, by.id))
        if (taken.id, taken.benefactor) != (swap.id, by.id):
            raise OutcomeUnknown(f"the response to taking shift swap {swap.id} does not show that it was taken")
        return taken

    try:
        return send()
    except OutcomeUnknown as lost:
        found = read_back(lost, lambda: oncall.shift_swaps.get(swap.id), lambda each: each.is_taken, check)
        if found is None:
            raise not_yet_visible(lost, f"shift swap {swap.id} is not taken", check) from lost
        if found.benefactor != by.id:
            raise _taken_by_another(oncall, found) from lost
        return found


def take_or_withdraw(oncall: OnCall, swap: ShiftSwap, by: User, check: str) -> ShiftSwap:
    """Take a swap that was just created. If that fails, delete it, unless somebody else took it meanwhile.

    The deletion also settles a take whose response was lost: a take that arrives later finds no swap.

    Raises:
        OutcomeUnknown: deleting failed too, so that the request may be open; the hint is the command that deletes it.
        OncallError: the swap was not taken, and the request is deleted.
    """
    try:
        return take(oncall, swap, by, check)
    except OncallError as error:
        taken = _withdraw(oncall, swap, error)
        if taken is None:
            error.message = f"{error.message}; the open request {swap.id} was deleted, so nothing has changed"
            if not isinstance(error, OutcomeUnknown):
                raise
            raise Unavailable(error.message, hint="run the command again", http_status=error.http_status) from error
        if taken.benefactor != by.id:
            raise _taken_by_another(oncall, taken) from error
        return taken


def _withdraw(oncall: OnCall, swap: ShiftSwap, error: OncallError) -> ShiftSwap | None:
    """Delete a swap that is still open, and check that it is gone; return it if it is taken."""
    try:
        with suppress(NotFound):  # somebody else deleted it
            current = oncall.shift_swaps.get(swap.id)
            if current.is_taken:
                return current
            oncall.shift_swaps.remove(current)
        remaining = oncall.shift_swaps.list(schedule_id=swap.schedule, beneficiary=swap.beneficiary)
        if all(each.id != swap.id for each in remaining):
            return None
        problem = "the server still lists it"
    except OncallError as failed:
        problem = f"deleting it failed: {failed.message}"
    raise OutcomeUnknown(
        f"{error.message}; shift swap {swap.id} may still be open, since {problem}",
        hint=delete_command(oncall, [swap.id]),
    ) from error


def delete_command(oncall: OnCall, idents: Collection[str]) -> str:
    """Return the command that deletes swaps: it withdraws open ones and undoes those that are taken."""
    return command_line(oncall, ["shift-swaps", "delete", *idents, "--yes"])


def _taken_by_another(oncall: OnCall, swap: ShiftSwap) -> Conflict:
    ident = swap.benefactor or ""
    users = oncall.users.several([ident])
    name = users[ident].username if ident in users else ident
    return Conflict(f"shift swap {swap.id} was taken by {name} meanwhile")


def _created(oncall: OnCall, sent: dict[str, Any], known: Collection[str]) -> list[ShiftSwap]:
    """Return the swaps with these fields that are not known yet, the newest last."""
    if not sent:
        return []
    swaps = oncall.shift_swaps.list(schedule_id=sent["schedule"], beneficiary=sent["beneficiary"])
    found = [swap for swap in swaps if swap.id not in known and _is(swap, sent)]
    return sorted(found, key=lambda swap: swap.created_at or swap.swap_start)


def _is(swap: ShiftSwap, sent: dict[str, Any]) -> bool:
    """True if a swap is the one that was sent, and not taken."""
    times = swap.swap_start, swap.swap_end
    return (
        (swap.schedule, swap.beneficiary) == (sent["schedule"], sent["beneficiary"])
        and times == tuple(datetime.fromisoformat(sent[name]) for name in ("swap_start", "swap_end"))
        and not swap.is_taken
    )


def _iso(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
