"""Escalations: the chains of alert groups, run step by step as time goes on.

As the servers of self-hosted engines do, an escalation takes the steps as they were when it began. A step that notifies
nobody does not stop it. The engine leaves 5 s between two steps; here steps run at once unless one of them waits.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from oncallctl.sandbox import storage
from oncallctl.sandbox.alert_group_rows import resolve
from oncallctl.sandbox.moments import next_time_of_day, time_of_day
from oncallctl.sandbox.paging import notify, steps, users_of

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.dialects import Dialect

DEFAULT_WAIT: Final = 300
BETWEEN_ROUNDS: Final = 5
MOST_REPEATS: Final = 5


class Escalation(NamedTuple):
    """A chain on its way.

    Attributes:
        steps: the steps, as they were when the escalation began.
        at: which of them comes next.
        repeats: how often the chain has begun again.
        due: the moment of the next step.
    """

    steps: list[dict[str, object]]
    at: int
    repeats: int
    due: float


def escalate(db: sqlite3.Connection, dialect: Dialect, group_id: str, *, now: float) -> None:
    """Start the escalation of a group from the beginning, and run it as far as it gets at once.

    A group does not escalate while its integration is in maintenance, nor without a chain.
    """
    query = (
        "SELECT routes.escalation_chain_id, integrations.maintenance_mode FROM alert_groups "
        "JOIN routes ON routes.id = alert_groups.route_id "
        "JOIN integrations ON integrations.id = alert_groups.integration_id WHERE alert_groups.id = ?"
    )
    found = db.execute(query, (group_id,)).fetchone()
    if found is None or found["maintenance_mode"] is not None or found["escalation_chain_id"] is None:
        return
    chain = [dict(step) for step in steps(db, found["escalation_chain_id"])]
    _run(db, dialect, group_id, Escalation(chain, at=0, repeats=0, due=now), now=now)


def advance(db: sqlite3.Connection, dialect: Dialect, *, now: float) -> None:
    """Go on with the escalations whose next step is due. Takes the write lock only when there are any.

    A maintenance window does not stop those that began before it.
    """
    query = "SELECT * FROM escalations WHERE due_at <= ? ORDER BY due_at"
    if db.execute(query, (now,)).fetchone() is None:
        return
    with storage.changing(db):
        for row in db.execute(query, (now,)).fetchall():
            escalation = Escalation(json.loads(row["steps_json"]), row["at"], row["repeats"], row["due_at"])
            _run(db, dialect, row["alert_group_id"], escalation, now=now)


def wake(db: sqlite3.Connection, dialect: Dialect, *, now: float) -> None:
    """Let the groups fire and escalate again that were silenced until now. Takes the write lock only if needed."""
    query = "SELECT id FROM alert_groups WHERE state = 'silenced' AND silenced_until <= ?"
    if db.execute(query, (now,)).fetchone() is None:
        return
    with storage.changing(db):
        for row in db.execute(query, (now,)).fetchall():
            db.execute(
                "UPDATE alert_groups SET state = 'firing', silenced_at = NULL, silenced_until = NULL WHERE id = ?",
                (row["id"],),
            )
            escalate(db, dialect, row["id"], now=now)


def _run(db: sqlite3.Connection, dialect: Dialect, group_id: str, escalation: Escalation, *, now: float) -> None:
    """Take the steps that are due, and keep what is left of the escalation for later.

    It ends behind the last step, and with a group that has been acknowledged, silenced, resolved or attached.
    """
    db.execute("DELETE FROM escalations WHERE alert_group_id = ?", (group_id,))
    left: Escalation | None = escalation
    while left is not None and left.due <= now:
        group = db.execute("SELECT state, window_group_id FROM alert_groups WHERE id = ?", (group_id,)).fetchone()
        if group is None or group["state"] != "firing" or group["window_group_id"] or left.at >= len(left.steps):
            return
        left = _step(db, dialect, group_id, left)
    if left is not None:
        db.execute(
            "INSERT INTO escalations (alert_group_id, steps_json, at, repeats, due_at) VALUES (?, ?, ?, ?, ?)",
            (group_id, json.dumps(left.steps), left.at, left.repeats, left.due),
        )


def _step(db: sqlite3.Connection, dialect: Dialect, group_id: str, escalation: Escalation) -> Escalation | None:
    """Take one step and return what is left; None if nothing follows."""
    step = escalation.steps[escalation.at]
    following = escalation._replace(at=escalation.at + 1)
    match step["type"]:
        case "wait":
            return following._replace(due=escalation.due + float(str(step["duration_seconds"] or DEFAULT_WAIT)))
        case "notify_if_time_from_to":
            return following._replace(due=_opening(step, escalation.due))
        case "notify_if_num_alerts_in_window" if _lacks_alerts(step):
            return None
        case "repeat_escalation" if escalation.repeats < MOST_REPEATS:
            return escalation._replace(at=0, repeats=escalation.repeats + 1, due=escalation.due + BETWEEN_ROUNDS)
        case "resolve":
            resolve(db, group_id, by=None, now=escalation.due)
            return None
    users = users_of(db, dialect, step, escalation.due)
    important = bool(step["important"])
    notify(db, dialect, group_id, users, important=important, step=str(step["type"]), now=escalation.due)
    return following


def _lacks_alerts(step: dict[str, object]) -> bool:
    """True if a step waits for more alerts than the one that a group has here. Unless it is set, it does not wait."""
    return step["minutes_in_window"] is not None and step["alerts_in_window"] not in {None, 0}


def _opening(step: dict[str, object], moment: float) -> float:
    """Return the moment from which a step lets the chain go on: at once within its hours, which are in UTC."""
    start, end = step["time_from"], step["time_to"]
    if start is None or end is None:
        return moment
    start, end, clock = str(start), str(end), time_of_day(moment)
    is_open = start <= clock < end if start < end else not end <= clock < start if start > end else clock == start
    return moment if is_open else next_time_of_day(moment, start)
