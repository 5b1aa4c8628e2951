"""The people that a page would notify, worked out before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.resources.integrations import GROUP, Integration
from oncallctl.api.resources.routes import Route
from oncallctl.api.resources.users import User
from oncallctl.errors import OncallError, Unavailable
from oncallctl.escalation.chain import IN_TURN, Walk, walk
from oncallctl.escalation.page import Page
from oncallctl.escalation.recipients import Recipient, format_recipients, recipients, without_repeats
from oncallctl.escalation.routes import choose, name
from oncallctl.rota.paging_path import direct_paging
from oncallctl.rota.resolved import When, named_by

CHECK_SECONDS = 10.0


@dataclass(frozen=True)
class Reach:
    """The people that a page would notify.

    Attributes:
        obstacle: the reason why the page would certainly notify nobody, or None.
        summary: who would be notified, who would not, and what is unknown, as text.
        doubt: the reason why the page may notify nobody, or None.
        routes: the routes that a page to a team may take.
    """

    obstacle: str | None = None
    summary: str = ""
    doubt: str | None = None
    routes: tuple[Route, ...] = ()

    def __str__(self) -> str:
        return f"nobody, since {self.obstacle}" if self.obstacle else self.summary


def check(oncall: OnCall, page: Page) -> Reach:
    """Work out the people that a page would notify, in at most `CHECK_SECONDS`: the check must not delay the page.

    Raises:
        OncallError: a request failed.
    """
    limited = oncall.with_deadline(CHECK_SECONDS)
    try:
        return parallel.begin(lambda: _reach(limited, page))(CHECK_SECONDS)
    except TimeoutError:
        raise Unavailable("the server takes too long") from None


def _reach(oncall: OnCall, page: Page) -> Reach:
    return _reach_team(oncall, page.team, important=page.important) if page.team else _reach_users(oncall, page)


def _reach_users(oncall: OnCall, page: Page) -> Reach:
    """Check the roles of the paged users, and the integration through which they are paged."""
    users = oncall.users.several([user.id for user, _ in page.users])
    people = recipients(oncall, list(users.values()))
    silent = [recipient for recipient in people if not recipient.is_notified]
    everybody = len(silent) == len(page.users)
    if everybody and all(recipient.is_notified is False for recipient in silent):
        return Reach(_never_notified(silent))
    if not page.alert_group:
        integration = direct_paging(oncall, None)
        # Silencing only stops the chain; a group window keeps even people who are paged by name from being notified.
        if integration and integration.maintenance_mode == GROUP:
            return Reach(_in_maintenance(integration))
    return Reach(summary=format_recipients(silent), doubt=_doubt(people) if everybody else None)


def _reach_team(oncall: OnCall, team: Named, *, important: bool) -> Reach:
    """Follow a page from the team's integration through the route to the people of the chain."""
    integration = direct_paging(oncall, team)
    if integration is None:
        return Reach("it has no direct paging integration")
    if integration.maintenance_mode:
        return Reach(_in_maintenance(integration))
    routes = choose(oncall.routes.list(integration_id=integration.id), important=important)
    if not routes:  # the engine then creates a default route without a chain
        return Reach("its direct paging integration has no default route")
    by_chain = {route.escalation_chain_id: route for route in reversed(routes)}  # the first one that leads to a chain
    found = {route.id: _reach_route(oncall, team, route) for route in by_chain.values()}
    if len(found) == 1:
        return replace(*found.values(), routes=tuple(routes))
    lines = [f"by {name(route)}: {found[route.id]}" for route in routes if route.id in found]
    text = f"the route is not known; {'; '.join(lines)}"
    if all(each.obstacle for each in found.values()):
        return Reach(text, routes=tuple(routes))
    return Reach(summary=text, routes=tuple(routes))


def _reach_route(oncall: OnCall, team: Named, route: Route) -> Reach:
    if route.escalation_chain_id is None:
        return Reach(f"{name(route)} of its direct paging integration has no escalation chain")
    try:
        return _reach_chain(oncall, team, route.escalation_chain_id, route.id)
    except OncallError as error:
        return Reach(summary=f"not known who is on call: {error.message}")


