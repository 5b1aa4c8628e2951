"""The command `maintenance history`."""

from __future__ import annotations

from typing import Annotated

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.output.render import render
from oncallctl.times import now, parse_duration

HISTORY = {
    "TIME": "time",
    "EVENT": "event",
    "CAUSE": "cause",
    "NAME": "integration.name",
    "MODE": "mode",
    "ENDS": "ends_at",
    "PROFILE": "profile",
    "BY": "user",
    "HOST": "host",
    "REASON": "reason",
    "OUTCOME": "outcome",
}


@app.command(
    examples=[
        "oncallctl maintenance history",
        "oncallctl maintenance history -o json",
    ],
)
def history(
    ctx: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="DURATION", help="Show only events of this last period, for example 12h or 7d."
        ),
    ] = None,
) -> None:
    """Show the windows that this machine started, renewed and stopped, oldest first."""
    from oncallctl.maintenance.journal import Journal

    begin = now() - parse_duration(since) if since else None
    wanted = ctx.obj.profile
    entries = [entry for entry in Journal().entries(ctx.obj.warn, begin) if wanted in {None, entry.profile}]
    render(ctx.obj, [{"id": entry.integration.id, **entry.raw} for entry in entries], HISTORY)
