"""Rota of a team: the schedules that a page to it goes through, and its other schedules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.resources.schedules import Schedule
from oncallctl.rota import paging_path, shifts
from oncallctl.rota.paging_path import PagingPath
from oncallctl.rota.shifts import Rota
from oncallctl.times import Span


@dataclass(frozen=True)
class TeamRota:
    """The schedules of one team.

    Attributes:
        paged: the schedules that a page to the team goes through, in the order of the steps.
        others: the team's other schedules.
    """

    team: Named
    path: PagingPath
    paged: tuple[Rota, ...]
    others: tuple[Rota, ...]

    @property
    def to_check(self) -> tuple[Rota, ...]:
        """The schedules to check for coverage: those that a page goes through.

        If a page goes through neither schedules nor named people, these are the team's own schedules.
        """
        return self.paged if self.path.names_people or self._goes_through_schedules else self.others

    @property
    def is_unstaffed(self) -> bool:
        """True if the team has no schedule and no step that notifies a user."""
        return not (self.to_check or self._goes_through_schedules or self.path.names_people)

    @property
    def is_bypassed(self) -> bool:
        """True if the team has schedules, but a page to it goes through neither these nor named people."""
        return bool(self.others) and self.to_check is self.others

    @property
    def _goes_through_schedules(self) -> bool:
        """True if a page goes through schedules, even deleted ones."""
        return bool(self.path.schedules)

    def gap_documents(self, span: Span) -> list[dict[str, Any]]:
        """Return the gaps for scripts: `team`, `gap_start` and `gap_end` (ISO 8601 in UTC), `seconds`, `schedules`.

        `clipped` is true if a gap continues beyond the span. The rotas must be read with `with_margin` for this.
        """
        return [
            {
                "team": {"id": self.team.id, "name": self.team.name},
                "gap_start": gap.start.astimezone(UTC).isoformat(timespec="seconds"),
                "gap_end": min(gap.end, span.end).astimezone(UTC).isoformat(timespec="seconds"),
                "seconds": round((min(gap.end, span.end) - gap.start).total_seconds()),
                "clipped": gap.end > span.end,
                "schedules": [{"id": rota.schedule.id, "name": rota.schedule.name} for rota in self.to_check],
            }
            for gap in self.gaps(with_margin(span))
            if gap.start < span.end
        ]

    def gaps(self, span: Span) -> tuple[Span, ...]:
        """Return the times that no schedule covers; empty if steps notify users directly instead."""
        if self.path.names_people and not self._goes_through_schedules:
            return ()
        return shifts.uncovered(self.to_check, span)


def with_margin(span: Span) -> Span:
    """Return a span that is a minute longer, to see whether a gap at the end continues."""
    return Span(span.start, span.end + timedelta(minutes=1))


def read(oncall: OnCall, teams: Sequence[Named], span: Span, *, overrides: bool = False) -> list[TeamRota]:
    """Fetch the rotas of teams in a time span. Each schedule is read once.

    Args:
        oncall: the server.
        teams: the teams, in the order of the result.
        span: the time span, a few months at most.
        overrides: True to determine which shifts are overrides.
    """
    paths, _ = parallel.together(lambda: paging_path.read(oncall, teams), oncall.schedules.everything)
    owned = {path.team.id: [each.id for each in _owned(oncall, path)] for path in paths}
    wanted = [ident for path in paths for ident in (*path.schedules, *owned[path.team.id])]
    rotas = shifts.read_several(oncall, wanted, span, overrides=overrides)
    return [
        TeamRota(
            path.team,
            path,
            tuple(rotas[ident] for ident in path.schedules if ident in rotas),
            tuple(rotas[ident] for ident in owned[path.team.id]),
        )
        for path in paths
    ]


def _owned(oncall: OnCall, path: PagingPath) -> Iterable[Schedule]:
    """Return the schedules of the team that are not on its paging path."""
    return (
        each for each in oncall.schedules.everything() if each.team_id == path.team.id and each.id not in path.schedules
    )


def unique_rotas(teams: Iterable[TeamRota]) -> list[Rota]:
    """Return the schedules of teams without duplicates."""
    return list({rota.schedule.id: rota for team in teams for rota in (*team.paged, *team.others)}.values())
