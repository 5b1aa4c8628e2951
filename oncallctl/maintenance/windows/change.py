"""Many windows at once: judged from what was just read, carried out, and remembered in the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command
from oncallctl.api.resources.base import Change
from oncallctl.api.resources.integrations import GROUP, Integration
from oncallctl.batch import Outcome, Report, Target, for_each
from oncallctl.errors import Conflict, InvalidInput, OncallError, OutcomeUnknown
from oncallctl.maintenance import IfActive
from oncallctl.maintenance.journal import DONE, FAILED, SENT, UNKNOWN, Author, Cause, Event, Journal
from oncallctl.maintenance.windows import guards
from oncallctl.maintenance.windows.model import CLOSE_ENOUGH, Window, WindowRequest
from oncallctl.maintenance.windows.settle import LOOK, AlreadyOpen, Sending, seconds_left, start, stop


class WindowAction(StrEnum):
    """What is to be done with one integration."""

    START = "start"
    STOP = "stop"
    REPLACE = "replace"
    NOTHING = "nothing"
    REFUSE = "refuse"


STATUSES = {
    WindowAction.START: "started",
    WindowAction.STOP: "stopped",
    WindowAction.REPLACE: "replaced",
    WindowAction.NOTHING: "unchanged",
}


@dataclass
class WindowChange:
    """What will be done with one target, and why not where nothing is; `wanted` is the window to open, if any."""

    target: Target[Integration]
    action: WindowAction
    wanted: WindowRequest | None = None
    error: OncallError | None = None
    warning: str | None = None

    @property
    def opens(self) -> bool:
        """Whether it opens a window."""
        return self.wanted is not None

    @property
    def ends(self) -> bool:
        """Whether it ends a window."""
        return self.action in {WindowAction.STOP, WindowAction.REPLACE}

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


def check_start(oncall: OnCall, wanted: WindowRequest) -> None:
    """Refuse what this server or token cannot do, before anything is read.

    Raises:
        Unsupported: the server does not know the mode.
        AccessDenied: the token is of a kind that the server fails on.
    """
    oncall.integrations.start_maintenance("any", wanted.mode, 1)


def check_stop(oncall: OnCall) -> None:
    """Refuse a token that this server fails on, before anything is read."""
    oncall.integrations.stop_maintenance("any")


def plan_start(
    oncall: OnCall, targets: Sequence[Target[Integration]], wanted: WindowRequest, if_active: IfActive
) -> list[WindowChange]:
    """Judge for each target what starting the window means, from the state that was just read."""
    return [_judge(oncall, target, wanted, if_active) for target in targets]


def _judge(oncall: OnCall, target: Target[Integration], wanted: WindowRequest, if_active: IfActive) -> WindowChange:
    window, at = Window.of(target.found), oncall.now()
    if window is None:
        return WindowChange(target, WindowAction.START, wanted)
    if is_overdue(oncall, window):
        return WindowChange(target, WindowAction.REPLACE, wanted)
    if window.mode == wanted.mode and (window.ends_at is None or window.ends_at >= wanted.ends_at(at) - CLOSE_ENOUGH):
        return WindowChange(target, WindowAction.NOTHING)
    there = f"{target.found.name!r} is in maintenance already: {_described(window)}"
    if if_active is IfActive.KEEP:
        return WindowChange(target, WindowAction.NOTHING, warning=f"{there}; it is kept as it is")
    if if_active is IfActive.REPLACE:
        return WindowChange(target, WindowAction.REPLACE, wanted)
    hint = "--if-active keep leaves it, --if-active replace ends it and starts yours"
    return WindowChange(target, WindowAction.REFUSE, error=Conflict(there, hint=hint))


def is_overdue(oncall: OnCall, window: Window) -> bool:
    """True if a window is certainly past its end and the server has not closed it.

    Without the server's time an active window may only look overdue, and ending it would page people.
    """
    return oncall.transport.clock.is_known and window.is_overdue(oncall.now())


def _described(window: Window) -> str:
    return f"{window.mode} until {window.ends_at.isoformat() if window.ends_at else 'somebody ends it'}"


def plan_stop(targets: Sequence[Target[Integration]]) -> list[WindowChange]:
    """Judge for each target whether there is a window to end; one that is overdue is one."""
    return [
        WindowChange(target, WindowAction.STOP if Window.of(target.found) else WindowAction.NOTHING)
        for target in targets
    ]


def status(oncall: OnCall, integration: Integration) -> dict[str, object]:
    """Return the element of `maintenance status`.

    `mode` is None if no window is active. `overdue` is None if only this machine's clock says so.
    """
    window, at = Window.of(integration), oncall.now()
    is_past_end = window is not None and window.is_overdue(at)
    return {
        "id": integration.id,
        "name": integration.name,
        "team_id": integration.team_id,
        "mode": window.mode if window else None,
        "started_at": integration.raw.get("maintenance_started_at"),
        "ends_at": integration.raw.get("maintenance_end_at"),
        "remaining_seconds": max(window.remaining(at) or 0, 0) if window and window.ends_at else None,
        "overdue": None if is_past_end and not oncall.transport.clock.is_known else is_past_end,
        "integration": integration.raw,
    }


def row(outcome: Outcome[Integration]) -> dict[str, object]:
    """Return an outcome with the window as it is now, for a table."""
    integration = outcome.after or outcome.target.found
    window = Window.of(integration)
    now = {"mode": window.mode if window else None, "ends_at": integration.raw.get("maintenance_end_at")}
    return {**now, **outcome.document()}


def ends_within(integration: Integration, within: timedelta, at: datetime) -> bool:
    """Whether a window is open and ends so soon, or is overdue."""
    window = Window.of(integration)
    return window is not None and window.ends_at is not None and window.ends_at <= at + within


def look_again(oncall: OnCall, step: WindowChange) -> WindowChange:
    """Make sure, after a question was answered, that the window that is to be ended is still the one asked about."""
    if not step.ends:
        return step
    found = oncall.integrations.get(step.target.found.id)
    if Window.of(found) == Window.of(step.target.found):
        return step
    changed = Conflict(f"the maintenance of {found.name!r} was changed by somebody else meanwhile", hint="look again")
    return WindowChange(step.target, WindowAction.REFUSE, error=changed)


def rehearse(oncall: OnCall, steps: Sequence[WindowChange]) -> Report[Integration]:
    """Say what `carry_out` would send."""
    return Report([_rehearsed(oncall, step) for step in steps], LOOK)


def _rehearsed(oncall: OnCall, step: WindowChange) -> Outcome[Integration]:
    requests = [oncall.described(change) for change in step.changes(oncall)]
    status = f"would-{step.action}" if requests else "failed" if step.error else "unchanged"
    return Outcome(step.target, status, error=step.error, requests=requests)


@dataclass(frozen=True)
class WindowService:
    """The way to change windows on one server: `carry_out`.

    Attributes:
        oncall: the server.
        journal: remembers each change.
        author: on whose behalf.
        warn: receives what a person should know.
        longest: --max of this run, or None.
    """

    oncall: OnCall
    journal: Journal
    author: Author
    warn: Callable[[str], None]
    longest: str | None = None

    def carry_out(  # noqa: PLR0913  # only runs need more than the step
        self,
        step: WindowChange,
        *,
        cause: Cause | None = None,
        event: Event = Event.OPENED,
        own: bool = False,
        sending: Sending | None = None,
        restore: Callable[[Integration, WindowRequest], object] | None = None,
    ) -> Integration:
        """Stop the window that is active, start the one that is wanted, and write both down.

        Args:
            step: what to do, as judged from what was just read.
            cause: what the journal says of the stop; by default a replacement, or a stop by hand.
            event: what the journal says of the start; a renewal is one event.
            own: see `settling.start`.
            sending: see `settling.start`.
            restore: starts the old window again, if the new one does not start after the stop.

        Returns:
            The integration as it is now.

        Raises:
            InvalidInput: a guard rail of the profile; nothing was changed.
            AlreadyOpen: somebody else started a window meanwhile that does what was asked (unless `own`).
            OncallError: why nothing is done, or what failed; after a stop it says what the integration is left with.
        """
        if step.error:
            raise step.error
        wanted = step.wanted
        if wanted:
            self.check(wanted)
        integration = step.target.found
        if step.ends:
            cause = cause or (Cause.REPLACE if wanted else Cause.STOP)
            integration = self._close(integration, cause, is_journaled=event is not Event.RENEWED)
        if wanted is None:
            return integration
        try:
            return self._open(integration, wanted, event, own=own, sending=sending)
        except AlreadyOpen:
            raise
        except OncallError as error:
            if step.ends:
                self._explain_loss(error, step.target.found, integration, restore)
            raise

    def check(self, wanted: WindowRequest) -> None:
        """Refuse a window that the profile's guard rails do not allow.

        Raises:
            InvalidInput: see `guards.check_window`.
        """
        seconds = wanted.seconds(self.oncall.now())
        guards.check_window(
            self.oncall.profile, mode=wanted.mode, seconds=seconds, reason=self.author.reason, longest=self.longest
        )

    def _open(
        self, integration: Integration, wanted: WindowRequest, event: Event, *, own: bool, sending: Sending | None
    ) -> Integration:
        try:
            opened = start(self.oncall, integration, wanted, own=own, sending=sending)
        except OutcomeUnknown:
            self._remember(event, integration, UNKNOWN)
            raise
        self._remember(event, opened, DONE)
        return opened

    def _close(self, integration: Integration, cause: Cause, *, is_journaled: bool) -> Integration:
        """Stop a window; `apply` must not reopen it even if this program is killed, so it is written down before."""

        def remember(outcome: str) -> None:
            if is_journaled:
                self._remember(Event.ENDED, integration, outcome, cause)

        remember(SENT)
        try:
            closed = stop(self.oncall, integration)
        except OncallError as error:
            remember(UNKNOWN if isinstance(error, OutcomeUnknown) else FAILED)
            raise
        remember(DONE)
        return closed

    def _explain_loss(
        self,
        error: OncallError,
        before: Integration,
        after: Integration,
        restore: Callable[[Integration, WindowRequest], object] | None,
    ) -> None:
        """Say in an error that the old window is gone, and try to start it again where that is wanted."""
        window, name = Window.of(before), repr(before.name)
        assert window is not None  # noqa: S101  # it was stopped
        end = f" (until {window.ends_at:%Y-%m-%dT%H:%M:%SZ})" if window.ends_at else ""
        error.message = (
            f"the {window.mode} window of {name}{end} was stopped and the new one did not start: {error.message}"
        )
        if isinstance(error, Conflict):  # somebody else's window is in its place
            return
        if isinstance(error, OutcomeUnknown) or restore is None or window.ends_at is None:
            error.message += f"; {_left(before, error)}"
            return
        try:
            restore(after, WindowRequest(window.mode, until=window.ends_at))
        except OncallError as again:
            error.message += f"; starting the old one again failed too: {again.message}; {_left(before, again)}"
        else:
            error.message += "; the old one was started again"

    def _remember(self, event: Event, integration: Integration, outcome: str, cause: Cause | None = None) -> None:
        """Write it down; a journal that cannot be written does not undo what was done."""
        place, at = self.oncall.profile, self.oncall.now()
        try:
            self.journal.record(event, place, integration, self.author, at=at, cause=cause, outcome=outcome)
        except InvalidInput as error:
            self.warn(f"the journal cannot be written: {error.message}")


@dataclass(frozen=True)
class Again:
    """The command that repeats what failed, and nothing else.

    Attributes:
        verb: the words before the targets.
        options: those that ask for the same.
        if_active: what the command did about another window, if it starts any.
    """

    verb: Sequence[str]
    options: Sequence[str]
    if_active: IfActive | None = None

    def hint(self, oncall: OnCall, failed: Sequence[Outcome[Integration]]) -> str:
        """Return what to do about targets that failed while others did not."""
        if self.if_active is IfActive.FAIL and all(isinstance(each.error, Conflict) for each in failed):
            replacing = self._command(oncall, failed, IfActive.REPLACE)
            return f"to stop those windows and start yours (--if-active keep leaves them): {replacing}"
        # What is unknown may be active: with `keep` that is not a conflict.
        keep = IfActive.KEEP if self.if_active is IfActive.FAIL else self.if_active
        return f"to repeat only what failed: {self._command(oncall, failed, keep)}"

    def _command(self, oncall: OnCall, failed: Sequence[Outcome[Integration]], if_active: IfActive | None) -> str:
        policy = ["--if-active", if_active.value] if if_active else []
        return command(oncall, [*self.verb, *(each.target.found.id for each in failed), *self.options, *policy])


def _left(integration: Integration, error: OncallError) -> str:
    """Say what an integration is left with after a start failed."""
    verb = "may NOT be" if isinstance(error, OutcomeUnknown) else "is NOT"
    return f"{integration.name!r} {verb} in maintenance"


def carry_out(desk: WindowService, steps: Sequence[WindowChange], finished: Callable[[], None]) -> Report[Integration]:
    """Do what was planned, several at a time; see `oncallctl.batch.for_each`."""
    return for_each(steps, lambda step: step.target, lambda step: _carry_out(desk, step), finished, LOOK)


def _carry_out(desk: WindowService, step: WindowChange) -> Outcome[Integration]:
    try:
        integration = desk.carry_out(step)
    except AlreadyOpen as other:
        return Outcome(step.target, "unchanged", other.integration)
    return Outcome(step.target, STATUSES[step.action], integration)
