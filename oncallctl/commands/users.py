"""Users and their shifts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from oncallctl.api.nouns import USERS
from oncallctl.commands import generic
from oncallctl.commands.ics import IcsOption, check_file_option, write_calendar
from oncallctl.config.connect import connect
from oncallctl.config.settings import Format
from oncallctl.output.render import render_shifts
from oncallctl.times import now

SHIFTS = {
    "USER": "user.username",
    "EMAIL": "user.email",
    "SCHEDULE": "schedule_name",
    "FROM": "shift_start",
    "UNTIL": "shift_end",
    "COVERING FOR": "covering_name",
}
LONGEST = 180  # days: the server returns at most a year, and shifts are requested with a margin

UsersArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[USER]...",
        help="Usernames, email addresses or IDs; me is the user of the token. [default: me]",
        show_default=False,
    ),
]

app = generic.app_of(USERS)


@app.command(
    examples=[
        "oncallctl users whoami",
        "oncallctl users whoami -o json",
    ],
)
def whoami(ctx: typer.Context) -> None:
    """Show the user of the token."""
    with connect(ctx.obj) as oncall:
        generic.show(ctx.obj, oncall, USERS, [oncall.users.current()])


@app.command(
    examples=[
        "oncallctl users shifts",
        "oncallctl users shifts alice bob --days 14",
        "oncallctl users shifts alice --ics alice.ics",
    ]
)
def shifts(
    ctx: typer.Context,
    users: UsersArgument = None,
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, max=LONGEST, help="Number of days to show.")] = 30,
    ics: IcsOption = None,
) -> None:
    """Show the shifts of users in all schedules, from now on. A shift that has already begun is included."""
    from oncallctl import parallel
    from oncallctl.api import lookup
    from oncallctl.rota import calendars, user_shifts
    from oncallctl.times import Span

    check_file_option(ctx.obj, "--ics", ics)
    at = now()
    with connect(ctx.obj) as oncall:
        people, _ = parallel.together(lambda: lookup.users(oncall, users or [lookup.ME]), oncall.schedules.everything)
        on_call = user_shifts.read(oncall, people, Span(at, at + timedelta(days=days)))
    if without := [user.username for user in people if user.id not in {shift.user.id for shift in on_call}]:
        ctx.obj.note(f"not on call in the next {days} day{'' if days == 1 else 's'}: {', '.join(without)}")
    if ics:
        name = f"On call: {', '.join(user.username for user in people)}"
        write_calendar(ctx.obj, ics, calendars.of_users(on_call), name)
        return
    documents = [shift.document() for shift in on_call]
    rows = [{**shift.document(), "covering_name": shift.covering_name} for shift in on_call]
    if ctx.obj.format is Format.ID:  # the people
        rows = [{"id": user} for user in dict.fromkeys(shift.user.id for shift in on_call)]
    render_shifts(ctx.obj, documents, SHIFTS, rows=rows, empty="")  # the note names everybody
