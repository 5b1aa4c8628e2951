"""Handoff of a team: who takes over and when, the alerts of the ending shift, and what is still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import chain
from typing import Any

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.integrations import Integration
from oncallctl.api.resources.shift_swaps import ShiftSwap
from oncallctl.rota import lookback, team_rota
from oncallctl.rota.handovers import Handover, handovers
from oncallctl.rota.lookback import BEHIND, Lookback
from oncallctl.rota.shifts import Rota
from oncallctl.times import Span

AHEAD = timedelta(days=14)
OPEN_STATES = ("new", "acknowledged", "silenced")


@dataclass(frozen=True)
class Handoff:
    """Handoff of one team.

    Attributes:
        at: the time of the handoff.
        rotas: the schedules of the team, two weeks back and ahead.
        ending: the alert groups of the ending shift.
        open: the team's alert groups that are not resolved, newest first.
        windows: the team's integrations in maintenance.
        swap_requests: open requests for shift swaps in these schedules, by their start.
        integrations: integration ID -> name.
    """

    team: Named
    at: datetime
    rotas: Sequence[Rota]
    ending: Lookback
    open: Sequence[AlertGroup]
    windows: Sequence[Integration]
    swap_requests: Sequence[ShiftSwap]
    integrations: Mapping[str, str]

    def document(self, tz: tzinfo | None) -> dict[str, Any]:
        """Return the JSON document.

        Its keys are `team`, `at`, `handovers` (one per schedule), `ending`, `open`, `windows` and `swap_requests`.
        """
        return {
            "team": {"id": self.team.id, "name": self.team.name},
            "at": self.at.isoformat(),
            "handovers": [self._handover(rota) for rota in self.rotas],
            "ending": self.ending.document(tz, self.integrations),
            "open": [group.raw for group in self.open],
            "windows": [
                {
                    "id": each.id,
                    "name": each.name,
                    "mode": each.maintenance_mode,
                    "ends_at": each.maintenance_end_at.isoformat() if each.maintenance_end_at else None,
                    "overdue": self.is_overdue(each),
                }
                for each in self.windows
            ],
            "swap_requests": [swap.raw for swap in self.swap_requests],
        }

    def _handover(self, rota: Rota) -> dict[str, Any]:
        """Return the next handover of a schedule. `at` is null without a handover in the next two weeks."""

        def people(users: Sequence[str]) -> list[dict[str, str]]:
            return [{"id": user, "username": rota.usernames.get(user, user)} for user in users]

        following = self.next_of(rota)
        leaving, taking_over = following.changed if following else ((), ())
        return {
            "schedule_id": rota.schedule.id,
            "schedule_name": rota.schedule.name,
            "on_call": people(self.on_call(rota)),
            "at": following.at.isoformat() if following else None,
            "leaving": people(leaving),
            "taking_over": people(taking_over),
        }

    def next_of(self, rota: Rota) -> Handover | None:
        """Return the next handover of a schedule."""
        return next((change for change in handovers(rota) if change.at > self.at), None)

    def on_call(self, rota: Rota) -> tuple[str, ...]:
        """Return the IDs of the people on call in a schedule."""
        return tuple(
            dict.fromkeys(user for shift in rota.shifts if shift.span.contains(self.at) for user in shift.users)
        )

    def is_overdue(self, integration: Integration) -> bool:
        """True if the window of an integration has ended, but the server has not closed it."""
        return integration.maintenance_end_at is not None and integration.maintenance_end_at <= self.at


def read(oncall: OnCall, team: Named, at: datetime, *, since: datetime | None = None) -> Handoff:
    """Fetch the handoff of a team.

    Args:
        oncall: the server.
        team: the team.
        at: the time of the handoff.
        since: the start of the ending shift; by default the last handover, see `lookback.last_shift`.
    """
    rotas, integrations, *groups = parallel.together(
        lambda: team_rota.read(oncall, [team], Span(at - BEHIND, at + AHEAD))[0].to_check,
        oncall.integrations.everything,
        *(lambda state=state: list(oncall.alert_groups.list(state=state, team_id=team.id)) for state in OPEN_STATES),
    )
    ending, swaps = parallel.together(
        lambda: lookback.read(oncall, team, since or lookback.last_shift(rotas, at), at),
        lambda: parallel.in_order(lambda rota: _swap_requests(oncall, rota, at), rotas),
    )
    distinct = {group.id: group for each in groups for group in each}  # a group may change state between requests
    return Handoff(
        team,
        at,
        rotas,
        ending,
        sorted(distinct.values(), key=lambda group: group.created_at or at, reverse=True),
        [each for each in integrations if each.team_id == team.id and each.maintenance_mode],
        sorted(chain.from_iterable(swaps), key=lambda swap: swap.swap_start),
        {each.id: each.name for each in integrations},
    )


def _swap_requests(oncall: OnCall, rota: Rota, at: datetime) -> list[ShiftSwap]:
    swaps = oncall.shift_swaps.list(schedule_id=rota.schedule.id, open_only="true")
    return [swap for swap in swaps if not swap.is_taken and swap.swap_start > at]
