"""Alert groups as rows: what is read of one, how one is opened, and how it is resolved."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.identifiers import new_id
from oncallctl.sandbox.jinja import TemplateError, TemplateWarning, render

if TYPE_CHECKING:
    import sqlite3

TRUE_WORDS: Final = frozenset(["1", "true", "ok"])

ALERT_GROUPS: Final = (
    "SELECT alert_groups.*, last.id AS last_alert_id, last.created_at AS last_alert_at, "
    "last.payload_json AS last_alert_json, "
    "(SELECT count(*) FROM alerts WHERE alert_group_id = alert_groups.id) AS alerts_count "
    "FROM alert_groups JOIN alerts AS last "
    "ON last.position = (SELECT max(position) FROM alerts WHERE alert_group_id = alert_groups.id)"
)
"""Selects alert groups with what is told of their alerts."""


def by_id(db: sqlite3.Connection, group_id: object) -> sqlite3.Row | None:
    """Read an alert group, if there is one of that id."""
    row: sqlite3.Row | None = db.execute(f"{ALERT_GROUPS} WHERE alert_groups.id = ?", (str(group_id),)).fetchone()
    return row


def open_group(db: sqlite3.Connection, integration: sqlite3.Row, title: str, payload: object, *, now: float) -> str:
    """Open a firing group for one alert and return its id.

    In a group_alerts window of its integration it hangs below the window's own group.
    """
    group_id = new_id("I")
    db.execute(
        "INSERT INTO alert_groups (id, integration_id, team_id, route_id, title, state, labels_json, created_at, "
        "window_group_id) VALUES (?, ?, ?, ?, ?, 'firing', ?, ?, ?)",
        (
            group_id,
            integration["id"],
            integration["team_id"],
            route_for(db, integration["id"], payload)["id"],
            title,
            integration["labels_json"],
            now,
            integration["maintenance_group_id"],
        ),
    )
    db.execute(
        "INSERT INTO alerts (id, alert_group_id, created_at, payload_json) VALUES (?, ?, ?, ?)",
        (new_id("A"), group_id, now, json.dumps(payload)),
    )
    return group_id


def is_attached(db: sqlite3.Connection, group_id: str) -> bool:
    """True if a group hangs below the group of a maintenance window."""
    query = "SELECT window_group_id FROM alert_groups WHERE id = ?"
    return db.execute(query, (group_id,)).fetchone()["window_group_id"] is not None


def route_for(db: sqlite3.Connection, integration_id: str, payload: object) -> sqlite3.Row:
    """Return the route that an alert takes: the first one that matches, by position; the default route comes last.

    A matching route without a chain is taken all the same: the alert does not fall through to the default route.
    """
    rows = db.execute(
        "SELECT * FROM routes WHERE integration_id = ? ORDER BY is_default, position", (integration_id,)
    ).fetchall()
    route: sqlite3.Row
    for route in rows:
        if route["is_default"] or condition_holds(route["routing_type"], route["routing_regex"], payload):
            return route
    message = f"integration {integration_id} has no default route"
    raise LookupError(message)


def condition_holds(routing_type: str, condition: str | None, payload: object) -> bool:
    """True if the condition of a route holds for a payload.

    A template holds if it renders to one of three words, and does not hold if it fails to render. A regular expression
    is searched for in the payload's JSON, which is ASCII only.
    """
    if condition is None:
        return False
    try:
        if routing_type == "jinja2":
            return render(condition, payload=payload, labels=None).strip().lower() in TRUE_WORDS
        return re.search(condition, json.dumps(payload)) is not None
    except (TemplateError, TemplateWarning, re.error):
        return False


def resolve(db: sqlite3.Connection, group_id: str, *, by: str | None, now: float) -> None:
    """Resolve a group.

    Args:
        db: a connection inside a transaction.
        group_id: the group.
        by: the user who did it; None where the server itself does.
        now: the moment.
    """
    db.execute(
        "UPDATE alert_groups SET state = 'resolved', resolved_at = ?, resolved_by = ?, silenced_at = NULL, "
        "silenced_until = NULL WHERE id = ? AND state != 'resolved'",
        (now, by, group_id),
    )
