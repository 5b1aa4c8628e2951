"""Paging people by hand: what is sent, and whether it would reach anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.models import GROUP, AlertGroup
from oncallctl.api.names import Named
from oncallctl.api.resource import Change
from oncallctl.errors import InvalidInput, OncallError
from oncallctl.rota.on_call import TeamOnCall, on_call
from oncallctl.rota.paging_path import direct_paging

MOMENT = 5.0  # seconds that a page waits to hear who is on call


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


@dataclass(frozen=True)
class Reach:
    """Whom a page would reach.

    Attributes:
        obstacle: why nobody, or None.
        team: who is on call for the team that is paged, where that is known.
        not_known: why it is not.
    """

    obstacle: str | None
    team: TeamOnCall | None = None
    not_known: str | None = None


def reach(oncall: OnCall, page: Page) -> Reach:
    """Find out whom a page would reach.

    Cloud is asked who is on call; OSS pages through the team's direct paging integration, whose default route must
    lead to a chain, and who is on call is worked out. On either, maintenance on that integration keeps people from
    being paged.
    """
    if page.alert_group:
        return Reach(None)
    team = None
    if page.team and oncall.is_cloud:
        team = on_call(oncall, [page.team])[0]
        if not team.answer.count:
            return Reach(f"nobody is on call for team {page.team}")
    way = direct_paging(oncall, page.team.id if page.team else None)
    if page.team and not oncall.is_cloud:
        if way is None:
            return Reach(f"team {page.team} has no direct paging integration: the page would reach nobody")
        if not (way.default_route and way.default_route.escalation_chain_id):
            return Reach(f"the direct paging integration of team {page.team} leads to no escalation chain")
    # A group window keeps even people who are paged by name from being notified; a silence only stops the chain.
    if way and way.maintenance_mode and (page.team or way.maintenance_mode == GROUP):
        return Reach(f"the direct paging integration {way.name!r} is in maintenance ({way.maintenance_mode})")
    return Reach(None, team) if page.team is None or oncall.is_cloud else _worked_out(oncall, page.team)


def _worked_out(oncall: OnCall, team: Named) -> Reach:
    """Work out who is on call; the page does not wait long for what is only told."""
    try:
        return Reach(None, parallel.begin(lambda: on_call(oncall, [team])[0])(MOMENT))
    except TimeoutError:
        return Reach(None, not_known="the server takes too long")
    except OncallError as error:
        return Reach(None, not_known=error.message)
