"""The notifications that a real server would send. The sandbox only records them, in the table `notifications`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oncallctl.sandbox.rota import users_on_call
from oncallctl.sandbox.rows import existing, insert

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from oncallctl.sandbox.variants import Variant

    StepRow = sqlite3.Row | dict[str, Any]


@dataclass(frozen=True)
class Notification:
    """A notification of an alert group.

    Attributes:
        group_id: the alert group.
        important: True if the important notification rules of the users apply.
        step: the type of the escalation step; None for users who are paged by name.
        now: the time of the notification.
    """

    group_id: str
    important: bool
    step: str | None
    now: float


def notify(db: sqlite3.Connection, variant: Variant, users: Iterable[str], notification: Notification) -> None:
    """Record a notification of users, given by ID, except users whose role the server does not notify."""
    for user_id in users:
        if variant.notifies(existing(db, "users", user_id)["role"]):
            row = {
                "alert_group_id": notification.group_id,
                "user_id": user_id,
                "important": notification.important,
                "step": notification.step,
                "notified_at": notification.now,
            }
            insert(db, "notifications", row)


def steps_of(db: sqlite3.Connection, chain_id: str | None) -> list[sqlite3.Row]:
    """Return the steps of a chain, in order; none if there is no chain."""
    query = "SELECT * FROM escalation_policies WHERE escalation_chain_id = ? ORDER BY position"
    return db.execute(query, (chain_id,)).fetchall()


def users_named_by(db: sqlite3.Connection, step: StepRow) -> list[str]:
    """Return the users that a step names, or the members of the team that it names; a schedule names nobody."""
    if step["team_id"] is None:
        users: list[str] = json.loads(step["people_json"])
        return users
    query = "SELECT users.id FROM users, json_each(teams_json) WHERE json_each.value = ? ORDER BY grafana_id"
    return [row["id"] for row in db.execute(query, (step["team_id"],))]


def users_notified_by(db: sqlite3.Connection, variant: Variant, step: StepRow, now: float) -> list[str]:
    """Return the users that a step notifies; steps for Slack, webhooks and incidents notify no users."""
    match step["type"]:
        case "notify_on_call_from_schedule":
            schedule_id = step["schedule_id"]
            return [] if schedule_id is None else users_on_call(db, schedule_id, now, variant)
        case "notify_person_next_each_time":
            return _next_user(db, step)
        case _:
            return users_named_by(db, step)


def _next_user(db: sqlite3.Connection, step: StepRow) -> list[str]:
    """Return the user whose turn it is, by username. A user who cannot be notified uses up a turn as well."""
    query = "SELECT users.id FROM users, json_each(?) WHERE users.id = json_each.value ORDER BY username, grafana_id"
    queue = [row["id"] for row in db.execute(query, (step["people_json"],))]
    if not queue:
        return []
    last = db.execute("SELECT last_notified_id FROM escalation_policies WHERE id = ?", (step["id"],)).fetchone()
    last_id = None if last is None else last["last_notified_id"]
    user_id: str = queue[(queue.index(last_id) + 1) % len(queue) if last_id in queue else 0]
    db.execute("UPDATE escalation_policies SET last_notified_id = ? WHERE id = ?", (user_id, step["id"]))
    return [user_id]
