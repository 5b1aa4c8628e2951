"""Opening and ending maintenance windows so that it can be repeated, and so that a lost answer is settled.

A window is what an integration says of itself: `maintenance_mode`, `maintenance_started_at`, `maintenance_end_at`. The
server has no name for it, does not know who opened it, and cannot extend it: a longer one is a stop and a start.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from oncallctl.api.client import Change, OnCall
from oncallctl.api.models import GROUP, Integration
from oncallctl.errors import Conflict, InvalidInput, OncallError, OutcomeUnknown
from oncallctl.maintenance import IfActive
from oncallctl.maintenance.journal import Author, Event, Journal
from oncallctl.outcomes import Outcome, Report, for_each
from oncallctl.selection import Target
from oncallctl.times import now

# A window that ends at most so much earlier than asked is the one asked for: cron does not start on the second.
CLOSE_ENOUGH = timedelta(seconds=60)
# How far the server's clock may be behind this one.
CLOCKS_DIFFER = timedelta(minutes=5)
# How long to wait for a start or stop whose answer was lost to show, between looks.
LOOKS = (0.0, 1.0, 3.0)


class Action(StrEnum):
    """What is to be done with one integration."""

    START = "start"
    STOP = "stop"
    REPLACE = "replace"
    NOTHING = "nothing"
    REFUSE = "refuse"


DONE = {Action.START: "started", Action.STOP: "stopped", Action.REPLACE: "replaced", Action.NOTHING: "unchanged"}


@dataclass(frozen=True)
class Window:
    """A window as the integration says it. `ends_at` is None where the server names no end."""

    mode: str
    started_at: datetime | None
    ends_at: datetime | None

    @classmethod
    def of(cls, integration: Integration) -> Window | None:
        """The window that is open on an integration, or None."""
        if integration.maintenance_mode is None:
            return None
        return cls(integration.maintenance_mode, integration.maintenance_started_at, integration.maintenance_end_at)

    def remaining(self, at: datetime) -> int | None:
        """Whole seconds to its end, negative after it."""
        return None if self.ends_at is None else math.floor((self.ends_at - at).total_seconds())

    def is_overdue(self, at: datetime) -> bool:
        """Whether it is past its end and the server has not ended it: it still silences."""
        return self.ends_at is not None and self.ends_at <= at


@dataclass(frozen=True)
class Wanted:
    """The window that is asked for: its mode in Cloud's words, and how long it is or when it ends."""

    mode: str
    duration: timedelta | None = None
    until: datetime | None = None

    def seconds(self, at: datetime) -> int:
        """How long a window opened at this moment has to be, in whole seconds."""
        if self.duration is not None:
            return int(self.duration.total_seconds())
        if self.until is None:
            raise InvalidInput("a window has a length or an end", hint="give --for or --until")
        return math.ceil((self.until - at).total_seconds())

    def ends_at(self, at: datetime) -> datetime:
        """When a window opened at this moment ends."""
        return self.until or at + timedelta(seconds=self.seconds(at))


@dataclass
class Step:
    """What will be done with one target, and why not where nothing is; `wanted` is the window to open, if any."""

    target: Target
    action: Action
    wanted: Wanted | None = None
    error: OncallError | None = None
    warning: str | None = None

    @property
    def opens(self) -> bool:
        """Whether it opens a window."""
        return self.wanted is not None

    @property
    def ends(self) -> bool:
        """Whether it ends a window."""
        return self.action in {Action.STOP, Action.REPLACE}

    @property
    def ends_group(self) -> bool:
        """Whether it ends a window whose end resolves the groups that it collected."""
        window = Window.of(self.target.integration)
        return self.ends and window is not None and window.mode == GROUP

    def changes(self, oncall: OnCall) -> list[Change[Integration]]:
        """The requests that carry it out, in order."""
        ident = self.target.integration.id
        made = [oncall.integrations.stop_maintenance(ident)] if self.ends else []
        if wanted := self.wanted:
            made.append(oncall.integrations.start_maintenance(ident, wanted.mode, lambda: _left(wanted)))
        return made


def check_start(oncall: OnCall, wanted: Wanted) -> None:
    """Refuse what this server or token cannot do, before anything is read.

    Raises:
        Unsupported: the server does not know the mode.
        AccessDenied: the token is of a kind that the server fails on.
    """
    oncall.integrations.start_maintenance("any", wanted.mode, 1)


def check_stop(oncall: OnCall) -> None:
    """Refuse a token that this server fails on, before anything is read."""
    oncall.integrations.stop_maintenance("any")


def plan_start(targets: Sequence[Target], wanted: Wanted, if_active: IfActive) -> list[Step]:
    """Judge for each target what starting the window means, from the state that was just read."""
    return [_judge(target, wanted, if_active, now()) for target in targets]


