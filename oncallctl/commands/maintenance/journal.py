"""The command `maintenance history`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.commands.maintenance.files import on_a_terminal
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

# Columns that a terminal shows only if their values differ.
OFTEN_CONSTANT = ("PROFILE", "BY", "HOST", "OUTCOME")


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
    columns = _varying(documents) if on_a_terminal() and ctx.obj.columns is None else HISTORY
    render(ctx.obj, documents, columns, empty="no windows in this time")


def _varying(documents: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the columns for a terminal, without those that have the same value in every row."""
    constant = {title for title in OFTEN_CONSTANT if len({each[HISTORY[title]] for each in documents}) == 1}
    return {title: path for title, path in HISTORY.items() if title not in constant}
