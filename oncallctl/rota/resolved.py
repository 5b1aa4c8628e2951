"""People on call for teams, computed as the documentation of Cloud's Teams API describes it.

Self-hosted engines have no endpoint for this, and Cloud has none for other times than now. The result has Cloud's
shape: people and shifts come from the schedules of the paging path, and people named by a step have no shift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.resources.escalation_policies import EscalationPolicy
from oncallctl.api.resources.schedules import Schedule
from oncallctl.api.resources.users import User
from oncallctl.rota import paging_path, shifts
from oncallctl.rota.paging_path import PagingPath
from oncallctl.rota.reachable_steps import reachable
from oncallctl.rota.shifts import Rota, Shift
from oncallctl.times import Span

ScheduledShifts = list[tuple[Schedule, Shift]]

INSTANT = timedelta(seconds=1)

# Fields of a user that only Cloud has.
_ONLY_ON_CLOUD = {"phone_number": None, "phone_number_status": None}


class When(StrEnum):
    """Which shifts to return, as in the paths ``current_oncall``, ``next_oncall`` and ``previous_oncall``."""

    CURRENT = "current"
    NEXT = "next"
    PREVIOUS = "previous"

    def span(self, at: datetime, days: int) -> Span:
        """Return the time to search for shifts."""
        if self is When.CURRENT:
            return Span(at, at + INSTANT)
        away = timedelta(days=days)
        return Span(at, at + away) if self is When.NEXT else Span(at - away, at)

    def choose(self, scheduled: ScheduledShifts, at: datetime) -> ScheduledShifts:
        """Return the current, next or previous shifts among those that overlap the searched time."""
        if self is When.CURRENT:
            return [(schedule, shift) for schedule, shift in scheduled if shift.span.start <= at < shift.span.end]
        if self is When.NEXT:  # current shifts are skipped
            first = min((shift.span.start for _, shift in scheduled if shift.span.start > at), default=None)
            return [(schedule, shift) for schedule, shift in scheduled if shift.span.start == first]
        last = max((shift.span.end for _, shift in scheduled if shift.span.end <= at), default=None)
        return [(schedule, shift) for schedule, shift in scheduled if shift.span.end == last]


@dataclass(frozen=True)
class OnCallQuery:
    """A query for the people on call.

    Attributes:
        at: a time to use instead of now.
        days: how many days `next` and `previous` search.
        route: the ID of a route to use instead of the default one.
    """

    when: When = When.CURRENT
    at: datetime | None = None
    days: int = 7
    route: str | None = None


@dataclass(frozen=True)
class ResolvedOnCall:
    """People on call for one team.

    Attributes:
        document: `count`, `users`, `shifts` ("Teams HTTP API").
        through_slack: True if a step notifies members of a Slack group or channel, who are not among the users.
        not_paged: the IDs of users whose steps never run.
    """

    document: dict[str, Any]
    through_slack: bool
    not_paged: frozenset[str]


def resolve(oncall: OnCall, teams: Sequence[Named], query: OnCallQuery, *, at: datetime) -> list[ResolvedOnCall]:
    """Compute who is on call for teams at a time. Each object is fetched once.

    Returns:
        One result per team, in the order of the teams.

    Raises:
        NotFound: the route does not belong to the team.
    """
    paths = paging_path.read(oncall, teams, query.route)
    schedules = [ident for path in paths for ident in path.schedules]
    rotas = shifts.read_several(oncall, schedules, query.when.span(at, query.days))
    chosen = [query.when.choose(_shifts(path, rotas), at) for path in paths]
    people = [
        (
            _people(oncall, path.steps, scheduled, query.when),
            _people(oncall, reachable(path.steps), scheduled, query.when),
        )
        for path, scheduled in zip(paths, chosen, strict=True)
    ]
    users = oncall.users.several([user for everybody, _ in people for user in everybody])
    return [
        ResolvedOnCall(
            _document(oncall, [users[user] for user in everybody if user in users], scheduled),
            path.through_slack,
            frozenset(everybody) - frozenset(paged),
        )
        for path, (everybody, paged), scheduled in zip(paths, people, chosen, strict=True)
    ]


def _shifts(path: PagingPath, rotas: Mapping[str, Rota]) -> ScheduledShifts:
    return [
        (rotas[ident].schedule, shift) for ident in path.schedules if ident in rotas for shift in rotas[ident].shifts
    ]


def _people(oncall: OnCall, steps: Sequence[EscalationPolicy], scheduled: ScheduledShifts, when: When) -> list[str]:
    """Return the IDs of the people on call, without duplicates, in the order of the steps."""
    people: list[str] = []
    for step in steps:
        if step.schedule_id:
            people += [user for schedule, shift in scheduled if schedule.id == step.schedule_id for user in shift.users]
        elif when is When.CURRENT:
            people += named_by(oncall, step)
    return list(dict.fromkeys(people))


def named_by(oncall: OnCall, step: EscalationPolicy) -> Sequence[str]:
    """Return the IDs of the users whom a step names, as persons or as the members of a team."""
    if step.team_to_notify:
        return [user.id for user in oncall.users.everything() if step.team_to_notify in (user.teams or ())]
    return step.persons_to_notify or step.persons_to_notify_next_each_time or ()


def _document(oncall: OnCall, users: Sequence[User], scheduled: ScheduledShifts) -> dict[str, Any]:
    only_on_cloud = {} if oncall.is_cloud else _ONLY_ON_CLOUD
    return {
        "count": len(users),
        "users": [{**user.raw, **only_on_cloud} for user in users],
        "shifts": [shifts.document(schedule, shift) for schedule, shift in scheduled],
    }
