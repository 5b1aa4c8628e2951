"""Alerts: the events in an alert group."""

from __future__ import annotations

from oncallctl.api import nouns
from oncallctl.api.resources.base import Instant, Resource, ServerObject


class Alert(ServerObject):
    """An alert; `payload` in `raw` is the JSON that the monitoring system sent."""

    alert_group_id: str | None = None
    created_at: Instant | None = None


class Alerts(Resource[Alert]):
    """The alerts of all groups; the API has no request for a single alert (alerts recordings)."""

    noun = nouns.ALERTS
    model = Alert
