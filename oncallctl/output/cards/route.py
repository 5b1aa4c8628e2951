"""The card of a route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oncallctl.escalation import describe
from oncallctl.output.card import Card
from oncallctl.output.cards.escalation_chain import add_steps
from oncallctl.output.cards.lookups import Lookups, named
from oncallctl.output.columns import Row, field

if TYPE_CHECKING:
    from oncallctl.api.resources.routes import Route


def card(lookups: Lookups, row: Row, found: Route) -> Card:
    """Return the card of a route."""
    made = Card(f"route {found.id}", state="default" if found.is_default else "")
    made.add("Integration", named(row.get("integration")))
    made.add("Position", found.position)
    made.add("Condition", describe.condition(found))
    made.add("Chain", named(row.get("escalation_chain")) or "none: its alerts notify nobody")
    made.add("Slack channel", field(row, "slack.channel_id"))
    if found.escalation_chain_id:
        add_steps(lookups, made.section("Steps"), found.escalation_chain_id)
    return made
