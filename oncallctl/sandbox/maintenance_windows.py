"""Maintenance windows in the database.

A group_alerts window opens an alert group "Maintenance of …" on an integration that the API hides, one per team. Alert
groups that open meanwhile are attached to it. When the window ends, all of them are resolved, even if they still fire
(maintenance.jsonl, inbound.jsonl).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import storage
from oncallctl.sandbox.alert_group_rows import open_group, resolve_group
from oncallctl.sandbox.integration_rows import add_integration
from oncallctl.sandbox.rows import update

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest

COLLECTED: Final = "During this time all alerts from integration will be collected here without escalations"
UNITS: Final = (
    (31_536_000, "year"),
    (2_628_000, "month"),
    (86_400, "day"),
    (3600, "hour"),
    (60, "minute"),
    (1, "second"),
)


def start_window(request: ApiRequest, row: sqlite3.Row, mode: str, seconds: int) -> None:
    """Put an integration into maintenance.

    Args:
        request: the request of the caller, who starts the window now.
        row: the integration, which has no window.
        mode: Cloud's name of the mode.
        seconds: the duration; on OSS it may be 0 or negative.
    """
    db, now = request.db, request.now
    group_id = None
    if mode == "group_alerts":
        payload = {
            "title": f"Maintenance of {row['name']} for {humanized(seconds)}",
            "message": f"Initiated by {request.caller.name}. {COLLECTED}",
        }
        title = f"Maintenance of {row['name']} for {seconds}"
        group_id = open_group(db, _hidden_integration(db, row["team_id"]), title, payload, now=now)
    columns = {"mode": mode, "started_at": now, "end_at": now + seconds, "group_id": group_id}
    update(db, "integrations", row["id"], {f"maintenance_{name}": value for name, value in columns.items()})


def end_window(db: sqlite3.Connection, row: sqlite3.Row, *, now: float, by: str | None = None) -> None:
    """End the window of an integration and resolve the alert groups that it collected."""
    group_id = row["maintenance_group_id"]
    if group_id is not None:
        for member in db.execute("SELECT id FROM alert_groups WHERE window_group_id = ?", (group_id,)).fetchall():
            resolve_group(db, member["id"], by=None, now=now)
        resolve_group(db, group_id, by=by, now=now)
    names = ("mode", "started_at", "end_at", "group_id")
    update(db, "integrations", row["id"], {f"maintenance_{name}": None for name in names})


def end_overdue_windows(db: sqlite3.Connection, *, now: float) -> None:
    """End the windows whose end has passed. Takes the write lock only if needed."""
    query = "SELECT * FROM integrations WHERE maintenance_end_at <= ?"
    if db.execute(query, (now,)).fetchone() is None:
        return
    with storage.transaction(db):
        for row in db.execute(query, (now,)).fetchall():
            end_window(db, row, now=now)


def humanized(seconds: int) -> str:
    """Return a duration in the engine's words: `2 hours`, `an hour`, `a moment`, `3,170 years`."""
    for length, unit in UNITS:
        count = abs(seconds) // length
        if count == 1:
            return f"an {unit}" if unit == "hour" else f"a {unit}"
        if count > 1:
            return f"{count:,} {unit}s"
    return "a moment"


def _hidden_integration(db: sqlite3.Connection, team_id: str | None) -> sqlite3.Row:
    query = "SELECT * FROM integrations WHERE hidden AND team_id IS ?"
    found: sqlite3.Row | None = db.execute(query, (team_id,)).fetchone()
    return found or add_integration(db, "maintenance", "Maintenance", team_id, hidden=True)
