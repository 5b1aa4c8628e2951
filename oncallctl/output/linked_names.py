"""Names next to IDs in tables; json has the server's objects unchanged."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from oncallctl.api.noun import Link, Noun
from oncallctl.config.settings import Format, Settings
from oncallctl.errors import OncallError
from oncallctl.output.columns import Columns, Row, path_of

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.base import Resource

Wait = Callable[[], dict[str, str]]


@dataclass
class NameLookupCache:
    """Names known from earlier lookups, for lists that are refreshed.

    Attributes:
        names: ID -> name.
        failed: the nouns whose names could not be read; a warning has been printed.
    """

    names: dict[str, str] = field(default_factory=dict)
    failed: set[Noun] = field(default_factory=set)


def for_a_person(settings: Settings) -> bool:
    """True if results are written with names: as a table or csv, or in the fields of --columns."""
    if settings.quiet or settings.format is Format.ID:
        return False
    return settings.format in {Format.TABLE, Format.CSV} or settings.columns is not None


def with_names(
    oncall: OnCall,
    settings: Settings,
    objects: Iterable[Row],
    noun: Noun,
    *,
    columns: Columns | None = None,
    memory: NameLookupCache | None = None,
) -> Iterable[Row]:
    """Add the names of linked objects to each row; for json, jsonl and id, rows pass through unbuffered.

    Each collection is read at most once, and only if a visible column needs it. Collections with few members are
    fetched in the background while rows still arrive. If names cannot be read, IDs are shown, with a warning.

    Args:
        oncall: the server.
        settings: the format and --columns.
        objects: the server's objects.
        noun: their kind.
        columns: the default columns of the table, if they are not those of the noun.
        memory: names that need not be looked up again.
    """
    if not for_a_person(settings):
        return objects
    memory = memory or NameLookupCache()
    rows: list[Row] = []
    lookups: dict[Noun, Wait] = {}
    shown = [
        link
        for link in noun.links
        if _is_shown(settings, columns or noun.columns, link) and link.noun not in memory.failed
    ]
    for row in objects:
        rows.append(row)
        for link in shown:
            if link.noun.read_in_full and link.noun not in lookups and not memory.names.keys() >= set(link.ids(row)):
                lookups[link.noun] = _begin(oncall, link.noun)
    for other in {link.noun for link in shown if not link.noun.read_in_full}:
        idents = {ident: None for link in shown if link.noun is other for row in rows for ident in link.ids(row)}
        if unknown := [ident for ident in idents if ident not in memory.names]:
            lookups[other] = _begin(oncall, other, unknown)
    _gather(settings, lookups, memory)
    return [{**row, **{link.shown: link.resolved(row, memory.names) for link in noun.links}} for row in rows]


def names_of(oncall: OnCall, settings: Settings, idents: Mapping[Noun, Collection[str]]) -> dict[str, str]:
    """Look up names in all collections in parallel, for any output format.

    Returns:
        ID -> name; objects that do not exist (any more) or cannot be read, which causes a warning, are left out.
    """
    memory = NameLookupCache()
    _gather(settings, {noun: _begin(oncall, noun, each) for noun, each in idents.items() if each}, memory)
    return memory.names


def _is_shown(settings: Settings, columns: Columns, link: Link) -> bool:
    fields: Row = {link.field: None}
    paths = (
        columns.values() if settings.columns is None else (path_of(word, columns, fields) for word in settings.columns)
    )
    return link.shown in {path.partition(".")[0] for path in paths}


def _begin(oncall: OnCall, noun: Noun, idents: Collection[str] = ()) -> Wait:
    from oncallctl import parallel

    return parallel.begin(partial(_read, oncall.collection(noun), idents))


def _read(collection: Resource[Any], idents: Collection[str]) -> dict[str, str]:
    noun = collection.noun
    members = collection.everything() if noun.read_in_full else collection.several(idents).values()
    return noun.titles(member.raw for member in members)


def _gather(settings: Settings, lookups: Mapping[Noun, Wait], memory: NameLookupCache) -> None:
    """Wait for lookups and store their names; print one warning for all that failed."""
    failures = []
    for noun, wait in lookups.items():
        try:
            memory.names |= wait()
        except OncallError as error:
            memory.failed.add(noun)
            failures.append(f"the names of {noun.plural} could not be read: {error.message}")
    if failures:
        settings.warn(f"ids are shown: {'; '.join(failures)}")
