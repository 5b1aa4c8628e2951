"""Slack user groups."""

from __future__ import annotations

from typing import Any

from oncallctl.api.resources.base import Resource, ServerObject


class UserGroup(ServerObject):
    """People whom Slack knows as a group."""

    slack: dict[str, Any] | None = None

    @property
    def name(self) -> str | None:
        """What Slack calls it."""
        return (self.slack or {}).get("name")


class UserGroups(Resource[UserGroup]):
    """Slack's groups of people; there is no reading one by its id (user_groups recordings)."""

    path = "user_groups"
    model = UserGroup
