"""Which integrations a command means: by name, by team, by label, by pattern, or all."""

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
    """Conditions on integrations, all of which must hold; what is None or empty is none.

    Attributes:
        team: name or ID, or ``none`` for those of no team.
        match: a pattern for the name with * and ?, without regard to case.
        labels: keys and values; on Cloud only.
    """

    team: str | None = None
    type: str | None = None
    match: str | None = None
    labels: Sequence[tuple[str, str]] = ()
    in_maintenance: bool | None = None

    def apply(self, oncall: OnCall, limit: int | None = None) -> Iterator[Integration]:
        """Read the integrations for which the conditions hold; the engine would answer 500 to ``team_id``.

        Raises:
            Unsupported: labels on a server that has none.
            NotFound, Ambiguous: the team.
        """
        if self.labels:
            oncall.cloud_only("labels")
        team = lookup.team_filter(oncall, self.team)
        everything = oncall.integrations.list(limit if self == IntegrationFilter() else None)
        return (each for each in everything if self._holds(each, team))

    def _holds(self, each: Integration, team: TeamFilter | None) -> bool:
        return (
            (team is None or team.takes(each))
            and (self.type is None or each.type == self.type)
            and (self.match is None or _matches(each.name, self.match))
            and all(each.has_label(key, value) for key, value in self.labels)
            and (self.in_maintenance is None or self.in_maintenance is (each.maintenance_mode is not None))
        )


def _matches(name: str, pattern: str) -> bool:
    """Whether a name matches; brackets stand for themselves, since names such as ``[prod] api`` have them."""
    return fnmatchcase(name.casefold(), pattern.casefold().replace("[", "[[]"))


@dataclass(frozen=True)
class IntegrationSelector:
    """What a command line says about its targets: names or ids, or one of the selectors.

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
        """In how many ways targets are chosen."""
        return sum(map(bool, (self.given, self.team, self.label, self.match, self.everything)))

    @property
    def filter(self) -> IntegrationFilter:
        """The selector as conditions."""
        return IntegrationFilter(team=self.team, match=self.match, labels=[self.label] if self.label else ())


def select(oncall: OnCall, selector: IntegrationSelector, *, direct_paging: bool = True) -> list[Target[Integration]]:
    """Find all targets before anything is changed.

    Args:
        oncall: the server.
        selector: what the command line says; exactly one way of saying it.
        direct_paging: whether a selector (not a name) takes direct paging integrations too.

    Raises:
        InvalidInput: no targets, or two ways of saying which.
        NotFound: a name that is none's, or a selector that nothing matches.
        Ambiguous: a name that several have.
    """
    if not selector.ways:
        raise InvalidInput("no integration named", hint="name integrations, or use --team, --label, --match or --all")
    if selector.ways > 1:
        raise InvalidInput("integrations are named, or chosen by one of --team, --label, --match and --all; not both")
    if selector.given:
        found = lookup.integrations(oncall, selector.given)
        once: dict[str, Target[Integration]] = {}
        for given, each in zip(selector.given, found, strict=True):
            once.setdefault(each.id, Target(given, each))
        return list(once.values())
    matching = selector.filter.apply(oncall)
    targets = [Target(each.id, each) for each in matching if direct_paging or not each.is_direct_paging]
    if not targets:
        left_out = "" if direct_paging else " (direct paging integrations are left out; name them)"
        raise NotFound(f"no integration matches{left_out}", hint="oncallctl integrations list")
    return targets
