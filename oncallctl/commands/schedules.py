"""Schedules, and the shifts they come to."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from oncallctl.config.connect import connect
from oncallctl.config.settings import Format
from oncallctl.output.linked_names import ON_CALL_NOW, TEAM, with_names
from oncallctl.output.render import limited, render
from oncallctl.parsing.framework import noun
from oncallctl.parsing.options import LimitOption, TeamOption
from oncallctl.times import now, parse_moment

COLUMNS = {
    "ID": "id",
    "NAME": "name",
    "TEAM": "team.name",
    "TYPE": "type",
    "TIMEZONE": "time_zone",
    "ON CALL NOW": "on_call_names",
}
SHIFTS = {"FROM": "shift_start", "UNTIL": "shift_end", "USERS": "user_names"}
LONGEST = 180  # days: the server tells a year at once, and shifts are asked for with a margin

ScheduleArgument = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Name or id.")]

app = noun()


@app.command("list")
def list_schedules(ctx: typer.Context, team: TeamOption = None, limit: LimitOption = None) -> None:
    """List the schedules."""
    from oncallctl.api import lookup

    with connect(ctx.obj) as oncall:
        found = oncall.schedules.of_team(lookup.team_filter(oncall, team), limit and limit + 1)
        shown = limited(ctx.obj, (schedule.raw for schedule in found), limit)
        render(ctx.obj, with_names(oncall, ctx.obj, shown, TEAM, ON_CALL_NOW), COLUMNS)


@app.command()
def get(ctx: typer.Context, schedule: ScheduleArgument) -> None:
    """Show one schedule."""
    from oncallctl.api import lookup

    with connect(ctx.obj) as oncall:
        found = oncall.schedules.get(lookup.schedule(oncall, schedule).id)
        (shown,) = with_names(oncall, ctx.obj, [found.raw], TEAM, ON_CALL_NOW)
    render(ctx.obj, shown, COLUMNS)


@app.command()
def shifts(
    ctx: typer.Context,
    schedule: ScheduleArgument,
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, max=LONGEST, help="So many days.")] = 7,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From then on (now).")] = None,
) -> None:
    """Show the shifts of a schedule, whole, also those that have begun already."""
    from oncallctl.api import lookup
    from oncallctl.rota.shifts import Span, document, read

    with connect(ctx.obj) as oncall:
        begin = parse_moment(since, ctx.obj.tz, near=now()) if since else now()  # the profile may know the zone
        span = Span(begin, begin + timedelta(days=days))
        rota = read(oncall, lookup.schedule(oncall, schedule).id, span)
    documents = [document(rota.schedule, shift) for shift in rota.shifts]
    rows = [
        {**each, "user_names": ", ".join(rota.usernames.get(user, user) for user in each["users"])}
        for each in documents
    ]
    if ctx.obj.format is Format.ID:
        rows = [{"id": user} for user in dict.fromkeys(user for shift in rota.shifts for user in shift.users)]
    render(ctx.obj, documents, SHIFTS, rows=rows)
    if not documents:
        ctx.obj.note(f"nobody is on call in {rota.schedule.name!r} in this time")
