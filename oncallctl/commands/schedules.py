"""Schedules and their shifts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from oncallctl.api.nouns import SCHEDULES
from oncallctl.commands import generic
from oncallctl.commands.ics import IcsOption, check_file_option, write_calendar
from oncallctl.config.connect import connect
from oncallctl.config.settings import Format
from oncallctl.output.render import render_shifts
from oncallctl.parsing.options import note_time
from oncallctl.times import now, parse_moment

SHIFTS = {"FROM": "shift_start", "UNTIL": "shift_end", "USERS": "user_names"}
LONGEST = 180  # days: the server returns at most a year, and shifts are requested with a margin

ScheduleArgument = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Name or ID.")]

app = generic.app_of(SCHEDULES)


@app.command(
    examples=[
        "oncallctl schedules shifts platform-primary",
        "oncallctl schedules shifts platform-primary --from 2026-12-01T00:00Z --days 31 -o csv",
        "oncallctl schedules shifts platform-primary --days 90 --ics platform.ics",
    ]
)
def shifts(
    ctx: typer.Context,
    schedule: ScheduleArgument,
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, max=LONGEST, help="Number of days to show.")] = 7,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Start at TIME. [default: now]")] = None,
    ics: IcsOption = None,
) -> None:
    """Show the shifts of a schedule; a shift that has already begun is shown from its start."""
    from oncallctl.api import lookup
    from oncallctl.rota import calendars
    from oncallctl.rota.shifts import document, read
    from oncallctl.times import Span

    check_file_option(ctx.obj, "--ics", ics)
    with connect(ctx.obj) as oncall:
        begin = now()
        if since:
            begin = parse_moment(since, ctx.obj.tz, near=begin)
            note_time(ctx.obj, "from", since, begin)
        span = Span(begin, begin + timedelta(days=days))
        rota = read(oncall, lookup.resolve(oncall, SCHEDULES, schedule).id, span)
    if not rota.shifts:
        ctx.obj.note(f"nobody is on call in {rota.schedule.name!r} in this time")
    if ics:
        write_calendar(ctx.obj, ics, calendars.of_rotas([rota]), f"On call: {rota.schedule.name}")
        return
    documents = [document(rota.schedule, shift) for shift in rota.shifts]
    rows = [
        {**each, "user_names": ", ".join(rota.usernames.get(user, user) for user in each["users"])}
        for each in documents
    ]
    if ctx.obj.format is Format.ID:
        rows = [{"id": user} for user in dict.fromkeys(user for shift in rota.shifts for user in shift.users)]
    render_shifts(ctx.obj, documents, SHIFTS, rows=rows)
