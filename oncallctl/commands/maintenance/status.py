"""The command `maintenance status`."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncallctl.api.nouns import INTEGRATIONS
from oncallctl.commands.maintenance.app import app
from oncallctl.commands.maintenance.windows import selector_of
from oncallctl.config.connect import connect
from oncallctl.errors import ConditionFailed, InvalidInput
from oncallctl.output.linked_names import NameLookupCache, with_names
from oncallctl.output.render import render
from oncallctl.parsing.options import AllOption, LabelOption, MatchOption, TargetsArgument, TeamOption
from oncallctl.times import parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.integrations import Integration
    from oncallctl.config.settings import Settings
    from oncallctl.integrations.selection import IntegrationSelector

WINDOWS = {
    "ID": "id",
    "NAME": "name",
    "TEAM": "team.name",
    "MODE": "mode",
    "STARTED": "started_at",
    "ENDS": "ends_at",
    "OVERDUE": "overdue",
    "BY": "started_by",
    "REASON": "reason",
}


class RequireState(StrEnum):
    """The states that `status --require` can require of every target."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@app.command(
    examples=[
        "oncallctl maintenance status",
        "oncallctl maintenance status checkout -o json",
        "oncallctl maintenance status checkout --require inactive",
    ],
)
def status(
    ctx: typer.Context,
    targets: TargetsArgument = None,
    team: TeamOption = None,
    label: LabelOption = None,
    match: MatchOption = None,
    everything: AllOption = False,
    ending_within: Annotated[
        str | None,
        typer.Option(
            "--ending-within", metavar="DURATION", help="Show only windows that end within this time, or are overdue."
        ),
    ] = None,
    require: Annotated[
        RequireState | None, typer.Option("--require", help="Exit 10 unless all targets are in this state.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep the list up to date until Ctrl-C.")] = False,
) -> None:
    """Show active windows; with targets, the state of each."""
    selector = selector_of(targets, team, label, match, everything=everything)
    within = parse_duration(ending_within) if ending_within else None
    if watch:
        _watch(ctx.obj, selector, within, require)
        return
    with connect(ctx.obj) as oncall:
        found = _integrations(oncall, selector)
        documents = _documents(ctx.obj, oncall, found, within)
        for each in documents:
            if each["overdue"] is None:
                ctx.obj.warn(
                    f"the window of {each['name']!r} ended at {each['ends_at']} by this machine's clock; the server"
                    " does not send its time, so whether it is overdue is not known"
                )
        shown = with_names(oncall, ctx.obj, documents, INTEGRATIONS, columns=WINDOWS)
    render(ctx.obj, shown, WINDOWS, empty="no integration is in maintenance")
    if require is RequireState.ACTIVE and (not found or not all(each.maintenance_mode for each in found)):
        raise ConditionFailed("not all are in maintenance" if found else "none is in maintenance")
    if require is RequireState.INACTIVE and any(each.maintenance_mode for each in found):
        raise ConditionFailed(f"in maintenance: {', '.join(each.name for each in found if each.maintenance_mode)}")


def _integrations(oncall: OnCall, selector: IntegrationSelector) -> list[Integration]:
    """Fetch the targets, or all integrations in maintenance if there are none."""
    from oncallctl.integrations.selection import IntegrationFilter, select

    if selector.ways:
        return [target.found for target in select(oncall, selector)]
    return list(IntegrationFilter(in_maintenance=True).apply(oncall))


def _documents(
    settings: Settings, oncall: OnCall, integrations: Sequence[Integration], within: timedelta | None
) -> list[dict[str, Any]]:
    """Return the elements of the JSON array; `within` limits them to windows that end within this time."""
    from oncallctl.maintenance.journal import Journal, authorship
    from oncallctl.maintenance.windows import plan

    at = oncall.now()
    starts = Journal().starts(oncall.profile, settings.warn)
    return [
        plan.status(oncall, each) | authorship(starts, each)
        for each in integrations
        if within is None or plan.ends_within(each, within, at)
    ]


def _watch(
    settings: Settings, selector: IntegrationSelector, within: timedelta | None, require: RequireState | None
) -> None:
    """Show the windows until Ctrl-C."""
    from oncallctl.output import live

    if require:
        raise InvalidInput("--watch and --require exclude each other", hint="omit one of them")
    live.check(settings)
    with connect(settings) as oncall:
        memory = NameLookupCache()

        def read(_max_rows: int) -> live.ListSnapshot:
            documents = _documents(settings, oncall, _integrations(oncall, selector), within)
            return live.ListSnapshot(
                with_names(oncall, settings, documents, INTEGRATIONS, columns=WINDOWS, memory=memory)
            )

        live.watch(settings, oncall, read, replace(INTEGRATIONS, columns=WINDOWS))
