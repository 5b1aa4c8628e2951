"""The users that a server would notify of an alert group.

The sandbox notifies nobody: it writes a row to the table `notifications` for each notification that a real server would
send at once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.alert_group_rows import resolve
from oncallctl.sandbox.moments import time_of_day
from oncallctl.sandbox.rota import on_call

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from oncallctl.sandbox.dialects import Dialect

ENDS: Final = frozenset(["wait", "repeat_escalation", "resolve"])
"""The steps behind which nobody is notified at once."""


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


def escalate(db: sqlite3.Connection, dialect: Dialect, group_id: str, *, now: float) -> None:
    """Run the escalation chain of a new group, as far as it gets at once, and record the notifications.

    A group that opens in a maintenance window never escalates, and nothing restarts it when the window ends. A step
    that notifies nobody does not stop the chain.
    """
    query = (
        "SELECT routes.escalation_chain_id, integrations.maintenance_mode FROM alert_groups "
        "JOIN routes ON routes.id = alert_groups.route_id "
        "JOIN integrations ON integrations.id = alert_groups.integration_id WHERE alert_groups.id = ?"
    )
    found = db.execute(query, (group_id,)).fetchone()
    if found["maintenance_mode"] is not None:
        return
    for step in steps(db, found["escalation_chain_id"]):
        if step["type"] == "resolve":
            resolve(db, group_id, by=None, now=now)
        if step["type"] in ENDS or _is_pause(step, now):
            return
        users = _users_of(db, dialect, step, now)
        notify(db, dialect, group_id, users, important=bool(step["important"]), step=step["type"], now=now)


def steps(db: sqlite3.Connection, chain_id: str | None) -> list[sqlite3.Row]:
    """List the steps of a chain, in order; none without a chain."""
    query = "SELECT * FROM escalation_policies WHERE escalation_chain_id = ? ORDER BY position"
    return db.execute(query, (chain_id,)).fetchall()


def people_of(db: sqlite3.Connection, step: sqlite3.Row) -> list[str]:
    """List the users that a step names: persons, or the members of a team; nobody of a schedule."""
    if step["team_id"] is None:
        people: list[str] = json.loads(step["people_json"])
        return people
    query = "SELECT users.id FROM users, json_each(teams_json) WHERE json_each.value = ? ORDER BY grafana_id"
    return [row["id"] for row in db.execute(query, (step["team_id"],))]


def _users_of(db: sqlite3.Connection, dialect: Dialect, step: sqlite3.Row, now: float) -> list[str]:
    """List the users that one step notifies; none for Slack, webhooks and incidents."""
    match step["type"]:
        case "notify_on_call_from_schedule":
            return [] if step["schedule_id"] is None else on_call(db, step["schedule_id"], now, dialect)
        case "notify_person_next_each_time":
            return _next_of(db, step)
        case _:
            return people_of(db, step)


def _next_of(db: sqlite3.Connection, step: sqlite3.Row) -> list[str]:
    """Take the user whose turn it is, by user name; the turn passes on even from a user who is never notified."""
    query = "SELECT users.id FROM users, json_each(?) WHERE users.id = json_each.value ORDER BY username, grafana_id"
    queue = [row["id"] for row in db.execute(query, (step["people_json"],))]
    if not queue:
        return []
    last = step["last_notified_id"]
    user_id: str = queue[(queue.index(last) + 1) % len(queue) if last in queue else 0]
    db.execute("UPDATE escalation_policies SET last_notified_id = ? WHERE id = ?", (user_id, step["id"]))
    return [user_id]


def _is_pause(step: sqlite3.Row, now: float) -> bool:
    """True if a condition holds the chain: outside its hours, or with fewer alerts than it takes.

    A new group has one alert. A condition that is not set does not hold the chain.
    """
    if step["type"] == "notify_if_num_alerts_in_window":
        alerts, minutes = step["alerts_in_window"], step["minutes_in_window"]
        return alerts is not None and minutes is not None and alerts >= 1
    start, end = step["time_from"], step["time_to"]
    if step["type"] != "notify_if_time_from_to" or start is None or end is None:
        return False
    clock = time_of_day(now)
    if start < end:
        return not start <= clock < end
    if start > end:
        return bool(end <= clock < start)
    return bool(clock != start)
