"""Following a page until somebody has taken it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Protocol

from oncallctl.api.client import OnCall
from oncallctl.api.models import AlertGroup
from oncallctl.errors import ConditionFailed, Unavailable
from oncallctl.times import now, span

PAUSE = timedelta(seconds=5)  # between two looks: a user may ask 300 times a minute, with everything else besides


class Listener(Protocol):
    """Who is told what goes on."""

    def note(self, message: str) -> None:
        """Tell a person."""


class Follower:
    """Looks at one alert group until what is waited for holds.

    Attributes:
        group: as it was seen last.
    """

    def __init__(self, oncall: OnCall, group: AlertGroup, listener: Listener) -> None:
        self.group = group
        self._oncall = oncall
        self._listener = listener

    def follow(self, wanted: str, within: timedelta) -> None:
        """Look again and again; a look that fails is not the end.

        Args:
            wanted: acknowledged or resolved; a group that is resolved has been taken too.
            within: how long to wait.

        Raises:
            ConditionFailed: it does not hold when the time is over.
            OncallError: the server will not show the group any more.
        """
        begin = now()
        end = begin + within
        self._listener.note(f"waiting {span(within.total_seconds())} for alert group {self.group.id} to be {wanted}")
        problem = self._look()
        while self.group.state not in {wanted, "resolved"}:
            if (left := end - now()) <= timedelta():
                unread = f"; the last look failed: {problem.message}" if problem else ""
                raise ConditionFailed(
                    f"nobody took alert group {self.group.id} within {span(within.total_seconds())}:"
                    f" it is {self.group.state}{unread}",
                    hint="it was paged once; page somebody else, or look: oncallctl alert-groups get " + self.group.id,
                )
            time.sleep(min(PAUSE, left).total_seconds())
            problem = self._look()
        self._listener.note(f"{self.group.state} by {self._who()} after {span((now() - begin).total_seconds())}")

    def _look(self) -> Unavailable | None:
        try:
            with self._oncall.impatient():
                self.group = self._oncall.alert_groups.get(self.group.id)
        except Unavailable as error:
            return error
        return None

    def _who(self) -> str:
        """Who took it, by name where that can be found out; nobody where the source of the alert resolved it."""
        ident = self.group.resolved_by if self.group.state == "resolved" else self.group.acknowledged_by
        if ident is None:
            return "nobody that OnCall names"
        try:
            found = self._oncall.users.several([ident])
        except Unavailable:
            found = {}
        return found[ident].username if ident in found else ident