def _judge(target: Target, wanted: Wanted, if_active: IfActive, at: datetime) -> Step:
    window = Window.of(target.integration)
    if window is None:
        return Step(target, Action.START, wanted)
    if window.is_overdue(at):
        return Step(target, Action.REPLACE, wanted)
    if window.mode == wanted.mode and (window.ends_at is None or window.ends_at >= wanted.ends_at(at) - CLOSE_ENOUGH):
        return Step(target, Action.NOTHING)
    there = f"{target.integration.name!r} is in maintenance already: {_described(window)}"
    if if_active is IfActive.KEEP:
        return Step(target, Action.NOTHING, warning=f"{there}; it is kept as it is")
    if if_active is IfActive.REPLACE:
        return Step(target, Action.REPLACE, wanted)
    hint = "--if-active keep leaves it, --if-active replace ends it and starts yours"
    return Step(target, Action.REFUSE, error=Conflict(there, hint=hint))


def _described(window: Window) -> str:
    return f"{window.mode} until {window.ends_at.isoformat() if window.ends_at else 'somebody ends it'}"


def plan_stop(targets: Sequence[Target]) -> list[Step]:
    """Judge for each target whether there is a window to end; one that is overdue is one."""
    return [Step(target, Action.STOP if Window.of(target.integration) else Action.NOTHING) for target in targets]


def status(integration: Integration, at: datetime) -> dict[str, object]:
    """The element of `maintenance status`; `mode` is None where no window is open."""
    window = Window.of(integration)
    return {
        "id": integration.id,
        "name": integration.name,
        "team_id": integration.team_id,
        "mode": window.mode if window else None,
        "started_at": integration.raw.get("maintenance_started_at"),
        "ends_at": integration.raw.get("maintenance_end_at"),
        "remaining_seconds": max(window.remaining(at) or 0, 0) if window and window.ends_at else None,
        "overdue": bool(window and window.is_overdue(at)),
        "integration": integration.raw,
    }


def row(outcome: Outcome) -> dict[str, object]:
    """An outcome with the window as it is now, for a table."""
    return {**status(outcome.integration or outcome.target.integration, now()), **outcome.document()}


def ends_within(integration: Integration, within: timedelta, at: datetime) -> bool:
    """Whether a window is open and ends so soon, or is overdue."""
    window = Window.of(integration)
    return window is not None and window.ends_at is not None and window.ends_at <= at + within


def look_again(oncall: OnCall, step: Step) -> Step:
    """Make sure, after a question was answered, that the window that is to be ended is still the one asked about."""
    if not step.ends:
        return step
    found = oncall.integrations.get(step.target.integration.id)
    if Window.of(found) == Window.of(step.target.integration):
        return step
    changed = Conflict(f"the maintenance of {found.name!r} was changed by somebody else meanwhile", hint="look again")
    return Step(step.target, Action.REFUSE, error=changed)


def rehearse(oncall: OnCall, steps: Sequence[Step]) -> Report:
    """Say what `carry_out` would send."""
    return Report([_rehearsed(oncall, step) for step in steps])


def _rehearsed(oncall: OnCall, step: Step) -> Outcome:
    requests = [oncall.described(change) for change in step.changes(oncall)]
    status = f"would-{step.action}" if requests else "failed" if step.error else "unchanged"
    return Outcome(step.target, status, error=step.error, requests=requests)


@dataclass(frozen=True)
class Desk:
    """Where windows are opened and ended: a server, on whose behalf, and the journal that remembers it."""

    oncall: OnCall
    journal: Journal
    author: Author
    warn: Callable[[str], None]

    def open(
        self, integration: Integration, wanted: Wanted, event: Event = Event.OPENED, *, own: bool = False
    ) -> Integration:
        """Open a window where none is, and remember it; see `start`."""
        try:
            opened = start(self.oncall, integration, wanted, own=own)
        except OutcomeUnknown:
            self._remember(event, integration, outcome="unknown")
            raise
        self._remember(event, opened)
        return opened

    def close(self, integration: Integration) -> Integration:
        """End the window that is open, and remember it; see `stop`."""
        try:
            closed = stop(self.oncall, integration)
        except OutcomeUnknown:
            self._remember(Event.ENDED, integration, outcome="unknown")
            raise
        self._remember(Event.ENDED, integration)
        return closed

    def _remember(self, event: Event, integration: Integration, *, outcome: str = "done") -> None:
        """Write it down; a journal that cannot be written does not undo what was done."""
        try:
            self.journal.record(event, self.oncall.profile, integration, self.author, outcome=outcome)
        except OSError as error:
            self.warn(f"the journal cannot be written: {error.strerror}")


def carry_out(desk: Desk, steps: Sequence[Step], finished: Callable[[], None]) -> Report:
    """Do what was planned, several at a time; see `oncallctl.outcomes.for_each`."""
    return for_each(steps, lambda step: step.target, lambda step: _carry_out(desk, step), finished)


def _carry_out(desk: Desk, step: Step) -> Outcome:
    if step.error:
        raise step.error
    integration = step.target.integration
    if step.ends:
        integration = desk.close(integration)
    if step.wanted:
        begin = _start_anew if step.ends else Desk.open
        try:
            integration = begin(desk, integration, step.wanted)
        except AlreadyOpen as other:
            return Outcome(step.target, "unchanged", other.integration)
    return Outcome(step.target, DONE[step.action], integration)


