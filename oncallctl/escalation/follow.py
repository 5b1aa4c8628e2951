"""Following a page until somebody takes it."""

from __future__ import annotations

import time
from datetime import timedelta
from time import monotonic
from typing import Protocol

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command_line
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.errors import AccessDenied, ConditionFailed, NotFound, OncallError
from oncallctl.times import show_duration

PAUSE = timedelta(seconds=5)  # between two requests: all tokens of a user share 300 requests a minute


class FollowListener(Protocol):
    """Receives messages about the progress."""

    def note(self, message: str) -> None:
        """Show a message to the user."""


class Follower:
    """Polls one alert group until it is in the wanted state.

    Attributes:
        group: the alert group as it was last read.
    """

    def __init__(self, oncall: OnCall, group: AlertGroup, listener: FollowListener) -> None:
        self.group = group
        self._oncall = oncall
        self._listener = listener

    def follow(self, state: str, within: timedelta) -> None:
        """Poll the alert group. A failed request is retried, unless the server no longer shows the group.

        Args:
            state: acknowledged or resolved. A group that somebody resolved counts as acknowledged; one that was
                resolved automatically does not.
            within: the timeout.

        Raises:
            ConditionFailed: the timeout has passed, or the state cannot be reached any more.
            AccessDenied, NotFound: the server no longer shows the group.
        """
        if self._is_reached(state):
            self._listener.note(f"alert group {self.group.id} was already {self.group.state}, by {self._taken_by()}")
            return
        start = monotonic()
        self._listener.note(
            f"waiting {show_duration(within.total_seconds())} for alert group {self.group.id} to be {state}"
        )
        problem = self._read()
        while not self._is_reached(state):
            if self.group.state == "resolved":
                raise ConditionFailed(f"nobody took alert group {self.group.id}: it was resolved automatically")
            left = start + within.total_seconds() - monotonic()
            if left <= 0:
                raise self._timed_out(state, within, problem)
            time.sleep(min(PAUSE.total_seconds(), left))
            problem = self._read()
        self._listener.note(f"{self.group.state} by {self._taken_by()} after {show_duration(monotonic() - start)}")

    def _timed_out(self, state: str, within: timedelta, problem: OncallError | None) -> ConditionFailed:
        by = f" by {self._taken_by()}" if self.group.state == "acknowledged" else ""
        unread = f"; the last request failed: {problem.message}" if problem else ""
        return ConditionFailed(
            f"not {state} within {show_duration(within.total_seconds())}: it is {self.group.state}{by}{unread}",
            hint=command_line(self._oncall, ["alert-groups", "get", self.group.id]),
        )

    def _is_reached(self, state: str) -> bool:
        by_somebody = self.group.resolved_by or self.group.acknowledged_by
        return self.group.state == state or (self.group.state == "resolved" and by_somebody is not None)

    def _read(self) -> OncallError | None:
        """Read the alert group. Return the error if that failed and may be retried."""
        try:
            with self._oncall.without_retries():
                self.group = self._oncall.alert_groups.get(self.group.id)
        except (AccessDenied, NotFound):
            raise
        except OncallError as error:
            return error
        return None

    def _taken_by(self) -> str:
        """Return the name of the user who took the page, or the ID if the lookup fails."""
        ident = self.group.resolved_by if self.group.state == "resolved" else self.group.acknowledged_by
        if ident is None:
            return "nobody"
        try:
            with self._oncall.without_retries():
                found = self._oncall.users.several([ident])
        except OncallError:
            return ident
        return found[ident].username if ident in found else ident
