"""Whom an escalation would reach.

The sandbox pages nobody: it writes a row to the table `pages` for each time that somebody would be paged.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oncallctl.sandbox.rota import on_call

if TYPE_CHECKING:
    import sqlite3


def page(db: sqlite3.Connection, group_id: str, user_id: str, *, important: bool, now: float) -> None:
    """Record that a user would be paged."""
    db.execute(
        "INSERT INTO pages (alert_group_id, user_id, important, paged_at) VALUES (?, ?, ?, ?)",
        (group_id, user_id, important, now),
    )


def escalate(db: sqlite3.Connection, group_id: str, *, now: float) -> None:
    """Walk the escalation chain of a new group up to its first wait and page whom it names.

    A group that opens in a maintenance window never escalates, and nothing restarts it when the window ends.
    """
    query = (
        "SELECT routes.escalation_chain_id, integrations.maintenance_mode FROM alert_groups "
        "JOIN routes ON routes.id = alert_groups.route_id "
        "JOIN integrations ON integrations.id = alert_groups.integration_id WHERE alert_groups.id = ?"
    )
    found = db.execute(query, (group_id,)).fetchone()
    if found["maintenance_mode"] is not None or found["escalation_chain_id"] is None:
        return
    for step in steps(db, found["escalation_chain_id"]):
        if step["type"] == "wait":
            return
        for user_id in named_by(db, step, now=now):
            page(db, group_id, user_id, important=bool(step["important"]), now=now)


def steps(db: sqlite3.Connection, chain_id: str | None) -> list[sqlite3.Row]:
    """List the steps of a chain, in order; none without a chain."""
    query = "SELECT * FROM escalation_policies WHERE escalation_chain_id = ? ORDER BY position"
    return db.execute(query, (chain_id,)).fetchall()


def named_by(db: sqlite3.Connection, step: sqlite3.Row, *, now: float) -> list[str]:
    """List the users that one step notifies."""
    match step["type"]:
        case "notify_on_call_from_schedule":
            return [] if step["schedule_id"] is None else on_call(db, step["schedule_id"], now)
        case "notify_person_next_each_time":
            return people_of(db, step)[:1]
        case _:
            return people_of(db, step)


def people_of(db: sqlite3.Connection, step: sqlite3.Row) -> list[str]:
    """List the users that a step names: persons, or the members of a team; nobody of a schedule."""
    if step["team_id"] is None:
        people: list[str] = json.loads(step["people_json"])
        return people
    query = "SELECT users.id FROM users, json_each(teams_json) WHERE json_each.value = ? ORDER BY grafana_id"
    return [row["id"] for row in db.execute(query, (step["team_id"],))]
