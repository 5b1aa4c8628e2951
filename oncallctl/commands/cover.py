"""The command `cover`, which changes who is on call for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.commands.swaps import (
    OUTCOMES,
    ForOption,
    FromOption,
    MessageOption,
    SchedulesOption,
    UntilOption,
    check_length,
    confirm_plan,
    show_plan,
    time_range,
)
from oncallctl.config.connect import connect
from oncallctl.errors import InvalidInput, OncallError
from oncallctl.output.dry_run import render_requests
from oncallctl.output.progress import progress
from oncallctl.output.render import render_done
from oncallctl.parsing.framework import verb
from oncallctl.parsing.options import DryRunOption, YesOption, text_value
from oncallctl.times import relative, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.users import User
    from oncallctl.config.settings import Settings
    from oncallctl.swaps.carry_out import CoverReport
    from oncallctl.swaps.plan import Cover, CoverStep

app = verb()


@app.command(
    examples=[
        "oncallctl cover alice --for 1d --dry-run",
        "oncallctl cover alice --by bob --from +2d --for 1d --yes",
        "oncallctl cover alice --by dave --schedule platform-primary --from +4d --for 2d --yes",
    ]
)
def cover(
    ctx: typer.Context,
    user: Annotated[
        str, typer.Argument(metavar="USER", help="User to relieve: name, email or ID; me is the user of the token.")
    ],
    by: Annotated[str, typer.Option("--by", metavar="USER", help="User who takes over: name, email, ID or me.")] = "me",
    schedule: SchedulesOption = None,
    begin: FromOption = None,
    until: UntilOption = None,
    for_: ForOption = None,
    message: MessageOption = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until the schedules show the change; exit 10 after 5 minutes.")
    ] = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Take over a user's shifts for a time, or hand over your own. Each schedule gets a shift swap, which is taken."""
    from oncallctl.swaps import carry_out, guards, plan

    check_length(until, for_)
    text = text_value(message, "--message")
    with connect(ctx.obj) as oncall:
        relieved, benefactor = two_users(oncall, user, by)
        guards.check_parties(oncall, relieved.id, benefactor.id)
        span = time_range(ctx.obj, oncall, begin, until, for_)
        wanted = plan.Cover(relieved, benefactor, span, schedule or (), text)
        steps: Sequence[CoverStep] = plan.plan(oncall, wanted, ctx.obj.tz)
        if dry_run:
            show_plan(ctx.obj, oncall, wanted, steps)
            rehearsed = carry_out.rehearse(oncall, steps, wanted)
            render_requests(ctx.obj, rehearsed.documents(), OUTCOMES)
            rehearsed.raise_failures()
            return
        steps = confirm_plan(ctx.obj, oncall, wanted, steps, yes=yes)
        with progress(ctx.obj, "covering", len(steps)) as finished:
            made = carry_out.carry_out(oncall, steps, wanted, finished)
        render_done(ctx.obj, made.documents(), OUTCOMES)
        _report(ctx.obj, oncall, wanted, steps, made, wait=wait)


def two_users(oncall: OnCall, user: str, by: str) -> tuple[User, User]:
    """Look up the user who is relieved and the one who takes over.

    Raises:
        InvalidInput: they are the same.
        NotFound, Ambiguous: a user.
    """
    from oncallctl.api import lookup

    (relieved,), (benefactor,) = (lookup.users(oncall, [text]) for text in (user, by))
    if relieved.id == benefactor.id:
        raise InvalidInput(
            f"{relieved.username} cannot cover for themselves", hint="name the user who takes over with --by USER"
        )
    return relieved, benefactor


def _report(
    settings: Settings, oncall: OnCall, wanted: Cover, steps: Sequence[CoverStep], made: CoverReport, *, wait: bool
) -> None:
    """Print from when the swaps hold, whether the schedules show them, and how to undo them."""
    from oncallctl.swaps import refresh
    from oncallctl.swaps.request import delete_command

    covered = set(made.covered)
    accepted = [
        refresh.Accepted(step, swap)
        for step in steps
        if (swap := made.swaps.get(step.target.found.id)) and swap.id in covered
    ]
    if accepted:
        start = max(each.swap.swap_start for each in accepted)
        settings.note(f"holds from {show(start, settings.tz)}, {relative(start, at=oncall.now())}")
        settings.note(f"to undo it: {delete_command(oncall, made.covered)}")
    if made.unsettled:
        settings.warn(f"may be open or taken; to delete: {delete_command(oncall, made.unsettled)}")
    made.raise_failures()
    if not accepted:
        return
    if wait:
        refresh.wait(oncall, wanted, accepted)
        return
    try:
        with oncall.without_retries():  # do not delay the report of a change that was made
            stale = refresh.stale(oncall, wanted, accepted)
    except OncallError as error:
        settings.warn(f"accepted; could not check the schedule: {error.message}")
        return
    if stale:
        settings.note("accepted; the schedule shows it within a minute or two")
