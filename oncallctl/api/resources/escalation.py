"""Direct paging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.base import Change, RequiredRole

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall


class Escalation:
    """Direct paging of teams and users."""

    def __init__(self, oncall: OnCall) -> None:
        self.oncall = oncall

    def page(self, body: dict[str, Any]) -> Change[AlertGroup]:
        """Return the request that pages a team or users; the body is documented in "Escalation HTTP API"."""
        self.oncall.require_user_token("paging people")
        return Change("POST", "escalation/", body, AlertGroup, RequiredRole("paging", "editor"))
