"""Slack channels and Slack user groups."""

from __future__ import annotations

from oncallctl.sandbox.served_collection import Collection

SLACK_CHANNELS = Collection(
    path="slack_channels",
    view=lambda _, row: {"name": row["name"], "slack_id": row["slack_id"]},
    order_by="slack_id",
    filters={"channel_name": "name = :value"},
    has_get=False,
)

USER_GROUPS = Collection(
    path="user_groups",
    view=lambda _, row: {
        "id": row["id"],
        "type": "slack_based",
        "slack": {"id": row["slack_id"], "name": row["name"], "handle": row["handle"]},
    },
    order_by="slack_id",
    filters={"slack_handle": "handle = :value"},
    has_get=False,
)
