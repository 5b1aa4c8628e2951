"""Users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.config.connect import connect
from oncallctl.output.linked_names import MEMBER_OF, with_names
from oncallctl.output.render import render
from oncallctl.parsing.framework import noun

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.users import User
    from oncallctl.config.settings import Settings

COLUMNS = {
    "ID": "id",
    "USER": "username",
    "EMAIL": "email",
    "ROLE": "role",
    "TIMEZONE": "timezone",
    "TEAMS": "team_names",
}

app = noun()


@app.command("list")
def list_users(ctx: typer.Context) -> None:
    """List the users."""
    with connect(ctx.obj) as oncall:
        render(ctx.obj, with_names(oncall, ctx.obj, (user.raw for user in oncall.users.list()), MEMBER_OF), COLUMNS)


@app.command()
def get(
    ctx: typer.Context, user: Annotated[str, typer.Argument(metavar="USER", help="User name, e-mail or id.")]
) -> None:
    """Show one user."""
    from oncallctl.api import lookup

    with connect(ctx.obj) as oncall:
        _show(ctx.obj, oncall, oncall.users.get(lookup.user(oncall, user).id))


@app.command()
def whoami(ctx: typer.Context) -> None:
    """Show whose token this is."""
    with connect(ctx.obj) as oncall:
        _show(ctx.obj, oncall, oncall.users.current())


def _show(settings: Settings, oncall: OnCall, user: User) -> None:
    (shown,) = with_names(oncall, settings, [user.raw], MEMBER_OF)
    render(settings, shown, COLUMNS)
