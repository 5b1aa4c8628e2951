"""Opening, ending and showing windows."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.errors import ConditionFailed, InvalidInput, OncallError
from oncallctl.maintenance import IfActive, Mode
from oncallctl.naming import TEAM, with_names
from oncallctl.options import (
    MANY,
    SHOWN,
    AllOption,
    DryRunOption,
    LabelOption,
    MatchOption,
    TargetsArgument,
    TeamOption,
    YesOption,
    confirm,
    given_targets,
    interactive,
    key_value,
    length,
    name_all,
)
from oncallctl.output import progress, render
from oncallctl.session import connect
from oncallctl.times import now, parse_duration, parse_time, show, span

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.models import Integration
    from oncallctl.maintenance.window import Wanted
    from oncallctl.maintenance.windows import Step
    from oncallctl.selection import Selector
    from oncallctl.settings import Settings

OUTCOMES = {
    "ID": "id",
    "NAME": "name",
    "STATUS": "status",
    "MODE": "mode",
    "UNTIL": "ends_at",
    "ERROR": "error.message",
}
WINDOWS = {
    "ID": "id",
    "NAME": "name",
    "TEAM": "team.name",
    "MODE": "mode",
    "STARTED": "started_at",
    "ENDS": "ends_at",
    "OVERDUE": "overdue",
    "BY": "opened_by",
    "REASON": "reason",
}


class Require(StrEnum):
    """What `status --require` asks of every target."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@app.command()
