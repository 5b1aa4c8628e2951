"""Selection of integrations: by name, team, label or pattern, or all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from oncallctl.api import lookup
from oncallctl.api.client import OnCall
from oncallctl.api.resources.base import TeamFilter
from oncallctl.api.resources.integrations import Integration
from oncallctl.batch import Target
from oncallctl.errors import InvalidInput, NotFound


@dataclass(frozen=True)
class IntegrationFilter:
    """Conditions on integrations. All must hold; None and empty mean no condition.

    Attributes:
        team: name or ID, or ``none`` for integrations without a team.
        match: a case-insensitive pattern for the name, with * and ?.
        labels: keys and values; only on Cloud.
    """

    team: str | None = None
    type: str | None = None
    match: str | None = None
    labels: Sequence[tuple[str, str]] = ()
    in_maintenance: bool | None = None

    def apply(self, oncall: OnCall, limit: int | None = None) -> Iterator[Integration]:
        """Yield the matching integrations. Filters client-side because the engine returns 500 for ``team_id``.

        Raises:
            Unsupported: labels on a self-hosted engine.
            NotFound, Ambiguous: the team.
        """
        if self.labels:
            oncall.require_cloud("labels")
        team = lookup.team_filter(oncall, self.team)
        everything = oncall.integrations.list(limit if self == IntegrationFilter() else None)
        return (each for each in everything if self._matches(each, team))

    def _matches(self, each: Integration, team: TeamFilter | None) -> bool:
        return (
            (team is None or team.includes(each))
            and (self.type is None or each.type == self.type)
            and (self.match is None or _name_matches(each.name, self.match))
            and all(each.has_label(key, value) for key, value in self.labels)
            and (self.in_maintenance is None or self.in_maintenance is (each.maintenance_mode is not None))
        )


def _name_matches(name: str, pattern: str) -> bool:
    """True if a name matches. Brackets are literal, since names such as ``[prod] api`` contain them."""
    return fnmatchcase(name.casefold(), pattern.casefold().replace("[", "[[]"))


@dataclass(frozen=True)
class IntegrationSelector:
    """Targets on the command line: names or IDs, or one of the selectors.

    Attributes:
        label: a key and a value.
        everything: --all.
    """

    given: Sequence[str] = field(default_factory=list)
    team: str | None = None
    label: tuple[str, str] | None = None
    match: str | None = None
    everything: bool = False

    @property
    def ways(self) -> int:
        """The number of ways in which targets are given."""
        return sum(map(bool, (self.given, self.team, self.label, self.match, self.everything)))

    @property
    def filter(self) -> IntegrationFilter:
        """The selector as conditions."""
        return IntegrationFilter(team=self.team, match=self.match, labels=[self.label] if self.label else ())


def select(oncall: OnCall, selector: IntegrationSelector, *, direct_paging: bool = True) -> list[Target[Integration]]:
    """Look up all targets before anything is changed.

    Args:
        oncall: the server.
        selector: the targets, given in exactly one way.
        direct_paging: whether a selector (not a name) includes direct paging integrations.

    Raises:
        InvalidInput: no targets, or two ways at once.
        NotFound: there is no such integration, or the selector matches none.
        Ambiguous: several integrations have the name.
    """
    if not selector.ways:
        raise InvalidInput("no integration given", hint="name integrations, or use --team, --label, --match or --all")
    if selector.ways > 1:
        raise InvalidInput("give integrations or one of --team, --label, --match and --all, not both")
    if selector.given:
        found = lookup.several(oncall.integrations, selector.given)
        once: dict[str, Target[Integration]] = {}
        for given, each in zip(selector.given, found, strict=True):
            once.setdefault(each.id, Target(given, each))
        return list(once.values())
    matching = selector.filter.apply(oncall)
    targets = [Target(each.id, each) for each in matching if direct_paging or not each.is_direct_paging]
    if not targets:
        omitted = "" if direct_paging else " (direct paging integrations are omitted unless named)"
        raise NotFound(f"no integration matches{omitted}", hint="oncallctl integrations list")
    return targets
