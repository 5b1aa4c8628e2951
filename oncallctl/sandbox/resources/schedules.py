"""Schedules, and their final shifts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox import rows
from oncallctl.sandbox.fields import (
    FieldReader,
    InvalidField,
    boolean,
    dictionary,
    optional,
    text,
    text_up_to,
    time_zone,
)
from oncallctl.sandbox.references import filter_by_team, usable_team
from oncallctl.sandbox.responses import SandboxResponse, bad_request, detail
from oncallctl.sandbox.rota import OnCallPeriod, TimeRange, periods, users_on_call
from oncallctl.sandbox.served_collection import Collection, Writes
from oncallctl.sandbox.shift_rows import shifts_of_schedule
from oncallctl.sandbox.timestamps import to_iso_seconds

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from oncallctl.sandbox.requests import ApiRequest

Json = dict[str, Any]

FIELDS: Final = {
    "web": ("name", "team_id", "time_zone", "slack"),
    "calendar": ("name", "team_id", "time_zone", "slack", "ical_url_overrides", "enable_web_overrides"),
    "ical": ("name", "team_id", "ical_url_primary", "ical_url_overrides", "slack"),
}
"""The fields of a schedule of each type, besides its shifts."""
REQUIRED: Final = {
    "web": {"name", "time_zone"},
    "calendar": {"name", "time_zone"},
    "ical": {"name", "ical_url_primary"},
}
MAX_NAME_LENGTH: Final = 200
MAX_URL_LENGTH: Final = 500
MAX_RANGE: Final = 365 * 86_400
DATE_FORMATS: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M")


def _view(request: ApiRequest, row: sqlite3.Row) -> Json:
    """Return the JSON of a schedule; its fields depend on the type (schedules/list)."""
    kind = row["type"]
    shown: Json = {"id": row["id"], "team_id": row["team_id"], "name": row["name"]}
    if kind == "ical":
        shown |= {name: row[name] for name in ("ical_url_primary", "ical_url_overrides")}
    else:
        shown |= {"time_zone": row["time_zone"]}
    shown["on_call_now"] = users_on_call(request.db, row["id"], request.now, request.variant)
    if kind != "ical":
        shown["shifts"] = [shift["id"] for shift in shifts_of_schedule(request.db, row["id"])]
    if kind == "calendar":
        shown |= {
            "ical_url_overrides": row["ical_url_overrides"],
            "enable_web_overrides": bool(row["enable_web_overrides"]),
        }
    slack = {"channel_id": row["slack_channel_id"], "user_group_id": row["slack_user_group_id"]}
    return shown | {"slack": slack, "type": kind}


def _columns(request: ApiRequest, row: sqlite3.Row | None) -> Json:
    """Read a schedule; names are not unique, and the type of an existing one stays (put_calendar_no_type)."""
    fields = request.fields
    kind = _new_type(fields) if row is None else str(row["type"])
    ical_url = optional(_ical_url if kind == "ical" else text_up_to(MAX_URL_LENGTH))
    checks: dict[str, Callable[[object], object]] = {
        "name": text_up_to(MAX_NAME_LENGTH),
        "team_id": usable_team(request),
        "time_zone": time_zone,
        "ical_url_primary": _ical_url,
        "ical_url_overrides": ical_url,
        "enable_web_overrides": lambda value: value is not None and boolean(value),
        "slack": lambda value: _slack_columns(request.db, value),
    }
    reader = FieldReader(fields)
    columns: Json = reader.given(
        {
            name: reader.read(name, checks[name], required=row is None and name in REQUIRED[kind])
            for name in FIELDS[kind]
        }
    )
    _shifts(request, kind)
    reader.raise_problems()
    if row is None:
        columns["type"] = kind
    elif kind == "web":
        raise detail("Web schedule update is not enabled through API")
    return columns | (columns.pop("slack", None) or {})


def _new_type(fields: Json) -> str:
    if fields.get("type") is None:
        raise bad_request({"type": "This field is required"})
    if fields["type"] not in [*FIELDS]:
        raise bad_request({"type": "Invalid type"})
    return str(fields["type"])


def _ical_url(value: object) -> str:
    """Refuse every calendar to import: the sandbox downloads nothing."""
    text(value)
    raise InvalidField("Ical download failed")


def _slack_columns(db: sqlite3.Connection, value: object) -> Json:
    """Check a Slack channel and a user group, and return their columns."""
    columns: Json = {}
    problems: Json = {}
    for name, table, noun in (
        ("channel_id", "slack_channels", "channel"),
        ("user_group_id", "user_groups", "user group"),
    ):
        slack_id = dictionary(value).get(name)
        if slack_id is not None and rows.first_where(db, table, "slack_id", str(slack_id).upper()) is None:
            problems[name] = [f"Slack {noun} does not exist"]
        elif name in dictionary(value):
            columns[f"slack_{name}"] = None if slack_id is None else str(slack_id).upper()
    if problems:
        raise InvalidField(problems)
    return columns


def _shifts(request: ApiRequest, kind: str) -> list[sqlite3.Row]:
    """Return the existing shifts that the body names; unknown ones are left out (create_bad_shift)."""
    value = None if kind == "ical" else request.fields.get("shifts")
    ids = dict.fromkeys(map(str, value)) if isinstance(value, list) else {}
    found = [row for row in (rows.by_id(request.db, "on_call_shifts", shift_id) for shift_id in ids) if row is not None]
    if kind == "calendar" and any(row["type"] == "override" for row in found):
        raise detail("Shifts of type override are not supported in this schedule")
    return found


def _set_shifts(request: ApiRequest, row: sqlite3.Row) -> None:
    """Replace the shifts of a schedule. A web schedule takes them from other web schedules, calendars share them."""
    if "shifts" not in request.fields or row["type"] == "ical":
        return
    db = request.db
    db.execute("DELETE FROM schedule_shifts WHERE schedule_id = ?", (row["id"],))
    for shift in _shifts(request, row["type"]):
        if row["type"] == "web":
            db.execute(
                "DELETE FROM schedule_shifts WHERE shift_id = ? "
                "AND schedule_id IN (SELECT id FROM schedules WHERE type = 'web')",
                (shift["id"],),
            )
        rows.insert(db, "schedule_shifts", {"schedule_id": row["id"], "shift_id": shift["id"]})


def _delete(request: ApiRequest, row: sqlite3.Row) -> None:
    """Delete a schedule, and the shifts of a web schedule; steps that notify from it then notify nobody."""
    if row["type"] == "web":
        for shift in shifts_of_schedule(request.db, row["id"]):
            rows.delete(request.db, "on_call_shifts", shift["id"])
    rows.delete(request.db, "schedules", row["id"])


SCHEDULES = Collection(
    path="schedules",
    view=_view,
    filters={"name": "name = :value"},
    filters_even_if_empty=frozenset({"name"}),
    narrow=filter_by_team,
    writes=Writes(role="editor", id_prefix="S", columns=_columns, after=_set_shifts, delete=_delete),
)


def get_final_shifts(request: ApiRequest) -> SandboxResponse:
    """Return who is on call in a time range: an entry per user and shift, clipped to the range, all in one page."""
    row = SCHEDULES.find(request)
    reader = FieldReader(dict(request.http.args))
    start = reader.read("start_date", _timestamp, required=True)
    end = reader.read("end_date", _timestamp, required=True)
    if start is None or end is None:
        raise bad_request(reader.problems)
    if start > end:
        raise bad_request({"non_field_errors": ["start_date must be less than or equal to end_date"]})
    if end - start > MAX_RANGE:
        problem = "The difference between start_date and end_date must be less than one year (365 days)"
        raise bad_request({"non_field_errors": [problem]})
    within = TimeRange(start, end)
    entries = [
        _entry(request.db, user_id, period, within)
        for period in periods(request.db, row["id"], within, request.variant, now=request.now)
        for user_id in period.users
    ]
    paging = {"current_page_number": 1, "page_size": 50, "total_pages": 1}
    return SandboxResponse({"count": len(entries), "next": None, "previous": None, "results": entries, **paging})


def _timestamp(value: object) -> float:
    for date_format in DATE_FORMATS:
        try:
            return datetime.strptime(str(value), date_format).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    raise InvalidField("Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm, YYYY-MM-DD.")


def _entry(db: sqlite3.Connection, user_id: str, period: OnCallPeriod, within: TimeRange) -> Json:
    user = rows.existing(db, "users", user_id)
    return {
        "user_pk": user_id,
        "user_email": user["email"],
        "user_username": user["username"],
        "shift_start": to_iso_seconds(max(period.range.start, within.start)),
        "shift_end": to_iso_seconds(min(period.range.end, within.end)),
    }
