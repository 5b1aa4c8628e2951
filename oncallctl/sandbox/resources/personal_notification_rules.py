"""Personal notification rules: how users are notified (personal_notification_rules.jsonl)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox.fields import REQUIRED, FieldReader, InvalidField, boolean, integer
from oncallctl.sandbox.responses import bad_request, detail
from oncallctl.sandbox.rows import by_id
from oncallctl.sandbox.served_collection import Collection, Writes

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest

Json = dict[str, Any]

WAIT: Final = "wait"
DEFAULT_WAIT: Final = 300
DURATIONS: Final = (60, 300, 900, 1800, 3600)
TYPES: Final = (
    WAIT,
    "notify_by_slack",
    "notify_by_sms",
    "notify_by_phone_call",
    "notify_by_telegram",
    "notify_by_email",
    "notify_by_mobile_app",
    "notify_by_mobile_app_critical",
)


def _view(_: ApiRequest, row: sqlite3.Row) -> Json:
    shown: Json = {name: row[name] for name in ("position", "id", "user_id")}
    if row["type"] == WAIT:
        shown["duration"] = row["duration_seconds"]
    return shown | {"important": bool(row["important"]), "type": row["type"]}


def _filter_rules(request: ApiRequest, rows: list[sqlite3.Row]) -> list[sqlite3.Row]:
    user_id, important = request.http.args.get("user_id"), request.http.args.get("important")
    if user_id is not None and by_id(request.db, "users", user_id) is None:
        raise detail("User not found.")
    if important not in {None, "true", "false"}:
        raise detail("Important is not bool")
    return [
        row
        for row in rows
        if user_id in {None, row["user_id"]} and (important is None or bool(row["important"]) is (important == "true"))
    ]


def _columns(request: ApiRequest, row: sqlite3.Row | None) -> Json:
    """Read a rule; the user and the importance of an existing one stay."""
    fields = request.fields
    if row is None and "user_id" not in fields:
        raise bad_request({"user_id": [REQUIRED]})
    if row is None and by_id(request.db, "users", fields["user_id"]) is None:
        raise detail("User does not exist")
    reader = FieldReader(fields)
    important = reader.read("important", boolean)
    duration = reader.read("duration", _duration)
    position = reader.read("position", integer())
    reader.raise_problems()
    kind = fields.get("type", None if row is None else row["type"])
    if kind is None:
        raise bad_request({"type": "Type is required"})
    if kind not in [*TYPES]:
        raise bad_request({"type": "Invalid type"})
    if duration is not None and kind != WAIT:
        raise bad_request({"duration": "Duration can't be set"})
    if kind == WAIT and duration is None:
        duration = DEFAULT_WAIT if row is None or row["type"] != WAIT else row["duration_seconds"]
    columns: Json = {"type": kind, "duration_seconds": duration}
    if row is None:
        columns |= {"user_id": fields["user_id"], "important": bool(important)}
    return columns if position is None else columns | {"position": position}


def _duration(value: object) -> int:
    try:
        seconds = integer()(value)
    except InvalidField as error:
        raise detail("Invalid duration format") from error
    if seconds not in DURATIONS:
        raise InvalidField(f'"{value}" is not a valid choice.')
    return seconds


PERSONAL_NOTIFICATION_RULES = Collection(
    path="personal_notification_rules",
    view=_view,
    select="SELECT rules.*, grafana_id FROM personal_notification_rules AS rules JOIN users ON users.id = user_id",
    order_by="grafana_id, important, position",
    narrow=_filter_rules,
    writes=Writes(role="editor", id_prefix="N", columns=_columns, siblings=("user_id", "important")),
    service_accounts="refused",
)
