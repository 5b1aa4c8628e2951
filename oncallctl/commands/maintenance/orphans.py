"""Finding the windows that a `maintenance run` left behind when it was killed."""

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
    "BY": "opened_by",
    "REASON": "reason",
    "RUN": "run",
}


@app.command()
def orphans(ctx: typer.Context) -> None:
    """Show the open windows of this machine's runs that died; `-o id | maintenance stop -` ends them."""
    from oncallctl.maintenance.journal import Journal, authorship
    from oncallctl.maintenance.run.shared import orphaned
    from oncallctl.maintenance.windows import change

    found = []
    with connect(ctx.obj) as oncall:
        openers = Journal().openers(oncall.profile, ctx.obj.warn)
        for opened, integration in orphaned(oncall, state_folder(), ctx.obj.warn):
            known = change.status(integration, oncall.now()) | authorship(openers, integration)
            found.append({**known, "reason": opened.reason, "run": opened.run})
    render(ctx.obj, found, ORPHANS)
