"""The users that a server would notify of an alert group.

The sandbox notifies nobody: it writes a row to the table `notifications` for each notification that a real server would
send.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oncallctl.sandbox.rota import on_call

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from oncallctl.sandbox.dialects import Dialect

    Step = sqlite3.Row | dict[str, object]


def notify(  # noqa: PLR0913 - a notification is of a group, to a user, from a server, for a step, at a moment
    db: sqlite3.Connection,
    dialect: Dialect,
    group_id: str,
    users: Iterable[str],
    *,
    important: bool,
    step: str | None,
    now: float,
) -> None:
    """Record the notifications of users, except of those whose role the server does not notify.

    Args:
        db: a connection inside a transaction.
        dialect: the server.
        group_id: the alert group.
        users: the ids of the users.
        important: True for their important notification rules.
        step: the type of the escalation step; None for users who are paged by name.
        now: the moment.
    """
    for user_id in users:
        role = db.execute("SELECT role FROM users WHERE id = ?", (user_id,)).fetchone()["role"]
        if dialect.notifies(role):
            db.execute(
                "INSERT INTO notifications (alert_group_id, user_id, important, step, notified_at) "
                "VALUES (?, ?, ?, ?, ?)",
                (group_id, user_id, important, step, now),
            )


def steps(db: sqlite3.Connection, chain_id: str | None) -> list[sqlite3.Row]:
    """List the steps of a chain, in order; none without a chain."""
    query = "SELECT * FROM escalation_policies WHERE escalation_chain_id = ? ORDER BY position"
    return db.execute(query, (chain_id,)).fetchall()


def people_of(db: sqlite3.Connection, step: Step) -> list[str]:
    """List the users that a step names: persons, or the members of a team; nobody of a schedule."""
    if step["team_id"] is None:
        people: list[str] = json.loads(str(step["people_json"]))
        return people
    query = "SELECT users.id FROM users, json_each(teams_json) WHERE json_each.value = ? ORDER BY grafana_id"
    return [row["id"] for row in db.execute(query, (step["team_id"],))]


def users_of(db: sqlite3.Connection, dialect: Dialect, step: Step, now: float) -> list[str]:
    """List the users that one step notifies; none for Slack, webhooks and incidents."""
    match step["type"]:
        case "notify_on_call_from_schedule":
            return [] if step["schedule_id"] is None else on_call(db, str(step["schedule_id"]), now, dialect)
        case "notify_person_next_each_time":
            return _next_of(db, step)
        case _:
            return people_of(db, step)


def _next_of(db: sqlite3.Connection, step: Step) -> list[str]:
    """Take the user whose turn it is, by user name; the turn passes on even from a user who is never notified."""
    query = "SELECT users.id FROM users, json_each(?) WHERE users.id = json_each.value ORDER BY username, grafana_id"
    queue = [row["id"] for row in db.execute(query, (step["people_json"],))]
    if not queue:
        return []
    last = db.execute("SELECT last_notified_id FROM escalation_policies WHERE id = ?", (step["id"],)).fetchone()
    turn = None if last is None else last["last_notified_id"]
    user_id: str = queue[(queue.index(turn) + 1) % len(queue) if turn in queue else 0]
    db.execute("UPDATE escalation_policies SET last_notified_id = ? WHERE id = ?", (user_id, step["id"]))
    return [user_id]
