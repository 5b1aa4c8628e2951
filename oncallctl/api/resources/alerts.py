"""Alerts: the single events of an alert group."""

from __future__ import annotations

from oncallctl.api import nouns
from oncallctl.api.resources.base import Instant, Resource, ServerObject


class Alert(ServerObject):
    """One alert of a group; `payload` is what the monitoring system sent."""

    alert_group_id: str | None = None
    created_at: Instant | None = None


class Alerts(Resource[Alert]):
    """Single alerts; there is no reading one by its id (alerts recordings)."""

    noun = nouns.ALERTS
    model = Alert
