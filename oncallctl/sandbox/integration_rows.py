"""Integrations as rows: which a request means, and how one is added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oncallctl.sandbox.answers import not_found
from oncallctl.sandbox.identifiers import new_id, new_token
from oncallctl.sandbox.references import of_team

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call


def find(call: Call) -> sqlite3.Row:
    """Find the integration of the path; the filters of the query count here too (get_with_nonmatching_name_filter).

    Raises:
        Refusal: 404.
    """
    for row in matching(call):
        if row["id"] == call.ids[0]:
            return row
    raise not_found()


def add(db: sqlite3.Connection, kind: str, name: str, team_id: str | None, *, hidden: bool = False) -> str:
    """Add an integration with a default route that leads nowhere, and return its id."""
    integration_id = new_id("C")
    db.execute(
        "INSERT INTO integrations (id, name, team_id, type, token, hidden) VALUES (?, ?, ?, ?, ?, ?)",
        (integration_id, name, team_id, kind, new_token(), hidden),
    )
    db.execute(
        "INSERT INTO routes (id, integration_id, position, is_default) VALUES (?, ?, 0, 1)",
        (new_id("R"), integration_id),
    )
    return integration_id


def matching(call: Call) -> list[sqlite3.Row]:
    """List the integrations that the query asks for: `name` whole and exactly, on Cloud also `team_id`.

    Raises:
        Refusal: 400 for a team that is none.
    """
    rows = of_team(call, call.db.execute("SELECT * FROM integrations WHERE NOT hidden ORDER BY position").fetchall())
    name = call.request.args.get("name")
    return [row for row in rows if name is None or row["name"] == name]


def by_id(db: sqlite3.Connection, integration_id: str) -> sqlite3.Row:
    """Read an integration that is known to exist."""
    row: sqlite3.Row = db.execute("SELECT * FROM integrations WHERE id = ?", (integration_id,)).fetchone()
    return row
