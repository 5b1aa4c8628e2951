"""A page: whom it goes to, and the request that sends it."""

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

SECONDS = 10.0  # that a prompt waits for the title of an alert group


@dataclass(frozen=True)
class Page:
    """Whom to page, and what to tell them."""

    team: Named | None = None
    important: bool = False
    users: tuple[tuple[Named, bool], ...] = ()
    title: str | None = None
    message: str | None = None
    source_url: str | None = None
    alert_group: str | None = None

    def change(self, oncall: OnCall) -> Change[AlertGroup]:
        """The request ("Escalation HTTP API"): `team` is null beside users, or the token user's team may be taken."""
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


def each_once(
    users: Sequence[Named], important_users: Sequence[Named], *, important: bool
) -> tuple[tuple[Named, bool], ...]:
    """Bring the people together, each once: the engine would page the same person twice.

    Args:
        users: those of --user, important if `important` says so.
        important_users: those of --important-user.
        important: whether all are.

    Raises:
        InvalidInput: somebody is to be paged as important and as not important.
    """
    wanted: dict[str, tuple[Named, bool]] = {}
    for user, is_important in [*((user, important) for user in users), *((user, True) for user in important_users)]:
        if wanted.setdefault(user.id, (user, is_important))[1] is not is_important:
            raise InvalidInput(f"{user} is named by --user and by --important-user", hint="name a person once")
    return tuple(wanted.values())


def described(oncall: OnCall, ident: str) -> str:
    """Return an alert group with its title and state; only its ID if the server does not tell them soon.

    Raises:
        NotFound: there is no such alert group.
    """
    try:
        group = oncall.within(SECONDS).alert_groups.get(ident)
    except NotFound:
        raise
    except OncallError:
        return ident
    return f"{ident} {cut(group.title or '', LONGEST_NAME)!r} ({group.state})"
