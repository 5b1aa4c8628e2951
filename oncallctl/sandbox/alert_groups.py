"""Alert groups: list and get."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import alert_group_rows
from oncallctl.sandbox.alert_group_view import alert_group
from oncallctl.sandbox.answers import Answer, bad_request, detail, not_found
from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.references import asked_teams

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from oncallctl.sandbox.calls import Call

    Filter = Callable[[sqlite3.Row], bool]

SECOND_FORMAT: Final = "%Y-%m-%dT%H:%M:%S"
STATES: Final = {"new": "firing", "acknowledged": "acknowledged", "resolved": "resolved", "silenced": "silenced"}


def all_groups(call: Call) -> Answer:
    """List them, newest first.

    `state=new` is what the body calls firing. Unknown filters are ignored, `search` and `name` among them.
    """
    filters = [*_plain(call), *_state(call), *_team(call), *_labels(call), *_started_at(call)]
    rows = call.db.execute(
        f"{alert_group_rows.ALERT_GROUPS} ORDER BY alert_groups.created_at DESC, alert_groups.position DESC"
    ).fetchall()
    matching = [row for row in rows if all(passes(row) for passes in filters)]
    return listing(call, matching, lambda row: alert_group(row, call.dialect))


def one_group(call: Call) -> Answer:
    """Get one."""
    return Answer(alert_group(find_group(call), call.dialect))


def find_group(call: Call) -> sqlite3.Row:
    """Find the alert group of the path.

    Raises:
        Refusal: 404.
    """
    row = alert_group_rows.by_id(call.db, call.ids[0])
    if row is None:
        raise not_found()
    return row


def _plain(call: Call) -> list[Filter]:
    def same(column: str, value: str) -> Filter:
        return lambda row: bool(row[column] == value)

    args = call.request.args
    return [same(name, args[name]) for name in ("id", "integration_id", "route_id") if args.get(name)]


def _state(call: Call) -> list[Filter]:
    word = call.request.args.get("state", "").lower()
    if not word:
        return []
    if word not in STATES:
        raise bad_request({"state": f"Must be one of the following: {', '.join(STATES)}"})
    return [lambda row: bool(row["state"] == STATES[word])]


def _team(call: Call) -> list[Filter]:
    wanted = asked_teams(call)
    if not wanted:
        return []
    return [lambda row: (row["team_id"] or "null") in wanted]


def _labels(call: Call) -> list[Filter]:
    """Filter by labels, all of which must be there; what is not `key:value` is ignored (filter_label_bad)."""
    pairs = [label.split(":", 1) for label in call.request.args.getlist("label") if ":" in label]

    def has_all(row: sqlite3.Row) -> bool:
        labels = json.loads(row["labels_json"])
        return all(labels.get(key) == value for key, value in pairs)

    return [has_all]


def _started_at(call: Call) -> list[Filter]:
    """Filter by `started_at=FROM_TO`, both `YYYY-MM-DDThh:mm:ss` in UTC."""
    text = call.request.args.get("started_at")
    if not text:
        return []
    try:
        start, end = (
            datetime.strptime(part, SECOND_FORMAT).replace(tzinfo=UTC).timestamp() for part in text.split("_")
        )
    except ValueError as error:
        raise detail("Invalid range value") from error
    if start > end:
        raise detail("Invalid range value")
    return [lambda row: start <= row["created_at"] <= end]
