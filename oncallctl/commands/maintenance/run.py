"""The command `maintenance run`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.commands.maintenance.windows import danger, selector_of, warn_of_escalating
from oncallctl.config.connect import connect
from oncallctl.config.private_files import state_folder
from oncallctl.errors import ExitCode, InvalidInput, OncallError
from oncallctl.maintenance import IfActive, Mode
from oncallctl.output.prompts import confirm
from oncallctl.parsing.framework import Leaf
from oncallctl.parsing.global_options import Click
from oncallctl.parsing.options import (
    AllOption,
    LabelOption,
    MatchOption,
    TargetsArgument,
    TeamOption,
    YesOption,
    length,
)
from oncallctl.times import now, parse_duration, show_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.integrations import Integration
    from oncallctl.batch import Target
    from oncallctl.config.settings import Settings
    from oncallctl.integrations.selection import IntegrationSelector
    from oncallctl.maintenance.run.leases import LeasePolicy
    from oncallctl.maintenance.run.run_windows import RunWindows
    from oncallctl.maintenance.windows.plan import WindowChange

COMMAND = "the command to run"


class IfStartFails(StrEnum):
    """What to do if a window cannot be started."""

    ABORT = "abort"
    CONTINUE = "continue"


class CommandAfterDashes(Leaf):
    """A command line that ends with ``--`` and another command, which is passed on unchanged."""

    def parse_args(self, ctx: Click, args: list[str]) -> list[str]:
        """Store the words after the first ``--``."""
        if "--" in args:
            index = args.index("--")
            ctx.meta[COMMAND] = args[index + 1 :]
            args = args[:index]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Click) -> list[str]:
        """Show that the command comes last."""
        return [*super().collect_usage_pieces(ctx), "--", "COMMAND", "[ARG]..."]


@app.command(
    cls=CommandAfterDashes,
    examples=[
        'oncallctl maintenance run checkout --for 2h --reason "db upgrade" -- sleep 1',
        "oncallctl maintenance run login --for 1h --lease 15m -- echo deployed",
    ],
    changes="server",
)
def run(
    ctx: typer.Context,
    targets: TargetsArgument = None,
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="Maximum length of the windows, for example 90m, 2h30m or 1d."),
    ] = None,
    mode: Annotated[Mode, typer.Option("--mode", help="What happens to alerts during the window.")] = Mode.SILENCE,
    lease: Annotated[
        str | None,
        typer.Option(
            "--lease", metavar="DURATION", help="Start windows of this length, and renew them while the command runs."
        ),
    ] = None,
    tail: Annotated[
        str | None,
        typer.Option(
            "--tail", metavar="DURATION", help="How long the windows stay active after the command has ended."
        ),
    ] = None,
    if_active: Annotated[
        IfActive, typer.Option("--if-active", help="What to do if another window is active.")
    ] = IfActive.FAIL,
    if_start_fails: Annotated[
        IfStartFails, typer.Option("--if-start-fails", help="What to do if a window cannot be started.")
    ] = IfStartFails.ABORT,
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
) -> None:
    """Run a command during maintenance windows that end with it, and exit with its status."""
    from oncallctl.maintenance.run.command import CommandRunner, not_started

    words = ctx.meta.get(COMMAND)
    if not words:
        raise InvalidInput("no command to run", hint="put it at the end: oncallctl maintenance run … -- COMMAND")
    if for_ is None:
        raise InvalidInput("missing duration", hint="give the maximum length of the windows with --for")
    settings: Settings = ctx.obj
    selector = selector_of(targets, team, label, match, everything=everything)
    run_anyway = if_start_fails is IfStartFails.CONTINUE
    runner = CommandRunner(words, run_anyway, parse_duration(tail) if tail else None, settings)
    lasts = length(settings, for_)
    policy = _policy(mode, lasts, parse_duration(lease) if lease else None)
    windows: RunWindows | None = None
    found: list[Target[Integration]] = []
    with ExitStack() as stack:
        try:
            oncall = stack.enter_context(connect(settings))
            windows, found = _prepare(settings, oncall, selector, policy, lasts, if_active, longest, reason, yes=yes)
        except OncallError as error:
            if error.exit_code in {ExitCode.USAGE, ExitCode.DECLINED}:
                raise
            if not run_anyway:
                raise not_started(error) from error
            settings.warn(f"{error.message}; the command runs anyway")
        raise typer.Exit(runner.run(windows, found))


def _policy(mode: Mode, length: timedelta, lease: timedelta | None) -> LeasePolicy:
    from oncallctl.maintenance.run.leases import LeasePolicy

    if lease is not None and mode.in_cloud_words == Mode.GROUP:
        raise InvalidInput(
            "--lease cannot be used with group_alerts: every renewal would resolve the collected alert groups",
            hint="omit --lease, or use --mode silence_escalations",
        )
    return LeasePolicy(mode.in_cloud_words, now() + length, lease)


def _prepare(
    settings: Settings,
    oncall: OnCall,
    selector: IntegrationSelector,
    policy: LeasePolicy,
    lasts: timedelta,
    if_active: IfActive,
    longest: str | None,
    reason: str | None,
    *,
    yes: bool,
) -> tuple[RunWindows, list[Target[Integration]]]:
    """Find the targets, and ask for confirmation if it is dangerous; nothing is changed."""
    from oncallctl.integrations.selection import select
    from oncallctl.maintenance.journal import Author, Journal
    from oncallctl.maintenance.run.member import RunRequest
    from oncallctl.maintenance.run.run_windows import RunWindows
    from oncallctl.maintenance.windows import change, guards, plan
    from oncallctl.maintenance.windows.model import WindowRequest

    seconds = lasts.total_seconds()
    guards.check_window(oncall.profile, mode=policy.mode, seconds=seconds, reason=reason, longest=longest)
    plan.check_start(oncall, WindowRequest(policy.mode, duration=lasts))
    found = select(oncall, selector, direct_paging=False)
    policy = replace(policy, until=oncall.now() + lasts)  # the responses had the server's time
    guards.check_targets(oncall.profile, len(found))
    steps = _plan(oncall, found, policy, if_active)
    warn_of_escalating(settings, oncall, steps, int(seconds))
    head = f"Put into maintenance for {show_duration(seconds)} ({policy.mode})"
    if proposal := danger(oncall, steps, selector, head):
        if yes:
            settings.note(str(proposal))
        confirm(settings, oncall.profile, proposal, yes=yes)
    confirmed = frozenset(
        (step.target.found.id, step.target.found.maintenance_started_at) for step in steps if step.resolves_groups
    )
    service = change.WindowService(oncall, Journal(), Author(reason), settings.warn, longest)
    return RunWindows(RunRequest(service, policy, if_active, state_folder(), confirmed)), found


def _plan(
    oncall: OnCall, targets: Sequence[Target[Integration]], policy: LeasePolicy, if_active: IfActive
) -> list[WindowChange]:
    """Return the changes to confirm. Windows shared by runs on this machine are checked when the run joins them."""
    from oncallctl.maintenance.run.run_windows import is_shared
    from oncallctl.maintenance.windows import plan
    from oncallctl.maintenance.windows.model import WindowRequest

    wanted = WindowRequest(policy.mode, until=policy.until)
    return [
        plan.WindowChange(target, plan.WindowAction.NOTHING)
        if is_shared(state_folder(), oncall.profile, target.found)
        else plan.plan_start(oncall, [target], wanted, if_active)[0]
        for target in targets
    ]
