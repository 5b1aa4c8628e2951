"""Escalation chains and their steps."""

from __future__ import annotations

from typing import Annotated

import typer

from oncallctl.api.nouns import ESCALATION_CHAINS
from oncallctl.commands import generic
from oncallctl.config.connect import connect
from oncallctl.output import card
from oncallctl.output.linked_names import for_a_person, names_of
from oncallctl.output.render import render

STEPS = {"STEP": "step", "ACTION": "text", "ID": "id"}

app = generic.app_of(ESCALATION_CHAINS, without=("get",))


@app.command(
    examples=[
        "oncallctl escalation-chains get platform-default",
        "oncallctl escalation-chains get platform-default -o json",
    ],
)
def get(ctx: typer.Context, chain: Annotated[str, typer.Argument(metavar="CHAIN", help="Name or ID.")]) -> None:
    """Show an escalation chain, step by step."""
    from oncallctl import parallel
    from oncallctl.api import lookup
    from oncallctl.escalation import describe

    with connect(ctx.obj) as oncall:
        if card.wanted(ctx.obj):
            generic.show_cards(ctx.obj, oncall, ESCALATION_CHAINS, [lookup.find(oncall.escalation_chains, chain)])
            return
        ident = lookup.resolve(oncall, ESCALATION_CHAINS, chain).id
        found, steps = parallel.together(
            lambda: oncall.escalation_chains.get(ident), lambda: oncall.escalation_policies.of_chain(ident)
        )
        known = names_of(oncall, ctx.obj, describe.pointed_to(steps))
    described = [{**step.raw, "text": describe.sentence(step, known)} for step in steps]
    rows = [{"step": number, **step} for number, step in enumerate(described, 1)] if for_a_person(ctx.obj) else None
    render(ctx.obj, {**found.raw, "steps": described}, STEPS, rows=rows)
    if not steps:
        ctx.obj.note(f"the chain {found.name!r} has no steps: it notifies nobody")
