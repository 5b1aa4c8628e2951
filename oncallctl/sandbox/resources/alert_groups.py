"""Alert groups."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.alert_group_rows import ALERT_GROUPS_WITH_ALERTS
from oncallctl.sandbox.alert_group_view import alert_group_json
from oncallctl.sandbox.references import team_filter
from oncallctl.sandbox.responses import bad_request, detail
from oncallctl.sandbox.served_collection import Collection

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest

    Rows = list[sqlite3.Row]

DATE_FORMAT: Final = "%Y-%m-%dT%H:%M:%S"
STATES: Final = {"new": "firing", "acknowledged": "acknowledged", "resolved": "resolved", "silenced": "silenced"}
"""The values of the filter `state`, with the states in the JSON."""


def _filter_groups(request: ApiRequest, rows: Rows) -> Rows:
    """Apply the filters that are not plain columns. Unknown filters are ignored, as are `search` and `name`."""
    return _by_start(request, _by_labels(request, _by_team(request, _by_state(request, rows))))


def _by_state(request: ApiRequest, rows: Rows) -> Rows:
    word = request.http.args.get("state", "").lower()
    if word and word not in STATES:
        raise bad_request({"state": f"Must be one of the following: {', '.join(STATES)}"})
    return [row for row in rows if not word or row["state"] == STATES[word]]


def _by_team(request: ApiRequest, rows: Rows) -> Rows:
    team_ids = team_filter(request)
    return [row for row in rows if not team_ids or (row["team_id"] or "null") in team_ids]


def _by_labels(request: ApiRequest, rows: Rows) -> Rows:
    """Return the rows that have all labels; a filter other than `key:value` is ignored (filter_label_bad)."""
    pairs = [label.split(":", 1) for label in request.http.args.getlist("label") if ":" in label]
    if not pairs:
        return rows
    return [row for row in rows if all(json.loads(row["labels_json"]).get(key) == value for key, value in pairs)]


def _by_start(request: ApiRequest, rows: Rows) -> Rows:
    """Return the rows of `started_at=FROM_TO`, both in UTC as `YYYY-MM-DDThh:mm:ss`."""
    text = request.http.args.get("started_at")
    if not text:
        return rows
    try:
        start, end = (datetime.strptime(part, DATE_FORMAT).replace(tzinfo=UTC).timestamp() for part in text.split("_"))
    except ValueError as error:
        raise detail("Invalid range value") from error
    if start > end:
        raise detail("Invalid range value")
    return [row for row in rows if start <= row["created_at"] <= end]


ALERT_GROUPS = Collection(
    path="alert_groups",
    view=lambda request, row: alert_group_json(row, request.variant),
    select=ALERT_GROUPS_WITH_ALERTS,
    order_by="created_at DESC, position DESC",
    filters={name: f"{name} = :value" for name in ("id", "integration_id", "route_id")},
    narrow=_filter_groups,
)
