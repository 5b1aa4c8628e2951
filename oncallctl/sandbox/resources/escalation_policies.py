"""Escalation policies, the steps of escalation chains."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox.fields import FieldReader, InvalidField, boolean, integer, optional, text
from oncallctl.sandbox.references import existing_id, existing_users
from oncallctl.sandbox.responses import detail
from oncallctl.sandbox.served_collection import Collection, Writes

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from oncallctl.sandbox.requests import ApiRequest

Json = dict[str, Any]

FIELDS: Final = {
    "wait": {"duration": "duration_seconds"},
    "notify_on_call_from_schedule": {"notify_on_call_from_schedule": "schedule_id"},
    "notify_persons": {"persons_to_notify": "people_json"},
    "notify_person_next_each_time": {"persons_to_notify_next_each_time": "people_json"},
    "notify_team_members": {"team_to_notify": "team_id"},
    "notify_user_group": {"group_to_notify": "user_group_id"},
    "trigger_webhook": {"action_to_trigger": "webhook_id"},
    "notify_if_time_from_to": {"notify_if_time_from": "time_from", "notify_if_time_to": "time_to"},
    "notify_if_num_alerts_in_window": {
        "num_alerts_in_window": "alerts_in_window",
        "num_minutes_in_window": "minutes_in_window",
    },
    "declare_incident": {"severity": "severity"},
    "notify_whole_channel": {},
    "repeat_escalation": {},
    "resolve": {},
}
"""The fields of a step of each type, with their columns."""
EMPTY: Final[Json] = {
    **{column: None for fields in FIELDS.values() for column in fields.values()},
    "people_json": "[]",
}
"""The values of those columns for steps of other types."""
NOTIFYING: Final = frozenset(
    [
        "notify_on_call_from_schedule",
        "notify_persons",
        "notify_person_next_each_time",
        "notify_team_members",
        "notify_user_group",
    ]
)
"""The types that can be important."""
MIN_DURATION: Final = timedelta(minutes=1)
MAX_DURATION: Final = timedelta(days=1)
TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")


def _view(_: ApiRequest, row: sqlite3.Row) -> Json:
    """Return the JSON of a step; its fields depend on the type (escalation_policies/list)."""
    shown: Json = {name: row[name] for name in ("position", "id", "escalation_chain_id", "type")}
    for name, column in FIELDS[row["type"]].items():
        shown[name] = json.loads(row[column]) if column == "people_json" else row[column]
    if row["type"] in NOTIFYING:
        shown["important"] = bool(row["important"])
    return shown


def _columns(request: ApiRequest, row: sqlite3.Row | None) -> Json:
    """Read a step; an existing one stays in its chain. PUT does no more than PATCH (put_type_change)."""
    reader = FieldReader(request.fields)
    columns: Json = {}
    if row is None:
        chain = existing_id(request.db, "escalation_chains")
        columns["escalation_chain_id"] = reader.read("escalation_chain_id", chain, required=True)
    kind = reader.read("type", lambda value: _type(request, value), required=row is None)
    if kind is None and row is not None:
        kind = row["type"]
    values, important, position = _read_values(request, reader)
    fields = FIELDS[str(kind)]
    if row is None or kind != row["type"]:
        forgotten = {column: value for column, value in EMPTY.items() if column not in fields.values()}
        columns |= {**forgotten, "type": kind, "important": False if kind in NOTIFYING else None}
    columns |= {column: values[name] for name, column in fields.items() if name in request.fields}
    if important is not None and kind in NOTIFYING:
        columns["important"] = important
    return columns if position is None else columns | {"position": position}


def _type(request: ApiRequest, value: object) -> str:
    if value is None:
        raise InvalidField("This field may not be null.")
    if value not in [*FIELDS]:
        raise detail("Invalid escalation step type")
    if value == "declare_incident" and not request.variant.is_cloud:
        raise detail("Invalid escalation step type: step is not enabled")
    return str(value)


def _read_values(request: ApiRequest, reader: FieldReader) -> tuple[Json, bool | None, int | None]:
    """Return the values of all fields, the importance and the position; fields of other types are checked, too.

    Raises:
        HttpError: 400 with the problems of all fields.
    """
    users = existing_users(request.db)
    checks: dict[str, Callable[[object], object]] = {
        "duration": optional(_duration),
        "notify_on_call_from_schedule": existing_id(request.db, "schedules"),
        "persons_to_notify": lambda value: json.dumps(users(value)),
        "persons_to_notify_next_each_time": lambda value: json.dumps(users(value)),
        "team_to_notify": existing_id(request.db, "teams"),
        "group_to_notify": existing_id(request.db, "user_groups"),
        "action_to_trigger": existing_id(request.db, "webhooks"),
        "notify_if_time_from": _time,
        "notify_if_time_to": _time,
        "num_alerts_in_window": optional(integer(at_least=0)),
        "num_minutes_in_window": optional(integer(at_least=0)),
        "severity": text,
    }
    position = reader.read("position", integer())
    important = reader.read("important", boolean)
    values = {name: reader.read(name, check) for name, check in checks.items()}
    reader.raise_problems()
    return values, important, position


def _duration(value: object) -> int:
    try:
        seconds = int(float(str(value)))
    except (ValueError, OverflowError) as error:
        raise InvalidField("A valid number is required.") from error
    if seconds < MIN_DURATION.total_seconds():
        raise InvalidField(f"Ensure this value is greater than or equal to {MIN_DURATION}.")
    if seconds > MAX_DURATION.total_seconds():
        raise InvalidField(f"Ensure this value is less than or equal to {MAX_DURATION}.")
    return seconds


def _time(value: object) -> str:
    if TIME.fullmatch(str(value)) is None:
        raise InvalidField("Time has wrong format. Use one of these formats instead: hh:mm:ssZ.")
    return str(value)


ESCALATION_POLICIES = Collection(
    path="escalation_policies",
    view=_view,
    select=(
        "SELECT escalation_policies.*, escalation_chains.position AS chain_position FROM escalation_policies "
        "JOIN escalation_chains ON escalation_chains.id = escalation_chain_id"
    ),
    order_by="chain_position, position",
    filters={"escalation_chain_id": "escalation_chain_id = :value"},
    writes=Writes(role="admin", id_prefix="E", columns=_columns, siblings=("escalation_chain_id",)),
)
