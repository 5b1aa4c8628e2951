"""The card of an escalation chain, and the steps of one for other cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oncallctl.escalation import describe
from oncallctl.output.card import Card, Section
from oncallctl.output.cards.lookups import Lookups, named
from oncallctl.output.columns import Row

if TYPE_CHECKING:
    from oncallctl.api.resources.escalation_chains import EscalationChain


def card(lookups: Lookups, row: Row, found: EscalationChain) -> Card:
    """Return the card of an escalation chain."""
    made = Card(found.name)
    made.add("ID", found.id)
    made.add("Team", named(row.get("team")))
    add_steps(lookups, made.section("Steps"), found.id)
    return made


def add_steps(lookups: Lookups, section: Section, chain: str) -> None:
    """Add the steps of a chain, in words."""
    steps = lookups.begin("steps", lambda: lookups.oncall.escalation_policies.of_chain(chain))()
    if steps is None:
        return
    names = lookups.names(describe.pointed_to(steps))
    for number, step in enumerate(steps, 1):
        section.add(str(number), describe.sentence(step, names))
    if not steps:
        section.add("", "none: the chain notifies nobody")
