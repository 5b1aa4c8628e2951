"""Running a command under maintenance."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.commands.maintenance.windows import danger, selector_of, warn_of_escalating
from oncallctl.config.connect import connect
from oncallctl.config.private_files import state_folder
from oncallctl.errors import ExitCode, InvalidInput, OncallError
from oncallctl.maintenance import IfActive, Mode
from oncallctl.output.prompts import confirm
from oncallctl.parsing.framework import Leaf
from oncallctl.parsing.options import (
    AllOption,
    LabelOption,
    MatchOption,
    TargetsArgument,
    TeamOption,
    YesOption,
    length,
)
from oncallctl.times import now, parse_duration, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.integrations import Integration
    from oncallctl.batch import Target
    from oncallctl.config.settings import Settings
    from oncallctl.integrations.selection import IntegrationSelector
    from oncallctl.maintenance.run.command import RunWindows
    from oncallctl.maintenance.run.leases import LeasePolicy
    from oncallctl.maintenance.windows.change import WindowChange

COMMAND = "the command to run"


class IfStartFails(StrEnum):
    """What to do when a window cannot be opened."""

    ABORT = "abort"
    CONTINUE = "continue"


class Wrapper(Leaf):
    """A command that takes another command after ``--``, word by word as it stands there."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # Typer's own
        """Keep what stands behind the first ``--`` for the command."""
        if "--" in args:
            index = args.index("--")
            ctx.meta[COMMAND] = args[index + 1 :]
            args = args[:index]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # Typer's own
        """Show that the command comes last."""
        return [*super().collect_usage_pieces(ctx), "--", "COMMAND", "[ARG]..."]


def _wrapper(function: Any) -> Any:  # noqa: ANN401  # what a decorator of Typer's takes and gives
    return typer.Typer.command(app, cls=Wrapper)(function)


@_wrapper
def run(
    ctx: typer.Context,
    targets: TargetsArgument = None,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="So long at most: 90m, 2h30m, 1d, PT2H.")
    ] = None,
    mode: Annotated[Mode, typer.Option("--mode", help="What happens to alerts meanwhile.")] = Mode.SILENCE,
    lease: Annotated[
        str | None,
        typer.Option("--lease", metavar="DURATION", help="Open short windows, and renew them while the command lives."),
    ] = None,
    tail: Annotated[
        str | None, typer.Option("--tail", metavar="DURATION", help="End the windows so long after the command.")
    ] = None,
    if_active: Annotated[IfActive, typer.Option("--if-active", help="Where another window is open.")] = IfActive.FAIL,
    if_start_fails: Annotated[
        IfStartFails, typer.Option("--if-start-fails", help="When a window cannot be opened.")
    ] = IfStartFails.ABORT,
    longest: Annotated[str | None, typer.Option("--max", metavar="DURATION", help="Refuse a longer one (7d).")] = None,
    team: TeamOption = None,
    label: LabelOption = None,
    match: MatchOption = None,
    everything: AllOption = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why; the journal remembers it.")
    ] = None,
    yes: YesOption = False,
) -> None:
    """Run a command under maintenance; its windows end with it, and its exit status is passed on."""
    from oncallctl.maintenance.run.command import CommandRunner, not_opened

    words = ctx.meta.get(COMMAND)
    if not words:
        raise InvalidInput("no command to run", hint="it comes last, after --: oncallctl maintenance run … -- COMMAND")
    if for_ is None:
        raise InvalidInput("how long may it take?", hint="give --for")
    settings: Settings = ctx.obj
    selector = selector_of(targets, team, label, match, everything=everything)
    regardless = if_start_fails is IfStartFails.CONTINUE
    wrapping = CommandRunner(words, regardless, parse_duration(tail) if tail else None, settings.note, settings.warn)
    lasts = length(settings, for_)
    need = _need(mode, lasts, parse_duration(lease) if lease else None)
    cover: RunWindows | None = None
    found: list[Target[Integration]] = []
    with ExitStack() as stack:
        try:
            oncall = stack.enter_context(connect(settings))
            cover, found = _prepare(settings, oncall, selector, need, lasts, if_active, longest, reason, yes=yes)
        except OncallError as error:
            if error.exit_code in {ExitCode.USAGE, ExitCode.DECLINED}:
                raise
            if not regardless:
                raise not_opened(error) from error
            settings.warn(f"{error.message}; the command is run all the same")
        raise typer.Exit(wrapping.run(cover, found))


def _need(mode: Mode, length: timedelta, lease: timedelta | None) -> LeasePolicy:
    from oncallctl.maintenance.run.leases import LeasePolicy

    if lease is not None and mode.in_cloud_words == Mode.GROUP:
        raise InvalidInput(
            "--lease is not for group_alerts: every renewal would resolve what the window has collected",
            hint="leave out --lease, or use --mode silence_escalations",
        )
    return LeasePolicy(mode.in_cloud_words, now() + length, lease)


def _prepare(
    settings: Settings,
    oncall: OnCall,
    selector: IntegrationSelector,
    need: LeasePolicy,
    lasts: timedelta,
    if_active: IfActive,
    longest: str | None,
    reason: str | None,
    *,
    yes: bool,
) -> tuple[RunWindows, list[Target[Integration]]]:
    """Find the targets and ask where it is dangerous; nothing is changed."""
    from oncallctl.integrations.selection import select
    from oncallctl.maintenance.journal import Author, Journal
    from oncallctl.maintenance.run.command import RunWindows
    from oncallctl.maintenance.windows import change, guards
    from oncallctl.maintenance.windows.model import WindowRequest

    seconds = lasts.total_seconds()
    guards.check_window(oncall.profile, mode=need.mode, seconds=seconds, reason=reason, longest=longest)
    change.check_start(oncall, WindowRequest(need.mode, duration=lasts))
    found = select(oncall, selector, direct_paging=False)
    need = replace(need, until=oncall.now() + lasts)  # the responses have told the server's time
    guards.check_targets(oncall.profile, len(found))
    state = state_folder()
    steps = _plan(oncall, found, need, if_active)
    warn_of_escalating(settings, oncall, steps, int(seconds))
    head = f"Put into maintenance for {span(seconds)} ({need.mode})"
    if question := danger(oncall, steps, selector, head):
        if yes:
            settings.note(question)
        confirm(oncall.profile, question, yes=yes)
    agreed = frozenset(
        (step.target.found.id, step.target.found.maintenance_started_at) for step in steps if step.ends_group
    )
    desk = change.WindowService(oncall, Journal(), Author(reason), settings.warn, longest)
    return RunWindows(desk, need, if_active, state, agreed), found


def _plan(
    oncall: OnCall, targets: Sequence[Target[Integration]], need: LeasePolicy, if_active: IfActive
) -> list[WindowChange]:
    """What entering will mean, to ask about it; a window that runs of this host share is theirs to judge."""
    from oncallctl.maintenance.run.command import shares
    from oncallctl.maintenance.windows import change
    from oncallctl.maintenance.windows.model import WindowRequest

    place = oncall.profile
    wanted = WindowRequest(need.mode, until=need.until)
    return [
        change.WindowChange(target, change.WindowAction.NOTHING)
        if shares(state_folder(), place, target.found)
        else change.plan_start(oncall, [target], wanted, if_active)[0]
        for target in targets
    ]
