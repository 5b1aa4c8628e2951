"""Users."""

from __future__ import annotations

import typer

from oncallctl.api.nouns import USERS
from oncallctl.commands import generic
from oncallctl.config.connect import connect

app = generic.app_of(USERS)


@app.command(
    examples=[
        "oncallctl users whoami",
        "oncallctl users whoami -o json",
    ],
)
def whoami(ctx: typer.Context) -> None:
    """Show the user of the token."""
    with connect(ctx.obj) as oncall:
        generic.show(ctx.obj, oncall, USERS, oncall.users.current())
