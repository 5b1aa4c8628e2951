"""The card of an integration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from oncallctl.api import nouns
from oncallctl.api.resources.integrations import label_pairs
from oncallctl.escalation import describe
from oncallctl.output.card import Card
from oncallctl.output.cards.lookups import Lookups, named
from oncallctl.output.columns import Row, field

if TYPE_CHECKING:
    from oncallctl.api.resources.integrations import Integration


def card(lookups: Lookups, row: Row, found: Integration) -> Card:
    """Return the card of an integration; the row has its secrets masked unless they were asked for."""
    read_routes = lookups.begin("routes", lambda: list(lookups.oncall.routes.list(integration_id=found.id)))
    mode = found.maintenance_mode
    made = Card(found.name, state="in maintenance" if mode else "")
    made.add("ID", found.id)
    made.add("Type", found.type)
    made.add("Team", named(row.get("team")))
    made.add("Description", row.get("description_short"))
    made.add("Labels", ", ".join(f"{key}={value}" for key, value in label_pairs(found.labels).items()))
    made.add("Dynamic labels", ", ".join(f"{key}={value}" for key, value in label_pairs(found.dynamic_labels).items()))
    made.add("URL", row.get("link"))
    made.add("Email", row.get("inbound_email"))
    made.add("Heartbeat", field(row, "heartbeat.link"))
    if mode:
        window = made.section("Maintenance")
        window.add("Mode", mode)
        window.add("Started", lookups.moment(row.get("maintenance_started_at")))
        window.add("Ends", lookups.moment(row.get("maintenance_end_at")))
    section = made.section("Routes")
    routes = read_routes() or []
    chains = [route.escalation_chain_id for route in routes if route.escalation_chain_id]
    names = lookups.names({nouns.ESCALATION_CHAINS: chains})
    for number, route in enumerate(routes, 1):
        chain = route.escalation_chain_id
        section.add(str(number), f"{describe.condition(route)} → {names.get(chain, chain) if chain else 'no chain'}")
    templates = made.section("Templates that differ from the default")
    for path, text in _changed(row.get("templates")):
        templates.add(path, text)
    return made


def _changed(templates: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and text of each template that is set."""
    for name, value in templates.items() if isinstance(templates, Mapping) else ():
        if isinstance(value, Mapping):
            yield from _changed(value, f"{path}{name}.")
        elif isinstance(value, str) and value:
            yield f"{path}{name}", value
