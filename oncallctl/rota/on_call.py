"""Who is on call for a team: now, next and before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.models import OnCallDocument
from oncallctl.api.names import Named
from oncallctl.errors import Unsupported


@dataclass(frozen=True)
class TeamOnCall:
    """The people of one team, as the Teams API of Cloud says it."""

    team: Named
    answer: OnCallDocument
    raw: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        """The server's document and the team it is about."""
        return {**self.raw, "team": {"id": self.team.id, "name": self.team.name}}

    def people(self) -> list[dict[str, Any]]:
        """A row a person, with schedules and the end of the last shift; people named by a step have no shift."""
        return [self._person(user) for user in self.answer.users]

    def _person(self, user: dict[str, Any]) -> dict[str, Any]:
        shifts = [shift for shift in self.answer.shifts if user.get("id") in shift.users]
        starts = [shift.shift_start for shift in shifts if shift.shift_start]
        ends = [shift.shift_end for shift in shifts if shift.shift_end]
        return {
            **user,
            "team": {"id": self.team.id, "name": self.team.name or self.team.id},
            "schedules": ", ".join(dict.fromkeys(shift.schedule_name or "" for shift in shifts)),
            "shift_start": min(starts).isoformat() if starts else None,
            "shift_end": max(ends).isoformat() if ends else None,
        }


def check(oncall: OnCall) -> None:
    """Refuse a server that has no such question, before anything is asked.

    Raises:
        Unsupported: a self-hosted engine.
    """
    if not oncall.is_cloud:
        raise Unsupported(
            "who is on call: a self-hosted engine has no endpoint for it, and this version does not work it out of the"
            " team's direct paging integration, its chain and schedules",
            hint="OnCall's schedules page shows it; on Grafana Cloud set the profile's api, or ONCALLCTL_API",
        )


def on_call(oncall: OnCall, teams: Sequence[Named], when: str, params: dict[str, str | int]) -> list[TeamOnCall]:
    """Ask for each team who is on call.

    Args:
        oncall: the server.
        teams: in the order of the result.
        when: current, next or previous.
        params: `route` and `days` of the documented query.
    """

    def ask(team: Named) -> TeamOnCall:
        answer, raw = oncall.teams.on_call(team.id, when, **params)
        return TeamOnCall(team, answer, raw)

    return list(parallel.in_order(ask, teams))
