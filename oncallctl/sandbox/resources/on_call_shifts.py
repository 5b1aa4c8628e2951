"""On-call shifts: rotations, recurrent and single events, and overrides."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox import rows
from oncallctl.sandbox.references import filter_by_team
from oncallctl.sandbox.served_collection import Collection, Writes
from oncallctl.sandbox.shift_fields import shift_columns
from oncallctl.sandbox.shift_rows import LOCAL_FORMAT, schedule_of_shift
from oncallctl.sandbox.timestamps import local_time, local_timestamp

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest

Json = dict[str, Any]

RECURRING: Final = frozenset({"rolling_users", "recurrent_event"})


def _view(request: ApiRequest, row: sqlite3.Row) -> Json:
    """Return the JSON of a shift; its fields depend on the type, and week_start on the frequency."""
    schedule = schedule_of_shift(request.db, row["id"])
    shown: Json = {"id": row["id"], "team_id": row["team_id"], "schedule": schedule["id"] if schedule else None}
    shown |= {name: row[name] for name in ("name", "type", "time_zone")}
    if row["type"] != "override":
        shown["level"] = row["level"]
    shown |= {"start": row["start"], "duration": row["duration_seconds"], "rotation_start": row["rotation_start"]}
    if row["type"] in RECURRING:
        shown |= {name: row[name] for name in ("frequency", "interval", "until")}
        if row["frequency"] == "weekly":
            shown["week_start"] = row["week_start"]
        shown |= {name: json.loads(row[f"{name}_json"] or "null") for name in ("by_day", "by_month", "by_monthday")}
    if row["type"] == "rolling_users":
        shown["rolling_users"] = json.loads(row["rolling_users_json"] or "null")
        shown["start_rotation_from_user_index"] = row["start_rotation_from_user_index"]
    else:
        shown["users"] = json.loads(row["users_json"])
    return shown


def _delete(request: ApiRequest, row: sqlite3.Row) -> None:
    """Delete a shift. If it has begun in a web schedule, the engine ends it instead."""
    schedule = schedule_of_shift(request.db, row["id"])
    start = local_timestamp(datetime.fromisoformat(row["rotation_start"]), UTC)
    if schedule is None or schedule["type"] != "web" or start > request.now:
        rows.delete(request.db, "on_call_shifts", row["id"])
    else:
        now = local_time(request.now, UTC).strftime(LOCAL_FORMAT)
        rows.update(request.db, "on_call_shifts", row["id"], {"until": min(now, row["until"] or now)})


# A new shift belongs to no schedule until a schedule lists it.
ON_CALL_SHIFTS = Collection(
    path="on_call_shifts",
    view=_view,
    filters={
        "name": "name = :value",
        "schedule_id": "id IN (SELECT shift_id FROM schedule_shifts WHERE schedule_id = :value)",
    },
    narrow=filter_by_team,
    writes=Writes(role="editor", id_prefix="O", columns=shift_columns, delete=_delete),
)
