"""Shift swaps (shift_swaps.jsonl). A swap that has begun can be reached only with `starting_after` in the query."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox import GRAFANA_URL, rows
from oncallctl.sandbox.fields import FieldReader, InvalidField, optional, text_up_to
from oncallctl.sandbox.references import existing_id
from oncallctl.sandbox.responses import SandboxResponse, bad_request, detail
from oncallctl.sandbox.rota import OVERRIDE_LEVEL, OnCallPeriod, TimeRange, level_of, periods
from oncallctl.sandbox.served_collection import Collection, Writes
from oncallctl.sandbox.swap_rows import status_of
from oncallctl.sandbox.timestamps import to_iso, to_iso_microseconds

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest

Json = dict[str, Any]

MAX_DESCRIPTION_LENGTH: Final = 3000
INVALID_TIME: Final = (
    "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm:ssZ, YYYY-MM-DDThh:mm:ss.uuuuuuZ, "
    "YYYY-MM-DDThh:mm:ss[+HHMM|-HHMM], YYYY-MM-DDThh:mm:ss.uuuuuu[+HHMM|-HHMM]."
)


def take_swap(request: ApiRequest) -> SandboxResponse:
    """Make a user the benefactor of an open swap."""
    row = SHIFT_SWAPS.find(request)
    benefactor_id = _user_id(request, "benefactor")
    if benefactor_id == row["beneficiary_id"]:
        raise detail("A shift swap request cannot be created and taken by the same user")
    if status_of(row, request.now) != "open":
        raise detail("The shift swap request is not in a state which allows it to be taken")
    rows.update(request.db, "shift_swaps", row["id"], {"benefactor_id": benefactor_id, "updated_at": request.now})
    return SandboxResponse(_view(request, rows.existing(request.db, "shift_swaps", row["id"])))


def _list_view(request: ApiRequest, row: sqlite3.Row) -> Json:
    return {
        "id": row["id"],
        "created_at": to_iso_microseconds(row["created_at"]),
        "updated_at": to_iso_microseconds(row["updated_at"]),
        "status": status_of(row, request.now),
        "schedule": row["schedule_id"],
        "swap_start": to_iso_microseconds(row["swap_start"]),
        "swap_end": to_iso_microseconds(row["swap_end"]),
        "description": row["description"],
        "beneficiary": row["beneficiary_id"],
        "benefactor": row["benefactor_id"],
    }


def _view(request: ApiRequest, row: sqlite3.Row) -> Json:
    """Return the JSON of a single swap, with the shifts that it changes."""
    within = TimeRange(row["swap_start"], row["swap_end"])
    found = periods(request.db, row["schedule_id"], within, request.variant, now=request.now)
    shifts = [_shift(request.db, each) for each in found if row["id"] in (swap.id for swap in each.swaps.values())]
    return _list_view(request, row) | {"shifts": shifts}


def _shift(db: sqlite3.Connection, period: OnCallPeriod) -> Json:
    is_override = level_of(period.shift) == OVERRIDE_LEVEL
    users: list[Json] = []
    for user_id in period.users:
        swap = period.swaps.get(user_id)
        if swap is None:
            users.append(_user(db, user_id))
        elif swap.replaced_id is None:
            users.append(_user(db, user_id) | {"swap_request": {"pk": swap.id}})
        else:
            users.append(_user(db, user_id) | {"swap_request": {"pk": swap.id, "user": _user(db, swap.replaced_id)}})
    return {
        "all_day": False,
        "start": to_iso(period.range.start),
        "end": to_iso(period.range.end),
        "users": users,
        "missing_users": [],
        "priority_level": 0 if is_override else period.shift["level"],
        "source": "web",
        "calendar_type": 1 if is_override else 0,
        "is_empty": False,
        "is_gap": False,
        "is_override": is_override,
        "shift": {"pk": period.shift["id"]},
    }


def _user(db: sqlite3.Connection, user_id: str) -> Json:
    user = rows.existing(db, "users", user_id)
    return {
        "display_name": user["username"],
        "email": user["email"],
        "pk": user_id,
        "avatar_full": f"{GRAFANA_URL}/avatar/{user['grafana_id']}",
    }


def _columns(request: ApiRequest, row: sqlite3.Row | None) -> Json:
    """Read a swap; the beneficiary of an existing one stays. Nothing checks that the beneficiary is on call."""
    reader = FieldReader(request.fields)
    is_complete = row is None or request.http.method == "PUT"
    schedule_id = reader.read("schedule", existing_id(request.db, "schedules"), required=is_complete)
    start = reader.read("swap_start", _timestamp, required=is_complete)
    end = reader.read("swap_end", _timestamp, required=is_complete)
    description = reader.read("description", optional(text_up_to(MAX_DESCRIPTION_LENGTH)))
    reader.raise_problems()
    _check_times(start, end, request.now)
    columns = {"schedule_id": schedule_id, "swap_start": start, "swap_end": end}
    given: Json = {name: value for name, value in columns.items() if value is not None}
    if "description" in request.fields:
        given["description"] = description
    if row is None:
        given |= {"beneficiary_id": _user_id(request, "beneficiary"), "created_at": request.now}
    return given | {"updated_at": request.now}


def _check_times(start: float | None, end: float | None, now: float) -> None:
    if start is None and end is None:
        return
    problem = None
    if start is None or end is None:
        problem = "when doing a partial update on time related fields, both start and end times must be specified"
    elif now > start:
        problem = "swap_start must be a datetime in the future"
    elif start > end:
        problem = "swap_end must occur after swap_start"
    if problem:
        raise bad_request({"non_field_errors": [problem]})


def _timestamp(value: object) -> float:
    """Return the timestamp of a time with a zone."""
    if value is None:
        raise InvalidField("This field may not be null.")
    text = str(value)
    try:
        if "." in text:
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except (ValueError, OverflowError) as error:
        raise InvalidField(INVALID_TIME) from error


def _user_id(request: ApiRequest, field: str) -> str:
    value = request.fields.get(field)
    if not value:
        raise detail(f"{field} user ID is required")
    if rows.by_id(request.db, "users", value) is None:
        raise detail(f"Invalid {field} user ID")
    return str(value)


def _filter_swaps(request: ApiRequest, found: list[sqlite3.Row]) -> list[sqlite3.Row]:
    """Leave out swaps that start before `starting_after`, which defaults to now. Single swaps are filtered as well."""
    text = request.http.args.get("starting_after")
    try:
        after = _timestamp(text) if text else request.now
    except InvalidField as invalid:
        raise bad_request(invalid.problem) from invalid
    only_open = request.http.args.get("open_only") == "true"
    return [
        row for row in found if row["swap_start"] >= after and (not only_open or status_of(row, request.now) == "open")
    ]


SHIFT_SWAPS = Collection(
    path="shift_swaps",
    view=_view,
    list_view=_list_view,
    order_by="swap_start, position",
    filters={
        "schedule_id": "schedule_id = :value",
        "beneficiary": "beneficiary_id = :value",
        "benefactor": "benefactor_id = :value",
    },
    narrow=_filter_swaps,
    writes=Writes(role="editor", id_prefix="SSR", columns=_columns),
)
