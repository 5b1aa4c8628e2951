"""The commands `maintenance start`, `extend` and `stop`."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.config.connect import connect
from oncallctl.config.private_files import state_folder
from oncallctl.errors import Conflict, InvalidInput, OncallError
from oncallctl.maintenance import IfActive, Mode
from oncallctl.output.dry_run import render_requests
from oncallctl.output.progress import progress
from oncallctl.output.prompts import MANY, SHOWN, Proposal, confirm, interactive, on_targets
from oncallctl.output.render import render_done
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
from oncallctl.times import now, parse_duration, parse_moment, parse_time, show_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.integrations import Integration
    from oncallctl.config.settings import Settings
    from oncallctl.integrations.selection import IntegrationSelector
    from oncallctl.maintenance.windows.change import Again, WindowService
    from oncallctl.maintenance.windows.model import WindowRequest
    from oncallctl.maintenance.windows.plan import WindowChange

OUTCOMES = {
    "ID": "id",
    "NAME": "name",
    "STATUS": "status",
    "MODE": "mode",
    "UNTIL": "ends_at",
    "ERROR": "error.message",
}

ReasonOption = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Reason for the window, recorded in the journal.")
]
MaxOption = Annotated[
    str | None, typer.Option("--max", metavar="DURATION", help="Longest window to allow. [default: 7d]")
]


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
    longest: MaxOption = None,
    team: TeamOption = None,
    label: LabelOption = None,
    match: MatchOption = None,
    everything: AllOption = False,
    reason: ReasonOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Start a maintenance window on each integration; safe to repeat."""
    from oncallctl.integrations.selection import select
    from oncallctl.maintenance.journal import Author, Journal
    from oncallctl.maintenance.windows import change, guards, plan
    from oncallctl.maintenance.windows.model import WindowRequest

    if (for_ is None) is (until is None):
        raise _one_duration("--for", for_, targets)
    selector = selector_of(targets, team, label, match, everything=everything)
    with connect(ctx.obj) as oncall:
        wanted = WindowRequest(mode.in_cloud_words, duration=length(ctx.obj, for_) if for_ else None)
        plan.check_start(oncall, wanted)
        service = change.WindowService(oncall, Journal(), Author(reason), ctx.obj.warn, longest)
        if until:
            parse_moment(until, ctx.obj.tz, near=now())  # reports a mistake before anything is sent
        else:
            service.check(wanted)
        found = select(oncall, selector, direct_paging=False)
        if until:  # the responses had the server's time
            wanted = WindowRequest(wanted.mode, until=_end(ctx.obj, until, oncall.now()))
            service.check(wanted)
        guards.check_targets(oncall.profile, len(found))
        steps = plan.plan_start(oncall, found, wanted, if_active)
        for step in steps:
            if step.warning:
                ctx.obj.warn(step.warning)
        seconds = wanted.seconds(oncall.now())
        if not dry_run:
            warn_of_escalating(ctx.obj, oncall, steps, seconds)
        head = f"Put into maintenance for {show_duration(seconds)} ({wanted.mode})"
        options = _options(wanted, longest=longest, reason=reason, yes=yes)
        again = change.Again(["maintenance", "start"], options, if_active)
        _carry_out(ctx.obj, service, steps, selector, head, again, yes=yes, dry_run=dry_run)


