"""Changes of windows: planned from the present state, carried out, and recorded in the journal."""

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
    """What to do with one integration."""

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
    """A change planned for one target, or the reason why there is none; `wanted` is the window to start, if any."""

    target: Target[Integration]
    action: WindowAction
    wanted: WindowRequest | None = None
    error: OncallError | None = None
    warning: str | None = None

    @property
    def opens(self) -> bool:
        """True if it starts a window."""
        return self.wanted is not None

    @property
    def ends(self) -> bool:
        """True if it stops a window."""
        return self.action in {WindowAction.STOP, WindowAction.REPLACE}

    @property
    def ends_group(self) -> bool:
        """True if it stops a window whose end resolves the alert groups that it collected."""
        window = Window.of(self.target.found)
        return self.ends and window is not None and window.mode == GROUP

    def changes(self, oncall: OnCall) -> list[Change[Integration]]:
        """Return the requests that carry it out, in order."""
        ident = self.target.found.id
        made = [oncall.integrations.stop_maintenance(ident)] if self.ends else []
        if wanted := self.wanted:
            made.append(
                oncall.integrations.start_maintenance(ident, wanted.mode, lambda: seconds_left(wanted, oncall.now()))
            )
        return made


def check_start(oncall: OnCall, wanted: WindowRequest) -> None:
    """Refuse what this server or token does not support, before anything is fetched.

    Raises:
        Unsupported: the server does not know the mode.
        AccessDenied: the server fails on tokens of this kind.
    """
    oncall.integrations.start_maintenance("any", wanted.mode, 1)


def check_stop(oncall: OnCall) -> None:
    """Refuse a token that this server fails on, before anything is fetched."""
    oncall.integrations.stop_maintenance("any")


def plan_start(
    oncall: OnCall, targets: Sequence[Target[Integration]], wanted: WindowRequest, if_active: IfActive
) -> list[WindowChange]:
    """Plan the start of the window on each target, from the state that was just fetched."""
    return [_judge(oncall, target, wanted, if_active) for target in targets]


def _judge(oncall: OnCall, target: Target[Integration], wanted: WindowRequest, if_active: IfActive) -> WindowChange:
    window, at = Window.of(target.found), oncall.now()
    if window is None:
        return WindowChange(target, WindowAction.START, wanted)
    if is_overdue(oncall, window):
        return WindowChange(target, WindowAction.REPLACE, wanted)
    if window.mode == wanted.mode and (window.ends_at is None or window.ends_at >= wanted.ends_at(at) - CLOSE_ENOUGH):
        return WindowChange(target, WindowAction.NOTHING)
    there = f"{target.found.name!r} is already in maintenance: {_described(window)}"
    if if_active is IfActive.KEEP:
        return WindowChange(target, WindowAction.NOTHING, warning=f"{there}; it is kept as it is")
    if if_active is IfActive.REPLACE:
        return WindowChange(target, WindowAction.REPLACE, wanted)
    hint = "use --if-active keep to leave it, or --if-active replace to stop it and start yours"
    return WindowChange(target, WindowAction.REFUSE, error=Conflict(there, hint=hint))


def is_overdue(oncall: OnCall, window: Window) -> bool:
    """True if a window is certainly past its end and the server has not closed it.

    Without the server's time an active window may only look overdue, and ending it would page people.
    """
    return oncall.transport.clock.is_known and window.is_overdue(oncall.now())


def _described(window: Window) -> str:
    return f"{window.mode} until {window.ends_at.isoformat() if window.ends_at else 'somebody ends it'}"


def plan_stop(targets: Sequence[Target[Integration]]) -> list[WindowChange]:
    """Plan the stop on each target that has a window, even an overdue one."""
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
    """True if a window is active and ends within this time, or is overdue."""
    window = Window.of(integration)
    return window is not None and window.ends_at is not None and window.ends_at <= at + within


