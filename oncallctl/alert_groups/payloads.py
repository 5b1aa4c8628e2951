"""What monitoring systems send, as far as it says what an alert is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Where titles are: webhooks and Grafana, paging by hand (alerts recordings), Alertmanager single and grouped.
_TITLES = ("title", "oncall.title", "labels.alertname", "commonLabels.alertname", "alertname", "message")


def title(payload: object) -> str | None:
    """The first title that a payload has, or None."""
    return next((found for path in _TITLES if isinstance(found := _follow(payload, path), str) and found), None)


def _follow(value: object, path: str) -> object:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def titled(alert: Mapping[str, Any]) -> dict[str, Any]:
    """An alert with its title beside its payload, for a table."""
    return {**alert, "title": title(alert.get("payload"))}
