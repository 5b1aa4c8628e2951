"""Alert groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Annotated, Any

from pydantic import AfterValidator

from oncallctl.api import nouns
from oncallctl.api.resources.base import ID, Change, Instant, RequiredRole, Resource, ServerObject


class AlertGroup(ServerObject):
    """Alerts that belong together; `state` is firing, acknowledged, resolved or silenced, `…_by` a user ID.

    The title of `raw` is escaped for HTML, as the engine escapes every title (escalation recordings).
    """

    state: str
    title: Annotated[str, AfterValidator(unescape)] | None = None
    integration_id: str | None = None
    team_id: str | None = None
    created_at: Instant | None = None
    acknowledged_at: Instant | None = None
    acknowledged_by: str | None = None
    silenced_at: Instant | None = None
    resolved_at: Instant | None = None
    resolved_by: str | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The server's object with the title unescaped, for tables."""
        return {**self.raw, "title": self.title}

    @property
    def route_id(self) -> str | None:
        """The ID of the route that the alerts took; None if the response has none."""
        ident = self.raw.get("route_id")
        return ident if isinstance(ident, str) and ID.fullmatch(ident) else None

    @property
    def labels(self) -> set[tuple[str, str]]:
        """The labels as keys and values; those in another form are left out."""
        found = set()
        labels = self.raw.get("labels")
        for each in labels if isinstance(labels, list) else ():
            try:
                found.add((str(each["key"]["name"]), str(each["value"]["name"])))
            except (KeyError, TypeError):
                continue
        return found


class AlertGroups(Resource[AlertGroup]):
    """Alert groups. The state ``firing`` is called ``new`` in the filter ``state``."""

    noun = nouns.ALERT_GROUPS
    model = AlertGroup

    @staticmethod
    def between(begin: datetime, end: datetime) -> str:
        """Return a range for the filter ``started_at``: UTC, in whole seconds (alert_groups recordings)."""
        later = end + timedelta(seconds=1)
        return "_".join(f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}" for moment in (begin, later))

    def act(self, ident: str, verb: str, body: dict[str, Any] | None = None) -> Change[AlertGroup]:
        """Return the request of an action: acknowledge, resolve, silence (`delay` in seconds), or the reverse of one.

        The response is empty, so send the request with `OnCall.send_without_result`. If the state does not allow the
        action, the response is 400 (alert_groups recordings).
        """
        required = RequiredRole("acting on alert groups", "editor")
        return Change("POST", f"{self._member(ident)}{verb}/", body, AlertGroup, required)