def look_again(oncall: OnCall, step: WindowChange) -> WindowChange:
    """Refuse the step if the window to stop has changed since the prompt was shown."""
    if not step.ends:
        return step
    found = oncall.integrations.get(step.target.found.id)
    if Window.of(found) == Window.of(step.target.found):
        return step
    changed = Conflict(
        f"the maintenance of {found.name!r} was changed by somebody else meanwhile", hint="run the command again"
    )
    return WindowChange(step.target, WindowAction.REFUSE, error=changed)


def rehearse(oncall: OnCall, steps: Sequence[WindowChange]) -> Report[Integration]:
    """Return the requests that `carry_out` would send."""
    return Report([_rehearsed(oncall, step) for step in steps], LOOK)


def _rehearsed(oncall: OnCall, step: WindowChange) -> Outcome[Integration]:
    requests = [oncall.described(change) for change in step.changes(oncall)]
    status = f"would-{step.action}" if requests else "failed" if step.error else "unchanged"
    return Outcome(step.target, status, error=step.error, requests=requests)


@dataclass(frozen=True)
class WindowService:
    """Changes windows on one server, with `carry_out` as the only way.

    Attributes:
        oncall: the server.
        journal: records each change.
        author: the run of this program, for the journal.
        warn: prints a warning.
        longest: --max of this run, or None.
    """

    oncall: OnCall
    journal: Journal
    author: Author
    warn: Callable[[str], None]
    longest: str | None = None

    def carry_out(  # `run` needs more than the step
        self,
        step: WindowChange,
        *,
        cause: Cause | None = None,
        event: Event = Event.OPENED,
        own: bool = False,
        sending: Sending | None = None,
        restore: Callable[[Integration, WindowRequest], object] | None = None,
    ) -> Integration:
        """Stop the active window, start the requested one, and record both.

        Args:
            step: what to do, planned from the state that was just fetched.
            cause: the cause of the stop in the journal; by default a replacement, or a manual stop.
            event: the event of the start in the journal; a renewal is one event.
            own: see `settle.start`.
            sending: see `settle.start`.
            restore: starts the old window again if the new one does not start after the stop.

        Returns:
            The integration as it is now.

        Raises:
            InvalidInput: a guard rail of the profile; nothing was changed.
            AlreadyOpen: somebody else started a window meanwhile that does what was asked (unless `own`).
            OncallError: the step was refused, or failed; after a stop the message gives the state of the integration.
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
        """Stop a window, and record that before: `apply` must not reopen it even if this program is killed."""

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
        """Extend an error to say that the old window is gone, and try to restore it if requested."""
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
        """Record a change; if the journal cannot be written, warn."""
        place, at = self.oncall.profile, self.oncall.now()
        try:
            self.journal.record(event, place, integration, self.author, at=at, cause=cause, outcome=outcome)
        except InvalidInput as error:
            self.warn(f"the journal cannot be written: {error.message}")


@dataclass(frozen=True)
class Again:
    """The command that repeats only what failed.

    Attributes:
        verb: the words before the targets.
        options: the options of the same request.
        if_active: the policy for other windows, if the command starts any.
    """

    verb: Sequence[str]
    options: Sequence[str]
    if_active: IfActive | None = None

    def hint(self, oncall: OnCall, failed: Sequence[Outcome[Integration]]) -> str:
        """Return the hint for targets that failed while others succeeded."""
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
    """Describe the state of an integration after a failed start."""
    verb = "may NOT be" if isinstance(error, OutcomeUnknown) else "is NOT"
    return f"{integration.name!r} {verb} in maintenance"


def carry_out(
    service: WindowService, steps: Sequence[WindowChange], finished: Callable[[], None]
) -> Report[Integration]:
    """Carry out the planned changes, several at a time; see `oncallctl.batch.for_each`."""
    return for_each(steps, lambda step: step.target, lambda step: _carry_out(service, step), finished, LOOK)


def _carry_out(service: WindowService, step: WindowChange) -> Outcome[Integration]:
    try:
        integration = service.carry_out(step)
    except AlreadyOpen as other:
        return Outcome(step.target, "unchanged", other.integration)
    return Outcome(step.target, STATUSES[step.action], integration)
