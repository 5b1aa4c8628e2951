"""The commands `maintenance start`, `stop` and `status`."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.api.nouns import INTEGRATIONS
from oncallctl.commands.maintenance.app import app
from oncallctl.config.connect import connect
from oncallctl.errors import ConditionFailed, InvalidInput, OncallError
from oncallctl.maintenance import IfActive, Mode
from oncallctl.output.linked_names import with_names
from oncallctl.output.progress import progress
from oncallctl.output.prompts import MANY, SHOWN, Proposal, confirm, interactive, on_targets
from oncallctl.output.render import render, render_done
from oncallctl.parsing.options import (
    AllOption,
    DryRunOption,
    LabelOption,
    MatchOption,
    TargetsArgument,
    TeamOption,
    YesOption,
    given_targets,
    key_value,
    length,
    note_time,
)
from oncallctl.times import now, parse_duration, parse_moment, parse_time, span

if TYPE_CHECKING:
    from datetime import datetime

    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.integrations import Integration
    from oncallctl.config.settings import Settings
    from oncallctl.integrations.selection import IntegrationSelector
    from oncallctl.maintenance.windows.change import Again, WindowChange, WindowService
    from oncallctl.maintenance.windows.model import WindowRequest

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


class RequireState(StrEnum):
    """The states that `status --require` can require of every target."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@app.command(
    examples=[
        'oncallctl maintenance start checkout --for 90m --reason "db upgrade"',
        "oncallctl maintenance start --team platform --until 18:00 --dry-run",
        "oncallctl maintenance start --match 'service-01*' --for 2h --yes",
    ],
)
def start(
    ctx: typer.Context,
    targets: TargetsArgument = None,
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="How long the window lasts, for example 90m, 2h30m or 1d."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="When the window ends, for example 18:00, +2h or tomorrow 7:00."),
    ] = None,
    mode: Annotated[Mode, typer.Option("--mode", help="What happens to alerts during the window.")] = Mode.SILENCE,
    if_active: Annotated[
        IfActive, typer.Option("--if-active", help="What to do if another window is active.")
    ] = IfActive.FAIL,
    longest: Annotated[
        str | None, typer.Option("--max", metavar="DURATION", help="Longest window to allow. [default: 7d]")
    ] = None,
    team: TeamOption = None,
    label: LabelOption = None,
    match: MatchOption = None,
    everything: AllOption = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Reason for the window, recorded in the journal.")
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Start a maintenance window on each integration; safe to repeat."""
    from oncallctl.integrations.selection import select
    from oncallctl.maintenance.journal import Author, Journal
    from oncallctl.maintenance.windows import change, guards
    from oncallctl.maintenance.windows.model import WindowRequest

    if (for_ is None) is (until is None):
        raise InvalidInput("missing duration", hint="give one of --for DURATION and --until TIME")
    selector = selector_of(targets, team, label, match, everything=everything)
    with connect(ctx.obj) as oncall:
        wanted = WindowRequest(mode.in_cloud_words, duration=length(ctx.obj, for_) if for_ else None)
        change.check_start(oncall, wanted)
        desk = change.WindowService(oncall, Journal(), Author(reason), ctx.obj.warn, longest)
        if until:
            parse_moment(until, ctx.obj.tz, near=now())  # reports a mistake before anything is sent
        else:
            desk.check(wanted)
        found = select(oncall, selector, direct_paging=False)
        if until:  # the responses had the server's time
            wanted = _until(ctx.obj, wanted.mode, until, oncall.now())
            desk.check(wanted)
        guards.check_targets(oncall.profile, len(found))
        steps = change.plan_start(oncall, found, wanted, if_active)
        for step in steps:
            if step.warning:
                ctx.obj.warn(step.warning)
        seconds = wanted.seconds(oncall.now())
        if not dry_run:
            warn_of_escalating(ctx.obj, oncall, steps, seconds)
        head = f"Put into maintenance for {span(seconds)} ({wanted.mode})"
        options = _options(wanted, longest=longest, reason=reason, yes=yes)
        again = change.Again(["maintenance", "start"], options, if_active)
        _carry_out(ctx.obj, desk, steps, selector, head, again, yes=yes, dry_run=dry_run)


@app.command(
    examples=[
        "oncallctl maintenance stop checkout",
        "oncallctl maintenance stop --team platform --dry-run",
        "oncallctl maintenance stop --all --yes",
    ],
)
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
    """Stop the maintenance window of each integration."""
    from oncallctl.integrations.selection import select
    from oncallctl.maintenance.journal import Author, Journal
    from oncallctl.maintenance.windows import change

    selector = selector_of(targets, team, label, match, everything=everything)
    with connect(ctx.obj) as oncall:
        change.check_stop(oncall)
        found = select(oncall, selector)
        steps = change.plan_stop(found)
        if not selector.given:
            steps = [step for step in steps if step.ends]
        if not steps:
            ctx.obj.note(f"nothing to stop: none of the {len(found)} integrations is in maintenance")
        desk = change.WindowService(oncall, Journal(), Author(), ctx.obj.warn)
        again = change.Again(["maintenance", "stop"], ["--yes"] if yes else [])
        _carry_out(ctx.obj, desk, steps, selector, "End maintenance", again, yes=yes, dry_run=dry_run)


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
) -> None:
    """Show active windows; with targets, the state of each."""
    from oncallctl.integrations.selection import IntegrationFilter, select
    from oncallctl.maintenance.journal import Journal, authorship
    from oncallctl.maintenance.windows import change

    selector = selector_of(targets, team, label, match, everything=everything)
    within = parse_duration(ending_within) if ending_within else None
    with connect(ctx.obj) as oncall:
        if selector.ways:
            found = [target.found for target in select(oncall, selector)]
        else:
            found = list(IntegrationFilter(in_maintenance=True).apply(oncall))
        at = oncall.now()
        asked = found
        if within is not None:
            found = [each for each in found if change.ends_within(each, within, at)]
        openers = Journal().openers(oncall.profile, ctx.obj.warn)
        documents = [change.status(oncall, each) | authorship(openers, each) for each in found]
        for each in documents:
            if each["overdue"] is None:
                ctx.obj.warn(
                    f"the window of {each['name']!r} ended at {each['ends_at']} by this machine's clock; the server"
                    " does not send its time, so whether it is overdue is not known"
                )
        shown = with_names(oncall, ctx.obj, documents, INTEGRATIONS, columns=WINDOWS)
    render(ctx.obj, shown, WINDOWS)
    if require is RequireState.ACTIVE and (not asked or not all(each.maintenance_mode for each in asked)):
        raise ConditionFailed("not all are in maintenance" if asked else "none is in maintenance")
    if require is RequireState.INACTIVE and any(each.maintenance_mode for each in asked):
        raise ConditionFailed(f"in maintenance: {', '.join(each.name for each in asked if each.maintenance_mode)}")


def warn_of_escalating(settings: Settings, oncall: OnCall, steps: list[WindowChange], seconds: int) -> None:
    """Warn of alert groups that keep paging during the windows to be started, and give the command to silence them."""
    from oncallctl.api.lost_responses import command
    from oncallctl.maintenance.windows import alerts

    # The alert groups of a direct paging integration are pages: somebody sent them on purpose.
    integrations = [step.target.found for step in steps if step.opens and not step.target.found.is_direct_paging]
    if not integrations:
        return
    try:
        with oncall.without_retries():
            found = alerts.escalating(oncall, integrations)
    except OncallError as error:
        settings.warn(f"could not check for alert groups that are escalating already: {error.message}")
        return
    for integration in integrations:
        groups = [group.id for group in found.groups.get(integration.id, [])]
        if not groups:
            continue
        shown, more = groups[:SHOWN], len(groups) - SHOWN
        listed = ", ".join(shown)
        if more > 0 or found.is_cut:
            listed += f" and {'more than ' if found.is_cut else ''}{max(more, 0)} more"
            shown = ["--integration", integration.id]
        silence = command(oncall, ["alert-groups", "silence", *shown, "--for", f"{-(-seconds // 60)}m"])
        which = f"{integration.name!r} has alert groups that keep paging through the window"
        settings.warn(f"{which}: {listed}; to silence them: {silence}")


def selector_of(
    targets: list[str] | None, team: str | None, label: str | None, match: str | None, *, everything: bool
) -> IntegrationSelector:
    """Return the selection of targets on the command line; ``-`` reads them from stdin."""
    from oncallctl.integrations.selection import IntegrationSelector

    pair = key_value(label, "--label") if label else None
    return IntegrationSelector(given_targets(targets), team, pair, match, everything)


def _until(settings: Settings, mode: str, until: str, at: datetime) -> WindowRequest:
    """Return the window that ends at a time, as parsed at this moment."""
    from oncallctl.maintenance.windows.model import WindowRequest

    end = parse_time(until, settings.tz, after=at)
    note_time(settings, "until", until, end)
    return WindowRequest(mode, until=end)


def _options(wanted: WindowRequest, *, longest: str | None, reason: str | None, yes: bool) -> list[str]:
    """Return the options of `start` that ask for the same window again."""
    words = ["--mode", wanted.mode] if wanted.mode != Mode.SILENCE else []
    if wanted.until:
        words = ["--until", f"{wanted.until:%Y-%m-%dT%H:%M:%SZ}", *words]
    elif wanted.duration:
        words = ["--for", f"{wanted.duration.total_seconds():.0f}", *words]
    for option, value in (("--max", longest), ("--reason", reason)):
        words += [option, value] if value else []
    return [*words, "--yes"] if yes else words


def _carry_out(
    settings: Settings,
    desk: WindowService,
    steps: list[WindowChange],
    selector: IntegrationSelector,
    head: str,
    again: Again,
    *,
    yes: bool,
    dry_run: bool,
) -> None:
    """Ask for confirmation if it is dangerous, make the changes and print the outcomes; `head` begins the prompt."""
    from oncallctl.maintenance.windows import change

    oncall = desk.oncall
    if dry_run:
        report = change.rehearse(oncall, steps)
    else:
        if proposal := danger(oncall, steps, selector, head):
            if yes:
                settings.note(str(proposal))
            elif confirm(settings, oncall.profile, proposal):
                steps = [change.look_again(oncall, step) for step in steps]
        with progress(settings, "maintenance", len(steps)) as finished:
            report = change.carry_out(desk, steps, finished)
    documents = [outcome.document() for outcome in report.outcomes]
    columns = {**OUTCOMES, "REQUESTS": "requests"} if dry_run else OUTCOMES
    rows = [change.row(outcome) for outcome in report.outcomes]
    render_done(settings, documents, columns, rows=rows)
    report.raise_failures(lambda failed: again.hint(oncall, failed))


def paging_effect(integration: Integration, wanted: WindowRequest) -> str:
    """Return what a window on a direct paging integration means for pages sent by hand.

    Pages to people by name go to the integration without a team. The engine notifies these people in the mode
    `silence_escalations` too, but does not start the escalation chain.
    """
    if integration.team_id is not None:
        return "nobody can page its team by hand meanwhile"
    if wanted.mode == Mode.SILENCE:
        return "people paged by name are still notified, but its escalation chain does not run meanwhile"
    return "nobody can be paged by name meanwhile"


def danger(oncall: OnCall, steps: list[WindowChange], selector: IntegrationSelector, head: str) -> Proposal | None:
    """Return the proposal to confirm before these steps, or None if none of them is dangerous."""
    from oncallctl.maintenance.windows import alerts

    proposal, dangers = Proposal(), []
    if steps and (selector.everything or selector.match or len(steps) > MANY):
        changing = [step.target for step in steps if step.opens or step.ends]
        if changing or not interactive():  # a script fails without --yes even if no window is active
            proposal = on_targets(f"{head}:", changing or [step.target for step in steps])
    for step in steps:
        name = str(step.target)
        if step.wanted and step.target.found.is_direct_paging:
            effect = paging_effect(step.target.found, step.wanted)
            dangers.append(f"{name} is a direct paging integration: {effect}.")
        if step.ends_group:
            with oncall.without_retries():
                resolved = alerts.collected(oncall, step.target.found)
            if resolved:
                dangers.append(f"Ending the window of {name} resolves {resolved}.")
    return replace(proposal, dangers=dangers) if proposal.heading or dangers else None
