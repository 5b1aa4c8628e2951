"""Escalation policies, the steps of escalation chains: list, get, create, change, delete."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import positions, rows
from oncallctl.sandbox.answers import NOTHING, Answer, detail, not_found
from oncallctl.sandbox.fields import Checker, Invalid, boolean, number, optional, text
from oncallctl.sandbox.identifiers import new_id
from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.references import one_of, people

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from oncallctl.sandbox.calls import Call

Json = dict[str, object]

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
"""The fields that a step of each type has, with the columns they are stored in."""
EMPTY: Final[Json] = {
    **{column: None for fields in FIELDS.values() for column in fields.values()},
    "people_json": "[]",
}
"""What those columns hold in a step of another type."""
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
SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=1)
TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")


def all_policies(call: Call) -> Answer:
    """List the steps of all chains, or of the one that `escalation_chain_id` names."""
    query = (
        "SELECT escalation_policies.* FROM escalation_policies JOIN escalation_chains "
        "ON escalation_chains.id = escalation_policies.escalation_chain_id "
        "WHERE :chain = '' OR escalation_chain_id = :chain "
        "ORDER BY escalation_chains.position, escalation_policies.position"
    )
    chain = call.request.args.get("escalation_chain_id", "")
    return listing(call, call.db.execute(query, {"chain": chain}).fetchall(), _view)


def one_policy(call: Call) -> Answer:
    """Get one step."""
    return Answer(_view(_find(call)))


def create(call: Call) -> Answer:
    """Add a step to a chain: at its end, or where `position` says."""
    checker = Checker(call.fields)
    chain_id = checker.read("escalation_chain_id", one_of(call.db, "escalation_chains"), required=True)
    kind = checker.read("type", lambda value: _kind(call, value), required=True)
    position, columns = _read(call, checker, str(kind))
    policy_id = new_id("E")
    rows.insert(
        call.db,
        "escalation_policies",
        {
            "id": policy_id,
            "escalation_chain_id": chain_id,
            "type": kind,
            "position": positions.after(_steps(call.db, chain_id)),
            "important": False if kind in NOTIFYING else None,
            **columns,
        },
    )
    if position is not None:
        positions.move(call.db, "escalation_policies", policy_id, position, _steps(call.db, chain_id))
    return Answer(_view(_by_id(call.db, policy_id)), 201)


def change(call: Call) -> Answer:
    """Change what a body names; the chain stays. PUT does no more than PATCH (put_type_change)."""
    row = _find(call)
    checker = Checker(call.fields)
    kind = str(checker.read("type", lambda value: _kind(call, value)) or row["type"])
    position, columns = _read(call, checker, kind)
    if kind != row["type"]:
        forgotten = {column: value for column, value in EMPTY.items() if column not in FIELDS[kind].values()}
        columns = {"important": False if kind in NOTIFYING else None, **forgotten, **columns, "type": kind}
    if position is not None:
        neighbours = _steps(call.db, row["escalation_chain_id"])
        positions.move(call.db, "escalation_policies", row["id"], position, neighbours)
    rows.update(call.db, "escalation_policies", row["id"], columns)
    return Answer(_view(_by_id(call.db, row["id"])))


def delete(call: Call) -> Answer:
    """Delete one; the positions of the others stay."""
    rows.delete(call.db, "escalation_policies", _find(call)["id"])
    return Answer(NOTHING, 204)


def _kind(call: Call, value: object) -> str:
    if value is None:
        raise Invalid("This field may not be null.")
    if value not in [*FIELDS]:
        raise detail("Invalid escalation step type")
    if value == "declare_incident" and not call.dialect.is_cloud:
        raise detail("Invalid escalation step type: step is not enabled")
    return str(value)


def _read(call: Call, checker: Checker, kind: str) -> tuple[int | None, Json]:
    """Read the position and the columns of a step; what its type does not have is checked and left out.

    Raises:
        Refusal: 400 with all problems, also those that the checker has found before.
    """
    checks: dict[str, Callable[[object], object]] = {
        "duration": optional(_duration),
        "notify_on_call_from_schedule": one_of(call.db, "schedules"),
        "persons_to_notify": lambda value: json.dumps(people(call.db)(value)),
        "persons_to_notify_next_each_time": lambda value: json.dumps(people(call.db)(value)),
        "team_to_notify": one_of(call.db, "teams"),
        "group_to_notify": one_of(call.db, "user_groups"),
        "action_to_trigger": one_of(call.db, "webhooks"),
        "notify_if_time_from": _time,
        "notify_if_time_to": _time,
        "num_alerts_in_window": optional(number(at_least=0)),
        "num_minutes_in_window": optional(number(at_least=0)),
        "severity": text,
    }
    position = checker.read("position", number())
    important = checker.read("important", boolean)
    values = {name: checker.read(name, check) for name, check in checks.items()}
    checker.done()
    columns: Json = {column: values[name] for name, column in FIELDS[kind].items() if name in call.fields}
    if important is not None and kind in NOTIFYING:
        columns["important"] = important
    return position, columns


def _duration(value: object) -> int:
    """Take seconds, from a minute to a day."""
    try:
        seconds = int(float(str(value)))
    except (ValueError, OverflowError) as error:
        raise Invalid("A valid number is required.") from error
    if seconds < SHORTEST.total_seconds():
        raise Invalid(f"Ensure this value is greater than or equal to {SHORTEST}.")
    if seconds > LONGEST.total_seconds():
        raise Invalid(f"Ensure this value is less than or equal to {LONGEST}.")
    return seconds


def _time(value: object) -> str:
    if TIME.fullmatch(str(value)) is None:
        raise Invalid("Time has wrong format. Use one of these formats instead: hh:mm:ssZ.")
    return str(value)


def _steps(db: sqlite3.Connection, chain_id: object) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM escalation_policies WHERE escalation_chain_id = ?", (chain_id,)).fetchall()


def _find(call: Call) -> sqlite3.Row:
    row = rows.by_id(call.db, "escalation_policies", call.ids[0])
    if row is None:
        raise not_found()
    return row


def _by_id(db: sqlite3.Connection, policy_id: str) -> sqlite3.Row:
    row = rows.by_id(db, "escalation_policies", policy_id)
    assert row is not None  # noqa: S101 - it was made or found
    return row


def _view(row: sqlite3.Row) -> Json:
    """Say one step; which fields there are depends on its type (escalation_policies/list)."""
    shown: Json = {name: row[name] for name in ("position", "id", "escalation_chain_id", "type")}
    for name, column in FIELDS[row["type"]].items():
        shown[name] = json.loads(row[column]) if column == "people_json" else row[column]
    if row["type"] in NOTIFYING:
        shown["important"] = bool(row["important"])
    return shown
