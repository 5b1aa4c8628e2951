"""Alert groups of an ending shift, and how they were handled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from statistics import median
from typing import Any

from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.rota.handovers import handovers
from oncallctl.rota.shifts import Rota

BEHIND = timedelta(days=14)  # how far to search for the last handover
WITHOUT_HANDOVER = timedelta(days=7)
GRACE = timedelta(hours=1)  # a handoff shortly after a handover is about the shift before it
NIGHT_BEGINS, NIGHT_ENDS = 22, 7  # local hours


@dataclass(frozen=True)
class Reactions:
    """Who reacted to alert groups, and how quickly; either by acknowledging or by resolving them.

    Attributes:
        by: user ID -> number of groups; the key None is for groups that no person handled, as in automatic resolution.
        median: the median time after the first alert, or None.
    """

    by: Mapping[str | None, int]
    median: timedelta | None

    @property
    def count(self) -> int:
        """The number of alert groups."""
        return sum(self.by.values())


@dataclass(frozen=True)
class Lookback:
    """Alert groups of a team that started in a time span.

    Attributes:
        groups: newest first, in any state.
        usernames: user ID -> user name, for everybody who acknowledged or resolved one.
    """

    since: datetime
    groups: Sequence[AlertGroup]
    usernames: Mapping[str, str] = field(default_factory=dict)

    def night(self, tz: tzinfo | None) -> int:
        """Return the number of groups that started between 22:00 and 07:00, local time."""
        hours = (group.created_at.astimezone(tz).hour for group in self.groups if group.created_at)
        return sum(hour >= NIGHT_BEGINS or hour < NIGHT_ENDS for hour in hours)

    @property
    def by_integration(self) -> list[tuple[str | None, int]]:
        """The number of groups of each integration ID, most first."""
        return Counter(group.integration_id for group in self.groups).most_common()

    @property
    def acknowledged(self) -> Reactions:
        """The groups that were acknowledged."""
        return _reactions(
            [(group, group.acknowledged_by, group.acknowledged_at) for group in self.groups if group.acknowledged_at]
        )

    @property
    def resolved(self) -> Reactions:
        """The groups that were resolved."""
        return _reactions([(group, group.resolved_by, group.resolved_at) for group in self.groups if group.resolved_at])

    @property
    def never_acknowledged(self) -> int:
        """The number of groups that nobody acknowledged or resolved."""
        return sum(not (group.acknowledged_at or group.resolved_by) for group in self.groups)

    def document(self, tz: tzinfo | None, names: Mapping[str, str]) -> dict[str, Any]:
        """Return the JSON document; `names` maps integration IDs to names."""
        return {
            "since": self.since.isoformat(),
            "alert_groups": len(self.groups),
            "night": self.night(tz),
            "by_integration": [
                {"id": ident, "name": names.get(ident or ""), "alert_groups": count}
                for ident, count in self.by_integration
            ],
            "acknowledged": self._reactions_document(self.acknowledged),
            "resolved": self._reactions_document(self.resolved),
            "never_acknowledged": self.never_acknowledged,
        }

    def _reactions_document(self, reactions: Reactions) -> dict[str, Any]:
        return {
            "count": reactions.count,
            "median_seconds": reactions.median.total_seconds() if reactions.median is not None else None,
            "by": [
                {"id": user, "username": self.usernames.get(user or ""), "alert_groups": count}
                for user, count in reactions.by.items()
            ],
        }


def last_shift(rotas: Sequence[Rota], at: datetime) -> datetime:
    """Return the start of the ending shift: the last handover at least an hour ago in the first schedule with one.

    Without a handover in the rotas, it is a week ago.
    """
    for rota in rotas:
        if past := [change.at for change in handovers(rota) if change.at <= at - GRACE]:
            return past[-1]
    return at - WITHOUT_HANDOVER


def read(oncall: OnCall, team: Named, since: datetime, at: datetime) -> Lookback:
    """Fetch the alert groups of a team that started since a time."""
    started = oncall.alert_groups.between(since, at)
    groups = {group.id: group for group in oncall.alert_groups.list(team_id=team.id, started_at=started)}
    newest_first = sorted(groups.values(), key=lambda group: group.created_at or since, reverse=True)
    people = {user for group in newest_first for user in (group.acknowledged_by, group.resolved_by) if user}
    users = oncall.users.several(sorted(people))
    return Lookback(since, newest_first, {ident: user.username for ident, user in users.items()})


def _reactions(entries: Sequence[tuple[AlertGroup, str | None, datetime]]) -> Reactions:
    seconds = [(at - group.created_at).total_seconds() for group, _, at in entries if group.created_at]
    by = dict(Counter(user for _, user, _ in entries).most_common())
    return Reactions(by, timedelta(seconds=median(seconds)) if seconds else None)
