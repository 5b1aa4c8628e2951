"""The command `maintenance debrief`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.config.connect import connect
from oncallctl.errors import ConditionFailed
from oncallctl.output.render import render
from oncallctl.parsing.options import past_time
from oncallctl.text import counted

GROUPS = {
    "ID": "id",
    "OUTCOME": "outcome",
    "STATE": "state",
    "TITLE": "title",
    "CREATED": "created_at",
    "RESOLVED": "resolved_at",
}


class RequireNone(StrEnum):
    """The condition of `debrief --require`."""

    NONE = "none"


@app.command(
    examples=[
        "oncallctl maintenance start checkout --for 1h",
        "oncallctl maintenance debrief checkout",
        "oncallctl maintenance debrief checkout -o json",
    ],
)
def debrief(
    ctx: typer.Context,
    integration: Annotated[str, typer.Argument(metavar="INTEGRATION", help="Name or ID.")],
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Include windows since this time. [default: the last window]"),
    ] = None,
    require: Annotated[
        RequireNone | None, typer.Option("--require", help="Exit 10 if there are such alert groups.")
    ] = None,
) -> None:
    """List alert groups that a window suppressed and that nobody has seen."""
    from oncallctl.api import lookup
    from oncallctl.maintenance.journal import Journal
    from oncallctl.maintenance.windows import alerts

    with connect(ctx.obj) as oncall:
        found = lookup.find(oncall.integrations, integration)
        at = oncall.now()
        begin = past_time(ctx.obj, since, before=at) if since else None
        times = alerts.quiet_times(oncall, found, Journal(), since=begin, at=at, warn=ctx.obj.warn)
        left = list(alerts.left_behind(oncall, found, times))
    documents = [alerts.document(group, outcome) for group, outcome in left]
    rows = [{**document, "title": group.title} for document, (group, _) in zip(documents, left, strict=True)]
    render(ctx.obj, documents, GROUPS, rows=rows, empty="no alert groups that need attention")
    if require and left:
        raise ConditionFailed(f"{counted(len(left), 'alert group')} of {found.name!r} may need attention")