@app.command(
    examples=[
        "oncallctl maintenance start checkout --for 1h",
        "oncallctl maintenance extend checkout --by 30m",
        "oncallctl maintenance extend --team payments --until +3h --dry-run",
    ],
)
def extend(
    ctx: typer.Context,
    targets: TargetsArgument = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="DURATION", help="How much later the window ends, for example 30m or 2h."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="When the window ends, for example 18:00, +2h or tomorrow 7:00."),
    ] = None,
    longest: Annotated[
        str | None,
        typer.Option("--max", metavar="DURATION", help="Longest time to allow, counted from now. [default: 7d]"),
    ] = None,
    team: TeamOption = None,
    label: LabelOption = None,
    match: MatchOption = None,
    everything: AllOption = False,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="Reason for the extension. [default: that of the window]"),
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Extend the active window of each integration.

    The server cannot move the end of a window: it is stopped, and started again in the same mode with a later end.
    """
    from oncallctl.integrations.selection import select
    from oncallctl.maintenance.journal import Author, Journal, authorship
    from oncallctl.maintenance.run.run_windows import is_held
    from oncallctl.maintenance.windows import change, guards, plan

    settings = ctx.obj
    if (by is None) is (until is None):
        raise _one_duration("--by", by, targets)
    selector = selector_of(targets, team, label, match, everything=everything)
    longer = length(settings, by, "--by") if by else None
    if until:
        parse_moment(until, settings.tz, near=now())  # reports a mistake before anything is sent
    with connect(settings) as oncall:
        plan.check_stop(oncall)
        journal = Journal()
        found = select(oncall, selector)
        active = found if selector.given else [target for target in found if target.found.maintenance_mode]
        if not active:
            raise Conflict(f"none of the {len(found)} integrations is in maintenance")
        guards.check_targets(oncall.profile, len(active))
        end = _end(settings, until, oncall.now()) if until else None
        held = partial(is_held, state_folder(), oncall.profile)
        steps = plan.plan_extend(oncall, active, by=longer, until=end, is_held=held)
        service = change.WindowService(oncall, journal, Author(reason), settings.warn, longest)
        starts = journal.starts(oncall.profile, settings.warn)
        for step in steps:
            step.reason = reason or authorship(starts, step.target.found)["reason"]
            if step.wanted:
                service.because(step.reason).check(step.wanted)
        head = f"Extend maintenance by {show_duration(longer.total_seconds())}" if longer else "Extend maintenance"
        _carry_out(settings, service, steps, selector, head, None, yes=yes, dry_run=dry_run)


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
    from oncallctl.maintenance.windows import change, plan

    selector = selector_of(targets, team, label, match, everything=everything)
    with connect(ctx.obj) as oncall:
        plan.check_stop(oncall)
        found = select(oncall, selector)
        steps = plan.plan_stop(found)
        if not selector.given:
            steps = [step for step in steps if step.stops]
        if not steps:
            ctx.obj.note(f"nothing to stop: none of the {len(found)} integrations is in maintenance")
        service = change.WindowService(oncall, Journal(), Author(), ctx.obj.warn)
        again = change.Again(["maintenance", "stop"], ["--yes"] if yes else [])
        _carry_out(ctx.obj, service, steps, selector, "Stop maintenance", again, yes=yes, dry_run=dry_run)


def warn_of_escalating(settings: Settings, oncall: OnCall, steps: list[WindowChange], seconds: int) -> None:
    """Warn of alert groups that keep paging during the windows to be started, and give the command to silence them."""
    from oncallctl.api.lost_responses import command_line
    from oncallctl.maintenance.windows import alerts

    # The alert groups of a direct paging integration are pages: somebody sent them on purpose.
    integrations = [step.target.found for step in steps if step.starts and not step.target.found.is_direct_paging]
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
        silence = command_line(oncall, ["alert-groups", "silence", *shown, "--for", f"{-(-seconds // 60)}m"])
        which = f"{integration.name!r} has alert groups that keep paging through the window"
        settings.warn(f"{which}: {listed}; to silence them: {silence}")


def selector_of(
    targets: list[str] | None, team: str | None, label: str | None, match: str | None, *, everything: bool
) -> IntegrationSelector:
    """Return the selection of targets on the command line; ``-`` reads them from stdin."""
    from oncallctl.integrations.selection import IntegrationSelector

    pair = key_value(label, "--label") if label else None
    return IntegrationSelector(given_targets(targets), team, pair, match, everything)


def _end(settings: Settings, until: str, at: datetime) -> datetime:
    """Parse the end of a window at this moment, and print it if it was abbreviated."""
    end = parse_time(until, settings.tz, after=at)
    note_time(settings, "until", until, end)
    return end


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
    service: WindowService,
    steps: list[WindowChange],
    selector: IntegrationSelector,
    head: str,
    again: Again | None,
    *,
    yes: bool,
    dry_run: bool,
) -> None:
    """Ask for confirmation if it is dangerous, make the changes and print the outcomes; `head` begins the prompt."""
    from oncallctl.maintenance.windows import change, plan

    oncall = service.oncall
    if dry_run:
        report = change.rehearse(oncall, steps)
    else:
        if proposal := danger(oncall, steps, selector, head):
            if yes:
                settings.note(str(proposal))
            elif confirm(settings, oncall.profile, proposal):
                steps = [plan.recheck(oncall, step) for step in steps]
        with progress(settings, "maintenance", len(steps)) as finished:
            report = change.carry_out(service, steps, finished)
    write = render_requests if dry_run else render_done
    documents = [outcome.document() for outcome in report.outcomes]
    write(settings, documents, OUTCOMES, rows=[plan.row(outcome) for outcome in report.outcomes])
    report.raise_failures((lambda failed: again.hint(oncall, failed)) if again else None)


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
        changing = [step.target for step in steps if step.starts or step.stops]
        if changing or not interactive():  # a script fails without --yes even if no window is active
            proposal = on_targets(f"{head}:", changing or [step.target for step in steps])
    for step in steps:
        name = str(step.target)
        if step.wanted and step.target.found.is_direct_paging:
            effect = paging_effect(step.target.found, step.wanted)
            dangers.append(f"{name} is a direct paging integration: {effect}.")
        if step.resolves_groups:
            with oncall.without_retries():
                resolved = alerts.collected(oncall, step.target.found)
            if resolved:
                dangers.append(f"Stopping the window of {name} resolves {resolved}.")
    return replace(proposal, dangers=dangers) if proposal.heading or dangers else None


def _one_duration(option: str, value: str | None, targets: Sequence[str] | None) -> InvalidInput:
    """Return the error for a window with neither `option` nor --until, or with both."""
    if value:
        return InvalidInput(f"{option} and --until exclude each other", hint="omit one of them")
    hint = f"add {option} DURATION or --until TIME"
    if targets:
        with suppress(InvalidInput):  # a name, not a duration
            parse_duration(targets[-1])
            hint = f"write {option} {shlex.quote(targets[-1])}"
    return InvalidInput("missing duration", hint=hint)
