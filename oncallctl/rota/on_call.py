"""People on call for teams: now, next and previously, on Cloud and self-hosted engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.resources.teams import OnCallDocument, TeamShift
from oncallctl.errors import NotFound
from oncallctl.rota import taken_shifts
from oncallctl.rota.resolved import OnCallQuery, When, resolve
from oncallctl.rota.roles import is_notified, with_role
from oncallctl.rota.taken_shifts import TakenShift
from oncallctl.times import Span, now

NOW = OnCallQuery()
BY_A_STEP = "(named by a step)"


@dataclass(frozen=True)
class TeamOnCall:
    """People on call for one team, in the form of Cloud's Teams API.

    Attributes:
        response: the people and shifts.
        raw: the same as the server's JSON object.
        through_slack: True if a page would also notify members of a Slack group or channel.
        is_cloud: True if the server is Cloud, where permissions decide who is notified.
        not_paged: the IDs of users whose escalation steps never run; empty if the server computed the response.
    """

    team: Named
    response: OnCallDocument
    raw: dict[str, Any]
    through_slack: bool = False
    is_cloud: bool = False
    not_paged: frozenset[str] = frozenset()

    @property
    def document(self) -> dict[str, Any]:
        """The document with the team."""
        return {**self.raw, "team": {"id": self.team.id, "name": self.team.name}}

    @property
    def is_anybody_notified(self) -> bool:
        """True if a page would notify one of the people, according to steps and roles."""
        return any(
            str(user.get("id")) not in self.not_paged
            and is_notified(user.get("role"), is_cloud=self.is_cloud) is not False
            for user in self.response.users
        )

    @property
    def names_not_paged(self) -> list[str]:
        """The names of the users whose escalation steps never run."""
        return [_name(user) for user in self.response.users if str(user.get("id")) in self.not_paged]

    def people(self, taken: Sequence[TakenShift] = ()) -> list[dict[str, Any]]:
        """Return one row per person with their schedules and shift times. People named by a step have no shift.

        `taken` are the shifts that were taken over in swaps, for the names of those who are relieved.
        """
        return [self._person(user, taken) for user in self.response.users]

    def _label(self, user: dict[str, Any]) -> str:
        """Return the name of a user, with the reason why a page would not notify them."""
        if str(user.get("id")) in self.not_paged:
            return f"{_name(user)} (not paged: the step never runs)"
        return with_role(_name(user), user.get("role"), is_cloud=self.is_cloud)

    def _person(self, user: dict[str, Any], taken: Sequence[TakenShift]) -> dict[str, Any]:
        shifts = [shift for shift in self.response.shifts if user.get("id") in shift.users]
        starts = [shift.shift_start for shift in shifts if shift.shift_start]
        ends = [shift.shift_end for shift in shifts if shift.shift_end]
        return {
            **user,
            "name": self._label(user),
            "team": {"id": self.team.id, "name": self.team.name or self.team.id},
            "schedules": ", ".join(dict.fromkeys(shift.schedule_name or "" for shift in shifts)) or BY_A_STEP,
            "shift_start": min(starts).isoformat() if starts else None,
            "shift_end": max(ends).isoformat() if ends else None,
            "covering_for": ", ".join(_relieved(user, shifts, taken)),
        }


def _relieved(user: dict[str, Any], shifts: Sequence[TeamShift], taken: Sequence[TakenShift]) -> dict[str, None]:
    """Return the names of the people whom a user relieves in these shifts, each once."""
    found = (
        taken_shifts.relieved(taken, shift.schedule_id, str(user.get("id")), Span(shift.shift_start, shift.shift_end))
        for shift in shifts
        if shift.schedule_id and shift.shift_start and shift.shift_end
    )
    return dict.fromkeys(person.display_name for person in found if person)


def _name(user: dict[str, Any]) -> str:
    return str(user.get("username") or user.get("id"))


def on_call(oncall: OnCall, teams: Sequence[Named], query: OnCallQuery = NOW) -> list[TeamOnCall]:
    """Return the people on call for each team.

    Cloud has an API for the present moment. For other times and for self-hosted engines, the result is computed here.

    Returns:
        One result per team, in the order of the teams.

    Raises:
        NotFound: there is no such team, or the route does not belong to it.
    """
    if oncall.is_cloud and query.at is None:
        return list(parallel.in_order(lambda team: _fetch(oncall, team, query), teams))
    resolved = resolve(oncall, teams, query, at=query.at or now())
    return [
        TeamOnCall(
            team,
            OnCallDocument.model_validate(each.document),
            each.document,
            each.through_slack,
            oncall.is_cloud,
            each.not_paged,
        )
        for team, each in zip(teams, resolved, strict=True)
    ]


def _fetch(oncall: OnCall, team: Named, query: OnCallQuery) -> TeamOnCall:
    params: dict[str, str | int] = {} if query.when is When.CURRENT else {"days": query.days}
    if query.route:
        params["route"] = query.route
    try:
        response, raw = oncall.teams.on_call(team.id, query.when, **params)
    except NotFound as error:
        if query.route:
            error.message = f"no team {team}, or route {query.route} does not belong to its direct paging integration"
            error.hint = "oncallctl routes list"
        raise
    return TeamOnCall(team, response, raw, is_cloud=oncall.is_cloud)
