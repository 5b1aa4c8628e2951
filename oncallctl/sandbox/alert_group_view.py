"""The JSON of an alert group."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from oncallctl.sandbox import GRAFANA_URL
from oncallctl.sandbox.timestamps import to_iso

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.variants import Variant


def alert_group_json(row: sqlite3.Row, variant: Variant) -> dict[str, Any]:
    """Return the JSON of an alert group with its last alert."""
    labels = json.loads(row["labels_json"])
    return {
        "id": row["id"],
        "integration_id": row["integration_id"],
        "team_id": row["team_id"],
        "route_id": row["route_id"],
        "alerts_count": row["alerts_count"],
        "state": row["state"],
        "created_at": to_iso(row["created_at"]),
        "resolved_at": to_iso(row["resolved_at"]),
        "resolved_by": row["resolved_by"],
        "acknowledged_at": to_iso(row["acknowledged_at"]),
        "acknowledged_by": row["acknowledged_by"],
        "labels": [
            {"key": {"id": key, "name": key}, "value": {"id": value, "name": value}} for key, value in labels.items()
        ],
        "title": row["title"],
        "permalinks": {
            "slack": None,
            "slack_app": None,
            "telegram": None,
            "web": f"{GRAFANA_URL}/a/{variant.app}/alert-groups/{row['id']}",
        },
        "silenced_at": to_iso(row["silenced_at"]),
        "last_alert": {
            "id": row["last_alert_id"],
            "alert_group_id": row["id"],
            "created_at": to_iso(row["last_alert_at"]),
            "payload": json.loads(row["last_alert_json"]),
        },
    }
