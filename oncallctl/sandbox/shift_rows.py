"""On-call shifts as rows: which there are, and the schedules they belong to.

A shift is what a schedule is made of: a rotation, a recurrent or a single event, or an override.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.recurrence import Rule

if TYPE_CHECKING:
    import sqlite3

WALL: Final = "%Y-%m-%dT%H:%M:%S"
"""How the times of a shift are stored and said: on a wall clock, without a zone."""
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def of_schedule(db: sqlite3.Connection, schedule_id: str) -> list[sqlite3.Row]:
    """List the shifts of a schedule, oldest first."""
    return db.execute(
        "SELECT on_call_shifts.* FROM on_call_shifts JOIN schedule_shifts ON shift_id = on_call_shifts.id "
        "WHERE schedule_id = ? ORDER BY on_call_shifts.position",
        (schedule_id,),
    ).fetchall()


def schedule_of(db: sqlite3.Connection, shift_id: str) -> sqlite3.Row | None:
    """Read the schedule of a shift, the oldest where it has several; None where it has none."""
    row: sqlite3.Row | None = db.execute(
        "SELECT schedules.* FROM schedules JOIN schedule_shifts ON schedule_id = schedules.id "
        "WHERE shift_id = ? ORDER BY schedules.position",
        (shift_id,),
    ).fetchone()
    return row


def groups(row: sqlite3.Row) -> list[list[str]]:
    """Say who takes turns: lists of user ids, the first of which begins."""
    if row["type"] != "rolling_users":
        return [json.loads(row["users_json"])]
    rolling: list[list[str]] = json.loads(row["rolling_users_json"] or "[]")
    first = row["start_rotation_from_user_index"] or 0
    return rolling[first:] + rolling[:first]


def rule(row: sqlite3.Row) -> Rule | None:
    """Say when the turns of a shift begin; None where there is none to come."""
    rolls = row["type"] == "rolling_users"
    stated = Rule(
        start=datetime.fromisoformat(row["start"]),
        frequency=row["frequency"],
        interval=row["interval"] or 1,
        week_start=WEEKDAYS.index(row["week_start"]),
        days=frozenset(WEEKDAYS.index(day) for day in json.loads(row["by_day_json"] or "[]")),
        month_days=frozenset(json.loads(row["by_monthday_json"] or "[]")),
        months=frozenset(json.loads(row["by_month_json"] or "[]")),
        counts_days=rolls and row["frequency"] == "daily" and bool(json.loads(row["by_day_json"] or "[]")),
    )
    return stated.beginning(datetime.fromisoformat(row["rotation_start"])) if rolls else stated
