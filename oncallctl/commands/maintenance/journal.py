"""The command `maintenance history`."""

from __future__ import annotations

from typing import Annotated

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.output.render import render
from oncallctl.parsing.options import past_time
from oncallctl.times import now

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
            "--since", metavar="TIME", help="Show only events since then, for example 7d, 18:00 or 2026-12-01."
        ),
    ] = None,
) -> None:
    """Show the windows that this machine started, renewed and stopped, oldest first."""
    from oncallctl.maintenance.journal import Journal

    begin = past_time(ctx.obj, since, before=now()) if since else None
    wanted = ctx.obj.profile
    entries = [entry for entry in Journal().entries(ctx.obj.warn, begin) if wanted in {None, entry.profile}]
    documents = [{"id": entry.integration.id, **entry.raw} for entry in entries]
    render(ctx.obj, documents, HISTORY, empty="no windows in this time")
