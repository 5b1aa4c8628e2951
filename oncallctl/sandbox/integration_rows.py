"""Integrations as rows: which a request means, and how one is added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.answers import Crash, bad_request, not_found
from oncallctl.sandbox.identifiers import new_id, new_token

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call

NO_SUCH_TEAM: Final = "Select a valid choice. That choice is not one of the available choices."


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
    args = call.request.args
    rows = call.db.execute("SELECT * FROM integrations WHERE NOT hidden ORDER BY position").fetchall()
    teams = args.getlist("team_id")
    for team_id in filter(None, teams):
        if team_id != "null" and team_of(call.db, team_id) is None:
            raise bad_request({"team_id": [NO_SUCH_TEAM]})
        # The engine fails on every team that exists (integrations/list_perpage_10_page_2_team).
        if not call.dialect.is_cloud:
            raise Crash
        rows = [row for row in rows if (row["team_id"] or "null") in teams]
    if "name" in args:
        rows = [row for row in rows if row["name"] == args["name"]]
    return rows


def by_id(db: sqlite3.Connection, integration_id: str) -> sqlite3.Row:
    """Read an integration that is known to exist."""
    row: sqlite3.Row = db.execute("SELECT * FROM integrations WHERE id = ?", (integration_id,)).fetchone()
    return row


def team_of(db: sqlite3.Connection, team_id: object) -> str | None:
    """Take the id of a team if there is such a team."""
    row = db.execute("SELECT id FROM teams WHERE id = ?", (str(team_id),)).fetchone()
    return None if row is None else str(row["id"])
