"""The teams themselves."""

from __future__ import annotations

import typer

from oncallctl.commands.teams.app import TeamArgument, app
from oncallctl.config.connect import connect
from oncallctl.output.render import render

COLUMNS = {"ID": "id", "NAME": "name", "EMAIL": "email"}


@app.command("list")
def list_teams(ctx: typer.Context) -> None:
    """List the teams."""
    with connect(ctx.obj) as oncall:
        render(ctx.obj, (team.raw for team in oncall.teams.list()), COLUMNS)


@app.command()
def get(ctx: typer.Context, team: TeamArgument) -> None:
    """Show one team."""
    from oncallctl.api import lookup

    with connect(ctx.obj) as oncall:
        render(ctx.obj, oncall.teams.get(lookup.team(oncall, team).id).raw, COLUMNS)
