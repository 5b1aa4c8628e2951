"""Options, prompts and notes of the commands that make shift swaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.errors import Conflict, InvalidInput
from oncallctl.output.prompts import Proposal, confirm
from oncallctl.parsing.options import length, note_time
from oncallctl.times import parse_time, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oncallctl.api.client import OnCall
    from oncallctl.config.settings import Settings
    from oncallctl.swaps.plan import Cover, CoverStep
    from oncallctl.times import Span

LONGEST = 180  # days: the server returns at most a year of shifts, and they are requested with a margin

OUTCOMES = {
    "SCHEDULE": "name",
    "STATUS": "status",
    "FROM": "swap.swap_start",
    "UNTIL": "swap.swap_end",
    "SWAP": "swap.id",
    "ERROR": "error.message",
}

SchedulesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--schedule",
        metavar="SCHEDULE",
        help="Change only this schedule (name or ID). Can be repeated. [default: all with shifts of USER]",
    ),
]
FromOption = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Start at TIME. [default: now]")]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="TIME", help="End at TIME.")]
ForOption = Annotated[
    str | None, typer.Option("--for", metavar="DURATION", help="How long it lasts, for example 90m, 2h30m or 1d.")
]
MessageOption = Annotated[
    str | None,
    typer.Option("--message", metavar="TEXT|@FILE|-", help="Description of the swap: a text, a file, or - for stdin."),
]


def check_length(until: str | None, for_: str | None) -> None:
    """Require exactly one of --until and --for.

    Raises:
        InvalidInput: none or both are given.
    """
    if until is None and for_ is None:
        raise InvalidInput("missing end: give --until or --for", hint="for example --until 18:00, or --for 8h")
    if until is not None and for_ is not None:
        raise InvalidInput("--until and --for exclude each other", hint="omit one of them")


def time_range(settings: Settings, oncall: OnCall, begin: str | None, until: str | None, for_: str | None) -> Span:
    """Return the time of a swap, by the server's clock; it starts about a minute from now at the earliest.

    Raises:
        InvalidInput: a time is invalid or past, or the range is empty or too long.
    """
    from datetime import timedelta

    from oncallctl.swaps.request import LEAD, soonest
    from oncallctl.times import Span

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

    if wanted.by is None:
        return []
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


def confirm_plan(
    settings: Settings, oncall: OnCall, wanted: Cover, steps: Sequence[CoverStep], *, yes: bool
) -> Sequence[CoverStep]:
    """Show the changes and ask for confirmation. Return the plan, made again if time has passed."""
    from oncallctl.swaps.plan import plan

    changing = [step for step in steps if step.changes]
    if not changing:
        return steps
    items = [step.describe(wanted, settings.tz) for step in changing]
    dangers = _warnings(oncall, wanted, changing, settings)
    heading = f"Request a shift swap for {wanted.user.username}"
    if wanted.by:
        heading = f"{wanted.by.username} covers for {wanted.user.username}"
    if yes:
        show_plan(settings, oncall, wanted, steps)
    if not confirm(settings, oncall.profile, Proposal(heading, items, dangers), yes=yes):
        return steps
    again = plan(oncall, wanted, settings.tz)
    if [(step.target.found.id, step.changes) for step in again] != [
        (step.target.found.id, step.changes) for step in steps
    ]:
        raise Conflict("the rota has changed meanwhile; nothing was done", hint="run the command again")
    return again


def show_plan(settings: Settings, oncall: OnCall, wanted: Cover, steps: Sequence[CoverStep]) -> None:
    """Print the changes as notes, and warnings about them."""
    for step in steps:
        if step.changes:
            settings.note(step.describe(wanted, settings.tz))
    for warning in _warnings(oncall, wanted, steps, settings):
        settings.warn(warning)
