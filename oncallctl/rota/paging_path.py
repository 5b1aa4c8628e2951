"""What paging a team goes through: its direct paging integration, a route of that, the route's chain, and its steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.resources.base import FEW
from oncallctl.api.resources.escalation_policies import EscalationPolicy
from oncallctl.api.resources.integrations import Integration
from oncallctl.api.resources.routes import Route
from oncallctl.errors import InvalidInput, NotFound


@dataclass(frozen=True)
class PagingPath:
    """The way that a page to a team takes.

    Attributes:
        integration: the team's direct paging integration, if it has one.
        steps: of the escalation chain, in order; none without an integration or a chain.
    """

    team: Named
    integration: Integration | None
    steps: Sequence[EscalationPolicy]

    @cached_property
    def schedules(self) -> tuple[str, ...]:
        """The ids of the schedules that steps notify from, each once, in the order of the steps."""
        return tuple(dict.fromkeys(step.schedule_id for step in self.steps if step.schedule_id))

    @property
    def names_people(self) -> bool:
        """Whether a step notifies people whatever a schedule says."""
        return any(
            step.persons_to_notify or step.persons_to_notify_next_each_time or step.team_to_notify
            for step in self.steps
        )

    @property
    def through_slack(self) -> bool:
        """Whether a step notifies a user group or a channel of Slack, whose members OnCall does not tell."""
        return any(step.type in {"notify_user_group", "notify_whole_channel"} for step in self.steps)


def direct_paging(oncall: OnCall, team: Named | None) -> Integration | None:
    """Return the integration through which a team is paged, or users are (None).

    Listing all integrations slows a large engine down, so that the name which the server gives it is tried first. It
    may have been renamed since.

    Raises:
        NotFound: the team was given by an ID that no team has.
    """
    team_id = team.id if team else None
    if not oncall.integrations.is_complete:
        owner = (team.name or oncall.teams.get(team.id).name) if team else "No"
        with suppress(InvalidInput):  # no URL holds every name
            if found := _direct_paging_of(oncall.integrations.list(name=f"Direct paging ({owner} team)"), team_id):
                return found
    return _direct_paging_of(oncall.integrations.everything(), team_id)


def _direct_paging_of(integrations: Iterable[Integration], team_id: str | None) -> Integration | None:
    return next((each for each in integrations if each.is_direct_paging and each.team_id == team_id), None)


def read(oncall: OnCall, teams: Sequence[Named], route: str | None = None) -> list[PagingPath]:
    """Find the way that a page to each of these teams takes, in their order.

    Args:
        oncall: the server.
        teams: whom to page.
        route: the id of a route instead of the default one.

    Raises:
        NotFound: no such team, or the route is none of its direct paging integration.
    """
    chosen, ways = parallel.together(
        lambda: oncall.routes.get(route) if route else None, lambda: _direct_paging(oncall, teams)
    )
    chains = {team.id: _chain(team, ways[team.id], chosen) for team in teams}
    steps = _steps(oncall, [chain for chain in chains.values() if chain])
    return [PagingPath(team, ways[team.id], steps.get(chains[team.id] or "", ())) for team in teams]


def _direct_paging(oncall: OnCall, teams: Sequence[Named]) -> dict[str, Integration | None]:
    """Return the direct paging integration of each team; those of many teams with one list of all integrations."""
    if len(teams) > FEW:
        oncall.integrations.everything()
    found = parallel.in_order(lambda team: direct_paging(oncall, team), teams)
    ways = {team.id: integration for team, integration in zip(teams, found, strict=True)}
    for team in teams:
        if ways[team.id] is None and team.name is None:
            oncall.teams.get(team.id)  # an ID may belong to no team, which is not the same as a team without a way
    return ways


def _chain(team: Named, integration: Integration | None, route: Route | None) -> str | None:
    """The id of the chain that a page to the team sets off."""
    if route is None:
        return integration.default_route.escalation_chain_id if integration and integration.default_route else None
    if integration is None or route.integration_id != integration.id:
        raise NotFound(
            f"route {route.id} is none of the direct paging integration of team {team}", hint="oncallctl routes list"
        )
    return route.escalation_chain_id


def _steps(oncall: OnCall, chains: Sequence[str]) -> Mapping[str, Sequence[EscalationPolicy]]:
    """The steps of chains, each chain read once."""
    wanted = list(dict.fromkeys(chains))
    return dict(zip(wanted, parallel.in_order(oncall.escalation_policies.of_chain, wanted), strict=True))
