"""Cards from the server's objects: those of a kind with a module of its own, and all others from their declaration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from oncallctl.api import nouns
from oncallctl.config.settings import Settings
from oncallctl.output.card import Card
from oncallctl.output.cards.lookups import Lookups
from oncallctl.output.columns import Row, field
from oncallctl.output.linked_names import with_names
from oncallctl.text import masked

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.noun import Noun
    from oncallctl.api.resources.base import ServerObject

Builder = Callable[[Lookups, Row, Any], Card]

_ABBREVIATION = re.compile(r"\b(id|url)\b", re.IGNORECASE)

_MODULES = {
    nouns.ALERT_GROUPS: "alert_group",
    nouns.INTEGRATIONS: "integration",
    nouns.USERS: "user",
    nouns.TEAMS: "team",
    nouns.SCHEDULES: "schedule",
    nouns.ROUTES: "route",
    nouns.ESCALATION_CHAINS: "escalation_chain",
}


def build(
    oncall: OnCall, settings: Settings, noun: Noun, objects: Iterable[ServerObject], *, show_secrets: bool = False
) -> Iterator[Card]:
    """Yield the card of each object.

    Data besides the object is fetched. If that fails, its part of the card is omitted, with a warning.
    """
    shown = {link.shown: link.shown for link in noun.links}
    for found in objects:
        raw = getattr(found, "row", found.raw)
        (row,) = with_names(oncall, settings, [raw if show_secrets else masked(raw)], noun, columns=shown)
        lookups = Lookups(oncall, settings)
        if module := _MODULES.get(noun):
            builder: Builder = import_module(f"oncallctl.output.cards.{module}").card
            yield builder(lookups, row, found)
        else:
            yield _generic(lookups, noun, row)


def _generic(lookups: Lookups, noun: Noun, row: Row) -> Card:
    """Return a card of the columns of the table, and then of all other fields that are not empty."""
    title = field(row, noun.title) if noun.title else None
    card = Card(str(title or f"{noun.singular} {row[noun.id_field]}"))
    covered = {link.field for link in noun.links} | {link.shown for link in noun.links}
    for header, path in noun.columns.items():
        if path != noun.title:
            card.add(_label(header), lookups.text(field(row, path)))
        covered.add(path.partition(".")[0])
    for name, value in row.items():
        if name not in covered:
            for path, each in _flat(name, value):
                card.add(_label(path), lookups.text(each))
    return card


def _label(name: str) -> str:
    """Return a label such as "Trigger type" for a header or a field."""
    words = name.replace("_", " ").replace(".", " ").lower()
    label = words[:1].upper() + words[1:]
    return _ABBREVIATION.sub(lambda word: word.group().upper(), label)


def _flat(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield the fields of nested objects that are not empty."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _flat(f"{path}.{name}", each)
    elif value not in (None, "", [], False):
        yield path, value
