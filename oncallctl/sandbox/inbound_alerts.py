"""Alerts that a monitoring system posts to the link of an integration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oncallctl.sandbox.alert_group_rows import open_group
from oncallctl.sandbox.escalation import escalate

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.variants import Variant


def receive(  # noqa: PLR0913 - an alert is addressed by type and token, and reaches a server at a time
    db: sqlite3.Connection, variant: Variant, kind: str, token: str, body: bytes, *, now: float
) -> bool:
    """Open an alert group for an alert; return False if there is no such integration.

    A disable_alerts window drops the alert. In the other windows the group fires and does not escalate.
    """
    query = "SELECT * FROM integrations WHERE token = ? AND type = ? AND NOT hidden"
    row = db.execute(query, (token, kind)).fetchone()
    if row is None:
        return False
    if row["maintenance_mode"] != "disable_alerts":
        payload = _payload(body)
        group_id = open_group(db, row, _title(kind, payload), payload, now=now)
        escalate(db, variant, group_id, now=now)
    return True


def _payload(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return {}


def _title(kind: str, payload: object) -> str:
    """Return the title of a group; only formatted webhooks send one, the default template of other types is a word."""
    title = payload.get("title") if kind == "formatted_webhook" and isinstance(payload, dict) else None
    return str(title) if title else "Incident"