def _reach_chain(oncall: OnCall, team: Named, chain_id: str, route_id: str) -> Reach:
    """Work out the people that the steps of a chain notify."""
    steps = oncall.escalation_policies.of_chain(chain_id)
    if not steps:
        return Reach(f"its escalation chain {chain_id} has no steps")
    walked = walk(steps)
    if not walked.notices and not walked.elsewhere:
        return Reach(f"no step of its escalation chain {chain_id} notifies anybody")
    people = without_repeats(
        _of_cloud(oncall, team, route_id, walked) if oncall.is_cloud else _of_engine(oncall, walked)
    )
    is_nobody = all(recipient.is_notified is False for recipient in people)
    if is_nobody and not walked.elsewhere:
        return Reach(_never_notified(people) if people else _nobody(walked, chain_id))
    names = format_recipients(people) if people and is_nobody else f"on call: {format_recipients(people) or 'nobody'}"
    elsewhere = [f"not known who is notified through {' and '.join(walked.elsewhere)}"] if walked.elsewhere else []
    return Reach(summary="; ".join([names, *elsewhere]), doubt=None if elsewhere else _doubt(people))


def _of_engine(oncall: OnCall, walked: Walk) -> list[Recipient]:
    """Return the people that a self-hosted engine would notify now. It finds them as it works out `on_call_now`."""
    schedules = oncall.schedules.several([each.step.schedule_id for each in walked.notices if each.step.schedule_id])
    return _of_steps(oncall, walked, {ident: schedule.on_call_now for ident, schedule in schedules.items()})


def _of_cloud(oncall: OnCall, team: Named, route_id: str, walked: Walk) -> list[Recipient]:
    """Return the people that Cloud would notify now. Its API returns who is on call for a route."""
    document, _ = oncall.teams.on_call(team.id, When.CURRENT, route=route_id)
    on_call_now: dict[str, list[str]] = {}
    for shift in document.shifts:
        if shift.schedule_id:
            on_call_now.setdefault(shift.schedule_id, []).extend(shift.users)
    people = _of_steps(oncall, walked, on_call_now)
    if walked.ends_early:  # Cloud includes the people of steps that never run
        return people
    known = {ident for recipient in people for ident in recipient.ids}
    return people + recipients(oncall, [User.read(user) for user in document.users if user.get("id") not in known])


def _of_steps(oncall: OnCall, walked: Walk, on_call_now: Mapping[str, Sequence[str]]) -> list[Recipient]:
    steps = [notice.step for notice in walked.notices]
    idents = [on_call_now.get(step.schedule_id, ()) if step.schedule_id else named_by(oncall, step) for step in steps]
    users = oncall.users.several(list(chain.from_iterable(idents)))
    found: list[Recipient] = []
    for notice, each in zip(walked.notices, idents, strict=True):
        notified = [users[ident] for ident in dict.fromkeys(each) if ident in users]
        found += recipients(oncall, notified, notice.when, in_turn=notice.step.type == IN_TURN)
    return found


def _doubt(people: Sequence[Recipient]) -> str | None:
    """Return the reason why a page may notify nobody, or None if it certainly notifies somebody."""
    if any(recipient.is_notified for recipient in people):
        return None
    return "it is not certain that anybody is notified: that depends on permissions, or on whose turn it is"


def _never_notified(people: Sequence[Recipient]) -> str:
    return f"its only recipients are {format_recipients(people)}"


def _nobody(walked: Walk, chain_id: str) -> str:
    if any(notice.step.schedule_id for notice in walked.notices):
        return f"nobody is on call in the schedules of its escalation chain {chain_id}"
    return f"no step of its escalation chain {chain_id} names anybody"


def _in_maintenance(integration: Integration) -> str:
    return f"the direct paging integration {integration.name!r} is in maintenance ({integration.maintenance_mode})"
