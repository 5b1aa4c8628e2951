"""Escalation chains, step by step."""

from __future__ import annotations

from typing import Annotated

import typer

from oncallctl.naming import TEAM, for_a_person, names_of, with_names
from oncallctl.options import LimitOption, TeamOption, noun
from oncallctl.output import limited, render
from oncallctl.session import connect

COLUMNS = {"ID": "id", "NAME": "name", "TEAM": "team.name"}
STEPS = {"STEP": "step", "WHAT": "text", "ID": "id"}

app = noun()


@app.command("list")
def list_chains(ctx: typer.Context, team: TeamOption = None, limit: LimitOption = None) -> None:
    """List the escalation chains."""
    from oncallctl.api import names

    with connect(ctx.obj) as oncall:
        found = oncall.escalation_chains.of_team(names.team_filter(oncall, team), limit and limit + 1)
        shown = limited(ctx.obj, (chain.raw for chain in found), limit)
        render(ctx.obj, with_names(oncall, ctx.obj, shown, TEAM), COLUMNS)


@app.command()
def get(ctx: typer.Context, chain: Annotated[str, typer.Argument(metavar="CHAIN", help="Name or id.")]) -> None:
    """Show one escalation chain, step by step."""
    from oncallctl import parallel, routing
    from oncallctl.api import names

    with connect(ctx.obj) as oncall:
        ident = names.escalation_chain(oncall, chain).id
        found, steps = parallel.together(
            lambda: oncall.escalation_chains.get(ident), lambda: oncall.escalation_policies.of_chain(ident)
        )
        known = names_of(oncall, ctx.obj, routing.pointed_to(steps))
    said = [{**step.raw, "text": routing.sentence(step, known)} for step in steps]
    rows = [{"step": number, **step} for number, step in enumerate(said, 1)] if for_a_person(ctx.obj) else None
    render(ctx.obj, {**found.raw, "steps": said}, STEPS, rows=rows)
    if not steps:
        ctx.obj.note(f"the chain {found.name!r} has no steps: it notifies nobody")
