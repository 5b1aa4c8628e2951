"""Alerts. The API only lists them; a single alert has no path (alerts/get_by_id)."""

from __future__ import annotations

import json

from oncallctl.sandbox.served_collection import Collection
from oncallctl.sandbox.timestamps import to_iso

ALERTS = Collection(
    path="alerts",
    view=lambda _, row: {
        "id": row["id"],
        "alert_group_id": row["alert_group_id"],
        "created_at": to_iso(row["created_at"]),
        "payload": json.loads(row["payload_json"]),
    },
    order_by="position DESC",
    filters={
        "id": "id = :value",
        "alert_group_id": "alert_group_id = :value",
        # The payload's JSON is ASCII; other characters are escaped.
        "search": "instr(lower(payload_json), lower(:value))",
    },
    has_get=False,
)
