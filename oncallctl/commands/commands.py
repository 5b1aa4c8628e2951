"""`commands`: the command tree."""

from __future__ import annotations

from dataclasses import asdict

import typer

from oncallctl import __version__
from oncallctl.errors import EXIT_CODES
from oncallctl.output.render import render
from oncallctl.parsing.framework import verb

app = verb()


COLUMNS = {"COMMAND": "command", "CHANGES": "changes", "PROMPTS": "prompts", "SUMMARY": "summary"}


@app.command(
    examples=[
        "oncallctl commands",
        "oncallctl commands -o json",
        "oncallctl commands --columns command,changes,prompts,dry_run",
    ]
)
def commands(ctx: typer.Context) -> None:
    """List all commands. With -o json, print the complete tree: arguments, options, types, defaults and examples."""
    from oncallctl.parsing import catalog

    root = ctx.find_root()
    found = [asdict(each) for each in catalog.commands(root)]
    document = {
        "version": __version__,
        "global_options": [asdict(each) for each in catalog.global_parameters(root)],
        "exit_codes": [{"code": code, "meaning": text, "retry": retry or None} for code, text, retry in EXIT_CODES],
        "commands": found,
    }
    render(ctx.obj, document, COLUMNS, rows=[{"id": each["command"], **each} for each in found])
