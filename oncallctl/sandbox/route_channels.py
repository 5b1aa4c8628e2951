"""The channels in which a route announces its alert groups."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox.responses import bad_request
from oncallctl.sandbox.rows import first_where

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from oncallctl.sandbox.requests import ApiRequest
    from oncallctl.sandbox.variants import Variant

Json = dict[str, Any]

CHANNELS: Final = ("telegram", "mobile_app", "mobile_app_critical", "email")


def view(route: sqlite3.Row, variant: Variant) -> Json:
    """Return the JSON of all channels of a route; Slack is on by default."""
    stored = json.loads(route["notifications_json"])
    shown: Json = {"slack": {"channel_id": None, "enabled": True} | stored.get("slack", {})}
    for channel in (*CHANNELS, variant.chat):
        shown[channel] = {"id": None, "enabled": False} | stored.get(channel, {})
    return shown


def columns(request: ApiRequest, route: sqlite3.Row | None, given: Mapping[str, object] | None = None) -> Json:
    """Return the columns of a route with the channels of a body.

    Args:
        request: the request.
        route: the route to change; None for a new one.
        given: the part of the body that has the channels; the whole body by default.

    Raises:
        HttpError: 400 for an unknown Slack channel.
    """
    fields = request.fields if given is None else given
    stored = {} if route is None else json.loads(route["notifications_json"])
    for channel in ("slack", *CHANNELS, request.variant.chat):
        part = fields.get(channel)
        if not isinstance(part, dict):
            continue
        if channel == "slack":
            _check_slack_channel(request.db, part.get("channel_id"))
        names = ("channel_id", "enabled") if channel == "slack" else ("id", "enabled")
        stored[channel] = stored.get(channel, {}) | {name: part[name] for name in names if name in part}
    return {"notifications_json": json.dumps(stored)}


def _check_slack_channel(db: sqlite3.Connection, slack_id: object) -> None:
    if slack_id is not None and first_where(db, "slack_channels", "slack_id", str(slack_id).upper()) is None:
        raise bad_request({"slack": {"channel_id": ["Slack channel does not exist"]}})
