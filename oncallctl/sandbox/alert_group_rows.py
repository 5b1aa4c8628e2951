"""Alert groups as rows: how one is opened, and how it is resolved."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from oncallctl.sandbox.identifiers import new_id

if TYPE_CHECKING:
    import sqlite3


def by_id(db: sqlite3.Connection, group_id: object) -> sqlite3.Row | None:
    """Read an alert group, if there is one of that id."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM alert_groups WHERE id = ?", (str(group_id),)).fetchone()
    return row


def open_group(db: sqlite3.Connection, integration: sqlite3.Row, title: str, payload: object, *, now: float) -> str:
    """Open a firing group for one alert and return its id.

    In a group_alerts window of its integration it hangs below the window's own group.
    """
    group_id = new_id("I")
    db.execute(
        "INSERT INTO alert_groups (id, integration_id, team_id, route_id, title, state, alerts_count, labels_json, "
        "created_at, last_alert_id, last_alert_json, window_group_id) "
        "VALUES (?, ?, ?, ?, ?, 'firing', 1, ?, ?, ?, ?, ?)",
        (
            group_id,
            integration["id"],
            integration["team_id"],
            route_for(db, integration["id"], payload)["id"],
            title,
            integration["labels_json"],
            now,
            new_id("A"),
            json.dumps(payload),
            integration["maintenance_group_id"],
        ),
    )
    return group_id


def route_for(db: sqlite3.Connection, integration_id: str, payload: object) -> sqlite3.Row:
    """Find the route an alert takes: the first whose regular expression is in the payload, else the default route."""
    rows = db.execute(
        "SELECT * FROM routes WHERE integration_id = ? ORDER BY is_default, position", (integration_id,)
    ).fetchall()
    said = json.dumps(payload, ensure_ascii=False)
    route: sqlite3.Row
    for route in rows:
        if route["is_default"] or re.search(route["routing_regex"], said):
            return route
    message = f"integration {integration_id} has no default route"
    raise LookupError(message)


def resolve(db: sqlite3.Connection, group_id: str, *, by: str | None, now: float) -> None:
    """Resolve a group.

    Args:
        db: a connection inside a transaction.
        group_id: the group.
        by: the user who did it; None where the server itself does.
        now: the moment.
    """
    db.execute(
        "UPDATE alert_groups SET state = 'resolved', resolved_at = ?, resolved_by = ? "
        "WHERE id = ? AND state != 'resolved'",
        (now, by, group_id),
    )
