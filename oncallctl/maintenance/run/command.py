"""A command that runs while windows are active; the windows are stopped however it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncallctl.api.resources.integrations import Integration
from oncallctl.batch import Outcome, Report, Target
from oncallctl.config.settings import Settings
from oncallctl.errors import Interrupted, OncallError, Unavailable
from oncallctl.maintenance.run.child import Child, SignalInbox
from oncallctl.maintenance.run.leases import LONGEST_WAIT, Renewals
from oncallctl.maintenance.run.run_windows import TARGETS, RunWindows
from oncallctl.times import now as local_now, show, show_duration

NAMED = 5  # integrations in a message
NOT_STARTED = 125  # exit status: the windows could not be started, and the command was not run


def not_started(error: OncallError) -> OncallError:
    """Extend an error by its consequence, that the command was not run, and give it exit code 125."""
    error.message = f"{error.message}; the command was not run"
    return error.ending_with(NOT_STARTED)  # `code` still names the cause


@dataclass
class CommandRunner:
    """Runs a command while windows are active.

    Attributes:
        words: the command and its arguments.
        run_anyway: whether to run the command even if a window could not be started.
        tail: how long the windows stay active after the command has ended.
        settings: print messages to stderr.
    """

    words: Sequence[str]
    run_anyway: bool
    tail: timedelta | None
    settings: Settings

    def run(self, windows: RunWindows | None, targets: Sequence[Target[Integration]]) -> int:
        """Start the windows, run the command, and stop the windows.

        Args:
            windows: the windows of this run; None to run the command without any.
            targets: the integrations.

        Returns:
            The command's exit status.

        Raises:
            OncallError: the windows could not be started, the command not run, or the windows not stopped; the exit
                code is as README.md says for `maintenance run`.
        """
        if windows is None:
            with SignalInbox() as inbox:
                return self._watch(Child(self.words, {TARGETS: ""}), inbox)
        retries = windows.oncall.transport.retries

        def stop_retrying() -> None:
            retries.enabled = False

        with SignalInbox(stop_retrying) as inbox:
            windows.cancelled = lambda: inbox.first is not None
            status, failure = 0, None
            try:
                self._join(windows, targets, inbox)
                self._announce_start(windows)
                status = self._run_with_windows(windows, inbox)
            except OncallError as error:
                failure = error
            finally:
                retries.enabled = True
                left = windows.leave()
        self._announce_end(left)
        return self._exit_status(windows, left, status, failure)

    def _join(self, windows: RunWindows, targets: Sequence[Target[Integration]], inbox: SignalInbox) -> None:
        report = windows.join(targets)
        interrupted = inbox.first is not None
        if interrupted or len(targets) > 1:  # the error below names the first failure at most
            for outcome in report.outcomes:
                if outcome.error and not isinstance(outcome.error, Interrupted):
                    self.settings.warn(f"{outcome.target}: {outcome.error.message}")
        if inbox.first is not None:
            raise Interrupted(inbox.first, "interrupted; the command was not run, and its windows are stopped again")
        try:
            report.raise_failures()
        except OncallError as error:
            if not self.run_anyway:
                raise not_started(error) from error
            self.settings.warn(f"{error.message}; the command runs anyway")

    def _announce_start(self, windows: RunWindows) -> None:
        """Print the windows and their earliest end on a terminal."""
        members, until = list(windows.members.values()), windows.first_end
        if members and until and sys.stderr.isatty():
            length = show_duration((until - windows.oncall.now()).total_seconds())
            names = _names([each.target for each in members])
            self.settings.note(f"in maintenance until {show(until, self.settings.tz)} ({length}): {names}")

    def _announce_end(self, left: Report[Integration]) -> None:
        """Print on a terminal which windows were stopped."""
        if not sys.stderr.isatty():
            return
        for status, message in (("stopped", "maintenance stopped"), ("left", "left to another run or its owner")):
            if targets := [each.target for each in left.outcomes if each.status == status and not each.error]:
                self.settings.note(f"{message}: {_names(targets)}")

    def _run_with_windows(self, windows: RunWindows, inbox: SignalInbox) -> int:
        child = Child(self.words, windows.environment())
        for signum in inbox.take():  # they arrived before the child existed
            self._pass_on(child, signum, always=True)
        now, until = windows.oncall.now, windows.request.policy.until
        with Renewals(windows.next_renewal, windows.renew, now):
            status = self._watch(child, inbox, until, now)
            if self.tail:
                self._wait_for_tail(min(now() + self.tail, until), inbox, now)
        return status

    def _watch(
        self, child: Child, inbox: SignalInbox, until: datetime | None = None, now: Callable[[], datetime] = local_now
    ) -> int:
        """Wait for the command to end, and pass signals on to it."""
        while (status := child.wait(inbox, _wait_seconds(until, now))) is None:
            for signum in inbox.take():
                self._pass_on(child, signum)
            if until is not None and now() >= until:
                until = None
                self.settings.warn("the windows have ended (--for) but the command is still running: alerts page again")
        return status

    def _pass_on(self, child: Child, signum: int, *, always: bool = False) -> None:
        try:
            child.pass_on(signum, always=always)
        except PermissionError:
            self.settings.warn(f"signal {signum} could not be passed on: the command belongs to another user")

    def _wait_for_tail(self, until: datetime, inbox: SignalInbox, now: Callable[[], datetime]) -> None:
        inbox.take()
        self.settings.note(
            f"the command has ended; its windows end in {show_duration((until - now()).total_seconds())}"
        )
        while inbox.first is None and now() < until:
            inbox.wait(_wait_seconds(until, now))

    def _exit_status(
        self, windows: RunWindows, left: Report[Integration], status: int, failure: OncallError | None
    ) -> int:
        """Combine the results of the command and of its windows into one exit status."""
        failed = [outcome for outcome in left.outcomes if outcome.error]
        if not failed:
            if failure:
                raise failure
            return status
        still_active = "; ".join(_still_active(windows, outcome) for outcome in failed)
        if failure:
            failure.message = f"{failure.message}; {still_active}"
            raise failure
        ended = "the command succeeded" if status == 0 else f"the command exited with {status}"
        problem = Unavailable(
            f"{ended}, and {still_active}", hint="oncallctl maintenance orphans; oncallctl maintenance stop"
        )
        if status:
            problem.ending_with(status)  # the command's own status takes precedence
        raise problem


def _names(targets: Sequence[Target[Integration]]) -> str:
    more = f" and {len(targets) - NAMED} more" if len(targets) > NAMED else ""
    return ", ".join(map(str, targets[:NAMED])) + more


def _still_active(windows: RunWindows, outcome: Outcome[Integration]) -> str:
    integration, error = outcome.target.found, outcome.error
    record = windows.members[integration.id].shared.record()
    ends = f"it expires at {record.ends_at:%Y-%m-%dT%H:%M:%SZ}" if record else "its end is not known"
    return f"the window of {integration.name!r} could not be stopped ({error.message if error else '?'}): {ends}"


def _wait_seconds(until: datetime | None, now: Callable[[], datetime]) -> float:
    """Return how long to wait before the clock is checked again."""
    if until is None:
        return LONGEST_WAIT
    return min(max((until - now()).total_seconds(), 0.0), LONGEST_WAIT)
