"""Many windows at once: judged from what was just read, carried out, and remembered in the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from oncallctl.api.client import OnCall
from oncallctl.api.models import GROUP, Integration
from oncallctl.api.resource import Change
from oncallctl.errors import Conflict, InvalidInput, OncallError, OutcomeUnknown
from oncallctl.maintenance import IfActive
from oncallctl.maintenance.journal import DONE, FAILED, SENT, UNKNOWN, Author, Cause, Event, Journal
from oncallctl.maintenance.settling import LOOK, AlreadyOpen, seconds_left, start, stop
from oncallctl.maintenance.window import CLOSE_ENOUGH, Wanted, Window
from oncallctl.outcomes import Outcome, Report, Target, for_each
from oncallctl.times import now


class Action(StrEnum):
    """What is to be done with one integration."""

    START = "start"
    STOP = "stop"
    REPLACE = "replace"
    NOTHING = "nothing"
    REFUSE = "refuse"


STATUSES = {Action.START: "started", Action.STOP: "stopped", Action.REPLACE: "replaced", Action.NOTHING: "unchanged"}


@dataclass
class Step:
    """What will be done with one target, and why not where nothing is; `wanted` is the window to open, if any."""

    target: Target[Integration]
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
        window = Window.of(self.target.found)
        return self.ends and window is not None and window.mode == GROUP

    def changes(self, oncall: OnCall) -> list[Change[Integration]]:
        """The requests that carry it out, in order."""
        ident = self.target.found.id
        made = [oncall.integrations.stop_maintenance(ident)] if self.ends else []
        if wanted := self.wanted:
            made.append(
                oncall.integrations.start_maintenance(ident, wanted.mode, lambda: seconds_left(wanted, oncall.now()))
            )
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


def plan_start(targets: Sequence[Target[Integration]], wanted: Wanted, if_active: IfActive) -> list[Step]:
    """Judge for each target what starting the window means, from the state that was just read."""
    return [_judge(target, wanted, if_active, now()) for target in targets]


def _judge(target: Target[Integration], wanted: Wanted, if_active: IfActive, at: datetime) -> Step:
    window = Window.of(target.found)
    if window is None:
        return Step(target, Action.START, wanted)
    if window.is_overdue(at):
        return Step(target, Action.REPLACE, wanted)
    if window.mode == wanted.mode and (window.ends_at is None or window.ends_at >= wanted.ends_at(at) - CLOSE_ENOUGH):
        return Step(target, Action.NOTHING)
    there = f"{target.found.name!r} is in maintenance already: {_described(window)}"
    if if_active is IfActive.KEEP:
        return Step(target, Action.NOTHING, warning=f"{there}; it is kept as it is")
    if if_active is IfActive.REPLACE:
        return Step(target, Action.REPLACE, wanted)
    hint = "--if-active keep leaves it, --if-active replace ends it and starts yours"
    return Step(target, Action.REFUSE, error=Conflict(there, hint=hint))


def _described(window: Window) -> str:
    return f"{window.mode} until {window.ends_at.isoformat() if window.ends_at else 'somebody ends it'}"


def plan_stop(targets: Sequence[Target[Integration]]) -> list[Step]:
    """Judge for each target whether there is a window to end; one that is overdue is one."""
    return [Step(target, Action.STOP if Window.of(target.found) else Action.NOTHING) for target in targets]


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


def row(outcome: Outcome[Integration]) -> dict[str, object]:
    """An outcome with the window as it is now, for a table."""
    return {**status(outcome.after or outcome.target.found, now()), **outcome.document()}


def ends_within(integration: Integration, within: timedelta, at: datetime) -> bool:
    """Whether a window is open and ends so soon, or is overdue."""
    window = Window.of(integration)
    return window is not None and window.ends_at is not None and window.ends_at <= at + within


def look_again(oncall: OnCall, step: Step) -> Step:
    """Make sure, after a question was answered, that the window that is to be ended is still the one asked about."""
    if not step.ends:
        return step
    found = oncall.integrations.get(step.target.found.id)
    if Window.of(found) == Window.of(step.target.found):
        return step
    changed = Conflict(f"the maintenance of {found.name!r} was changed by somebody else meanwhile", hint="look again")
    return Step(step.target, Action.REFUSE, error=changed)


def rehearse(oncall: OnCall, steps: Sequence[Step]) -> Report[Integration]:
    """Say what `carry_out` would send."""
    return Report([_rehearsed(oncall, step) for step in steps], LOOK)


def _rehearsed(oncall: OnCall, step: Step) -> Outcome[Integration]:
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
            self._remember(event, integration, UNKNOWN)
            raise
        self._remember(event, opened, DONE)
        return opened

    def close(self, integration: Integration, cause: Cause) -> Integration:
        """End the window that is open, and remember it; see `stop`.

        It is written down before it is sent: `apply` must not reopen what was stopped, also if this program is killed.
        """
        self._remember(Event.ENDED, integration, SENT, cause)
        try:
            closed = stop(self.oncall, integration)
        except OncallError as error:
            unknown = isinstance(error, OutcomeUnknown)
            self._remember(Event.ENDED, integration, UNKNOWN if unknown else FAILED, cause)
            raise
        self._remember(Event.ENDED, integration, DONE, cause)
        return closed

    def _remember(self, event: Event, integration: Integration, outcome: str, cause: Cause | None = None) -> None:
        """Write it down; a journal that cannot be written does not undo what was done."""
        place, at = self.oncall.profile, self.oncall.now()
        try:
            self.journal.record(event, place, integration, self.author, at=at, cause=cause, outcome=outcome)
        except InvalidInput as error:
            self.warn(f"the journal cannot be written: {error.message}")


def carry_out(desk: Desk, steps: Sequence[Step], finished: Callable[[], None]) -> Report[Integration]:
    """Do what was planned, several at a time; see `oncallctl.outcomes.for_each`."""
    return for_each(steps, lambda step: step.target, lambda step: _carry_out(desk, step), finished, LOOK)


def _carry_out(desk: Desk, step: Step) -> Outcome[Integration]:
    if step.error:
        raise step.error
    integration = step.target.found
    if step.ends:
        integration = desk.close(integration, Cause.REPLACE if step.opens else Cause.STOP)
    if step.wanted:
        begin = _start_anew if step.ends else Desk.open
        try:
            integration = begin(desk, integration, step.wanted)
        except AlreadyOpen as other:
            return Outcome(step.target, "unchanged", other.integration)
    return Outcome(step.target, STATUSES[step.action], integration)


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
