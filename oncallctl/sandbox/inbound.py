"""Alerts that a monitoring system posts to an integration's link."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oncallctl.sandbox.alert_group_rows import open_group
from oncallctl.sandbox.escalations import escalate

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.dialects import Dialect


def receive(  # noqa: PLR0913 - an alert is addressed by type and token, and arrives at a server at a moment
    db: sqlite3.Connection, dialect: Dialect, kind: str, token: str, body: bytes, *, now: float
) -> bool:
    """Take one alert and open a group for it.

    While alerts are disabled it is ignored. In the other windows the group stays firing and nobody is paged.

    Returns:
        Whether there is such an integration.
    """
    query = "SELECT * FROM integrations WHERE token = ? AND type = ? AND NOT hidden"
    row = db.execute(query, (token, kind)).fetchone()
    if row is None:
        return False
    if row["maintenance_mode"] != "disable_alerts":
        payload = _payload(body)
        group_id = open_group(db, row, _title(kind, payload), payload, now=now)
        escalate(db, dialect, group_id, now=now)
    return True


def _payload(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return {}


def _title(kind: str, payload: object) -> str:
    """Title a group: only formatted webhooks say it themselves, the default template of the others is a plain word."""
    title = payload.get("title") if kind == "formatted_webhook" and isinstance(payload, dict) else None
    return str(title) if title else "Incident"
