"""Routes: which alerts go to which escalation chain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.config.connect import connect
from oncallctl.output.linked_names import CHAIN, INTEGRATION, Row, for_a_person, with_names
from oncallctl.output.render import limited, render
from oncallctl.parsing.framework import noun
from oncallctl.parsing.options import LimitOption

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.routes import Route
    from oncallctl.config.settings import Settings

COLUMNS = {
    "ID": "id",
    "INTEGRATION": "integration.name",
    "POSITION": "position",
    "CONDITION": "condition",
    "CHAIN": "escalation_chain.name",
}

app = noun()


@app.command("list")
def list_routes(
    ctx: typer.Context,
    integration: Annotated[
        str | None, typer.Option("--integration", metavar="INTEGRATION", help="Those of this integration (name or id).")
    ] = None,
    limit: LimitOption = None,
) -> None:
    """List the routes."""
    from oncallctl.api import lookup

    with connect(ctx.obj) as oncall:
        filters = {"integration_id": lookup.integration(oncall, integration).id} if integration else {}
        found = oncall.routes.list(limit and limit + 1, **filters)
        render(ctx.obj, _rows(ctx.obj, oncall, limited(ctx.obj, found, limit)), COLUMNS)


@app.command()
def get(ctx: typer.Context, route: Annotated[str, typer.Argument(metavar="ID", help="Its id.")]) -> None:
    """Show one route."""
    with connect(ctx.obj) as oncall:
        (shown,) = _rows(ctx.obj, oncall, [oncall.routes.get(route.removeprefix("id:"))])
    render(ctx.obj, shown, COLUMNS)


def _rows(settings: Settings, oncall: OnCall, routes: Iterable[Route]) -> Iterable[Row]:
    """The routes as the server has them; for a table with names, and their condition in words."""
    from oncallctl.escalation.describe import condition

    if not for_a_person(settings):
        return (route.raw for route in routes)
    rows = ({**route.raw, "condition": condition(route)} for route in routes)
    return with_names(oncall, settings, rows, INTEGRATION, CHAIN)
