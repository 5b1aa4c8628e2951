"""On-call shifts: list, get, create, change, delete."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import rows
from oncallctl.sandbox.answers import NOTHING, Answer, not_found
from oncallctl.sandbox.identifiers import new_id
from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.moments import from_the_wall, on_the_wall
from oncallctl.sandbox.references import of_team
from oncallctl.sandbox.shift_fields import changed, created
from oncallctl.sandbox.shift_rows import WALL, schedule_of

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call

Json = dict[str, object]

RECURRING: Final = frozenset({"rolling_users", "recurrent_event"})


def all_shifts(call: Call) -> Answer:
    """List them, oldest first; `name` and `schedule_id` match whole and exactly, and an empty one is none."""
    found = call.db.execute(
        "SELECT * FROM on_call_shifts WHERE (:name = '' OR name = :name) AND (:schedule = '' OR id IN "
        "(SELECT shift_id FROM schedule_shifts WHERE schedule_id = :schedule)) ORDER BY position",
        {"name": call.request.args.get("name", ""), "schedule": call.request.args.get("schedule_id", "")},
    ).fetchall()
    return listing(call, of_team(call, found), lambda row: _view(call.db, row))


def one_shift(call: Call) -> Answer:
    """Get one."""
    return Answer(_view(call.db, _find(call)))


def create(call: Call) -> Answer:
    """Create one; it belongs to no schedule until a schedule is told to hold it."""
    shift_id = new_id("O")
    rows.insert(call.db, "on_call_shifts", {"id": shift_id, **created(call)})
    return Answer(_view(call.db, _by_id(call.db, shift_id)), 201)


def change(call: Call) -> Answer:
    """Change the fields a body names. PUT does no more than PATCH; when turns are counted from stays (put)."""
    row = _find(call)
    rows.update(call.db, "on_call_shifts", row["id"], changed(call, row))
    return Answer(_view(call.db, _by_id(call.db, row["id"])))


def delete(call: Call) -> Answer:
    """Delete one; where it has begun in a web schedule it is ended and kept, as the engine does."""
    row = _find(call)
    schedule = schedule_of(call.db, row["id"])
    start = from_the_wall(datetime.fromisoformat(row["rotation_start"]), UTC)
    if schedule is None or schedule["type"] != "web" or start > call.now:
        rows.delete(call.db, "on_call_shifts", row["id"])
    else:
        now = on_the_wall(call.now, UTC).strftime(WALL)
        rows.update(call.db, "on_call_shifts", row["id"], {"until": min(now, row["until"] or now)})
    return Answer(NOTHING, 204)


def _find(call: Call) -> sqlite3.Row:
    row = rows.by_id(call.db, "on_call_shifts", call.ids[0])
    if row is None:
        raise not_found()
    return row


def _by_id(db: sqlite3.Connection, shift_id: str) -> sqlite3.Row:
    row = rows.by_id(db, "on_call_shifts", shift_id)
    assert row is not None  # noqa: S101 - it was made or found
    return row


def _view(db: sqlite3.Connection, row: sqlite3.Row) -> Json:
    """Say one shift; which fields there are depends on its type, and week_start on its frequency."""
    schedule = schedule_of(db, row["id"])
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
