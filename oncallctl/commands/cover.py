"""The command `cover`, which changes who is on call for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.config.connect import connect
from oncallctl.errors import Conflict, InvalidInput, OncallError
from oncallctl.output.dry_run import render_requests
from oncallctl.output.progress import progress
from oncallctl.output.prompts import Proposal, confirm
from oncallctl.output.render import render_done
from oncallctl.parsing.framework import verb
from oncallctl.parsing.options import DryRunOption, YesOption, length, note_time, text_value
from oncallctl.times import parse_time, relative, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.users import User
    from oncallctl.config.settings import Settings
    from oncallctl.spans import Span
    from oncallctl.swaps.carry_out import CoverReport
    from oncallctl.swaps.plan import Cover, CoverStep

LONGEST = 180  # days: the server returns at most a year of shifts, and they are requested with a margin

OUTCOMES = {
    "SCHEDULE": "name",
    "STATUS": "status",
    "FROM": "swap.swap_start",
    "UNTIL": "swap.swap_end",
    "SWAP": "swap.id",
    "ERROR": "error.message",
}

FromOption = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Start at TIME. [default: now]")]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="End at TIME.")]
ForOption = Annotated[
    str | None, typer.Option("--for", metavar="DURATION", help="How long it lasts, for example 90m, 2h30m or 1d.")
]
MessageOption = Annotated[
    str | None,
    typer.Option("--message", metavar="TEXT|@FILE|-", help="Description of the swap: a text, a file, or - for stdin."),
]

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
    by: Annotated[
        str, typer.Option("--by", metavar="USER", help="User who takes over: name, email, ID or me. [default: me]")
    ] = "me",
    schedule: Annotated[
        list[str] | None,
        typer.Option(
            "--schedule",
            metavar="SCHEDULE",
            help="Change only this schedule (name or ID). Can be repeated. [default: all with shifts of USER]",
        ),
    ] = None,
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
            _show_plan(ctx.obj, oncall, wanted, steps)
            rehearsed = carry_out.rehearse(oncall, steps, wanted)
            render_requests(ctx.obj, rehearsed.documents(), OUTCOMES)
            rehearsed.raise_failures()
            return
        steps = _confirm(ctx.obj, oncall, wanted, steps, yes=yes)
        with progress(ctx.obj, "covering", len(steps)) as finished:
            made = carry_out.carry_out(oncall, steps, wanted, finished)
        render_done(ctx.obj, made.documents(), OUTCOMES)
        _report(ctx.obj, oncall, wanted, steps, made, wait=wait)


def check_length(until: str | None, for_: str | None) -> None:
    """Require exactly one of --until and --for.

    Raises:
        InvalidInput: none or both are given.
    """
    if until is None and for_ is None:
        raise InvalidInput("missing end: give --until or --for", hint="for example --until 18:00, or --for 8h")
    if until is not None and for_ is not None:
        raise InvalidInput("--until and --for exclude each other", hint="omit one of them")


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


def time_range(settings: Settings, oncall: OnCall, begin: str | None, until: str | None, for_: str | None) -> Span:
    """Return the time of a swap, by the server's clock; it starts about a minute from now at the earliest.

    Raises:
        InvalidInput: a time is invalid or past, or the range is empty or too long.
    """
    from datetime import timedelta

    from oncallctl.spans import Span
    from oncallctl.swaps.request import LEAD, soonest

    at, earliest = oncall.now(), soonest(oncall)
    start = earliest
    if begin is not None:
        start = parse_time(begin, settings.tz, after=at)
        note_time(settings, "from", begin, start)
        if start < earliest:
            settings.note(f"starts {show(earliest, settings.tz)}: the server accepts swaps from a minute ahead")
            start = earliest
    if for_ is not None:
        end = start + length(settings, for_)
    else:
        word = until or ""
        # A clock time is the next one after the start; an offset counts from now, as everywhere.
        end = parse_time(word, settings.tz, after=at if word.strip().startswith("+") else max(at, start - LEAD))
        note_time(settings, "until", word, end)
    if end <= start:
        raise InvalidInput(f"the end {show(end, settings.tz)} is not after the start {show(start, settings.tz)}")
    if end - start > timedelta(days=LONGEST):
        raise InvalidInput(f"a swap may last {LONGEST} days at most", hint="split it into several")
    return Span(start, end)


def _warnings(oncall: OnCall, wanted: Cover, steps: Sequence[CoverStep], settings: Settings) -> list[str]:
    """Return sentences about swaps that leave fewer people on call, or nobody whom the server notifies."""
    from oncallctl.drawing.local_time import LocalTime
    from oncallctl.rota.roles import is_notified

    name, local = wanted.by.username, LocalTime(settings.tz)
    found = [
        f"{name} is already on call in {step.target.found.name!r} {local.from_until(span, month=True)}:"
        " one person fewer is on call then"
        for step in steps
        if step.changes
        for span in step.doubled
    ]
    if is_notified(wanted.by.role, is_cloud=oncall.is_cloud) is False:
        found.append(f"{name} has the role {wanted.by.role}: a self-hosted engine never notifies them")
    return found


def _confirm(
    settings: Settings, oncall: OnCall, wanted: Cover, steps: Sequence[CoverStep], *, yes: bool
) -> Sequence[CoverStep]:
    """Show the changes and ask for confirmation. Return the plan, made again if time has passed."""
    from oncallctl.swaps.plan import plan

    changing = [step for step in steps if step.changes]
    if not changing:
        return steps
    items = [step.describe(wanted, settings.tz) for step in changing]
    dangers = _warnings(oncall, wanted, changing, settings)
    heading = f"{wanted.by.username} covers for {wanted.user.username}"
    if yes:
        _show_plan(settings, oncall, wanted, steps)
    if not confirm(settings, oncall.profile, Proposal(heading, items, dangers), yes=yes):
        return steps
    again = plan(oncall, wanted, settings.tz)
    if [(step.target.found.id, step.changes) for step in again] != [
        (step.target.found.id, step.changes) for step in steps
    ]:
        raise Conflict("the rota has changed meanwhile; nothing was done", hint="run the command again")
    return again


def _show_plan(settings: Settings, oncall: OnCall, wanted: Cover, steps: Sequence[CoverStep]) -> None:
    for step in steps:
        if step.changes:
            settings.note(step.describe(wanted, settings.tz))
    for warning in _warnings(oncall, wanted, steps, settings):
        settings.warn(warning)


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
