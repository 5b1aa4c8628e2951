"""The commands `alert-groups list`, `get` and `alerts`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.alert_groups import GroupBy
from oncallctl.api.nouns import ALERT_GROUPS, ALERTS, INTEGRATIONS
from oncallctl.commands import generic
from oncallctl.commands.alert_groups.app import IntegrationOption, MineOption, SinceOption, StateOption, app
from oncallctl.config.connect import connect
from oncallctl.errors import InvalidInput
from oncallctl.output import card
from oncallctl.output.linked_names import NameLookupCache, for_a_person, with_names
from oncallctl.output.render import limited, render, render_text
from oncallctl.parsing.options import LimitOption, TeamOption, given_targets, key_value, note_time, since_value
from oncallctl.times import now, parse_duration, parse_past

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

    from oncallctl.alert_groups.choosing import GroupFilter, Query
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
        "oncallctl alert-groups list --since 7d --state firing --state resolved --group-by title",
        "oncallctl alert-groups list --team platform --since 12h -o json",
    ],
)
def list_alert_groups(
    ctx: typer.Context,
    state: StateOption = None,
    team: TeamOption = None,
    integration: IntegrationOption = None,
    since: SinceOption = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Only groups that began before TIME.")
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="DURATION", help="Only groups that began at least DURATION ago."),
    ] = None,
    chain: Annotated[
        str | None,
        typer.Option("--chain", metavar="CHAIN", help="Only groups whose route leads to this chain (name or ID)."),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY=VALUE", help="Only groups with this label. Can be repeated."),
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="TEXT", help="Only groups with TEXT in the title, in any case.")
    ] = None,
    mine: MineOption = False,
    group_by: Annotated[
        GroupBy | None, typer.Option("--group-by", help="Show one row for all alert groups with the same title.")
    ] = None,
    limit: LimitOption = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep the list up to date until Ctrl-C, and mark new alert groups.")
    ] = False,
    bell: Annotated[
        bool, typer.Option("--bell", help="Ring the terminal bell for new alert groups of --watch.")
    ] = False,
) -> None:
    """List alert groups that are not resolved, newest first. Use --state for other states."""
    from oncallctl.alert_groups.choosing import GroupFilter

    if bell and not watch:
        raise InvalidInput("--bell needs --watch", hint="add --watch")
    if group_by and watch:
        raise InvalidInput("--group-by and --watch exclude each other", hint="omit one of them")
    if until and older_than:
        raise InvalidInput("--until and --older-than exclude each other", hint="omit one of them")
    end: datetime | timedelta | None = parse_duration(older_than) if older_than else None
    if until:
        end = parse_past(until, ctx.obj.tz, before=now())
        note_time(ctx.obj, "until", until, end)
    labels = [key_value(text, "--label") for text in label or ()]
    times = since_value(ctx.obj, since)
    groups = GroupFilter(state or (), team, integration, times, mine, chain, labels, end, search)
    with connect(ctx.obj) as oncall:
        if watch:
            _watch(ctx.obj, oncall, groups, limit, bell=bell)
            return
        query = groups.resolve(oncall)
        if group_by:
            _render_folds(ctx.obj, query, limit)
            return
        found = limited(ctx.obj, query.read(limit and limit + 1), limit)
        if limit is None and sys.stdout.isatty():
            found = iter(_newest(ctx.obj, query))
        rows = _with_names(oncall, ctx.obj, _cached(oncall, found), NameLookupCache())
        render(ctx.obj, rows, ALERT_GROUPS.columns, empty="no alert groups")


def _watch(settings: Settings, oncall: OnCall, groups: GroupFilter, limit: int | None, *, bell: bool) -> None:
    from oncallctl.output import live

    live.check(settings)
    query, memory = groups.resolve(oncall), NameLookupCache()

    def read(max_rows: int) -> live.ListSnapshot:
        newest = query.read_newest(max_rows)
        return live.ListSnapshot(_with_names(oncall, settings, newest.groups, memory), newest.cut)

    live.watch(settings, oncall, read, ALERT_GROUPS, limit=limit, bell=bell)


def _render_folds(settings: Settings, query: Query, limit: int | None) -> None:
    """Show one row per title. A limit counts rows, so all alert groups are read for it."""
    from oncallctl.alert_groups import folding

    found = _newest(settings, query) if limit is None and sys.stdout.isatty() else query.read()
    folds = list(limited(settings, folding.by_title(found), limit))
    rows = [fold.row for fold in folds]
    render(settings, [fold.document for fold in folds], folding.COLUMNS, rows=rows, empty="no alert groups")


def _cached(oncall: OnCall, groups: Iterable[AlertGroup]) -> Iterator[AlertGroup]:
    """Yield alert groups, and cache their IDs and titles for TAB completion."""
    titles = {}
    for group in groups:
        titles[group.id] = group.title or ""
        yield group
    if oncall.name_observer:
        oncall.name_observer.keep_alert_groups(titles)


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
        "oncallctl alert-groups get IWM9M5WQXRBEN --web",
        "oncallctl alert-groups get IWM9M5WQXRBEN -o json",
    ],
)
def get(
    ctx: typer.Context,
    alert_groups: Annotated[
        list[str], typer.Argument(metavar="ID...", help="IDs of alert groups; - reads them from stdin.")
    ],
    web: Annotated[
        bool, typer.Option("--web", help="Open the alert groups in the browser; print the link if there is no browser.")
    ] = False,
) -> None:
    """Show alert groups."""
    from oncallctl.alert_groups import choosing
    from oncallctl.alert_groups.web import web_link

    with connect(ctx.obj) as oncall:
        groups = [choosing.get(oncall, ident) for ident in given_targets(alert_groups)]
        if web:
            for group in groups:
                _open(ctx.obj, web_link(group, oncall.profile))
        elif card.wanted(ctx.obj):
            generic.show_cards(ctx.obj, oncall, ALERT_GROUPS, groups)
        else:
            rows = list(_with_names(oncall, ctx.obj, groups, NameLookupCache()))
            render(ctx.obj, rows[0] if len(rows) == 1 else rows, ALERT_GROUPS.columns)


def _open(settings: Settings, link: str) -> None:
    """Open a link in the browser, or print it if stdout is not a terminal or there is no browser."""
    import webbrowser

    if sys.stdout.isatty() and webbrowser.open(link):
        settings.note(f"opened {link} in the browser")
    else:
        render_text(settings, f"{link}\n")


@app.command(
    examples=[
        "oncallctl alert-groups alerts IWM9M5WQXRBEN",
        "oncallctl alert-groups alerts IWM9M5WQXRBEN -o json",
    ],
)
def alerts(ctx: typer.Context, alert_group: AlertGroupArgument, limit: LimitOption = None) -> None:
    """List the alerts of an alert group, newest first."""
    from oncallctl.alert_groups import choosing
    from oncallctl.alert_groups.payloads import with_title

    with connect(ctx.obj) as oncall:
        group = choosing.get(oncall, alert_group)
        found = oncall.alerts.list(limit and limit + 1, alert_group_id=group.id)
        documents = list(limited(ctx.obj, (alert.raw for alert in found), limit))
        render(ctx.obj, documents, ALERTS.columns, rows=[with_title(alert) for alert in documents], empty="no alerts")


def _with_names(
    oncall: OnCall, settings: Settings, groups: Iterable[AlertGroup], memory: NameLookupCache
) -> Iterable[Row]:
    """Add names for a table. The own group of a window gets the name of the integration in maintenance."""
    from oncallctl.alert_groups.own_groups import with_integration
    from oncallctl.alert_groups.payloads import severity

    if not for_a_person(settings):
        return (group.raw for group in groups)
    found = ({"severity": severity(group.raw), **group.row} for group in groups)
    rows = with_names(oncall, settings, found, ALERT_GROUPS, memory=memory)
    if INTEGRATIONS in memory.failed:
        return rows
    return [with_integration(row) for row in rows]
