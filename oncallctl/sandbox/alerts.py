"""Alerts: the list of them; one of them has no path of its own (alerts/get_by_id)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.moments import precise

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.answers import Answer
    from oncallctl.sandbox.calls import Call


def all_alerts(call: Call) -> Answer:
    """List them, newest first.

    `id` and `alert_group_id` match whole; `search` is looked for in the payload's JSON, in which all but ASCII is
    escaped, without regard to case. An empty filter is none.
    """
    rows = call.db.execute(
        "SELECT * FROM alerts WHERE (:id = '' OR id = :id) AND (:group = '' OR alert_group_id = :group) "
        "AND instr(lower(payload_json), lower(:search)) ORDER BY position DESC",
        {
            "id": call.request.args.get("id", ""),
            "group": call.request.args.get("alert_group_id", ""),
            "search": call.request.args.get("search", ""),
        },
    ).fetchall()
    return listing(call, rows, _view)


def _view(row: sqlite3.Row) -> dict[str, object]:
    return {
        "id": row["id"],
        "alert_group_id": row["alert_group_id"],
        "created_at": precise(row["created_at"]),
        "payload": json.loads(row["payload_json"]),
    }
