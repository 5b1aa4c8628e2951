"""Routes."""

from __future__ import annotations

from pydantic import Field

from oncallctl.api import nouns
from oncallctl.api.resources.base import Resource, ServerObject


class Route(ServerObject):
    """A route: sends alerts that match its condition to an escalation chain. The default route takes the rest."""

    integration_id: str | None = None
    escalation_chain_id: str | None = None
    routing_type: str | None = None
    routing_regex: str | None = None
    position: int | None = None
    is_default: bool = Field(default=False, alias="is_the_last_route")


class Routes(Resource[Route]):
    """The routes of all integrations."""

    noun = nouns.ROUTES
    model = Route
