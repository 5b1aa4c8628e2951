"""Sending a page, and checking its response."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.lost_responses import command_line, send_once
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.routes import Route
from oncallctl.errors import AccessDenied, Conflict, NotFound, OncallError, OutcomeUnknown
from oncallctl.escalation.page import Page
from oncallctl.escalation.reach import CHECK_SECONDS
from oncallctl.escalation.settling import settle


def send(oncall: OnCall, page: Page) -> AlertGroup:
    """Send a page, once.

    Raises:
        AccessDenied: the token's user may not page this team.
        Unavailable: the engine failed and created no alert group.
        OutcomeUnknown: the response was lost.
    """
    try:
        return send_once(oncall, page.change(oncall), "the page", _check_command(page))
    except NotFound as error:
        # The engine returns this for an unknown team, and for a team that this user may not see.
        if page.team and error.http_status == 400 and _exists(oncall, page.team):
            raise AccessDenied(
                f"this token may not page team {page.team}: its user is not a member, and the team does not share its"
                " resources; nobody was paged",
                hint="page people by name: oncallctl escalate --user USER",
                http_status=400,
            ) from error
        raise
    except OutcomeUnknown as lost:
        settle(oncall, page, lost)
        raise


def _exists(oncall: OnCall, team: Named) -> bool:
    """True if the team is in `teams/`, which lists all teams for every user."""
    if team.name:  # the lookup by name has found it there
        return True
    try:
        oncall.with_deadline(CHECK_SECONDS).teams.get(team.id)
    except OncallError:
        return False
    return True


def _check_command(page: Page) -> list[str]:
    """Return the arguments of the command that shows whether a page arrived."""
    if page.alert_group:
        return ["alert-groups", "get", page.alert_group, "-o", "json"]
    team = ["--team", page.team.name or page.team.id] if page.team else []
    return ["alert-groups", "list", "--state", "firing", "--limit", "5", *team]


def compare_route(oncall: OnCall, group: AlertGroup, routes: Sequence[Route], warn: Callable[[str], None]) -> None:
    """Check that the route of a page to a team is an expected one and notifies somebody. The response names it.

    Args:
        oncall: the server.
        group: the alert group that the page created.
        routes: the expected routes; empty if they are not known.
        warn: shows a warning.

    Raises:
        Conflict: the route has no escalation chain, so that nobody is notified.
    """
    if group.route_id is None:
        return
    expected = {route.id: route for route in routes}
    try:
        route = expected.get(group.route_id) or oncall.with_deadline(CHECK_SECONDS).routes.get(group.route_id)
    except OncallError as error:
        warn(f"cannot read the route of alert group {group.id}, so it may notify nobody: {error.message}")
        return
    if route.escalation_chain_id is None:
        raise Conflict(
            f"alert group {group.id} was created, but its route has no escalation chain: nobody was notified",
            hint=f"add people to it: {command_line(oncall, ['escalate', '--alert-group', group.id, '--user', 'USER'])}",
        )
    if expected and group.route_id not in expected:
        warn(f"alert group {group.id} took route {group.route_id}, which was not checked: it may notify other people")
