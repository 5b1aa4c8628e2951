"""Escalation: runs the steps of a chain for an alert group as time passes.

As on the engine, an escalation keeps the steps that its chain had when it started. A step that notifies nobody does not
stop it. The engine waits 5 s between two steps; here a step runs at once unless the step before it waits.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from oncallctl.sandbox import storage
from oncallctl.sandbox.alert_group_rows import resolve_group
from oncallctl.sandbox.notifications import Notification, notify, steps_of, users_notified_by
from oncallctl.sandbox.timestamps import next_time_of_day, time_of_day

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.variants import Variant

DEFAULT_WAIT: Final = 300
DELAY_BETWEEN_ROUNDS: Final = 5
MAX_REPEATS: Final = 5


class RunningEscalation(NamedTuple):
    """The state of an escalation.

    Attributes:
        steps: the steps of the chain when the escalation started.
        at: the index of the next step.
        repeats: the number of times that the chain has started again.
        due: the time of the next step.
    """

    steps: list[dict[str, Any]]
    at: int
    repeats: int
    due: float


def escalate(db: sqlite3.Connection, variant: Variant, group_id: str, *, now: float) -> None:
    """Start the escalation of a group, and run the steps that are due.

    A group does not escalate without a chain, nor while its integration is in maintenance.
    """
    query = (
        "SELECT routes.escalation_chain_id, integrations.maintenance_mode FROM alert_groups "
        "JOIN routes ON routes.id = alert_groups.route_id "
        "JOIN integrations ON integrations.id = alert_groups.integration_id WHERE alert_groups.id = ?"
    )
    found = db.execute(query, (group_id,)).fetchone()
    if found is None or found["maintenance_mode"] is not None or found["escalation_chain_id"] is None:
        return
    steps = [dict(step) for step in steps_of(db, found["escalation_chain_id"])]
    _run(db, variant, group_id, RunningEscalation(steps, at=0, repeats=0, due=now), now=now)


def resume_due_escalations(db: sqlite3.Connection, variant: Variant, *, now: float) -> None:
    """Resume the escalations whose next step is due. Takes the write lock only if needed.

    A maintenance window does not stop escalations that started before it.
    """
    query = "SELECT * FROM escalations WHERE due_at <= ? ORDER BY due_at"
    if db.execute(query, (now,)).fetchone() is None:
        return
    with storage.transaction(db):
        for row in db.execute(query, (now,)).fetchall():
            escalation = RunningEscalation(json.loads(row["steps_json"]), row["at"], row["repeats"], row["due_at"])
            _run(db, variant, row["alert_group_id"], escalation, now=now)


def unsilence_due_groups(db: sqlite3.Connection, variant: Variant, *, now: float) -> None:
    """Unsilence the groups whose silence has ended; they escalate again. Takes the write lock only if needed."""
    query = "SELECT id FROM alert_groups WHERE state = 'silenced' AND silenced_until <= ?"
    if db.execute(query, (now,)).fetchone() is None:
        return
    with storage.transaction(db):
        for row in db.execute(query, (now,)).fetchall():
            db.execute(
                "UPDATE alert_groups SET state = 'firing', silenced_at = NULL, silenced_until = NULL WHERE id = ?",
                (row["id"],),
            )
            escalate(db, variant, row["id"], now=now)


def _run(db: sqlite3.Connection, variant: Variant, group_id: str, escalation: RunningEscalation, *, now: float) -> None:
    """Run the steps that are due, and store the rest of the escalation.

    It ends after the last step, or if the group is no longer firing or is attached to another one.
    """
    db.execute("DELETE FROM escalations WHERE alert_group_id = ?", (group_id,))
    rest: RunningEscalation | None = escalation
    while rest is not None and rest.due <= now:
        group = db.execute("SELECT state, window_group_id FROM alert_groups WHERE id = ?", (group_id,)).fetchone()
        if group is None or group["state"] != "firing" or group["window_group_id"] or rest.at >= len(rest.steps):
            return
        rest = _run_step(db, variant, group_id, rest)
    if rest is not None:
        db.execute(
            "INSERT INTO escalations (alert_group_id, steps_json, at, repeats, due_at) VALUES (?, ?, ?, ?, ?)",
            (group_id, json.dumps(rest.steps), rest.at, rest.repeats, rest.due),
        )


def _run_step(
    db: sqlite3.Connection, variant: Variant, group_id: str, escalation: RunningEscalation
) -> RunningEscalation | None:
    """Run one step and return the rest of the escalation; None if it ends here."""
    step = escalation.steps[escalation.at]
    rest = escalation._replace(at=escalation.at + 1)
    match step["type"]:
        case "wait":
            return rest._replace(due=escalation.due + (step["duration_seconds"] or DEFAULT_WAIT))
        case "notify_if_time_from_to":
            return rest._replace(due=_opening(step, escalation.due))
        case "notify_if_num_alerts_in_window" if _needs_more_alerts(step):
            return None
        case "repeat_escalation" if escalation.repeats < MAX_REPEATS:
            due = escalation.due + DELAY_BETWEEN_ROUNDS
            return escalation._replace(at=0, repeats=escalation.repeats + 1, due=due)
        case "resolve":
            resolve_group(db, group_id, by=None, now=escalation.due)
            return None
    users = users_notified_by(db, variant, step, escalation.due)
    notify(db, variant, users, Notification(group_id, bool(step["important"]), step["type"], escalation.due))
    return rest


def _needs_more_alerts(step: dict[str, Any]) -> bool:
    """True if a step waits for more than one alert, which is all that a group here has. An unset step never waits."""
    return step["minutes_in_window"] is not None and step["alerts_in_window"] not in {None, 0}


def _opening(step: dict[str, Any], timestamp: float) -> float:
    """Return the time at which a step lets the chain continue: at once within its hours, which are in UTC."""
    start, end, clock = step["time_from"], step["time_to"], time_of_day(timestamp)
    if start is None or end is None:
        return timestamp
    is_open = start <= clock < end if start < end else not end <= clock < start if start > end else clock == start
    return timestamp if is_open else next_time_of_day(timestamp, start)
