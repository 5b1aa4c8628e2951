"""What a maintenance window does to the data.

A group_alerts window opens a group "Maintenance of …" on an integration that the API hides, one for each team. What
arrives meanwhile hangs below it, and when the window ends all of that is resolved, also what still fires
(maintenance.jsonl, inbound.jsonl).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import storage
from oncallctl.sandbox.alert_group_rows import open_group, resolve
from oncallctl.sandbox.integration_rows import add, by_id

if TYPE_CHECKING:
    import sqlite3

COLLECTED: Final = "During this time all alerts from integration will be collected here without escalations"
UNITS: Final = (
    (31_536_000, "year"),
    (2_628_000, "month"),
    (86_400, "day"),
    (3600, "hour"),
    (60, "minute"),
    (1, "second"),
)


def open_window(  # noqa: PLR0913 - a window is an integration, a mode, a length, an author and a start
    db: sqlite3.Connection, row: sqlite3.Row, mode: str, seconds: int, *, by: str, now: float
) -> None:
    """Put an integration into maintenance.

    Args:
        db: a connection inside a transaction.
        row: the integration, not in maintenance.
        mode: the mode in Cloud's words.
        seconds: how long; may be 0 or less on OSS.
        by: the name of who asked.
        now: the moment.
    """
    group_id = None
    if mode == "group_alerts":
        payload = {
            "title": f"Maintenance of {row['name']} for {spoken(seconds)}",
            "message": f"Initiated by {by}. {COLLECTED}",
        }
        title = f"Maintenance of {row['name']} for {seconds}"
        group_id = open_group(db, _hidden_integration(db, row["team_id"]), title, payload, now=now)
    db.execute(
        "UPDATE integrations SET maintenance_mode = ?, maintenance_started_at = ?, maintenance_end_at = ?, "
        "maintenance_group_id = ? WHERE id = ?",
        (mode, now, now + seconds, group_id, row["id"]),
    )


def end_window(db: sqlite3.Connection, row: sqlite3.Row, *, now: float, by: str | None = None) -> None:
    """End the window of an integration and resolve what it collected."""
    group_id = row["maintenance_group_id"]
    if group_id is not None:
        for member in db.execute("SELECT id FROM alert_groups WHERE window_group_id = ?", (group_id,)).fetchall():
            resolve(db, member["id"], by=None, now=now)
        resolve(db, group_id, by=by, now=now)
    db.execute(
        "UPDATE integrations SET maintenance_mode = NULL, maintenance_started_at = NULL, maintenance_end_at = NULL, "
        "maintenance_group_id = NULL WHERE id = ?",
        (row["id"],),
    )


def sweep(db: sqlite3.Connection, *, now: float) -> None:
    """End the windows that are past their end. Takes the write lock only when there are any."""
    query = "SELECT * FROM integrations WHERE maintenance_end_at <= ?"
    if db.execute(query, (now,)).fetchone() is None:
        return
    with storage.changing(db):
        for row in db.execute(query, (now,)).fetchall():
            end_window(db, row, now=now)


def spoken(seconds: int) -> str:
    """Say a duration as the engine does: `2 hours`, `an hour`, `a moment`, `3,170 years`."""
    for length, unit in UNITS:
        count = abs(seconds) // length
        if count == 1:
            return f"an {unit}" if unit == "hour" else f"a {unit}"
        if count > 1:
            return f"{count:,} {unit}s"
    return "a moment"


def _hidden_integration(db: sqlite3.Connection, team_id: str | None) -> sqlite3.Row:
    found = db.execute("SELECT id FROM integrations WHERE hidden AND team_id IS ?", (team_id,)).fetchone()
    return by_id(db, found["id"] if found else add(db, "maintenance", "Maintenance", team_id, hidden=True))
