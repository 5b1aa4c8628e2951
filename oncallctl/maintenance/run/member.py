"""One integration in a run: joining its window, renewing it, and leaving it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from oncallctl.api.resources.integrations import GROUP, Integration
from oncallctl.batch import Outcome, Target
from oncallctl.errors import Conflict, InvalidInput, OncallError, OutcomeUnknown
from oncallctl.maintenance import IfActive
from oncallctl.maintenance.journal import Cause, Event
from oncallctl.maintenance.run.leases import RETRY, LeasePolicy
from oncallctl.maintenance.run.shared import RunLock, SharedWindow, WindowRecord
from oncallctl.maintenance.windows import plan
from oncallctl.maintenance.windows.change import WindowService
from oncallctl.maintenance.windows.model import Window, WindowRequest
from oncallctl.maintenance.windows.plan import WindowAction, WindowChange


class MemberState(StrEnum):
    """The states of an integration in a run, as in docs/architecture-run.md."""

    OUTSIDE = "outside"  # not joined: the run does not keep the window active
    SHARING = "sharing"  # a run on this machine started the window; this run renews it
    KEEPING = "keeping"  # somebody else's window lasts long enough; it is never changed
    UNKNOWN = "unknown"  # the response to the start was lost; leaving checks the server
    GIVEN_UP = "given up"  # somebody stopped or replaced the window; it is not renewed
    LEFT = "left"  # the last run stopped the window, or another run still needs it


@dataclass(frozen=True)
class RunRequest:
    """The windows that a run asks for.

    Attributes:
        service: changes the windows; its author is the run.
        policy: mode, end and lease.
        if_active: what to do if a window is active that no run on this machine started.
        folder: the state folder, in which runs find each other.
        confirmed: the `group_alerts` windows (ID, start) whose end was confirmed at a prompt or with --yes.
    """

    service: WindowService
    policy: LeasePolicy
    if_active: IfActive
    folder: Path
    confirmed: frozenset[tuple[str, datetime | None]] = frozenset()


class RunMember:
    """One integration in one run.

    Each transition runs under the mutex of the `SharedWindow`, and judges the integration as it was just read.

    Attributes:
        state: where it is in the diagram.
        ends_at: when its window ends, as far as is known; with a lease, when the run needs it no longer.
        renew_at: when the window is to be renewed next, or None.
    """

    def __init__(self, request: RunRequest, target: Target[Integration]) -> None:
        self.target = target
        self.state = MemberState.OUTSIDE
        self.ends_at: datetime | None = None
        self.renew_at: datetime | None = None
        self._request = request
        self._service, self._policy = request.service, request.policy
        self._oncall, self._run = request.service.oncall, request.service.author.run
        profile = self._oncall.profile
        self.shared = SharedWindow.of(request.folder, profile.host, target.found.id)
        self._lock: RunLock | None = None

    def join(self, cancelled: Callable[[], bool]) -> Outcome[Integration]:
        """Start a window, replace one, or share the one that another run on this machine started.

        Raises:
            OncallError: why there is no window, or OutcomeUnknown; only then the run has joined all the same.
        """
        with self.shared.mutex(cancelled):
            self._lock = self.shared.lock(self._run)
            try:
                return self._join(self._oncall.integrations.get(self.target.found.id))
            except OutcomeUnknown:
                self.state = MemberState.UNKNOWN
                raise
            except BaseException:  # even if the shared window was restored: this run does not need it
                self.state, self.renew_at = MemberState.OUTSIDE, None
                self._lock.release()
                raise

    def renew(self) -> Outcome[Integration]:
        """Replace the window by a new one, unless another run has done so or somebody changed it."""
        with self.shared.mutex():
            integration = self._oncall.integrations.get(self.target.found.id)
            record, window, at = self.shared.record(), Window.of(integration), self._oncall.now()
            if record is None or (window and not record.matches(window)):
                return self._give_up(integration, "somebody else's window is active, and is left alone")
            may_have_expired = record.changing or record.started_at is None or record.ends_at <= at + RETRY
            if window is None and not may_have_expired:
                return self._give_up(integration, "somebody stopped it")
            if window and self._policy.is_met(record.ends_at, at) and not plan.is_overdue(self._oncall, window):
                self._share(record)
                return Outcome(self.target, "shared", integration)
            if window:
                self.shared.save(replace(record, changing=True))
            action = WindowAction.REPLACE if window else WindowAction.START
            step = WindowChange(replace(self.target, found=integration), action, self._policy.request(at))
            return Outcome(self.target, "renewed", self._start(step, Event.RENEWED))

    def leave(self) -> Outcome[Integration]:
        """Stop the window that runs of this machine started, unless another run needs it."""
        status, integration = "left", self.target.found
        with self.shared.mutex():
            record = self.shared.record()
            if record and not self.shared.is_needed(besides=self._run):
                integration = self._oncall.integrations.get(integration.id)
                if record.matches(Window.of(integration)):
                    step = WindowChange(replace(self.target, found=integration), WindowAction.STOP)
                    integration = self._service.carry_out(step, cause=Cause.RUN)
                    status = "stopped"
                self.shared.forget()
            if self._lock:
                self._lock.release()
            self.state = MemberState.LEFT
        return Outcome(self.target, status, integration)

    def _join(self, integration: Integration) -> Outcome[Integration]:
        record, window, at = self.shared.record(), Window.of(integration), self._oncall.now()
        if record and window and record.matches(window) and record.mode == self._policy.mode:
            if plan.is_overdue(self._oncall, window) or not self._policy.is_met(record.ends_at, at):
                return self._replace_shared(integration, record)
            self._share(record)
            return Outcome(self.target, "shared", integration)
        step = self._plan(integration)
        try:
            return self._carry_out(step)
        except Conflict as taken:
            again = self._oncall.integrations.get(integration.id)
            if Window.of(again) == window:
                raise
            step_again = self._plan(again)  # another window was started first, and may be long enough
            if step.stops and step_again.action in {WindowAction.REPLACE, WindowAction.REFUSE}:
                raise taken from None  # its message says if the old window is gone
            return self._carry_out(step_again)

    def _plan(self, integration: Integration) -> WindowChange:
        """Return what `maintenance start` would do."""
        at = self._oncall.now()
        request = replace(self._policy.request(at), duration=self._policy.until - at)
        target = replace(self.target, found=integration)
        (step,) = plan.plan_start(self._oncall, [target], request, self._request.if_active)
        return step

    def _carry_out(self, step: WindowChange) -> Outcome[Integration]:
        if step.error:
            raise step.error
        if step.warning:
            self._service.warn(step.warning)
        if step.action is WindowAction.NOTHING:
            self.state = MemberState.KEEPING
            window = Window.of(step.target.found)
            self.ends_at = window.ends_at if window else None
            return Outcome(self.target, "unchanged", step.target.found)
        if step.stops:
            self._check_replacing(step)
        step = replace(step, wanted=self._policy.request(self._oncall.now()))
        return Outcome(self.target, plan.STATUSES[step.action], self._start(step))

    def _check_replacing(self, step: WindowChange) -> None:
        """Refuse to stop a window that another run needs, or a `group_alerts` window without a confirmation."""
        integration = step.target.found
        if self.shared.is_needed(besides=self._run):
            raise Conflict(
                f"another run on this machine needs the {integration.maintenance_mode} window of {integration.name!r}",
                hint="wait until that run has ended, or use the same --mode",
            )
        if step.resolves_groups and (integration.id, integration.maintenance_started_at) not in self._request.confirmed:
            raise Conflict(
                f"a group_alerts window was started on {integration.name!r} meanwhile", hint="run the command again"
            )

    def _replace_shared(self, integration: Integration, record: WindowRecord) -> Outcome[Integration]:
        """Replace the window that runs of this machine share by a longer one."""
        if record.mode == GROUP:
            self._service.warn(
                f"the window of {integration.name!r} is replaced by a longer one: alert groups it collected resolve"
            )
        self.shared.save(replace(record, changing=True))

        def restore(stopped: Integration, old: WindowRequest) -> None:
            self._start(WindowChange(replace(self.target, found=stopped), WindowAction.START, old))

        request = self._policy.request(self._oncall.now())
        step = WindowChange(replace(self.target, found=integration), WindowAction.REPLACE, request)
        return Outcome(self.target, "replaced", self._start(step, restore=restore))

    def _start(
        self,
        step: WindowChange,
        event: Event = Event.STARTED,
        restore: Callable[[Integration, WindowRequest], object] | None = None,
    ) -> Integration:
        """Start a window for the runs of this machine, and save its record."""
        integration, author, shared = step.target.found, self._service.author, self.shared
        starting: WindowRecord | None = None

        def save(at: datetime, seconds: int) -> None:
            """Save the record before the request is sent, so that the window is known if this program is killed."""
            nonlocal starting
            mode = step.wanted.mode if step.wanted else ""
            starting = WindowRecord(
                self._oncall.profile.host,
                integration.id,
                integration.name,
                mode,
                seconds,
                at,
                author.run,
                author.reason,
            )
            shared.save(starting)

        try:
            found = self._service.carry_out(step, event=event, own=True, sending=save, restore=restore)
        except OncallError as error:
            # After OutcomeUnknown the window may be active. A restored window has a record of its own.
            failed = not isinstance(error, OutcomeUnknown) and starting is not None and shared.record() == starting
            if failed and event is Event.STARTED and not shared.is_needed(besides=author.run):
                shared.forget()
            raise
        assert starting is not None  # noqa: S101  # it was sent
        record = replace(starting, started_at=found.maintenance_started_at)
        try:
            shared.save(record)
        except InvalidInput as error:  # the saved record identifies the window by its mode, length and time
            self._service.warn(error.message)
        self._share(record)
        return found

    def _share(self, record: WindowRecord) -> None:
        self.state = MemberState.SHARING
        self.ends_at = max(record.ends_at, self._policy.until) if self._policy.lease else record.ends_at
        self.renew_at = self._policy.renewal(record.ends_at)

    def _give_up(self, integration: Integration, reason: str) -> Outcome[Integration]:
        self.state, self.renew_at = MemberState.GIVEN_UP, None
        self._service.warn(f"the window of {integration.name!r} is no longer renewed: {reason}")
        return Outcome(self.target, "given-up", integration)
