"""What a body says of an on-call shift, checked in the order that on_call_shifts.jsonl shows.

Columns of on_call_shifts come out of it, by name: those that the body names, and those that its type forbids.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.answers import detail
from oncallctl.sandbox.fields import Checker, Invalid, at_most, listed, number, optional, time_zone
from oncallctl.sandbox.references import people, team
from oncallctl.sandbox.shift_rows import WALL, WEEKDAYS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from oncallctl.sandbox.calls import Call

Columns = dict[str, object]

TYPES: Final = ("rolling_users", "recurrent_event", "single_event", "override")
FREQUENCIES: Final = ("hourly", "daily", "weekly", "monthly")
NAME_LENGTH: Final = 200
WEEKDAY_LIST: Final = "'MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'"
DURATION: Final = re.compile(r"(?:(-?\d+) )?(-?)(?:(?:(\d+):)?(\d+):)?(\d+)(?:\.\d+)?")

NEVER: Final = {
    "frequency": None,
    "interval": None,
    "by_day_json": None,
    "by_month_json": None,
    "by_monthday_json": None,
}
NOT_ROLLING: Final = {"rolling_users_json": None, "start_rotation_from_user_index": None}
FORBIDDEN: Final[dict[str, Columns]] = {
    "single_event": {**NEVER, **NOT_ROLLING},
    "recurrent_event": {**NOT_ROLLING},
    "rolling_users": {"users_json": "[]"},
    "override": {**NEVER, **NOT_ROLLING, "level": 0, "until": None},
}
"""What a shift of a type does not have, whatever the body says."""


def created(call: Call) -> Columns:
    """Read a new shift.

    Raises:
        Refusal: 400; `{"detail": …}` for the first field that is no word of the API, else `{field: [problem]}`.
    """
    columns = _read(call, required=True)
    columns |= _corrected(str(columns["type"]), columns)
    _check_recurrence(columns)
    if columns["type"] == "rolling_users" and columns.get("start_rotation_from_user_index") is None:
        raise detail("Field 'start_rotation_from_user_index' is required for this on-call shift type")
    _check_days(columns)
    if columns.get("rotation_start") is None:
        columns["rotation_start"] = columns["start"]
    return columns


def changed(call: Call, row: sqlite3.Row) -> Columns:
    """Read what is to change of a shift; no field is needed.

    Raises:
        Refusal: as `created`.
    """
    columns = _read(call, required=False)
    columns |= _corrected(str(columns.get("type", row["type"])), columns)
    after = {**row, **columns}
    if after["frequency"] != row["frequency"]:
        _check_recurrence(after | {"week_start": columns.get("week_start")})
    _check_days(after)
    return columns


def _read(call: Call, *, required: bool) -> Columns:
    fields = call.fields
    for name in ("start", "rotation_start", "until"):
        if fields.get(name) is not None:
            _check_wall_time(fields[name])
    checks: dict[str, tuple[str, Callable[[object], object]]] = {
        "team_id": ("team_id", team(call)),
        "name": ("name", optional(at_most(NAME_LENGTH))),
        "type": ("type", _word(TYPES, "Invalid shift type")),
        "time_zone": ("time_zone", optional(time_zone)),
        "level": ("level", number()),
        "start": ("start", _wall_time),
        "duration": ("duration_seconds", _duration),
        "rotation_start": ("rotation_start", _wall_time),
        "frequency": ("frequency", optional(_word(FREQUENCIES, "Invalid frequency type"))),
        "interval": ("interval", optional(_interval)),
        "until": ("until", optional(_wall_time)),
        "week_start": (
            "week_start",
            _word(
                WEEKDAYS,
                f"Invalid day format for week start field. Should be one of the following: {WEEKDAY_LIST}",
            ),
        ),
        "by_day": (
            "by_day_json",
            _each(WEEKDAYS, f"Invalid day value in by_day field. Valid values: {WEEKDAY_LIST}"),
        ),
        "by_month": (
            "by_month_json",
            _each(range(1, 13), "Invalid month value in by_month field. Valid values: from 1 to 12"),
        ),
        "by_monthday": (
            "by_monthday_json",
            _each(
                [*range(-31, 0), *range(1, 32)],
                "Invalid monthday value in by_monthday field. Valid values: from 1 to 31 and from -31 to -1",
            ),
        ),
        "users": ("users_json", lambda value: json.dumps(people(call.db)(value))),
        "rolling_users": ("rolling_users_json", lambda value: _rolling_users(call.db, value)),
        "start_rotation_from_user_index": ("start_rotation_from_user_index", optional(number(at_least=0))),
    }
    checker = Checker(fields)
    columns = {
        column: checker.read(name, check, required=required and name in {"type", "start", "duration"})
        for name, (column, check) in checks.items()
    }
    checker.done()
    return {column: columns[column] for name, (column, _) in checks.items() if name in fields}


def _corrected(kind: str, columns: Columns) -> Columns:
    """Take out what the type does not have; a frequency comes with an interval of 1."""
    more = FORBIDDEN[kind]
    if columns.get("frequency") is not None and "interval" not in columns and "interval" not in more:
        return {**more, "interval": 1}
    return more


def _check_recurrence(columns: Mapping[str, object]) -> None:
    if columns["type"] in {"single_event", "override"}:
        return
    if columns.get("frequency") is None:
        raise detail("Field 'frequency' is required for this on-call shift type")
    if columns["frequency"] == "weekly" and columns.get("week_start") is None:
        raise detail("Field 'week_start' is required for frequency type 'weekly'")
    if columns.get("interval") is None:
        raise detail("Field 'interval' must be a positive integer")


def _check_days(columns: Mapping[str, object]) -> None:
    if (columns["type"], columns.get("frequency")) != ("rolling_users", "daily"):
        return
    if columns.get("by_monthday_json") is not None:
        raise detail(
            "Day limits are temporarily disabled for on-call shifts with type 'rolling_users' and frequency 'daily'"
        )
    days = columns.get("by_day_json")
    if days is not None and int(str(columns.get("interval") or 1)) > len(json.loads(str(days))):
        raise detail("Interval must be less than or equal to the number of selected days")


def _check_wall_time(value: object) -> None:
    try:
        datetime.strptime(str(value), WALL)  # noqa: DTZ007 - it has no zone
    except ValueError as error:
        raise detail("Invalid datetime format, should be \"yyyy-mm-dd'T'hh:mm:ss\"") from error


def _wall_time(value: object) -> str:
    if value is None:
        raise Invalid("This field may not be null.")
    return datetime.strptime(str(value), WALL).isoformat()  # noqa: DTZ007 - it has no zone


def _duration(value: object) -> int:
    """Take seconds, also 0 and fewer, or `[DD] [HH:[MM:]]ss`."""
    if value is None:
        raise Invalid("This field may not be null.")
    match = DURATION.fullmatch(str(value))
    if match is None:
        raise Invalid("Duration has wrong format. Use one of these formats instead: [DD] [HH:[MM:]]ss[.uuuuuu].")
    days, minus, hours, minutes, seconds = match.groups()
    try:
        within = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds))
        return int((timedelta(days=int(days or 0)) + (-within if minus else within)).total_seconds())
    except OverflowError as error:
        raise Invalid("The number of days must be between -999999999 and 999999999.") from error


def _word(words: tuple[str, ...], problem: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value is None:
            raise Invalid("This field may not be null.")
        if value not in words:
            raise detail(problem)
        return str(value)

    return check


def _interval(value: object) -> int:
    interval = number()(value)
    if interval <= 0:
        raise detail("Invalid value for interval")
    return interval


def _each(allowed: tuple[str, ...] | range | list[int], problem: str) -> Callable[[object], str | None]:
    """Take a list of allowed values as JSON; null and an empty list are none."""

    def check(value: object) -> str | None:
        if value is None:
            return None
        values = listed(value)
        if any(isinstance(item, bool | float) or item not in allowed for item in values):
            raise detail(problem)
        return json.dumps(values) if values else None

    return check


def _rolling_users(db: sqlite3.Connection, value: object) -> str | None:
    """Take lists of users, all of whom must be there; what is wrong is said by the number of the list."""
    if value is None:
        return None
    groups = [listed(group or []) for group in listed(value)]
    known = [people(db)(group) for group in groups]
    problems = {
        str(position): [f"User does not exist {missing}"]
        for position, (group, found) in enumerate(zip(groups, known, strict=True))
        if (missing := {str(user_id) for user_id in group} - set(found))
    }
    if problems:
        raise Invalid(problems)
    return json.dumps(known) if known else None
