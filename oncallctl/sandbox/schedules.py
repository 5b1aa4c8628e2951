"""Schedules: list, get, create, change, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import rows
from oncallctl.sandbox.answers import NOTHING, Answer, bad_request, detail, not_found
from oncallctl.sandbox.fields import Checker, Invalid, at_most, boolean, dictionary, optional, text, time_zone
from oncallctl.sandbox.identifiers import new_id
from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.references import of_team, team
from oncallctl.sandbox.rota import on_call
from oncallctl.sandbox.shift_rows import of_schedule

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from oncallctl.sandbox.calls import Call

Json = dict[str, object]

FIELDS: Final = {
    "web": ("name", "team_id", "time_zone", "slack"),
    "calendar": ("name", "team_id", "time_zone", "slack", "ical_url_overrides", "enable_web_overrides"),
    "ical": ("name", "team_id", "ical_url_primary", "ical_url_overrides", "slack"),
}
"""The fields of a schedule of each type, besides its shifts."""
NEEDED: Final = {"web": {"name", "time_zone"}, "calendar": {"name", "time_zone"}, "ical": {"name", "ical_url_primary"}}
NAME_LENGTH: Final = 200
URL_LENGTH: Final = 500


def all_schedules(call: Call) -> Answer:
    """List them; `name` matches whole and exactly."""
    found = call.db.execute("SELECT * FROM schedules ORDER BY position").fetchall()
    name = call.request.args.get("name")
    wanted = [row for row in of_team(call, found) if name is None or row["name"] == name]
    return listing(call, wanted, lambda row: _view(call, row))


def one_schedule(call: Call) -> Answer:
    """Get one."""
    return Answer(_view(call, _find(call)))


def create(call: Call) -> Answer:
    """Create one; two may have the same name, and shifts that there are not are left out (create_bad_shift).

    A web schedule takes its shifts from the one that held them, a calendar shares them.
    """
    kind = call.fields.get("type")
    if kind is None:
        raise bad_request({"type": "This field is required"})
    if kind not in [*FIELDS]:
        raise bad_request({"type": "Invalid type"})
    columns, shifts = _read(call, str(kind), required=True)
    schedule_id = new_id("S")
    rows.insert(call.db, "schedules", {"id": schedule_id, "type": kind, **columns})
    if kind == "web":
        _take_from_others(call.db, shifts or [])
    _hold(call.db, schedule_id, shifts or [])
    return Answer(_view(call, _by_id(call.db, schedule_id)), 201)


def change(call: Call) -> Answer:
    """Change what a body names; the type stays. PUT does no more than PATCH (put_calendar_no_type)."""
    row = _find(call)
    columns, shifts = _read(call, row["type"], required=False)
    if row["type"] == "web":
        raise detail("Web schedule update is not enabled through API")
    rows.update(call.db, "schedules", row["id"], columns)
    if shifts is not None:
        call.db.execute("DELETE FROM schedule_shifts WHERE schedule_id = ?", (row["id"],))
        _hold(call.db, row["id"], shifts)
    return Answer(_view(call, _by_id(call.db, row["id"])))


def delete(call: Call) -> Answer:
    """Delete one: the shifts of a web schedule go with it, the steps that notify from it notify nobody."""
    row = _find(call)
    if row["type"] == "web":
        for shift in of_schedule(call.db, row["id"]):
            rows.delete(call.db, "on_call_shifts", shift["id"])
    rows.delete(call.db, "schedules", row["id"])
    return Answer(NOTHING, 204)


def _read(call: Call, kind: str, *, required: bool) -> tuple[Json, list[sqlite3.Row] | None]:
    """Read the columns and the shifts that a body names; None where it names no shifts."""
    fields = call.fields
    checks: dict[str, Callable[[object], object]] = {
        "name": at_most(NAME_LENGTH),
        "team_id": team(call),
        "time_zone": time_zone,
        "ical_url_primary": _calendar,
        "ical_url_overrides": optional(_calendar if kind == "ical" else at_most(URL_LENGTH)),
        "enable_web_overrides": lambda value: value is not None and boolean(value),
        "slack": lambda value: _slack(call.db, value),
    }
    checker = Checker(fields)
    read = {name: checker.read(name, checks[name], required=required and name in NEEDED[kind]) for name in FIELDS[kind]}
    shifts = None if kind == "ical" else checker.read("shifts", lambda value: _shifts(call.db, value, kind))
    checker.done()
    columns: Json = {name: value for name, value in read.items() if name in fields and name != "slack"}
    slack = read["slack"]
    return columns | (slack if isinstance(slack, dict) else {}), shifts


def _calendar(value: object) -> str:
    """Refuse a calendar to import: the sandbox downloads nothing."""
    text(value)
    raise Invalid("Ical download failed")


def _slack(db: sqlite3.Connection, value: object) -> Json:
    """Check the Slack channel and user group, and give their columns."""
    columns: Json = {}
    problems: Json = {}
    for name, table, noun in (
        ("channel_id", "slack_channels", "channel"),
        ("user_group_id", "user_groups", "user group"),
    ):
        slack_id = dictionary(value).get(name)
        if slack_id is not None and rows.where(db, table, "slack_id", str(slack_id).upper()) is None:
            problems[name] = [f"Slack {noun} does not exist"]
        elif name in dictionary(value):
            columns[f"slack_{name}"] = None if slack_id is None else str(slack_id).upper()
    if problems:
        raise Invalid(problems)
    return columns


def _shifts(db: sqlite3.Connection, value: object, kind: str) -> list[sqlite3.Row]:
    """Read the shifts that a list of ids names; null is none."""
    named = dict.fromkeys(map(str, value)) if isinstance(value, list) else {}
    found = [row for row in (rows.by_id(db, "on_call_shifts", shift_id) for shift_id in named) if row is not None]
    if kind == "calendar" and any(row["type"] == "override" for row in found):
        raise detail("Shifts of type override are not supported in this schedule")
    return found


def _take_from_others(db: sqlite3.Connection, shifts: Iterable[sqlite3.Row]) -> None:
    for shift in shifts:
        db.execute(
            "DELETE FROM schedule_shifts WHERE shift_id = ? "
            "AND schedule_id IN (SELECT id FROM schedules WHERE type = 'web')",
            (shift["id"],),
        )


def _hold(db: sqlite3.Connection, schedule_id: str, shifts: Iterable[sqlite3.Row]) -> None:
    for shift in shifts:
        rows.insert(db, "schedule_shifts", {"schedule_id": schedule_id, "shift_id": shift["id"]})


def _find(call: Call) -> sqlite3.Row:
    row = rows.by_id(call.db, "schedules", call.ids[0])
    if row is None:
        raise not_found()
    return row


def _by_id(db: sqlite3.Connection, schedule_id: str) -> sqlite3.Row:
    row = rows.by_id(db, "schedules", schedule_id)
    assert row is not None  # noqa: S101 - it was made or found
    return row


def _view(call: Call, row: sqlite3.Row) -> Json:
    """Say one schedule; which fields there are depends on its type (schedules/list)."""
    kind = row["type"]
    shown: Json = {"id": row["id"], "team_id": row["team_id"], "name": row["name"]}
    if kind == "ical":
        shown |= {name: row[name] for name in ("ical_url_primary", "ical_url_overrides")}
    else:
        shown |= {"time_zone": row["time_zone"]}
    shown["on_call_now"] = on_call(call.db, row["id"], call.now, call.dialect)
    if kind != "ical":
        shown["shifts"] = [shift["id"] for shift in of_schedule(call.db, row["id"])]
    if kind == "calendar":
        shown |= {
            "ical_url_overrides": row["ical_url_overrides"],
            "enable_web_overrides": bool(row["enable_web_overrides"]),
        }
    slack = {"channel_id": row["slack_channel_id"], "user_group_id": row["slack_user_group_id"]}
    return shown | {"slack": slack, "type": kind}
