"""Direct paging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.base import Change

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall


class Escalation:
    """Pages teams and users."""

    def __init__(self, oncall: OnCall) -> None:
        self.oncall = oncall

    def page(self, body: dict[str, Any]) -> Change[AlertGroup]:
        """Page a team or users; the body is documented in "Escalation HTTP API"."""
        self.oncall.person_only("paging people")
        return Change("POST", "escalation/", body, AlertGroup, ("paging", "editor"))
