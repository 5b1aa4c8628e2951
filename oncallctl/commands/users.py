"""Users."""

from __future__ import annotations

from typing import Annotated

import typer

from oncallctl.options import noun
from oncallctl.output import render
from oncallctl.session import connect

COLUMNS = {"ID": "id", "USER": "username", "EMAIL": "email", "ROLE": "role", "TIMEZONE": "timezone"}

app = noun("The people of the organisation.")


@app.command("list")
def list_users(ctx: typer.Context) -> None:
    """List the users."""
    with connect(ctx.obj) as oncall:
        render(ctx.obj, (user.raw for user in oncall.users.list()), COLUMNS)


@app.command()
def get(
    ctx: typer.Context, user: Annotated[str, typer.Argument(metavar="USER", help="User name, e-mail or id.")]
) -> None:
    """Show one user."""
    from oncallctl.api import names

    with connect(ctx.obj) as oncall:
        render(ctx.obj, oncall.users.get(names.user(oncall, user).id).raw, COLUMNS)


@app.command()
def whoami(ctx: typer.Context) -> None:
    """Show whose token this is."""
    with connect(ctx.obj) as oncall:
        render(ctx.obj, oncall.users.current().raw, COLUMNS)
