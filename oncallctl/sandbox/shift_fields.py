"""The fields of an on-call shift. The order of the checks is that of the recording on_call_shifts.jsonl."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox.fields import FieldReader, InvalidField, array, integer, optional, text_up_to, time_zone
from oncallctl.sandbox.references import existing_users, usable_team
from oncallctl.sandbox.responses import detail
from oncallctl.sandbox.shift_rows import LOCAL_FORMAT, WEEKDAYS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from oncallctl.sandbox.requests import ApiRequest

Columns = dict[str, Any]

TYPES: Final = ("rolling_users", "recurrent_event", "single_event", "override")
FREQUENCIES: Final = ("hourly", "daily", "weekly", "monthly")
MAX_NAME_LENGTH: Final = 200
WEEKDAY_LIST: Final = "'MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'"
DURATION: Final = re.compile(r"(?:(-?\d+) )?(-?)(?:(?:(\d+):)?(\d+):)?(\d+)(?:\.\d+)?")

NO_RECURRENCE: Final = {
    "frequency": None,
    "interval": None,
    "by_day_json": None,
    "by_month_json": None,
    "by_monthday_json": None,
}
NO_ROTATION: Final = {"rolling_users_json": None, "start_rotation_from_user_index": None}
FIXED_COLUMNS: Final[dict[str, Columns]] = {
    "single_event": {**NO_RECURRENCE, **NO_ROTATION},
    "recurrent_event": {**NO_ROTATION},
    "rolling_users": {"users_json": "[]"},
    "override": {**NO_RECURRENCE, **NO_ROTATION, "level": 0, "until": None},
}
"""The columns that each type of shift fixes; the body cannot set them."""


def shift_columns(request: ApiRequest, row: sqlite3.Row | None) -> Columns:
    """Read the columns of a new shift, or those that a change sets. A change needs no fields.

    Unlike a new shift, a changed one keeps its `rotation_start` if the body has none (recording `put`).

    Raises:
        HttpError: 400; `{"detail": …}` for the first value that the API does not define, else `{field: [problem]}`.
    """
    columns = _read(request, required=row is None)
    columns |= _fixed_columns(columns["type"] if row is None else columns.get("type", row["type"]), columns)
    if row is None:
        _check_recurrence(columns)
        if columns["type"] == "rolling_users" and columns.get("start_rotation_from_user_index") is None:
            raise detail("Field 'start_rotation_from_user_index' is required for this on-call shift type")
        _check_days(columns)
        if columns.get("rotation_start") is None:
            columns["rotation_start"] = columns["start"]
        return columns
    after = {**row, **columns}
    if after["frequency"] != row["frequency"]:
        _check_recurrence(after | {"week_start": columns.get("week_start")})
    _check_days(after)
    return columns


def _read(request: ApiRequest, *, required: bool) -> Columns:
    fields = request.fields
    for name in ("start", "rotation_start", "until"):
        if fields.get(name) is not None:
            _check_local_time(fields[name])
    checks: dict[str, tuple[str, Callable[[object], object]]] = {
        "team_id": ("team_id", usable_team(request)),
        "name": ("name", optional(text_up_to(MAX_NAME_LENGTH))),
        "type": ("type", _choice(TYPES, "Invalid shift type")),
        "time_zone": ("time_zone", optional(time_zone)),
        "level": ("level", integer()),
        "start": ("start", _local_time),
        "duration": ("duration_seconds", _duration),
        "rotation_start": ("rotation_start", _local_time),
        "frequency": ("frequency", optional(_choice(FREQUENCIES, "Invalid frequency type"))),
        "interval": ("interval", optional(_interval)),
        "until": ("until", optional(_local_time)),
        "week_start": (
            "week_start",
            _choice(
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
        "users": ("users_json", lambda value: json.dumps(existing_users(request.db)(value))),
        "rolling_users": ("rolling_users_json", lambda value: _rolling_users(request.db, value)),
        "start_rotation_from_user_index": ("start_rotation_from_user_index", optional(integer(at_least=0))),
    }
    reader = FieldReader(fields)
    columns = {
        column: reader.read(name, check, required=required and name in {"type", "start", "duration"})
        for name, (column, check) in checks.items()
    }
    reader.raise_problems()
    return {column: columns[column] for name, (column, _) in checks.items() if name in fields}


def _fixed_columns(kind: str, columns: Columns) -> Columns:
    """Return the columns that a type fixes; a frequency defaults to an interval of 1."""
    fixed = FIXED_COLUMNS[kind]
    if columns.get("frequency") is not None and "interval" not in columns and "interval" not in fixed:
        return {**fixed, "interval": 1}
    return fixed


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


def _check_local_time(value: object) -> None:
    try:
        _local_time(value)
    except ValueError as error:
        raise detail("Invalid datetime format, should be \"yyyy-mm-dd'T'hh:mm:ss\"") from error


def _local_time(value: object) -> str:
    if value is None:
        raise InvalidField("This field may not be null.")
    return datetime.strptime(str(value), LOCAL_FORMAT).isoformat()  # noqa: DTZ007 - it has no zone


def _duration(value: object) -> int:
    """Return seconds, given as a number, also 0 or negative, or as `[DD] [HH:[MM:]]ss`."""
    if value is None:
        raise InvalidField("This field may not be null.")
    match = DURATION.fullmatch(str(value))
    if match is None:
        raise InvalidField("Duration has wrong format. Use one of these formats instead: [DD] [HH:[MM:]]ss[.uuuuuu].")
    days, minus, hours, minutes, seconds = match.groups()
    try:
        within = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds))
        return int((timedelta(days=int(days or 0)) + (-within if minus else within)).total_seconds())
    except OverflowError as error:
        raise InvalidField("The number of days must be between -999999999 and 999999999.") from error


def _choice(words: tuple[str, ...], problem: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value is None:
            raise InvalidField("This field may not be null.")
        if value not in words:
            raise detail(problem)
        return str(value)

    return check


def _interval(value: object) -> int:
    interval = integer()(value)
    if interval <= 0:
        raise detail("Invalid value for interval")
    return interval


def _each(allowed: tuple[str, ...] | range | list[int], problem: str) -> Callable[[object], str | None]:
    """Return a check for a list of allowed values, stored as JSON; null and an empty list are stored as null."""

    def check(value: object) -> str | None:
        if value is None:
            return None
        values = array(value)
        if any(isinstance(item, bool | float) or item not in allowed for item in values):
            raise detail(problem)
        return json.dumps(values) if values else None

    return check


def _rolling_users(db: sqlite3.Connection, value: object) -> str | None:
    """Return lists of existing users as JSON. Errors have the position of the list as their key."""
    if value is None:
        return None
    groups = [array(group or []) for group in array(value)]
    known = [existing_users(db)(group) for group in groups]
    problems = {
        str(position): [f"User does not exist {missing}"]
        for position, (group, found) in enumerate(zip(groups, known, strict=True))
        if (missing := {str(user_id) for user_id in group} - set(found))
    }
    if problems:
        raise InvalidField(problems)
    return json.dumps(known) if known else None
