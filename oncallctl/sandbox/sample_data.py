"""The sample data: the organization of the recordings, with names and texts that read like real ones.

sample_data.json has the rows. Most rotations have run since 2020, so that the date alone decides who is on call. Alert
groups, an override, a shift swap and the shift of data infra are relative to the time of insertion.
"""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox.rows import insert
from oncallctl.sandbox.shift_rows import LOCAL_FORMAT
from oncallctl.sandbox.timestamps import local_time

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

SampleRow = dict[str, Any]

SECONDS_BETWEEN_ALERTS: Final = 30
OF_ALERTS: Final = frozenset(["alerts", "severity", "summary", "runbook_url"])
"""The keys of an alert group that describe its alerts."""


def insert_sample_data(db: sqlite3.Connection, *, now: float) -> None:
    """Insert the sample data into empty tables.

    Args:
        db: a connection in a transaction.
        now: the timestamp from which ages are counted.
    """
    sample = json.loads(Path(__file__).with_name("sample_data.json").read_text(encoding="utf-8"))
    integrations = {integration["id"]: integration for integration in sample["integrations"]}
    # A table must follow the tables that it refers to.
    tables: dict[str, Callable[[SampleRow], SampleRow]] = {
        "teams": dict,
        "users": lambda row: _encode(row, teams="teams_json"),
        "personal_notification_rules": dict,
        "slack_channels": dict,
        "user_groups": dict,
        "webhooks": dict,
        "escalation_chains": dict,
        "schedules": dict,
        "on_call_shifts": lambda row: _shift(row, now),
        "shift_swaps": lambda row: _shift_swap(row, now),
        "escalation_policies": lambda row: _encode(row, people="people_json"),
        "integrations": _integration,
        "routes": lambda row: row | {"is_default": False},
        "alert_groups": lambda row: _alert_group(row, integrations[row["integration_id"]], now),
        "resolution_notes": lambda row: _with_creation_time(row, now),
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


def _integration(integration: SampleRow) -> SampleRow:
    of_route = {"route_id", "route_position", "escalation_chain_id"}
    row = {key: value for key, value in integration.items() if key not in of_route}
    return _encode(row, templates="templates_json", labels="labels_json", dynamic_labels="dynamic_labels_json")


def _default_route(integration: SampleRow) -> SampleRow:
    return {
        "id": integration["route_id"],
        "integration_id": integration["id"],
        "escalation_chain_id": integration["escalation_chain_id"],
        "position": integration.get("route_position", 0),
        "is_default": True,
    }


def _shift(shift: SampleRow, now: float) -> SampleRow:
    columns = {key: f"{key}_json" for key in ("by_day", "users", "rolling_users")}
    row = _encode({key: value for key, value in shift.items() if key != "schedule_id"}, **columns)
    if "starts_in_seconds" in row:
        row["start"] = local_time(now // 1 + row.pop("starts_in_seconds"), UTC).strftime(LOCAL_FORMAT)
    return row | {"rotation_start": row["start"]}


def _shift_swap(swap: SampleRow, now: float) -> SampleRow:
    row = _with_creation_time(swap, now)
    start = now // 1 + row.pop("starts_in_seconds")
    return row | {
        "swap_start": start,
        "swap_end": start + row.pop("duration_seconds"),
        "updated_at": row["created_at"],
    }


def _alert_group(group: SampleRow, integration: SampleRow, now: float) -> SampleRow:
    row = _encode(group, labels="labels_json")
    row = _with_creation_time({key: value for key, value in row.items() if key not in OF_ALERTS}, now)
    created = row["created_at"]
    row |= {"team_id": integration["team_id"], "route_id": integration["route_id"]}
    match row["state"]:
        case "acknowledged":
            row |= {"acknowledged_at": created + 180, "acknowledged_by": "U6YF83T9HEFKQ"}
        case "resolved":
            row |= {"resolved_at": created + 300, "resolved_by": "U85BI7ASG8K6E"}
        case "silenced":
            row |= {"silenced_at": created + 60}
    return row


def _alerts(group: SampleRow, now: float) -> list[SampleRow]:
    """Return the alerts of a group, oldest first; the first one opened it."""
    created = now // 1 - group["age_seconds"]
    return [
        {
            "id": alert_id,
            "alert_group_id": group["id"],
            "created_at": created + number * SECONDS_BETWEEN_ALERTS,
            "payload_json": json.dumps({name: group[name] for name in ("title", "severity", "summary", "runbook_url")}),
        }
        for number, alert_id in enumerate(group["alerts"])
    ]


def _with_creation_time(row: SampleRow, now: float) -> SampleRow:
    """Replace the age of a row by the time of its creation."""
    other = {key: value for key, value in row.items() if key != "age_seconds"}
    return other | {"created_at": now // 1 - row["age_seconds"]}


def _encode(row: SampleRow, **columns: str) -> SampleRow:
    """Rename keys to their *_json columns and encode the values."""
    encoded = {
        columns[key]: None if value is None else json.dumps(value) for key, value in row.items() if key in columns
    }
    return {key: value for key, value in row.items() if key not in columns} | encoded
