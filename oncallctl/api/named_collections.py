"""Collections whose members have names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.base import Resource


@dataclass(frozen=True)
class NamedCollection:
    """A collection whose members have names.

    Attributes:
        collection: what `OnCall` calls it.
        name: the attribute of a member that people know it by.
        whole: whether there are few members, so that all are read at once; else those that are needed.
    """

    collection: str
    name: str = "name"
    whole: bool = True

    def of(self, oncall: OnCall) -> Resource[Any]:
        """The collection on a server."""
        resource: Resource[Any] = getattr(oncall, self.collection)
        return resource

    def names(self, members: Iterable[Any]) -> dict[str, str]:
        """Id -> name, of those that have one."""
        return {member.id: name for member in members if (name := getattr(member, self.name))}


TEAMS = NamedCollection("teams")

USERS = NamedCollection("users", name="username")

SCHEDULES = NamedCollection("schedules")

CHAINS = NamedCollection("escalation_chains")

GROUPS = NamedCollection("user_groups")

INTEGRATIONS = NamedCollection("integrations", whole=False)

WEBHOOKS = NamedCollection("webhooks", whole=False)
