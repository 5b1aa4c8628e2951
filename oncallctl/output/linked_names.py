"""Names beside ids: a person needs them in tables; a program is given the server's objects as they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from oncallctl import parallel
from oncallctl.config.settings import Format, Settings
from oncallctl.errors import OncallError

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.base import Resource
from oncallctl.api.named_collections import CHAINS, INTEGRATIONS, TEAMS, USERS, NamedCollection

Row = Mapping[str, Any]

Names = Mapping[str, str]

Wait = Callable[[], dict[str, str]]


@dataclass(frozen=True)
class Link:
    """A field that points to other objects.

    Attributes:
        field: has an id, or a list of ids.
        shown: the field that is added: for an id ``{"id", "name"}``, for a list the names in one text.
        kind: what the ids are ids of.
    """

    field: str
    shown: str
    kind: NamedCollection

    def ids(self, row: Row) -> list[str]:
        """The ids that a row has there."""
        value = row.get(self.field)
        return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]

    def resolved(self, row: Row, names: Names) -> object:
        """The field to add; an id stands in for a name that is not known."""
        value = row.get(self.field)
        if isinstance(value, list):
            return ", ".join(names.get(ident, ident) for ident in self.ids(row))
        return {"id": value, "name": names.get(value, value)} if isinstance(value, str) else None


TEAM = Link("team_id", "team", TEAMS)

INTEGRATION = Link("integration_id", "integration", INTEGRATIONS)

CHAIN = Link("escalation_chain_id", "escalation_chain", CHAINS)

ON_CALL_NOW = Link("on_call_now", "on_call_names", USERS)

MEMBER_OF = Link("teams", "team_names", TEAMS)


@dataclass
class NameLookupCache:
    """What a list that is read again and again need not ask for again.

    Attributes:
        names: id -> name.
        failed: kinds whose names could not be read, and have been warned of.
    """

    names: dict[str, str] = field(default_factory=dict)
    failed: set[NamedCollection] = field(default_factory=set)


def for_a_person(settings: Settings) -> bool:
    """Whether results are written with names: as a table or csv."""
    return settings.format in {Format.TABLE, Format.CSV} and not settings.quiet


def with_names(
    oncall: OnCall, settings: Settings, objects: Iterable[Row], *links: Link, memory: NameLookupCache | None = None
) -> Iterable[Row]:
    """Add to each object what it points to, by name; without a table to show, nothing is added, read or held back.

    A collection is read once, when a column shows its names and a row has an id: one that is read whole while later
    rows are still coming. Where that fails ids stand in, and a warning is given.
    """
    if not for_a_person(settings):
        return objects
    memory = memory or NameLookupCache()
    rows: list[Row] = []
    begun: dict[NamedCollection, Wait] = {}
    shown = [link for link in links if _is_shown(settings, link) and link.kind not in memory.failed]
    for row in objects:
        rows.append(row)
        for link in shown:
            if link.kind.whole and link.kind not in begun and not memory.names.keys() >= set(link.ids(row)):
                begun[link.kind] = _begin(oncall, link.kind)
    for kind in {link.kind for link in shown if not link.kind.whole}:
        idents = {ident: None for link in shown if link.kind is kind for row in rows for ident in link.ids(row)}
        if unknown := [ident for ident in idents if ident not in memory.names]:
            begun[kind] = _begin(oncall, kind, unknown)
    _gather(settings, begun, memory)
    return [{**row, **{link.shown: link.resolved(row, memory.names) for link in links}} for row in rows]


def names_of(oncall: OnCall, settings: Settings, wanted: Mapping[NamedCollection, Collection[str]]) -> dict[str, str]:
    """Look names up, whatever the format; all collections at the same time.

    Returns:
        Id -> name; what there is not (any more), or could not be read, which is warned of, is left out.
    """
    memory = NameLookupCache()
    _gather(settings, {kind: _begin(oncall, kind, idents) for kind, idents in wanted.items() if idents}, memory)
    return memory.names


def _is_shown(settings: Settings, link: Link) -> bool:
    return settings.columns is None or link.shown in {path.partition(".")[0] for path in settings.columns}


def _begin(oncall: OnCall, kind: NamedCollection, idents: Collection[str] = ()) -> Wait:
    return parallel.begin(partial(_read, kind.of(oncall), kind, idents))


def _read(collection: Resource[Any], kind: NamedCollection, idents: Collection[str]) -> dict[str, str]:
    return kind.names(collection.everything() if kind.whole else collection.several(idents).values())


def _gather(settings: Settings, begun: Mapping[NamedCollection, Wait], memory: NameLookupCache) -> None:
    """Wait for names, and remember them; what failed is said in one warning."""
    failures = []
    for kind, wait in begun.items():
        try:
            memory.names |= wait()
        except OncallError as error:
            memory.failed.add(kind)
            failures.append(f"the names of {kind.collection.replace('_', ' ')} could not be read: {error.message}")
    if failures:
        settings.warn(f"ids are shown: {'; '.join(failures)}")
