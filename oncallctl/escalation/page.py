"""A page: its recipients, its texts, and the request that sends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.base import Change
from oncallctl.errors import InvalidInput, NotFound, OncallError
from oncallctl.text import LONGEST_NAME, cut

TITLE_TIMEOUT = 10.0  # seconds; the title is a detail of a prompt, which must not delay the page


@dataclass(frozen=True)
class Page:
    """Recipients and texts of a page."""

    team: Named | None = None
    important: bool = False
    users: tuple[tuple[Named, bool], ...] = ()
    title: str | None = None
    message: str | None = None
    source_url: str | None = None
    alert_group: str | None = None

    def change(self, oncall: OnCall) -> Change[AlertGroup]:
        """Return the request ("Escalation HTTP API").

        `team` is null if users are paged: without it, the engine may take the team of the token's user.
        """
        texts = {"title": self.title, "message": self.message, "source_url": self.source_url}
        body: dict[str, Any] = {key: value for key, value in texts.items() if value is not None}
        if self.alert_group:
            body["alert_group_id"] = self.alert_group
        if self.team:
            body |= {"team": self.team.id, "important_team_escalation": self.important}
        else:
            body |= {"team": None, "users": [{"id": user.id, "important": important} for user, important in self.users]}
        return oncall.escalation.page(body)

    def __str__(self) -> str:
        if self.team:
            return f"team {self.team}{' (important)' if self.important else ''}"
        return ", ".join(f"{user}{' (important)' if important else ''}" for user, important in self.users)


def combine_users(
    users: Sequence[Named], important_users: Sequence[Named], *, important: bool
) -> tuple[tuple[Named, bool], ...]:
    """Combine the users to page without duplicates, since the engine would page the same user twice.

    Args:
        users: the users of --user.
        important_users: the users of --important-user.
        important: True for --important, which applies to all users.

    Raises:
        InvalidInput: a user is both important and not important.
    """
    importance: dict[str, tuple[Named, bool]] = {}
    for user, is_important in [*((user, important) for user in users), *((user, True) for user in important_users)]:
        if importance.setdefault(user.id, (user, is_important))[1] is not is_important:
            raise InvalidInput(f"{user} is named by --user and by --important-user", hint="name a person once")
    return tuple(importance.values())


def describe_alert_group(oncall: OnCall, ident: str) -> str:
    """Return the ID, title and state of an alert group, or only the ID if the server fails or is slow.

    Raises:
        NotFound: there is no such alert group.
    """
    try:
        group = oncall.with_deadline(TITLE_TIMEOUT).alert_groups.get(ident)
    except NotFound:
        raise
    except OncallError:
        return ident
    return f"{ident} {cut(group.title or '', LONGEST_NAME)!r} ({group.state})"
