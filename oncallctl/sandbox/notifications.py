"""Where a route announces its alert groups."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import rows
from oncallctl.sandbox.answers import bad_request

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from oncallctl.sandbox.dialects import Dialect

Json = dict[str, object]

CHANNELS: Final = ("telegram", "mobile_app", "mobile_app_critical", "email")


def view(route: sqlite3.Row, dialect: Dialect) -> Json:
    """Say all channels of a route; Slack is used unless it was switched off."""
    stored = json.loads(route["notifications_json"])
    shown: Json = {"slack": {"channel_id": None, "enabled": True} | stored.get("slack", {})}
    for channel in (*CHANNELS, dialect.chat):
        shown[channel] = {"id": None, "enabled": False} | stored.get(channel, {})
    return shown


def change(db: sqlite3.Connection, route_id: str, given: Mapping[str, object], dialect: Dialect) -> None:
    """Store what a body says of the channels of a route.

    Raises:
        Refusal: 400 for a Slack channel that there is not.
    """
    row = rows.by_id(db, "routes", route_id)
    assert row is not None  # noqa: S101 - it was made or found
    stored = json.loads(row["notifications_json"])
    for channel in ("slack", *CHANNELS, dialect.chat):
        part = given.get(channel)
        if not isinstance(part, dict):
            continue
        if channel == "slack":
            _check_slack_channel(db, part.get("channel_id"))
        names = ("channel_id", "enabled") if channel == "slack" else ("id", "enabled")
        stored[channel] = stored.get(channel, {}) | {name: part[name] for name in names if name in part}
    rows.update(db, "routes", route_id, {"notifications_json": json.dumps(stored)})


def _check_slack_channel(db: sqlite3.Connection, slack_id: object) -> None:
    if slack_id is None or rows.where(db, "slack_channels", "slack_id", str(slack_id).upper()) is not None:
        return
    raise bad_request({"slack": {"channel_id": ["Slack channel does not exist"]}})
