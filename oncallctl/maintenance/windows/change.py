"""Planned changes of windows, carried out and recorded in the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command_line
from oncallctl.api.resources.integrations import Integration
from oncallctl.batch import Outcome, Report, for_each
from oncallctl.errors import Conflict, InvalidInput, OncallError, OutcomeUnknown
from oncallctl.maintenance import IfActive
from oncallctl.maintenance.journal import DONE, FAILED, SENT, UNKNOWN, Author, Cause, Event, Journal
from oncallctl.maintenance.windows import guards
from oncallctl.maintenance.windows.model import Window, WindowRequest, utc
from oncallctl.maintenance.windows.plan import STATUSES, WindowChange
from oncallctl.maintenance.windows.settle import STATUS_COMMAND, AlreadyActive, Sending, start, stop


def rehearse(oncall: OnCall, steps: Sequence[WindowChange]) -> Report[Integration]:
    """Return the requests that `carry_out` would send."""
    return Report([_rehearsed(oncall, step) for step in steps], STATUS_COMMAND)


def _rehearsed(oncall: OnCall, step: WindowChange) -> Outcome[Integration]:
    requests = [oncall.dry_run_document(change) for change in step.changes(oncall)]
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
        event: Event = Event.STARTED,
        own: bool = False,
        sending: Sending | None = None,
        restore: Callable[[Integration, WindowRequest], object] | None = None,
    ) -> Integration:
        """Stop the active window, start the requested one, and record both.

        Args:
            step: the change, planned from the state that was just fetched.
            cause: the cause of the stop in the journal; by default a replacement, or a manual stop.
            event: the event of the start in the journal; a renewal is one event.
            own: see `settle.start`.
            sending: see `settle.start`.
            restore: starts the old window again if the new one does not start after the stop.

        Returns:
            The integration as it is now.

        Raises:
            InvalidInput: a guard rail of the profile; nothing was changed.
            AlreadyActive: somebody else started an equivalent window meanwhile (unless `own`).
            OncallError: the step was refused, or failed. After a stop the message gives the state of the integration.
        """
        if step.error:
            raise step.error
        wanted = step.wanted
        if wanted:
            self.check(wanted)
        integration = step.target.found
        if step.stops:
            cause = cause or (Cause.REPLACE if wanted else Cause.STOP)
            integration = self._stop(integration, cause, is_journaled=event is not Event.RENEWED)
        if wanted is None:
            return integration
        try:
            return self._start(integration, wanted, event, own=own, sending=sending)
        except AlreadyActive:
            raise
        except OncallError as error:
            if step.stops:
                self._explain_loss(error, step.target.found, integration, restore)
                if not own and not isinstance(error, Conflict | OutcomeUnknown):
                    error.hint = f"start it again: {self._start_command(integration, wanted)}"
            raise

    def because(self, reason: str | None) -> WindowService:
        """Return the service with another reason; None keeps the present one."""
        return replace(self, author=replace(self.author, reason=reason)) if reason else self

    def check(self, wanted: WindowRequest) -> None:
        """Refuse a window that the profile's guard rails do not allow.

        Raises:
            InvalidInput: see `guards.check_window`.
        """
        seconds = wanted.seconds(self.oncall.now())
        guards.check_window(
            self.oncall.profile, mode=wanted.mode, seconds=seconds, reason=self.author.reason, longest=self.longest
        )

    def _start(
        self, integration: Integration, wanted: WindowRequest, event: Event, *, own: bool, sending: Sending | None
    ) -> Integration:
        try:
            started = start(self.oncall, integration, wanted, own=own, sending=sending)
        except OutcomeUnknown:
            self._record(event, integration, UNKNOWN)
            raise
        self._record(event, started, DONE)
        return started

    def _stop(self, integration: Integration, cause: Cause, *, is_journaled: bool) -> Integration:
        """Stop a window. The stop is recorded first: `apply` must not restart it even if this program is killed."""

        def record(outcome: str) -> None:
            if is_journaled:
                self._record(Event.STOPPED, integration, outcome, cause)

        record(SENT)
        try:
            stopped = stop(self.oncall, integration)
        except OncallError as error:
            record(UNKNOWN if isinstance(error, OutcomeUnknown) else FAILED)
            raise
        record(DONE)
        return stopped

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
        if isinstance(error, Conflict):  # another window took its place
            return
        if isinstance(error, OutcomeUnknown) or restore is None or window.ends_at is None:
            error.message += f"; {_state_after(before, error)}"
            return
        try:
            restore(after, WindowRequest(window.mode, until=window.ends_at))
        except OncallError as again:
            error.message += f"; starting the old one again failed too: {again.message}; {_state_after(before, again)}"
        else:
            error.message += "; the old one was started again"

    def _start_command(self, integration: Integration, wanted: WindowRequest) -> str:
        options = ["--until", utc(wanted.ends_at(self.oncall.now())), "--mode", wanted.mode]
        return command_line(self.oncall, ["maintenance", "start", integration.id, *options])

    def _record(self, event: Event, integration: Integration, outcome: str, cause: Cause | None = None) -> None:
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
        # An unknown outcome may be an active window, which is no conflict with `keep`.
        keep = IfActive.KEEP if self.if_active is IfActive.FAIL else self.if_active
        return f"to repeat only what failed: {self._command(oncall, failed, keep)}"

    def _command(self, oncall: OnCall, failed: Sequence[Outcome[Integration]], if_active: IfActive | None) -> str:
        policy = ["--if-active", if_active.value] if if_active else []
        return command_line(oncall, [*self.verb, *(each.target.found.id for each in failed), *self.options, *policy])


def _state_after(integration: Integration, error: OncallError) -> str:
    """Describe the state of an integration after a failed start."""
    verb = "may NOT be" if isinstance(error, OutcomeUnknown) else "is NOT"
    return f"{integration.name!r} {verb} in maintenance"


def carry_out(
    service: WindowService, steps: Sequence[WindowChange], finished: Callable[[], None]
) -> Report[Integration]:
    """Carry out the planned changes, several at a time; see `oncallctl.batch.for_each`."""
    return for_each(steps, lambda step: step.target, lambda step: _carry_out(service, step), finished, STATUS_COMMAND)


def _carry_out(service: WindowService, step: WindowChange) -> Outcome[Integration]:
    try:
        integration = service.because(step.reason).carry_out(step)
    except AlreadyActive as other:
        return Outcome(step.target, "unchanged", other.integration)
    return Outcome(step.target, STATUSES[step.action], integration)
