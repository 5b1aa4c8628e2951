"""Alerts that a monitoring system posts to the link of an integration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oncallctl.sandbox.alert_group_rows import open_group
from oncallctl.sandbox.escalation import escalate

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.variants import Variant


def recipient(db: sqlite3.Connection, kind: str, token: str) -> sqlite3.Row | None:
    """Return the integration with a link, given by type and token."""
    query = "SELECT * FROM integrations WHERE token = ? AND type = ? AND NOT hidden"
    row: sqlite3.Row | None = db.execute(query, (token, kind)).fetchone()
    return row


def receive(db: sqlite3.Connection, variant: Variant, integration: sqlite3.Row, body: bytes, *, now: float) -> None:
    """Open an alert group for an alert.

    A disable_alerts window drops the alert. In the other windows the group fires and does not escalate.
    """
    if integration["maintenance_mode"] != "disable_alerts":
        payload = _payload(body)
        group_id = open_group(db, integration, _title(integration["type"], payload), payload, now=now)
        escalate(db, variant, group_id, now=now)


def _payload(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return {}


def _title(kind: str, payload: object) -> str:
    """Return the title of a group; only formatted webhooks send one, the default template of other types is a word."""
    title = payload.get("title") if kind == "formatted_webhook" and isinstance(payload, dict) else None
    return str(title) if title else "Incident"
