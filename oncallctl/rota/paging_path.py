"""Path of a page to a team: its direct paging integration, a route, the route's escalation chain, and its steps."""

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
    """The path of a page to a team.

    Attributes:
        integration: the direct paging integration of the team, or None.
        steps: the steps of the escalation chain, in order; empty without an integration or a chain.
    """

    team: Named
    integration: Integration | None
    steps: Sequence[EscalationPolicy]

    @cached_property
    def schedules(self) -> tuple[str, ...]:
        """The IDs of the schedules of the steps, without duplicates, in the order of the steps."""
        return tuple(dict.fromkeys(step.schedule_id for step in self.steps if step.schedule_id))

    @property
    def names_people(self) -> bool:
        """True if a step notifies users directly, not through a schedule."""
        return any(
            step.persons_to_notify or step.persons_to_notify_next_each_time or step.team_to_notify
            for step in self.steps
        )

    @property
    def through_slack(self) -> bool:
        """True if a step notifies a Slack user group or channel, whose members are not in the API."""
        return any(step.type in {"notify_user_group", "notify_whole_channel"} for step in self.steps)


def direct_paging(oncall: OnCall, team: Named | None) -> Integration | None:
    """Return the integration through which a team is paged, or users (if the team is None).

    Listing all integrations is slow on a large engine, so its default name is looked up first. It may be renamed.

    Raises:
        NotFound: there is no team with this ID.
    """
    team_id = team.id if team else None
    if not oncall.integrations.is_complete:
        owner = (team.name or oncall.teams.get(team.id).name) if team else "No"
        with suppress(InvalidInput):  # a URL cannot hold every name
            if found := _direct_paging_of(oncall.integrations.list(name=f"Direct paging ({owner} team)"), team_id):
                return found
    return _direct_paging_of(oncall.integrations.everything(), team_id)


def _direct_paging_of(integrations: Iterable[Integration], team_id: str | None) -> Integration | None:
    return next((each for each in integrations if each.is_direct_paging and each.team_id == team_id), None)


def read(oncall: OnCall, teams: Sequence[Named], route: str | None = None) -> list[PagingPath]:
    """Return the path of a page to each team, in the order of the teams.

    Args:
        oncall: the server.
        teams: the teams.
        route: the ID of a route to use instead of the default one.

    Raises:
        NotFound: there is no such team, or the route does not belong to its direct paging integration.
    """
    chosen, integrations = parallel.together(
        lambda: oncall.routes.get(route) if route else None, lambda: _direct_paging(oncall, teams)
    )
    chains = {team.id: _chain(team, integrations[team.id], chosen) for team in teams}
    steps = _steps(oncall, [chain for chain in chains.values() if chain])
    return [PagingPath(team, integrations[team.id], steps.get(chains[team.id] or "", ())) for team in teams]


def _direct_paging(oncall: OnCall, teams: Sequence[Named]) -> dict[str, Integration | None]:
    """Return the direct paging integration of each team. For many teams, all integrations are listed once."""
    if len(teams) > FEW:
        oncall.integrations.everything()
    found = parallel.in_order(lambda team: direct_paging(oncall, team), teams)
    integrations = {team.id: integration for team, integration in zip(teams, found, strict=True)}
    for team in teams:
        if integrations[team.id] is None and team.name is None:
            oncall.teams.get(team.id)  # raises NotFound if the team does not exist
    return integrations


def _chain(team: Named, integration: Integration | None, route: Route | None) -> str | None:
    """Return the ID of the chain that a page to the team starts."""
    if route is None:
        return integration.default_route.escalation_chain_id if integration and integration.default_route else None
    if integration is None or route.integration_id != integration.id:
        raise NotFound(
            f"route {route.id} does not belong to the direct paging integration of team {team}",
            hint="oncallctl routes list",
        )
    return route.escalation_chain_id


def _steps(oncall: OnCall, chains: Sequence[str]) -> Mapping[str, Sequence[EscalationPolicy]]:
    """Return the steps of chains. Each chain is read once."""
    wanted = list(dict.fromkeys(chains))
    return dict(zip(wanted, parallel.in_order(oncall.escalation_policies.of_chain, wanted), strict=True))