def _start_anew(desk: Desk, integration: Integration, wanted: Wanted) -> Integration:
    """Start after a stop; when that fails, the integration is left without the window it had."""
    try:
        return desk.open(integration, wanted)
    except AlreadyOpen:
        raise
    except OncallError as error:
        error.message = (
            f"the old window of {integration.name!r} was ended and the new one did not start:"
            f" it is NOT in maintenance: {error.message}"
        )
        raise


def start(oncall: OnCall, integration: Integration, wanted: Wanted, *, own: bool = False) -> Integration:
    """Open a window where none is; settle it by reading back when the answer was lost.

    Args:
        oncall: the server.
        integration: as it was read last.
        wanted: the window.
        own: whether it has to be this very one: by default somebody else's that does what was asked will do.

    Returns:
        The integration with the window open.

    Raises:
        AlreadyOpen: somebody else opened a window meanwhile that does what was asked (unless `own`).
        Conflict: somebody else opened another window meanwhile.
        Unavailable: it certainly did not arrive; it is safe to try again.
        OutcomeUnknown: reading back did not settle it.
    """
    sent = now()
    asked = Wanted(wanted.mode, until=wanted.ends_at(sent))
    # The length is counted when it is sent: a rate limit may have been waited for until then.
    change = oncall.integrations.start_maintenance(integration.id, wanted.mode, lambda: _left(wanted))
    try:
        return oncall.send(change)
    except Conflict as taken:  # somebody was quicker since we looked; perhaps with the same window
        if own:
            raise
        raise AlreadyOpen(_accept(oncall.integrations.get(integration.id), asked, taken)) from taken
    except OutcomeUnknown as lost:
        after = _look_again(oncall, integration, lost, lambda found: Window.of(found) is not None)
        if after is None:
            raise _still_without(lost, f"the window of {integration.name!r} is not open") from lost
        another = Conflict(f"{integration.name!r} is in another maintenance window now")
        if _is_ours(after, asked, sent):
            return after
        if own:
            raise another from lost
        raise AlreadyOpen(_accept(after, asked, another)) from lost


class AlreadyOpen(Conflict):
    """Somebody else was quicker, and opened a window that does what was asked."""

    def __init__(self, integration: Integration) -> None:
        super().__init__(f"{integration.name!r} was put into maintenance by somebody else meanwhile")
        self.integration = integration


def _left(wanted: Wanted) -> int:
    seconds = wanted.seconds(now())
    if seconds <= 0:
        raise InvalidInput("the time that the window was to end at has passed meanwhile")
    return seconds


def _is_ours(found: Integration, asked: Wanted, sent: datetime) -> bool:
    """Whether a window is the one whose answer was lost: begun since it was sent, and of just its mode and length."""
    window = Window.of(found)
    if window is None or window.mode != asked.mode or window.started_at is None or window.ends_at is None:
        return False
    wrong = abs((window.ends_at - window.started_at).total_seconds() - asked.seconds(sent))
    return window.started_at >= sent - CLOCKS_DIFFER and wrong <= CLOSE_ENOUGH.total_seconds()


def _accept(found: Integration, wanted: Wanted, otherwise: Conflict) -> Integration:
    """Take a window that is open now for the one that was asked for, if it does what was asked."""
    window = Window.of(found)
    if window is None or window.mode != wanted.mode:
        raise otherwise
    if window.ends_at is not None and window.ends_at < wanted.ends_at(now()) - CLOSE_ENOUGH:
        raise otherwise
    return found


def stop(oncall: OnCall, integration: Integration) -> Integration:
    """End the window that is open; settle it by reading back when the answer was lost.

    Returns:
        The integration without it.

    Raises:
        Unavailable: it certainly did not arrive; it is safe to try again.
        OutcomeUnknown: reading back did not settle it.
    """
    before = Window.of(integration)
    try:
        return oncall.send(oncall.integrations.stop_maintenance(integration.id))
    except OutcomeUnknown as lost:
        after = _look_again(oncall, integration, lost, lambda found: _is_gone(before, found))
        if after is None:
            raise _still_without(lost, f"the window of {integration.name!r} is still open") from lost
        return after


def _is_gone(before: Window | None, found: Integration) -> bool:
    """Whether the window is no longer there; another one, begun at another time, is somebody else's."""
    window = Window.of(found)
    return window is None or before is None or window.started_at != before.started_at


def _look_again(
    oncall: OnCall, integration: Integration, lost: OutcomeUnknown, settled: Callable[[Integration], bool]
) -> Integration | None:
    """Read the integration back until what was asked for shows; None when it does not."""
    for pause in LOOKS:
        time.sleep(pause)
        try:
            found = oncall.integrations.get(integration.id)
        except OncallError as error:
            raise OutcomeUnknown(
                f"{lost.message}; and looking at it failed: {error.message}",
                hint=f"oncallctl maintenance status {integration.id}",
            ) from error
        if settled(found):
            return found
    return None


def _still_without(lost: OutcomeUnknown, state: str) -> OutcomeUnknown:
    """The change does not show, and may still come: a gateway answers 504 while the server goes on."""
    lost.message = f"{lost.message}; {state}, but it may still come"
    lost.hint = lost.hint or "look before you try again: oncallctl maintenance status"
    return lost
