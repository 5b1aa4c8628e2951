"""Escalation chains, step by step."""

from __future__ import annotations

from typing import Annotated

import typer

from oncallctl.config.connect import connect
from oncallctl.output.linked_names import TEAM, for_a_person, names_of, with_names
from oncallctl.output.render import limited, render
from oncallctl.parsing.framework import noun
from oncallctl.parsing.options import LimitOption, TeamOption

COLUMNS = {"ID": "id", "NAME": "name", "TEAM": "team.name"}
STEPS = {"STEP": "step", "WHAT": "text", "ID": "id"}

app = noun()


@app.command("list")
def list_chains(ctx: typer.Context, team: TeamOption = None, limit: LimitOption = None) -> None:
    """List the escalation chains."""
    from oncallctl.api import lookup

    with connect(ctx.obj) as oncall:
        found = oncall.escalation_chains.of_team(lookup.team_filter(oncall, team), limit and limit + 1)
        shown = limited(ctx.obj, (chain.raw for chain in found), limit)
        render(ctx.obj, with_names(oncall, ctx.obj, shown, TEAM), COLUMNS)


@app.command()
def get(ctx: typer.Context, chain: Annotated[str, typer.Argument(metavar="CHAIN", help="Name or id.")]) -> None:
    """Show one escalation chain, step by step."""
    from oncallctl import parallel
    from oncallctl.api import lookup
    from oncallctl.escalation import describe

    with connect(ctx.obj) as oncall:
        ident = lookup.escalation_chain(oncall, chain).id
        found, steps = parallel.together(
            lambda: oncall.escalation_chains.get(ident), lambda: oncall.escalation_policies.of_chain(ident)
        )
        known = names_of(oncall, ctx.obj, describe.pointed_to(steps))
    said = [{**step.raw, "text": describe.sentence(step, known)} for step in steps]
    rows = [{"step": number, **step} for number, step in enumerate(said, 1)] if for_a_person(ctx.obj) else None
    render(ctx.obj, {**found.raw, "steps": said}, STEPS, rows=rows)
    if not steps:
        ctx.obj.note(f"the chain {found.name!r} has no steps: it notifies nobody")
