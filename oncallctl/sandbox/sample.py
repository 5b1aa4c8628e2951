"""The sample data: the organisation that the recordings were made in, so far as they show it.

Rows stand in sample.json. Most rotations have gone on since 2020, so that who is on call follows from the date alone;
alert groups, an override and the hours of data infra are relative to the moment of filling.
"""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox.moments import on_the_wall
from oncallctl.sandbox.rows import insert
from oncallctl.sandbox.shift_rows import WALL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

Row = dict[str, Any]

BETWEEN_ALERTS: Final = 30
"""Seconds from one alert of a group to its next."""


def fill(db: sqlite3.Connection, *, now: float) -> None:
    """Insert the sample data into empty tables.

    Args:
        db: a connection inside a transaction.
        now: the moment that ages are counted from, in seconds since 1970.
    """
    sample = json.loads(Path(__file__).with_name("sample.json").read_text(encoding="utf-8"))
    owners = {integration["id"]: integration for integration in sample["integrations"]}
    # A table comes after those it refers to.
    tables: dict[str, Callable[[Row], Row]] = {
        "teams": dict,
        "users": lambda row: _as_json(row, teams="teams_json"),
        "slack_channels": dict,
        "user_groups": dict,
        "webhooks": dict,
        "escalation_chains": dict,
        "schedules": dict,
        "on_call_shifts": lambda row: _shift(row, now),
        "escalation_policies": lambda row: _as_json(row, people="people_json"),
        "integrations": _integration,
        "routes": lambda row: row | {"is_default": False},
        "alert_groups": lambda row: _alert_group(row, owners[row["integration_id"]], now),
        "resolution_notes": lambda row: _aged(row, now),
    }
    for table, columns in tables.items():
        for row in sample[table]:
            insert(db, table, columns(row))
    for shift in sample["on_call_shifts"]:
        insert(db, "schedule_shifts", {"schedule_id": shift["schedule_id"], "shift_id": shift["id"]})
    for integration in sample["integrations"]:
        insert(db, "routes", _default_route(integration))
    for group in sample["alert_groups"]:
        for alert in _alerts(group, now):
            insert(db, "alerts", alert)


def _integration(integration: Row) -> Row:
    of_route = {"route_id", "route_position", "escalation_chain_id"}
    row = {key: value for key, value in integration.items() if key not in of_route}
    return _as_json(row, templates="templates_json", labels="labels_json", dynamic_labels="dynamic_labels_json")


def _default_route(integration: Row) -> Row:
    return {
        "id": integration["route_id"],
        "integration_id": integration["id"],
        "escalation_chain_id": integration["escalation_chain_id"],
        "position": integration.get("route_position", 0),
        "is_default": True,
    }


def _shift(shift: Row, now: float) -> Row:
    columns = {key: f"{key}_json" for key in ("by_day", "users", "rolling_users")}
    row = _as_json({key: value for key, value in shift.items() if key != "schedule_id"}, **columns)
    if "starts_in_seconds" in row:
        row["start"] = on_the_wall(now // 1 + row.pop("starts_in_seconds"), UTC).strftime(WALL)
    return row | {"rotation_start": row["start"]}


def _alert_group(group: Row, integration: Row, now: float) -> Row:
    row = _as_json(group, labels="labels_json")
    row = _aged({key: value for key, value in row.items() if key not in {"alerts", "severity"}}, now)
    created = row["created_at"]
    row |= {
        "team_id": integration["team_id"],
        "route_id": integration["route_id"],
        "title": f"{row['title']} on {integration['name']}",
    }
    match row["state"]:
        case "acknowledged":
            row |= {"acknowledged_at": created + 180, "acknowledged_by": "U6YF83T9HEFKQ"}
        case "resolved":
            row |= {"resolved_at": created + 300, "resolved_by": "U85BI7ASG8K6E"}
        case "silenced":
            row |= {"silenced_at": created + 60}
    return row


def _alerts(group: Row, now: float) -> list[Row]:
    """The alerts of a group, oldest first; the first one opened it."""
    created = now // 1 - group["age_seconds"]
    return [
        {
            "id": alert_id,
            "alert_group_id": group["id"],
            "created_at": created + number * BETWEEN_ALERTS,
            "payload_json": json.dumps(
                {"title": group["title"], "severity": group["severity"], "n": number, "unicode": "é🔥"}
            ),
        }
        for number, alert_id in enumerate(group["alerts"])
    ]


def _aged(row: Row, now: float) -> Row:
    """Say when a row was made, by its age in seconds."""
    aged = {key: value for key, value in row.items() if key != "age_seconds"}
    return aged | {"created_at": now // 1 - row["age_seconds"]}


def _as_json(row: Row, **columns: str) -> Row:
    """Rename the given keys to their *_json columns and encode what they hold."""
    encoded = {
        columns[key]: None if value is None else json.dumps(value) for key, value in row.items() if key in columns
    }
    return {key: value for key, value in row.items() if key not in columns} | encoded
