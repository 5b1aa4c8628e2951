"""All windows of one run: joined before the command starts, renewed while it runs, and left after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from oncallctl.api.client import OnCall
from oncallctl.api.resources.integrations import Integration
from oncallctl.batch import Outcome, Report, Target, for_each
from oncallctl.config.profiles import Profile
from oncallctl.errors import Interrupted
from oncallctl.maintenance.run.leases import RETRY
from oncallctl.maintenance.run.member import MemberState, RunMember, RunRequest
from oncallctl.maintenance.run.shared import SharedWindow
from oncallctl.maintenance.windows.model import Window, utc
from oncallctl.maintenance.windows.settle import STATUS_COMMAND
from oncallctl.times import show_duration

ENDS_AT, TARGETS = "ONCALLCTL_WINDOW_ENDS_AT", "ONCALLCTL_WINDOW_TARGETS"


class RunWindows:
    """The windows of one run.

    Attributes:
        request: what the run asks for.
        cancelled: returns True once joining is to stop.
        members: the integrations that were joined, by ID.
    """

    def __init__(self, request: RunRequest, cancelled: Callable[[], bool] = lambda: False) -> None:
        self.request = request
        self.cancelled = cancelled
        self.members: dict[str, RunMember] = {}

    @property
    def oncall(self) -> OnCall:
        """The server."""
        return self.request.service.oncall

    def join(self, targets: Sequence[Target[Integration]]) -> Report[Integration]:
        """Join each integration: start, replace or share its window."""
        return for_each(targets, lambda target: target, self._join, lambda: None, STATUS_COMMAND)

    def next_renewal(self) -> datetime | None:
        """Return when the next window is to be renewed, or None."""
        return min((each.renew_at for each in self.members.values() if each.renew_at), default=None)

    def renew(self) -> None:
        """Renew the windows that are due; a renewal that fails is retried."""
        at = self.oncall.now()
        due = [each for each in self.members.values() if each.renew_at and each.renew_at <= at]
        for outcome in for_each(
            due, lambda member: member.target, RunMember.renew, lambda: None, STATUS_COMMAND
        ).outcomes:
            if outcome.error:
                self.members[outcome.target.found.id].renew_at = self.oncall.now() + RETRY
                self.request.service.warn(
                    f"renewing the window of {outcome.target.found.name!r} failed,"
                    f" next try in {show_duration(RETRY.total_seconds())}: {outcome.error.message}"
                )

    def leave(self) -> Report[Integration]:
        """Leave each integration: stop the windows that no other run on this machine needs."""
        members = list(self.members.values())
        return for_each(members, lambda member: member.target, RunMember.leave, lambda: None, STATUS_COMMAND)

    def environment(self) -> dict[str, str]:
        """Return the variables that describe the windows to the command."""
        known = {TARGETS: " ".join(self.members)}
        return {**known, ENDS_AT: utc(self.first_end)} if self.first_end else known

    @property
    def first_end(self) -> datetime | None:
        """The time at which the first of the windows ends, or None if that is not known."""
        return min((each.ends_at for each in self.members.values() if each.ends_at), default=None)

    def _join(self, target: Target[Integration]) -> Outcome[Integration]:
        if self.cancelled():
            raise Interrupted(0, "not begun")
        member = RunMember(self.request, target)
        try:
            return member.join(self.cancelled)
        finally:
            if member.state is not MemberState.OUTSIDE:
                self.members[target.found.id] = member


def is_shared(folder: Path, profile: Profile, integration: Integration) -> bool:
    """True if a run on this machine started the active window of an integration."""
    record = SharedWindow.of(folder, profile.host, integration.id).record()
    return record is not None and record.matches(Window.of(integration))


def is_held(folder: Path, profile: Profile, integration: Integration) -> bool:
    """True if a living run on this machine needs the active window of an integration."""
    shared = SharedWindow.of(folder, profile.host, integration.id)
    with shared.mutex():
        record = shared.record()
        return record is not None and record.matches(Window.of(integration)) and shared.is_needed()
