"""Following a page until somebody has taken it."""

from __future__ import annotations

import time
from datetime import timedelta
from time import monotonic
from typing import Protocol

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.errors import AccessDenied, ConditionFailed, NotFound, OncallError
from oncallctl.times import span

PAUSE = timedelta(seconds=5)  # between two looks: a user may ask 300 times a minute, with everything else besides


class FollowListener(Protocol):
    """Who is told what goes on."""

    def note(self, message: str) -> None:
        """Tell a person."""


class Follower:
    """Looks at one alert group until what is waited for holds.

    Attributes:
        group: as it was seen last.
    """

    def __init__(self, oncall: OnCall, group: AlertGroup, listener: FollowListener) -> None:
        self.group = group
        self._oncall = oncall
        self._listener = listener

    def follow(self, wanted: str, within: timedelta) -> None:
        """Look again and again; a look that fails is not the end, unless the server will not show the group any more.

        Args:
            wanted: acknowledged or resolved. Who resolves a group has taken it too; that it resolved by itself is
                not that anybody took it.
            within: how long to wait.

        Raises:
            ConditionFailed: it does not hold when the time is over, or cannot come to hold.
            AccessDenied, NotFound: the server will not show the group any more.
        """
        if self._holds(wanted):
            self._listener.note(f"alert group {self.group.id} had been {self.group.state} already, by {self._who()}")
            return
        begin = monotonic()
        end = begin + within.total_seconds()
        self._listener.note(f"waiting {span(within.total_seconds())} for alert group {self.group.id} to be {wanted}")
        problem = self._look()
        while not self._holds(wanted):
            if self.group.state == "resolved":
                raise ConditionFailed(f"nobody took alert group {self.group.id}: it resolved by itself")
            if (left := end - monotonic()) <= 0:
                unread = f"; the last look failed: {problem.message}" if problem else ""
                by = f" by {self._who()}" if self.group.state == "acknowledged" else ""
                raise ConditionFailed(
                    f"not {wanted} within {span(within.total_seconds())}: it is {self.group.state}{by}{unread}",
                    hint=command(self._oncall, ["alert-groups", "get", self.group.id]),
                )
            time.sleep(min(PAUSE.total_seconds(), left))
            problem = self._look()
        self._listener.note(f"{self.group.state} by {self._who()} after {span(monotonic() - begin)}")

    def _holds(self, wanted: str) -> bool:
        by_somebody = self.group.resolved_by or self.group.acknowledged_by
        return self.group.state == wanted or (self.group.state == "resolved" and by_somebody is not None)

    def _look(self) -> OncallError | None:
        try:
            with self._oncall.impatient():
                self.group = self._oncall.alert_groups.get(self.group.id)
        except (AccessDenied, NotFound):
            raise
        except OncallError as error:
            return error
        return None

    def _who(self) -> str:
        """Who took it: the name, or the id where the name cannot be found out."""
        ident = self.group.resolved_by if self.group.state == "resolved" else self.group.acknowledged_by
        if ident is None:
            return "nobody"
        try:
            with self._oncall.impatient():
                found = self._oncall.users.several([ident])
        except OncallError:
            return ident
        return found[ident].username if ident in found else ident
