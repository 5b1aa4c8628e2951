"""The commands `alert-groups list`, `get` and `alerts`."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.api.nouns import ALERT_GROUPS, ALERTS, INTEGRATIONS
from oncallctl.commands import generic
from oncallctl.commands.alert_groups.app import IntegrationOption, MineOption, SinceOption, StateOption, app
from oncallctl.config.connect import connect
from oncallctl.output import card
from oncallctl.output.linked_names import NameLookupCache, for_a_person, with_names
from oncallctl.output.render import limited, render
from oncallctl.parsing.options import LimitOption, TeamOption, since_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oncallctl.alert_groups.choosing import Query
    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.alert_groups import AlertGroup
    from oncallctl.config.settings import Settings
    from oncallctl.output.columns import Row

SHOWN_ON_TERMINAL = 100  # groups that a terminal lists without --limit

AlertGroupArgument = Annotated[str, typer.Argument(metavar="ID", help="ID of the alert group.")]


@app.command(
    "list",
    examples=[
        "oncallctl alert-groups list",
        "oncallctl alert-groups list --mine --state firing",
        "oncallctl alert-groups list --team platform --since 12h -o json",
    ],
)
def list_alert_groups(
    ctx: typer.Context,
    state: StateOption = None,
    team: TeamOption = None,
    integration: IntegrationOption = None,
    since: SinceOption = None,
    mine: MineOption = False,
    limit: LimitOption = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep the list up to date until Ctrl-C.")] = False,
) -> None:
    """List alert groups that are not resolved, newest first. Use --state for other states."""
    from oncallctl.alert_groups.choosing import GroupFilter

    groups = GroupFilter(state or (), team, integration, since_value(ctx.obj, since), mine)
    with connect(ctx.obj) as oncall:
        if watch:
            from oncallctl.output import live

            live.check(ctx.obj)
        query = groups.resolve(oncall)

        memory = NameLookupCache()

        def named(groups: Iterable[AlertGroup]) -> Iterable[Row]:
            return _with_names(oncall, ctx.obj, groups, memory)

        if watch:

            def read(max_rows: int) -> live.ListSnapshot:
                newest = query.read_newest(max_rows)
                return live.ListSnapshot(named(newest.groups), newest.cut)

            live.watch(ctx.obj, oncall, read, ALERT_GROUPS.columns, limit=limit)
            raise typer.Exit(128 + signal.SIGINT)
        if limit is None and sys.stdout.isatty():
            found: Iterable[AlertGroup] = _newest(ctx.obj, query)
        else:
            found = limited(ctx.obj, query.read(limit and limit + 1), limit)
        render(ctx.obj, named(found), ALERT_GROUPS.columns, empty="no alert groups")


def _newest(settings: Settings, query: Query) -> Sequence[AlertGroup]:
    """Return the groups that a terminal shows without --limit."""
    newest = query.read_newest(SHOWN_ON_TERMINAL + 1)
    shown = newest.groups[:SHOWN_ON_TERMINAL]
    if newest.cut or len(newest.groups) > len(shown):
        settings.note(f"showing the newest {len(shown)}; use --limit N to show more")
    return shown


@app.command(
    examples=[
        "oncallctl alert-groups get IWM9M5WQXRBEN",
        "oncallctl alert-groups get IWM9M5WQXRBEN -o json",
    ],
)
def get(ctx: typer.Context, alert_group: AlertGroupArgument) -> None:
    """Show one alert group."""
    from oncallctl.alert_groups import choosing

    with connect(ctx.obj) as oncall:
        group = choosing.get(oncall, alert_group)
        if card.wanted(ctx.obj):
            generic.show_cards(ctx.obj, oncall, ALERT_GROUPS, [group])
            return
        (shown,) = _with_names(oncall, ctx.obj, [group], NameLookupCache())
    render(ctx.obj, shown, ALERT_GROUPS.columns)


@app.command(
    examples=[
        "oncallctl alert-groups alerts IWM9M5WQXRBEN",
        "oncallctl alert-groups alerts IWM9M5WQXRBEN -o json",
    ],
)
def alerts(ctx: typer.Context, alert_group: AlertGroupArgument, limit: LimitOption = None) -> None:
    """List the alerts of an alert group, newest first."""
    from oncallctl.alert_groups import choosing
    from oncallctl.alert_groups.payloads import titled

    with connect(ctx.obj) as oncall:
        group = choosing.get(oncall, alert_group)
        found = oncall.alerts.list(limit and limit + 1, alert_group_id=group.id)
        whole = list(limited(ctx.obj, (alert.raw for alert in found), limit))
        render(ctx.obj, whole, ALERTS.columns, rows=[titled(alert) for alert in whole], empty="no alerts")


def _with_names(
    oncall: OnCall, settings: Settings, groups: Iterable[AlertGroup], memory: NameLookupCache
) -> Iterable[Row]:
    """Add names for a table. The own group of a window gets the name of the integration in maintenance."""
    from oncallctl.alert_groups.own_groups import with_integration

    if not for_a_person(settings):
        return (group.raw for group in groups)
    found = (group.row for group in groups)
    rows = with_names(oncall, settings, found, ALERT_GROUPS, memory=memory)
    if INTEGRATIONS in memory.failed:
        return rows
    return [with_integration(row) for row in rows]
