"""Rows of alert groups: reading, opening and resolving them, and the route that an alert takes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.ids import new_id
from oncallctl.sandbox.jinja import TemplateError, TemplateWarning, render
from oncallctl.sandbox.rows import insert

if TYPE_CHECKING:
    import sqlite3

TRUE_WORDS: Final = frozenset(["1", "true", "ok"])

ALERT_GROUPS_WITH_ALERTS: Final = (
    "SELECT alert_groups.*, last.id AS last_alert_id, last.created_at AS last_alert_at, "
    "last.payload_json AS last_alert_json, "
    "(SELECT count(*) FROM alerts WHERE alert_group_id = alert_groups.id) AS alerts_count "
    "FROM alert_groups JOIN alerts AS last "
    "ON last.position = (SELECT max(position) FROM alerts WHERE alert_group_id = alert_groups.id)"
)
"""Selects alert groups with the number of their alerts and the last alert."""


def group_by_id(db: sqlite3.Connection, group_id: object) -> sqlite3.Row | None:
    """Return the alert group with an ID and its last alert, or None."""
    query = f"{ALERT_GROUPS_WITH_ALERTS} WHERE alert_groups.id = ?"
    row: sqlite3.Row | None = db.execute(query, (str(group_id),)).fetchone()
    return row


def existing_group(db: sqlite3.Connection, group_id: str) -> sqlite3.Row:
    """Return an alert group that is known to exist, with its last alert.

    Raises:
        LookupError: there is no such group.
    """
    row = group_by_id(db, group_id)
    if row is None:
        raise LookupError(f"no alert group {group_id}")
    return row


def open_group(db: sqlite3.Connection, integration: sqlite3.Row, title: str, payload: object, *, now: float) -> str:
    """Open a firing group for one alert and return its ID.

    During a group_alerts window of its integration, it is attached to the group of the window.
    """
    group_id = new_id("I")
    group = {
        "id": group_id,
        "integration_id": integration["id"],
        "team_id": integration["team_id"],
        "route_id": route_for(db, integration["id"], payload)["id"],
        "title": title,
        "state": "firing",
        "labels_json": integration["labels_json"],
        "created_at": now,
        "window_group_id": integration["maintenance_group_id"],
    }
    insert(db, "alert_groups", group)
    alert = {"id": new_id("A"), "alert_group_id": group_id, "created_at": now, "payload_json": json.dumps(payload)}
    insert(db, "alerts", alert)
    return group_id


def is_attached(db: sqlite3.Connection, group_id: str) -> bool:
    """True if a group is attached to the group of a maintenance window."""
    query = "SELECT window_group_id FROM alert_groups WHERE id = ?"
    return db.execute(query, (group_id,)).fetchone()["window_group_id"] is not None


def route_for(db: sqlite3.Connection, integration_id: str, payload: object) -> sqlite3.Row:
    """Return the route that an alert takes: the first match by position; the default route is last.

    A route without a chain can match as well: the alert does not fall through to the default route.
    """
    routes = db.execute(
        "SELECT * FROM routes WHERE integration_id = ? ORDER BY is_default, position", (integration_id,)
    ).fetchall()
    route: sqlite3.Row
    for route in routes:
        if route["is_default"] or condition_holds(route["routing_type"], route["routing_regex"], payload):
            return route
    raise LookupError(f"integration {integration_id} has no default route")


def condition_holds(routing_type: str, condition: str | None, payload: object) -> bool:
    """True if a payload matches the condition of a route.

    A template matches if it renders to one of three words; it does not match if it cannot be rendered. A regular
    expression is searched in the JSON of the payload, which is ASCII.
    """
    if condition is None:
        return False
    try:
        if routing_type == "jinja2":
            return render(condition, payload=payload, labels=None).strip().lower() in TRUE_WORDS
        return re.search(condition, json.dumps(payload)) is not None
    except (TemplateError, TemplateWarning, re.error):
        return False


def resolve_group(db: sqlite3.Connection, group_id: str, *, by: str | None, now: float) -> None:
    """Resolve a group unless it is resolved.

    Args:
        db: a connection in a transaction.
        group_id: the group.
        by: the ID of the user; None if the server resolves it.
        now: the time of the resolution.
    """
    db.execute(
        "UPDATE alert_groups SET state = 'resolved', resolved_at = ?, resolved_by = ?, silenced_at = NULL, "
        "silenced_until = NULL WHERE id = ? AND state != 'resolved'",
        (now, by, group_id),
    )
