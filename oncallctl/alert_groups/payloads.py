"""Titles and severities of alerts, taken from the payloads that monitoring systems send."""

from __future__ import annotations

from collections.abc import Mapping
from html import unescape
from typing import Any

_PAGED = "oncall.title"  # the title of a page, which the engine escapes for HTML (escalation recordings)
# Where webhooks and Grafana, pages, Alertmanager (single and grouped) and other systems put it (alerts recordings).
_TITLES = ("title", _PAGED, "labels.alertname", "commonLabels.alertname", "alertname", "message")
# Where webhooks, and Alertmanager and Grafana, put it (alerts recordings).
_SEVERITIES = ("severity", "labels.severity", "commonLabels.severity")


def title(payload: object) -> str | None:
    """Return the first title in a payload, or None."""
    for path in _TITLES:
        value = _field(payload, path)
        if isinstance(value, str) and value:
            return unescape(value) if path == _PAGED else value
    return None


def severity(group: Mapping[str, Any]) -> str | None:
    """Return the severity of an alert group: from its labels (Cloud), or from the payload of its last alert."""
    for label in group.get("labels") or ():
        if _field(label, "key.name") == "severity" and isinstance(value := _field(label, "value.name"), str):
            return value
    for path in _SEVERITIES:
        value = _field(group, f"last_alert.payload.{path}")
        if isinstance(value, str) and value:
            return value
    return None


def with_title(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return an alert with its title, for a table."""
    return {**alert, "title": title(alert.get("payload"))}


def _field(value: object, path: str) -> object:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