def start(
    ctx: typer.Context,
    targets: TargetsArgument = None,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="So long: 90m, 2h30m, 1d, PT2H.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Until 18:00 or 2026-12-01T02:00.")
    ] = None,
    mode: Annotated[Mode, typer.Option("--mode", help="What happens to alerts meanwhile.")] = Mode.SILENCE,
    if_active: Annotated[IfActive, typer.Option("--if-active", help="Where another window is open.")] = IfActive.FAIL,
    longest: Annotated[str | None, typer.Option("--max", metavar="DURATION", help="Refuse a longer one (7d).")] = None,
    team: TeamOption = None,
    label: LabelOption = None,
    match: MatchOption = None,
    everything: AllOption = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why; the journal remembers it.")
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Open a maintenance window on each integration; safe to repeat."""
    from oncallctl.maintenance import guards, windows
    from oncallctl.selection import select

    selector = selector_of(targets, team, label, match, everything=everything)
    with connect(ctx.obj) as oncall:
        wanted = _wanted(ctx.obj, mode, for_, until)
        guards.check_window(
            oncall.profile, mode=wanted.mode, seconds=wanted.seconds(now()), reason=reason, longest=longest
        )
        windows.check_start(oncall, wanted)
        found = select(oncall, selector, direct_paging=False)
        guards.check_targets(oncall.profile, len(found))
        steps = windows.plan_start(found, wanted, if_active)
        for step in steps:
            if step.warning:
                ctx.obj.warn(step.warning)
        if not dry_run:
            warn_of_escalating(ctx.obj, oncall, [step.target.found for step in steps if step.opens])
        head = f"Put into maintenance for {span(wanted.seconds(now()))} ({wanted.mode})"
        _carry_out(ctx.obj, oncall, steps, selector, head, reason=reason, yes=yes, dry_run=dry_run)


@app.command()
def stop(
    ctx: typer.Context,
    targets: TargetsArgument = None,
    team: TeamOption = None,
    label: LabelOption = None,
    match: MatchOption = None,
    everything: AllOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """End the maintenance window of each integration before its time."""
    from oncallctl.maintenance import windows
    from oncallctl.selection import select

    selector = selector_of(targets, team, label, match, everything=everything)
    with connect(ctx.obj) as oncall:
        windows.check_stop(oncall)
        steps = windows.plan_stop(select(oncall, selector))
        _carry_out(ctx.obj, oncall, steps, selector, "End maintenance", yes=yes, dry_run=dry_run)


@app.command()
def status(
    ctx: typer.Context,
    targets: TargetsArgument = None,
    team: TeamOption = None,
    label: LabelOption = None,
    match: MatchOption = None,
    everything: AllOption = False,
    ending_within: Annotated[
        str | None,
        typer.Option("--ending-within", metavar="DURATION", help="Windows that end so soon, or are overdue."),
    ] = None,
    require: Annotated[Require | None, typer.Option("--require", help="Exit 10 unless all are.")] = None,
) -> None:
    """Show the windows that are open; with targets, the state of each."""
    from oncallctl.maintenance import windows
    from oncallctl.maintenance.journal import Journal, authorship
    from oncallctl.selection import Filter, select

    selector = selector_of(targets, team, label, match, everything=everything)
    within = parse_duration(ending_within) if ending_within else None
    with connect(ctx.obj) as oncall:
        if selector.ways:
            found = [target.found for target in select(oncall, selector)]
        else:
            found = list(Filter(in_maintenance=True).apply(oncall))
        at = now()
        asked = found
        if within is not None:
            found = [each for each in found if windows.ends_within(each, within, at)]
        openers = Journal().openers(oncall.profile, ctx.obj.warn)
        documents = [windows.status(each, at) | authorship(openers, each) for each in found]
        shown = with_names(oncall, ctx.obj, documents, TEAM)
    render(ctx.obj, shown, WINDOWS)
    if require is Require.ACTIVE and (not asked or not all(each.maintenance_mode for each in asked)):
        raise ConditionFailed("not all are in maintenance" if asked else "none is in maintenance")
    if require is Require.INACTIVE and any(each.maintenance_mode for each in asked):
        raise ConditionFailed(f"in maintenance: {', '.join(each.name for each in asked if each.maintenance_mode)}")


def warn_of_escalating(settings: Settings, oncall: OnCall, integrations: list[Integration]) -> None:
    """Say which alert groups keep paging through the windows that are about to be opened."""
    from oncallctl.maintenance import alerts

    if not integrations:
        return
    try:
        with oncall.impatient():
            escalating = alerts.escalating(oncall, integrations)
    except OncallError as error:
        settings.warn(f"could not look for alert groups that are escalating already: {error.message}")
        return
    for integration in integrations:
        if groups := escalating.get(integration.id):
            ids = ", ".join(group.id for group in groups[:SHOWN])
            more = f" and {len(groups) - SHOWN} more" if len(groups) > SHOWN else ""
            settings.warn(f"{integration.name!r} has alert groups that keep paging through the window: {ids}{more}")


def selector_of(
    targets: list[str] | None, team: str | None, label: str | None, match: str | None, *, everything: bool
) -> Selector:
    """What the command line says of its targets; ``-`` reads them from stdin."""
    from oncallctl.selection import Selector

    pair = key_value(label, "--label") if label else None
    return Selector(given_targets(targets), team, pair, match, everything)


def _wanted(settings: Settings, mode: Mode, for_: str | None, until: str | None) -> Wanted:
    from oncallctl.maintenance.window import Wanted

    if (for_ is None) is (until is None):
        raise InvalidInput("a window has a length or an end", hint="give one of --for and --until")
    at = now()
    wanted = Wanted(
        mode.in_cloud_words,
        duration=length(settings, for_) if for_ else None,
        until=parse_time(until, settings.tz, after=at) if until else None,
    )
    if wanted.until and wanted.until.astimezone(settings.tz).date() != at.astimezone(settings.tz).date():
        settings.note(f"the window ends {show(wanted.until, settings.tz)}, in {span(wanted.seconds(at))}")
    return wanted


def _carry_out(
    settings: Settings,
    oncall: OnCall,
    steps: list[Step],
    selector: Selector,
    head: str,
    *,
    reason: str | None = None,
    yes: bool,
    dry_run: bool,
) -> None:
    """Ask where it is dangerous, do it, and say what became of each target; `head` begins the question."""
    from oncallctl.maintenance import windows
    from oncallctl.maintenance.journal import Author, Journal

    if dry_run:
        report = windows.rehearse(oncall, steps)
    else:
        if question := danger(oncall, steps, selector, head):
            if yes:
                settings.note(question)
            elif confirm(oncall.profile, question):
                steps = [windows.look_again(oncall, step) for step in steps]
        with progress(settings, "maintenance", len(steps)) as finished:
            desk = windows.Desk(oncall, Journal(), Author(reason), settings.warn)
            report = windows.carry_out(desk, steps, finished)
    documents = [outcome.document() for outcome in report.outcomes]
    columns = {**OUTCOMES, "REQUESTS": "requests"} if dry_run else OUTCOMES
    rows = [windows.row(outcome) for outcome in report.outcomes]
    render(settings, documents, columns, rows=rows, done=True)
    report.raise_failures()


def danger(oncall: OnCall, steps: list[Step], selector: Selector, head: str) -> str | None:
    """What a person is asked before these steps; None when none of them is dangerous."""
    from oncallctl.maintenance import alerts

    dangers = []
    if selector.everything or selector.match or len(steps) > MANY:
        changing = [step.target for step in steps if step.opens or step.ends]
        if changing or not interactive():  # a script is to know at once that it needs --yes, also where nothing is open
            dangers.append(f"{head}: {name_all(changing or [step.target for step in steps])}.")
    for step in steps:
        name = str(step.target)
        if step.opens and step.target.found.is_direct_paging:
            dangers.append(f"{name} is a direct paging integration: nobody can page its team by hand meanwhile.")
        if step.ends_group:
            with oncall.impatient():
                dangers.append(f"Ending the window of {name} resolves {alerts.collected(oncall, step.target.found)}.")
    return " ".join(dangers) or None
