"""Looking at alert groups."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.api.named_collections import INTEGRATIONS
from oncallctl.commands.alert_groups.app import IntegrationOption, MineOption, SinceOption, StateOption, app
from oncallctl.config.connect import connect
from oncallctl.output.linked_names import INTEGRATION, TEAM, NameLookupCache, for_a_person, with_names
from oncallctl.output.render import limited, render
from oncallctl.parsing.options import LimitOption, TeamOption

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oncallctl.alert_groups.choosing import Query
    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.alert_groups import AlertGroup
    from oncallctl.config.settings import Settings
    from oncallctl.output.table import Row

COLUMNS = {
    "ID": "id",
    "STATE": "state",
    "TITLE": "title",
    "ALERTS": "alerts_count",
    "CREATED": "created_at",
    "INTEGRATION": "integration.name",
    "TEAM": "team.name",
}
AT_A_TERMINAL = 100  # groups that are listed without --limit
ALERTS = {"ID": "id", "CREATED": "created_at", "TITLE": "title"}

AlertGroupArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id.")]


@app.command("list")
def list_alert_groups(
    ctx: typer.Context,
    state: StateOption = None,
    team: TeamOption = None,
    integration: IntegrationOption = None,
    since: SinceOption = None,
    mine: MineOption = False,
    limit: LimitOption = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep the list live, until Ctrl-C.")] = False,
) -> None:
    """List alert groups that are not resolved, newest first; --state lists those in other states."""
    from oncallctl.alert_groups.choosing import GroupFilter

    with connect(ctx.obj) as oncall:
        if watch:
            from oncallctl.output import live

            live.check(ctx.obj)
        query = GroupFilter(state or (), team, integration, since, mine).resolve(oncall, ctx.obj.tz)

        memory = NameLookupCache()

        def named(groups: Iterable[AlertGroup]) -> Iterable[Row]:
            return _with_names(oncall, ctx.obj, groups, memory)

        if watch:

            def read(most: int) -> live.ListSnapshot:
                look = query.look(most)
                return live.ListSnapshot(named(look.groups), look.cut)

            live.watch(ctx.obj, oncall, read, COLUMNS, limit=limit)
            raise typer.Exit(128 + signal.SIGINT)
        if limit is None and sys.stdout.isatty():
            render(ctx.obj, named(_newest(ctx.obj, query)), COLUMNS)
        else:
            render(ctx.obj, named(limited(ctx.obj, query.read(limit and limit + 1), limit)), COLUMNS)


def _newest(settings: Settings, query: Query) -> Sequence[AlertGroup]:
    """Return what a terminal shows without --limit, from the beginnings of the server's lists."""
    look = query.look(AT_A_TERMINAL + 1)
    shown = look.groups[:AT_A_TERMINAL]
    if look.cut or len(look.groups) > len(shown):
        settings.note(f"showing the newest {len(shown)}; use --limit N to show more")
    return shown


@app.command()
def get(ctx: typer.Context, alert_group: AlertGroupArgument) -> None:
    """Show one alert group."""
    from oncallctl.alert_groups import choosing

    with connect(ctx.obj) as oncall:
        group = choosing.get(oncall, alert_group)
        (shown,) = _with_names(oncall, ctx.obj, [group], NameLookupCache())
    render(ctx.obj, shown, COLUMNS)


@app.command()
def alerts(ctx: typer.Context, alert_group: AlertGroupArgument, limit: LimitOption = None) -> None:
    """List the alerts of an alert group, the newest first."""
    from oncallctl.alert_groups import choosing
    from oncallctl.alert_groups.payloads import titled

    with connect(ctx.obj) as oncall:
        group = choosing.get(oncall, alert_group)
        found = oncall.alerts.list(limit and limit + 1, alert_group_id=group.id)
        whole = list(limited(ctx.obj, (alert.raw for alert in found), limit))
        render(ctx.obj, whole, ALERTS, rows=[titled(alert) for alert in whole])


def _with_names(
    oncall: OnCall, settings: Settings, groups: Iterable[AlertGroup], memory: NameLookupCache
) -> Iterable[Row]:
    """Add names for a table; the own group of a maintenance window has that of the integration in maintenance."""
    from oncallctl.alert_groups.own_groups import with_integration

    if not for_a_person(settings):
        return (group.raw for group in groups)
    rows = with_names(oncall, settings, (group.row for group in groups), INTEGRATION, TEAM, memory=memory)
    if INTEGRATIONS in memory.failed:
        return rows
    return [with_integration(row) for row in rows]
