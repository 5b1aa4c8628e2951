"""An alert group as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oncallctl.sandbox import GRAFANA_URL
from oncallctl.sandbox.moments import precise

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.dialects import Dialect


def alert_group(row: sqlite3.Row, dialect: Dialect) -> dict[str, object]:
    """Say one alert group."""
    labels = json.loads(row["labels_json"])
    return {
        "id": row["id"],
        "integration_id": row["integration_id"],
        "team_id": row["team_id"],
        "route_id": row["route_id"],
        "alerts_count": row["alerts_count"],
        "state": row["state"],
        "created_at": precise(row["created_at"]),
        "resolved_at": precise(row["resolved_at"]),
        "resolved_by": row["resolved_by"],
        "acknowledged_at": precise(row["acknowledged_at"]),
        "acknowledged_by": row["acknowledged_by"],
        "labels": [
            {"key": {"id": key, "name": key}, "value": {"id": value, "name": value}} for key, value in labels.items()
        ],
        "title": row["title"],
        "permalinks": {
            "slack": None,
            "slack_app": None,
            "telegram": None,
            "web": f"{GRAFANA_URL}/a/{dialect.app}/alert-groups/{row['id']}",
        },
        "silenced_at": precise(row["silenced_at"]),
        "last_alert": {
            "id": row["last_alert_id"],
            "alert_group_id": row["id"],
            "created_at": precise(row["last_alert_at"]),
            "payload": json.loads(row["last_alert_json"]),
        },
    }
