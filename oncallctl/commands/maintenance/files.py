"""A file of windows: checking it, showing what is to come, and opening what is due."""

from __future__ import annotations

from typing import Annotated

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.errors import InvalidInput
from oncallctl.options import DryRunOption, read_text
from oncallctl.output import render, render_text
from oncallctl.session import connect
from oncallctl.settings import Format
from oncallctl.text import visible
from oncallctl.times import now

MISTAKES = {"LINE": "line", "WINDOW": "window", "MESSAGE": "message"}
OUTCOMES = {
    "WINDOW": "window",
    "OCCURRENCE": "occurrence",
    "ID": "id",
    "NAME": "name",
    "STATUS": "status",
    "UNTIL": "ends_at",
    "ERROR": "error.message",
}

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="The file of windows; - is stdin.")]


@app.command()
def check(ctx: typer.Context, file: FileArgument) -> None:
    """Say everything that is wrong with a file of windows; needs no server."""
    from oncallctl.maintenance import windowsfile

    settings = ctx.obj
    rules, mistakes = windowsfile.load(read_text(file, "FILE"))
    if settings.format is Format.TABLE and settings.columns is None:
        render_text(settings, "".join(f"{visible(mistake.text(file))}\n" for mistake in mistakes))
    else:
        render(settings, [mistake.document() for mistake in mistakes], MISTAKES)
    if mistakes:
        raise InvalidInput(f"{file}: {len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}")
    settings.note(f"{file}: {len(rules)} window{'s' if len(rules) > 1 else ''}, no mistakes")


@app.command()
def apply(ctx: typer.Context, file: FileArgument, dry_run: DryRunOption = False) -> None:
    """Open the windows of a file that are due now; run it every minute."""
    from oncallctl.maintenance import apply as applying, windowsfile
    from oncallctl.maintenance.journal import Author, Journal
    from oncallctl.maintenance.windows import Desk
    from oncallctl.state import locked, state_folder

    rules = windowsfile.usable(read_text(file, "FILE"), file)
    if not applying.due(rules, now()):
        render(ctx.obj, [], OUTCOMES)
        return
    with connect(ctx.obj) as oncall, locked(state_folder() / "apply.lock"):
        desk = Desk(oncall, Journal(), Author(), ctx.obj.warn)
        results = applying.apply(desk, applying.due(rules, now()), ctx.obj.debug, dry_run=dry_run)
    documents = [each.document() for each in results.items]
    render(ctx.obj, documents, OUTCOMES, rows=[each.row() for each in results.items])
    results.raise_failures()
