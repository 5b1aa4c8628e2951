"""Shift swaps: list them, request one, and take one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.api.nouns import SHIFT_SWAPS
from oncallctl.commands import generic
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
from oncallctl.errors import Conflict, InvalidInput, OncallError
from oncallctl.output.dry_run import render_request, render_requests
from oncallctl.output.linked_names import for_a_person
from oncallctl.output.progress import progress
from oncallctl.output.prompts import Proposal, confirm
from oncallctl.output.render import render_done
from oncallctl.parsing.options import DryRunOption, LimitOption, YesOption, text_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.shift_swaps import ShiftSwap
    from oncallctl.config.settings import Settings

app = generic.app_of(SHIFT_SWAPS, without=("list",))


@app.command(
    "list",
    examples=[
        "oncallctl shift-swaps list",
        "oncallctl shift-swaps list --open --schedule platform-primary",
        "oncallctl shift-swaps list --user alice --past -o json",
    ],
)
def list_shift_swaps(
    ctx: typer.Context,
    schedule: Annotated[
        str | None,
        typer.Option("--schedule", metavar="SCHEDULE", help="Limit to shift swaps of this schedule (name or ID)."),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--user", metavar="USER", help="Limit to swaps that relieve this user or that they took; me is allowed."
        ),
    ] = None,
    only_open: Annotated[bool, typer.Option("--open", help="Limit to open requests, which nobody has taken.")] = False,
    past: Annotated[bool, typer.Option("--past", help="Include swaps that have ended.")] = False,
    limit: LimitOption = None,
) -> None:
    """List shift swaps that have not ended. A note marks those that change no shift, as after an edit of the rota."""
    from oncallctl.api import lookup
    from oncallctl.swaps.listing import SwapFilter

    with connect(ctx.obj) as oncall:
        swaps = SwapFilter(
            lookup.find(oncall.schedules, schedule).id if schedule else None,
            lookup.users(oncall, [user])[0].id if user else None,
            only_open,
            past,
        ).read(oncall)
        notes = _notes(ctx.obj, oncall, swaps[:limit])
        generic.show_list(ctx.obj, oncall, SHIFT_SWAPS, swaps, limit, lambda swap: {"note": notes.get(swap.id)})


def _notes(settings: Settings, oncall: OnCall, swaps: Sequence[ShiftSwap]) -> Mapping[str, str]:
    """Return notes for a table, by ID; a failure is only a warning."""
    from oncallctl.swaps.listing import NO_EFFECT, without_effect

    if not for_a_person(settings):
        return {}
    try:
        return dict.fromkeys(without_effect(oncall, swaps), NO_EFFECT)
    except OncallError as error:
        settings.warn(f"cannot tell which swaps change a shift: {error.message}")
        return {}


@app.command(
    examples=[
        "oncallctl shift-swaps request alice --from +2d --for 1d --message dentist --yes",
        "oncallctl shift-swaps request bob --schedule platform-primary --from +5d --for 1d --dry-run",
    ]
)
def request(
    ctx: typer.Context,
    user: Annotated[
        str,
        typer.Argument(
            metavar="[USER]", help="User to relieve: name, email or ID; me is the user of the token. [default: me]"
        ),
    ] = "me",
    schedule: SchedulesOption = None,
    begin: FromOption = None,
    until: UntilOption = None,
    for_: ForOption = None,
    message: MessageOption = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Request a shift swap that anybody may take. OnCall announces it in Slack, if that is connected."""
    from oncallctl.api import lookup
    from oncallctl.swaps import carry_out, guards, plan
    from oncallctl.swaps.request import delete_command

    check_length(until, for_)
    text = text_value(message, "--message")
    with connect(ctx.obj) as oncall:
        (relieved,) = lookup.users(oncall, [user])
        guards.check_parties(oncall, relieved.id)
        span = time_range(ctx.obj, oncall, begin, until, for_)
        wanted = plan.Cover(relieved, None, span, schedule or (), text)
        steps: Sequence[plan.CoverStep] = plan.plan(oncall, wanted, ctx.obj.tz)
        if dry_run:
            show_plan(ctx.obj, oncall, wanted, steps)
            rehearsed = carry_out.rehearse(oncall, steps, wanted)
            render_requests(ctx.obj, rehearsed.documents(), OUTCOMES)
            rehearsed.raise_failures()
            return
        steps = confirm_plan(ctx.obj, oncall, wanted, steps, yes=yes or _is_me(oncall, relieved.id))
        with progress(ctx.obj, "requesting", len(steps)) as finished:
            made = carry_out.carry_out(oncall, steps, wanted, finished)
        render_done(ctx.obj, made.documents(), OUTCOMES)
        if made.covered:
            ctx.obj.note(f"to withdraw it: {delete_command(oncall, made.covered)}")
        made.raise_failures()


@app.command(
    examples=[
        "oncallctl shift-swaps take SSRMQV5P6Y64NXH --by bob --dry-run",
        "oncallctl shift-swaps take SSRMQV5P6Y64NXH",
    ]
)
def take(
    ctx: typer.Context,
    ident: Annotated[str, typer.Argument(metavar="ID", help="ID of an open shift swap.")],
    by: Annotated[str, typer.Option("--by", metavar="USER", help="User who takes over: name, email, ID or me.")] = "me",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Take an open shift swap: from its start to its end, the user is on call instead of the one who requested it."""
    from oncallctl.api import lookup
    from oncallctl.api.lost_responses import command_line
    from oncallctl.swaps import guards, request as swap_request

    with connect(ctx.obj) as oncall:
        (benefactor,) = lookup.users(oncall, [by])
        swap = lookup.find(oncall.shift_swaps, ident)
        guards.check_parties(oncall, swap.beneficiary, benefactor.id)
        if swap.benefactor == benefactor.id:
            ctx.obj.note(f"shift swap {swap.id} was already taken by {benefactor.username}")
            _show(ctx.obj, oncall, swap)
            return
        if swap.beneficiary == benefactor.id:
            raise InvalidInput(f"{benefactor.username} requested this swap, so somebody else must take it")
        if swap.status != "open":
            raise Conflict(f"shift swap {swap.id} cannot be taken: it is {swap.status.replace('_', ' ')}")
        if swap.raw.get("shifts") == []:
            ctx.obj.warn(f"shift swap {swap.id} changes no shift")
        if dry_run:
            render_request(ctx.obj, oncall.dry_run_document(oncall.shift_swaps.take(swap.id, benefactor.id)))
            return
        if not _is_me(oncall, benefactor.id):
            proposal = Proposal(f"Take shift swap {swap.id} on behalf of {benefactor.username}")
            confirm(ctx.obj, oncall.profile, proposal, yes=yes)
        check = command_line(oncall, ["shift-swaps", "get", swap.id])
        _show(ctx.obj, oncall, swap_request.take(oncall, swap, benefactor, check))


def _is_me(oncall: OnCall, user: str) -> bool:
    """True if a user is the token's user; a service account is nobody."""
    try:
        return oncall.users.current().id == user
    except OncallError:
        return False


def _show(settings: Settings, oncall: OnCall, swap: ShiftSwap) -> None:
    """Write the swap, with names in a table; a failed lookup must not hide a change that was made."""
    from oncallctl.output.linked_names import with_names

    with oncall.without_retries():
        (row,) = with_names(oncall, settings, [swap.raw], SHIFT_SWAPS)
    render_done(settings, row, SHIFT_SWAPS.columns)
