"""A command under maintenance: windows that are open while it runs, and are ended whatever becomes of it.

The runs of one host share their windows: whoever leaves last ends them. What nobody of them opened is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from oncallctl.api.client import OnCall
from oncallctl.api.resources.integrations import GROUP, Integration
from oncallctl.batch import Outcome, Report, Target, for_each
from oncallctl.config.profiles import Profile
from oncallctl.errors import Conflict, Interrupted, InvalidInput, OncallError, OutcomeUnknown, Unavailable
from oncallctl.maintenance import IfActive
from oncallctl.maintenance.journal import Cause, Event
from oncallctl.maintenance.run.child import Child, Inbox
from oncallctl.maintenance.run.leases import LONGEST_WAIT, RETRY, LeasePolicy, Renewals
from oncallctl.maintenance.run.shared import RunLock, SharedWindow, WindowRecord
from oncallctl.maintenance.windows import change, settle
from oncallctl.maintenance.windows.change import WindowAction, WindowChange, WindowService
from oncallctl.maintenance.windows.model import Window, WindowRequest
from oncallctl.times import now as local_now, span

NOT_OPENED = 125
ENDS_AT, TARGETS = "ONCALLCTL_WINDOW_ENDS_AT", "ONCALLCTL_WINDOW_TARGETS"


def not_opened(error: OncallError) -> OncallError:
    """The same failure, as one because of which the command was not run."""
    error.message = f"{error.message}; the command was not run"
    return error.ending_with(NOT_OPENED)  # `code` still says why


@dataclass
class RunMember:
    """An integration that a run has entered.

    Attributes:
        ends_at: when its window ends, as far as is known.
        due: when it is to be renewed next, or None.
    """

    target: Target[Integration]
    shared: SharedWindow
    hold: RunLock
    ends_at: datetime | None = None
    due: datetime | None = None


@dataclass
class RunWindows:
    """The windows of one run: entered together, renewed while it goes on, and left together.

    Attributes:
        desk: where windows are opened; its author is the run.
        need: what the run needs.
        if_active: what to do where a window is open that no run of this host opened.
        state: the folder in which runs find each other.
        agreed: the `group_alerts` windows (id, start) that may be ended: a person was asked, or said --yes.
        given_up: whether entering is to be given up.
    """

    desk: WindowService
    need: LeasePolicy
    if_active: IfActive
    state: Path
    agreed: frozenset[tuple[str, datetime | None]] = frozenset()
    given_up: Callable[[], bool] = lambda: False
    members: dict[str, RunMember] = field(default_factory=dict)

    @property
    def oncall(self) -> OnCall:
        """The server."""
        return self.desk.oncall

    def enter(self, targets: Sequence[Target[Integration]]) -> Report[Integration]:
        """Open the windows, or share those that other runs of this host have opened."""
        return for_each(targets, lambda target: target, self._enter, lambda: None, settle.LOOK)

    def due(self) -> datetime | None:
        """When a window is to be renewed next, or None."""
        return min((each.due for each in self.members.values() if each.due), default=None)

    def renew(self) -> None:
        """Renew what is due; what fails is tried again."""
        at = self.oncall.now()
        due = [each for each in self.members.values() if each.due and each.due <= at]
        for outcome in for_each(due, lambda member: member.target, self._renew, lambda: None, settle.LOOK).outcomes:
            if outcome.error:
                self.members[outcome.target.found.id].due = self.oncall.now() + RETRY
                self.desk.warn(
                    f"the window of {outcome.target.found.name!r} could not be renewed,"
                    f" next try in {span(RETRY.total_seconds())}: {outcome.error.message}"
                )

    def leave(self) -> Report[Integration]:
        """End the windows that no other run of this host needs."""
        members = list(self.members.values())
        return for_each(members, lambda member: member.target, self._leave, lambda: None, settle.LOOK)

    def variables(self) -> dict[str, str]:
        """What the command is told of its windows."""
        ends = [each.ends_at for each in self.members.values() if each.ends_at]
        known = {TARGETS: " ".join(self.members)}
        return {**known, ENDS_AT: f"{min(ends).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"} if ends else known

    def _enter(self, target: Target[Integration]) -> Outcome[Integration]:
        if self.given_up():
            raise Interrupted(0, "not begun")
        ident = target.found.id
        place = self.oncall.profile
        shared = SharedWindow.of(self.state, place.host, ident, place.former_host)
        with shared.mutex(self.given_up):
            member = RunMember(target, shared, shared.hold(self.desk.author.run))
            try:
                outcome = self._begin(member, self.oncall.integrations.get(ident))
            except OutcomeUnknown:  # it may be open: leaving looks for it
                self.members[ident] = member
                raise
            except BaseException:
                member.hold.let_go()
                raise
            self.members[ident] = member
        return outcome

    def _begin(self, member: RunMember, integration: Integration) -> Outcome[Integration]:
        """See that a window is open; under the mutex, with the integration just read."""
        opened, window, at = member.shared.opened(), Window.of(integration), self.oncall.now()
        if opened and window and opened.matches(window) and opened.mode == self.need.mode:
            if change.is_overdue(self.oncall, window) or not self.need.is_met(opened.ends_at, at):
                return self._replace(member, integration, opened)
            self._note(member, opened)
            return Outcome(member.target, "shared", integration)
        try:
            return self._judge(member, integration)
        except Conflict:
            again = self.oncall.integrations.get(integration.id)
            if Window.of(again) == window:
                raise
            return self._judge(member, again)  # somebody was quicker, perhaps with a window that will do

    def _judge(self, member: RunMember, integration: Integration) -> Outcome[Integration]:
        """Do what `start` would."""
        at = self.oncall.now()
        wanted = replace(self.need.wanted(at), duration=self.need.until - at)
        (step,) = change.plan_start(self.oncall, [replace(member.target, found=integration)], wanted, self.if_active)
        if step.error:
            raise step.error
        if step.warning:
            self.desk.warn(step.warning)
        if step.action is WindowAction.NOTHING:
            window = Window.of(integration)
            member.ends_at = window.ends_at if window else None
            return Outcome(member.target, "unchanged", integration)
        if step.ends:
            self._check_replacing(member, step)
        step = replace(step, wanted=self.need.wanted(at))
        return Outcome(member.target, change.STATUSES[step.action], self._carry_out(member, step))

    def _check_replacing(self, member: RunMember, step: WindowChange) -> None:
        """Refuse to end what another run needs, or what nobody was asked about."""
        integration = step.target.found
        if member.shared.is_held(besides=self.desk.author.run):
            raise Conflict(
                f"another run on this machine needs the {integration.maintenance_mode} window of {integration.name!r}",
                hint="wait for it, or share its mode",
            )
        if step.ends_group and (integration.id, integration.maintenance_started_at) not in self.agreed:
            raise Conflict(f"a window was opened on {integration.name!r} meanwhile", hint="try again")

    def _replace(self, member: RunMember, integration: Integration, opened: WindowRecord) -> Outcome[Integration]:
        """Put a longer window in the place of one that runs of this host share."""
        if opened.mode == GROUP:
            self.desk.warn(
                f"the window of {integration.name!r} is replaced by a longer one: what it collected resolves"
            )
        member.shared.remember(replace(opened, changing=True))

        def restore(stopped: Integration, old: WindowRequest) -> None:
            self._carry_out(member, WindowChange(replace(member.target, found=stopped), WindowAction.START, old))

        wanted = self.need.wanted(self.oncall.now())
        step = WindowChange(replace(member.target, found=integration), WindowAction.REPLACE, wanted)
        return Outcome(member.target, "replaced", self._carry_out(member, step, restore=restore))

    def _carry_out(
        self,
        member: RunMember,
        step: WindowChange,
        event: Event = Event.OPENED,
        restore: Callable[[Integration, WindowRequest], object] | None = None,
    ) -> Integration:
        """Start a window for the runs of this host, in place of the active one if there is one."""
        integration, author, shared = step.target.found, self.desk.author, member.shared
        opening: WindowRecord | None = None

        def note(at: datetime, seconds: int) -> None:
            """Write the window down before it is sent: a run that dies then leaves one behind that is known."""
            nonlocal opening
            server, mode = self.oncall.profile.host, step.wanted.mode if step.wanted else ""
            opening = WindowRecord(
                server, integration.id, integration.name, mode, seconds, at, author.run, author.reason
            )
            shared.remember(opening)

        try:
            found = self.desk.carry_out(step, event=event, own=True, sending=note, restore=restore)
        except OncallError as error:
            # What is unknown may be active. And a window that was started again is not the one that failed.
            failed = not isinstance(error, OutcomeUnknown) and opening is not None and shared.opened() == opening
            if failed and event is Event.OPENED and not shared.is_held(besides=author.run):
                shared.forget()
            raise
        assert opening is not None  # noqa: S101  # it was sent
        opened = replace(opening, started_at=found.maintenance_started_at)
        try:
            shared.remember(opened)
        except InvalidInput as error:  # what was remembered before tells it by its time
            self.desk.warn(error.message)
        self._note(member, opened)
        return found

    def _note(self, member: RunMember, opened: WindowRecord) -> None:
        member.ends_at = max(opened.ends_at, self.need.until) if self.need.lease else opened.ends_at
        member.due = self.need.due(opened.ends_at)

    def _renew(self, member: RunMember) -> Outcome[Integration]:
        with member.shared.mutex():
            integration = self.oncall.integrations.get(member.target.found.id)
            opened, window = member.shared.opened(), Window.of(integration)
            if opened is None or (window and not opened.matches(window)):
                return self._give_up(member, integration, "has a window that is not this run's; it is left alone")
            at = self.oncall.now()
            by_itself = opened.changing or opened.started_at is None or opened.ends_at <= at + RETRY
            if window is None and not by_itself:
                return self._give_up(member, integration, "was ended by somebody; it is not opened again")
            if window and self.need.is_met(opened.ends_at, at) and not change.is_overdue(self.oncall, window):
                self._note(member, opened)  # another run has renewed it
                return Outcome(member.target, "shared", integration)
            if window:
                member.shared.remember(replace(opened, changing=True))
            action = WindowAction.REPLACE if window else WindowAction.START
            step = WindowChange(replace(member.target, found=integration), action, self.need.wanted(at))
            return Outcome(member.target, "renewed", self._carry_out(member, step, Event.RENEWED))

    def _give_up(self, member: RunMember, integration: Integration, why: str) -> Outcome[Integration]:
        member.due = None
        self.desk.warn(f"the window of {integration.name!r} is not renewed: it {why}")
        return Outcome(member.target, "given-up", integration)

    def _leave(self, member: RunMember) -> Outcome[Integration]:
        run, shared, integration = self.desk.author.run, member.shared, member.target.found
        with shared.mutex():
            status, opened = "left", shared.opened()
            if opened and not shared.is_held(besides=run):
                integration = self.oncall.integrations.get(integration.id)
                if opened.matches(Window.of(integration)):
                    step = WindowChange(replace(member.target, found=integration), WindowAction.STOP)
                    integration = self.desk.carry_out(step, cause=Cause.RUN)
                    status = "stopped"
                shared.forget()
            member.hold.let_go()
        return Outcome(member.target, status, integration)


@dataclass
class CommandRunner:
    """Running a command under a cover.

    Attributes:
        words: the command and its arguments.
        regardless: whether it is run also where a window could not be opened.
        tail: how long after its end the windows are ended.
        say: says something on stderr.
        warn: the same, of what a person should know.
    """

    words: Sequence[str]
    regardless: bool
    tail: timedelta | None
    say: Callable[[str], None]
    warn: Callable[[str], None]

    def run(self, cover: RunWindows | None, targets: Sequence[Target[Integration]]) -> int:
        """Open the windows, run the command, and end the windows.

        Args:
            cover: the windows; None where it is run without any.
            targets: the integrations.

        Returns:
            The command's exit status.

        Raises:
            OncallError: the windows could not be opened, the command not run, or the windows not ended; the exit code
                is as README.md says of `maintenance run`.
        """
        if cover is None:
            with Inbox() as inbox:
                return self._watch(Child(self.words, {TARGETS: ""}), inbox)
        transport = cover.oncall.transport

        def hurry() -> None:
            transport.retries.patient = False

        with Inbox(hurry) as inbox:
            cover.given_up = lambda: inbox.first is not None
            status, failure = 0, None
            try:
                self._enter(cover, targets, inbox)
                status = self._run_covered(cover, inbox)
            except OncallError as error:
                failure = error
            finally:
                transport.retries.patient = True
                left = cover.leave()
        return self._settle(cover, left, status, failure)

    def _enter(self, cover: RunWindows, targets: Sequence[Target[Integration]], inbox: Inbox) -> None:
        report = cover.enter(targets)
        if inbox.first is not None:
            raise Interrupted(inbox.first, "interrupted; the command was not run, and its windows are ended again")
        try:
            report.raise_failures()
        except OncallError as error:
            if not self.regardless:
                raise not_opened(error) from error
            self.warn(f"{error.message}; the command is run all the same")

    def _run_covered(self, cover: RunWindows, inbox: Inbox) -> int:
        child = Child(self.words, cover.variables())
        for signum in inbox.take():  # it was not there yet when these arrived
            self._pass_on(child, signum, anyway=True)
        now = cover.oncall.now
        with Renewals(cover.due, cover.renew, now):
            status = self._watch(child, inbox, cover.need.until, now)
            if self.tail:
                self._linger(min(now() + self.tail, cover.need.until), inbox, now)
        return status

    def _watch(
        self, child: Child, inbox: Inbox, until: datetime | None = None, now: Callable[[], datetime] = local_now
    ) -> int:
        while (status := child.wait(inbox, _rest(until, now))) is None:
            for signum in inbox.take():
                self._pass_on(child, signum)
            if until is not None and now() >= until:
                until = None
                self.warn("the time of --for is over and the command goes on: people are paged again")
        return status

    def _pass_on(self, child: Child, signum: int, *, anyway: bool = False) -> None:
        try:
            child.pass_on(signum, anyway=anyway)
        except PermissionError:
            self.warn(f"signal {signum} could not be passed on: the command belongs to another user")

    def _linger(self, until: datetime, inbox: Inbox, now: Callable[[], datetime]) -> None:
        inbox.take()
        self.say(f"the command has ended; its windows end in {span((until - now()).total_seconds())}")
        while inbox.first is None and now() < until:
            inbox.wait(_rest(until, now))

    def _settle(self, cover: RunWindows, left: Report[Integration], status: int, failure: OncallError | None) -> int:
        """Make one exit status of what became of the command and of its windows."""
        failed = [outcome for outcome in left.outcomes if outcome.error]
        if not failed:
            if failure:
                raise failure
            return status
        said = "; ".join(self._still_open(cover, outcome) for outcome in failed)
        if failure:
            failure.message = f"{failure.message}; {said}"
            raise failure
        ended = "the command succeeded" if status == 0 else f"the command ended with {status}"
        problem = Unavailable(f"{ended}, and {said}", hint="oncallctl maintenance orphans; oncallctl maintenance stop")
        if status:
            problem.ending_with(status)  # the command's own comes first
        raise problem

    def _still_open(self, cover: RunWindows, outcome: Outcome[Integration]) -> str:
        integration, error = outcome.target.found, outcome.error
        opened = cover.members[integration.id].shared.opened()
        ends = f"it ends by itself at {opened.ends_at:%Y-%m-%dT%H:%M:%SZ}" if opened else "its end is not known"
        return f"the window of {integration.name!r} could not be ended ({error.message if error else '?'}): {ends}"


def _rest(until: datetime | None, now: Callable[[], datetime]) -> float:
    """Return how long to wait at most before the clock is looked at again."""
    if until is None:
        return LONGEST_WAIT
    return min(max((until - now()).total_seconds(), 0.0), LONGEST_WAIT)


def shares(state: Path, place: Profile, integration: Integration) -> bool:
    """Whether the window that is open on an integration is one that runs of this host opened."""
    opened = SharedWindow.of(state, place.host, integration.id, place.former_host).opened()
    return opened is not None and opened.matches(Window.of(integration))
