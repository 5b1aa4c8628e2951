"""The command `maintenance orphans`."""

from __future__ import annotations

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.config.connect import connect
from oncallctl.config.private_files import state_folder
from oncallctl.output.render import render

ORPHANS = {
    "ID": "id",
    "NAME": "name",
    "MODE": "mode",
    "ENDS": "ends_at",
    "BY": "started_by",
    "REASON": "reason",
    "RUN": "run",
}


@app.command(
    examples=[
        "oncallctl maintenance orphans",
        "oncallctl maintenance orphans -o json",
    ],
)
def orphans(ctx: typer.Context) -> None:
    """Show active windows that killed runs on this machine left behind."""
    from oncallctl.maintenance.journal import Journal, authorship
    from oncallctl.maintenance.run.shared import orphaned
    from oncallctl.maintenance.windows import plan

    found = []
    with connect(ctx.obj) as oncall:
        starts = Journal().starts(oncall.profile, ctx.obj.warn)
        for record, integration in orphaned(oncall, state_folder(), ctx.obj.warn):
            known = plan.status(oncall, integration) | authorship(starts, integration)
            found.append({**known, "reason": record.reason, "run": record.run})
    render(ctx.obj, found, ORPHANS, empty="no windows left behind")
