"""Routes."""

from __future__ import annotations

from pydantic import Field

from oncallctl.api import nouns
from oncallctl.api.resources.base import Resource, ServerObject


class Route(ServerObject):
    """Which alerts of an integration go to which chain; the default route takes what is left."""

    integration_id: str | None = None
    escalation_chain_id: str | None = None
    routing_type: str | None = None
    routing_regex: str | None = None
    position: int | None = None
    is_default: bool = Field(default=False, alias="is_the_last_route")


class Routes(Resource[Route]):
    """Which alerts of an integration go to which escalation chain."""

    noun = nouns.ROUTES
    model = Route
