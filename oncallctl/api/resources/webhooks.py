"""Outgoing webhooks."""

from __future__ import annotations

from oncallctl.api.resources.base import Resource, ServerObject


class Webhook(ServerObject):
    """A request that OnCall sends out."""

    name: str | None = None


class Webhooks(Resource[Webhook]):
    """Requests that OnCall sends out."""

    path = "webhooks"
    model = Webhook
