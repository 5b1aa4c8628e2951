"""Alert groups."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from oncallctl.options import LimitOption, TeamOption, noun
from oncallctl.output import limited, render
from oncallctl.session import connect

COLUMNS = {
    "ID": "id",
    "STATE": "state",
    "TITLE": "title",
    "ALERTS": "alerts_count",
    "CREATED": "created_at",
    "INTEGRATION": "integration_id",
    "TEAM": "team_id",
}


class State(StrEnum):
    """The state of an alert group; the filter of the API calls the first one new."""

    FIRING = "firing"
    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    SILENCED = "silenced"


app = noun("Alert groups: what is firing.")


@app.command("list")
def list_alert_groups(
    ctx: typer.Context,
    state: Annotated[State | None, typer.Option("--state", help="Those in this state (new is firing).")] = None,
    team: TeamOption = None,
    limit: LimitOption = None,
) -> None:
    """List the alert groups, the newest first."""
    from oncallctl.api import names

    with connect(ctx.obj) as oncall:
        filters = {}
        if state:
            filters["state"] = "new" if state is State.FIRING else state.value
        if team:
            filters["team_id"] = names.team(oncall, team).id
        groups = oncall.alert_groups.list(limit and limit + 1, **filters)
        render(ctx.obj, limited(ctx.obj, (group.raw for group in groups), limit), COLUMNS)


@app.command()
def get(ctx: typer.Context, alert_group: Annotated[str, typer.Argument(metavar="ID", help="Its id.")]) -> None:
    """Show one alert group."""
    with connect(ctx.obj) as oncall:
        render(ctx.obj, oncall.alert_groups.get(alert_group.removeprefix("id:")).raw, COLUMNS)
