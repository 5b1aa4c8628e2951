"""Rows of on-call shifts, and their schedules."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.recurrence import RecurrenceRule

if TYPE_CHECKING:
    import sqlite3

LOCAL_FORMAT: Final = "%Y-%m-%dT%H:%M:%S"
"""The format of the times of a shift, which are local times without a zone."""
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def shifts_of_schedule(db: sqlite3.Connection, schedule_id: str) -> list[sqlite3.Row]:
    """Return the shifts of a schedule, oldest first."""
    return db.execute(
        "SELECT on_call_shifts.* FROM on_call_shifts JOIN schedule_shifts ON shift_id = on_call_shifts.id "
        "WHERE schedule_id = ? ORDER BY on_call_shifts.position",
        (schedule_id,),
    ).fetchall()


def schedule_of_shift(db: sqlite3.Connection, shift_id: str) -> sqlite3.Row | None:
    """Return the oldest schedule that has a shift, or None."""
    row: sqlite3.Row | None = db.execute(
        "SELECT schedules.* FROM schedules JOIN schedule_shifts ON schedule_id = schedules.id "
        "WHERE shift_id = ? ORDER BY schedules.position",
        (shift_id,),
    ).fetchone()
    return row


def user_groups_of(shift: sqlite3.Row) -> list[list[str]]:
    """Return the lists of user IDs that take turns, in the order of the rotation."""
    if shift["type"] != "rolling_users":
        return [json.loads(shift["users_json"])]
    rolling: list[list[str]] = json.loads(shift["rolling_users_json"] or "[]")
    first = shift["start_rotation_from_user_index"] or 0
    return rolling[first:] + rolling[:first]


def recurrence_of(shift: sqlite3.Row) -> RecurrenceRule | None:
    """Return the recurrence rule of a shift; None if it has no occurrences."""
    is_rolling = shift["type"] == "rolling_users"
    days = frozenset(WEEKDAYS.index(day) for day in json.loads(shift["by_day_json"] or "[]"))
    rule = RecurrenceRule(
        start=datetime.fromisoformat(shift["start"]),
        frequency=shift["frequency"],
        interval=shift["interval"] or 1,
        week_start=WEEKDAYS.index(shift["week_start"]),
        days=days,
        month_days=frozenset(json.loads(shift["by_monthday_json"] or "[]")),
        months=frozenset(json.loads(shift["by_month_json"] or "[]")),
        counts_days=is_rolling and shift["frequency"] == "daily" and bool(days),
    )
    return rule.starting_at(datetime.fromisoformat(shift["rotation_start"])) if is_rolling else rule
