"""The commands `teams rota` and `gaps`."""

from __future__ import annotations

import sys
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.commands.ics import IcsOption, check_file_option, write_calendar
from oncallctl.commands.teams.app import TeamsArgument, app
from oncallctl.config.connect import connect
from oncallctl.config.settings import Format
from oncallctl.errors import ConditionFailed
from oncallctl.output.files import write_file
from oncallctl.output.render import draw, render, render_shifts
from oncallctl.times import midnight, now, show, show_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oncallctl.api.client import OnCall
    from oncallctl.config.settings import Settings
    from oncallctl.rota.shifts import Rota
    from oncallctl.rota.team_rota import TeamRota
    from oncallctl.times import Span

SHIFTS = {
    "SCHEDULE": "schedule_name",
    "FROM": "shift_start",
    "UNTIL": "shift_end",
    "USERS": "users",
    "OVERRIDE": "override",
}
GAPS = {"TEAM": "team.name", "FROM": "gap_start", "UNTIL": "gap_end", "LASTS": "lasts", "SCHEDULES": "schedules"}

ABSENT = {
    "USER": "user.username",
    "SCHEDULE": "schedule_name",
    "FROM": "shift_start",
    "UNTIL": "shift_end",
    "COMMAND": "command",
}

DaysOption = Annotated[int, typer.Option("--days", metavar="N", min=1, max=90, help="Number of days to show.")]


class RequireCovered(StrEnum):
    """Values of `gaps --require`."""

    COVERED = "covered"


@app.command(
    examples=[
        "oncallctl teams rota platform",
        "oncallctl teams rota platform --days 14 --svg rota.svg",
        "oncallctl teams rota platform --days 90 --ics rota.ics",
    ]
)
def rota(
    ctx: typer.Context,
    teams: TeamsArgument = None,
    days: DaysOption = 7,
    svg: Annotated[
        str | None, typer.Option("--svg", metavar="FILE|-", help="Write the picture to an SVG file; - is stdout.")
    ] = None,
    ics: IcsOption = None,
) -> None:
    """Draw the rota from today on. In a pipe, list the shifts."""
    from oncallctl import parallel
    from oncallctl.api import lookup
    from oncallctl.rota import calendars, team_rota
    from oncallctl.times import Span

    settings, at = ctx.obj, now()
    check_file_option(settings, "--svg", svg)
    check_file_option(settings, "--ics", ics)
    with connect(settings) as oncall:
        named, _ = parallel.together(lambda: lookup.teams(oncall, teams), oncall.integrations.everything)
        today = Span(midnight(at, settings.tz), midnight(at, settings.tz, days_later=days))
        team_rotas = team_rota.read(oncall, named, today, overrides=True)
    rotas = team_rota.unique_rotas(team_rotas)
    _note_unstaffed(settings, team_rotas)
    title = f"On call: {', '.join(each.team.name or each.team.id for each in team_rotas)}" if teams else "On call"
    if ics:
        write_calendar(settings, ics, calendars.of_rotas(rotas), title)
    if svg:
        _write_svg(settings, svg, rotas, title)
    if not (ics or svg):
        _show(settings, rotas)


def _write_svg(settings: Settings, file: str, rotas: Sequence[Rota], title: str) -> None:
    from oncallctl.drawing.svg import draw as draw_svg
    from oncallctl.rota.charts import chart

    at = now()
    charts = [chart(each, now=at, tz=settings.tz) for each in rotas]
    write_file(settings, file, "--svg", draw_svg(charts, now=at, tz=settings.tz, title=title))


def _show(settings: Settings, rotas: Sequence[Rota]) -> None:
    """Draw rotas on a terminal, or print their shifts."""
    if settings.format is Format.TABLE and settings.columns is None and sys.stdout.isatty():
        from oncallctl.drawing.terminal import draw as draw_lines
        from oncallctl.rota.charts import chart

        at, tz = now(), settings.tz
        charts = [chart(each, now=at, tz=tz) for each in rotas]
        draw(settings, lambda width, plain: draw_lines(charts, now=at, tz=tz, width=width, plain=plain))
        return
    shifts = [shift for each in rotas for shift in each.documents()]
    rows = [{**shift, "users": ", ".join(shift["usernames"])} for shift in shifts]
    if settings.format is Format.ID:  # the people
        rows = [{"id": user} for user in dict.fromkeys(user for shift in shifts for user in shift["users"])]
    render(settings, shifts, SHIFTS, rows=rows)


@app.command(examples=["oncallctl teams gaps --days 30", "oncallctl teams gaps payments --require covered"])
def gaps(
    ctx: typer.Context,
    teams: TeamsArgument = None,
    days: DaysOption = 14,
    absent: Annotated[
        str | None,
        typer.Option(
            "--absent",
            metavar="FILE",
            help="List the shifts of users who are absent then, from a TOML or iCalendar file, instead of gaps.",
        ),
    ] = None,
    require: Annotated[
        RequireCovered | None,
        typer.Option("--require", help="Exit 10 if there is a gap, or a shift of somebody absent."),
    ] = None,
) -> None:
    """List times at which a team's schedules have nobody on call, or somebody who is absent."""
    from oncallctl import parallel
    from oncallctl.api import lookup
    from oncallctl.rota import team_rota
    from oncallctl.times import Span

    at = now()
    ahead = Span(at, at + timedelta(days=days))
    with connect(ctx.obj) as oncall:
        named, _ = parallel.together(lambda: lookup.teams(oncall, teams), oncall.integrations.everything)
        team_rotas = team_rota.read(oncall, named, team_rota.with_margin(ahead))
        if absent:
            _show_absent(ctx.obj, oncall, team_rota.unique_rotas(team_rotas), absent, ahead, require)
            return
    # Among all teams, those without schedules are not on call. A team that was named should be.
    checked = team_rotas if teams else [each for each in team_rotas if not each.is_unstaffed]
    documents = [document for each in checked for document in each.gap_documents(ahead)]
    rows = [
        {
            **each,
            "id": each["team"]["id"],
            "lasts": f"{show_duration(each['seconds'])} or longer"
            if each["clipped"]
            else show_duration(each["seconds"]),
            "schedules": ", ".join(rota["name"] for rota in each["schedules"]),
        }
        for each in documents
    ]
    render(ctx.obj, documents, GAPS, rows=rows, empty="")
    if not documents and checked:
        ctx.obj.note(f"no gap in the next {days} day{'' if days == 1 else 's'}")
    _note_unstaffed(ctx.obj, team_rotas)
    if bypassed := [each.team.name or each.team.id for each in checked if each.is_bypassed]:
        ctx.obj.warn(f"a page goes through none of the team's schedules: {', '.join(bypassed)}")
    if require and documents:
        uncovered = dict.fromkeys(each["team"]["name"] or each["team"]["id"] for each in documents)
        raise ConditionFailed(f"not covered in the next {days} day{'' if days == 1 else 's'}: {', '.join(uncovered)}")


def _show_absent(
    settings: Settings, oncall: OnCall, rotas: Sequence[Rota], file: str, ahead: Span, require: RequireCovered | None
) -> None:
    """Show the shifts of absent users, each with the command that covers it."""
    from oncallctl.swaps import absences

    listed = absences.read_file(file, settings.tz, ahead.start)
    found = absences.find(oncall, listed, rotas, ahead)
    documents = [each.document(oncall, ahead.start) for each in found]
    rows = [{**each, "id": each["user"]["id"]} for each in documents]
    render_shifts(settings, documents, ABSENT, rows=rows)
    if not documents:
        settings.note("no user has a shift while absent")
    if late := [each.user for each in listed if each.span.end > ahead.end]:
        names = ", ".join(dict.fromkeys(late))
        settings.note(f"checked until {show(ahead.end, settings.tz)}; absent after that: {names}; use --days")
    if require and documents:
        names = ", ".join(dict.fromkeys(each["user"]["username"] for each in documents))
        raise ConditionFailed(f"on call while absent: {names}")


def _note_unstaffed(settings: Settings, team_rotas: Sequence[TeamRota]) -> None:
    """Show a note about teams without schedules and people."""
    if unstaffed := [each.team.name or each.team.id for each in team_rotas if each.is_unstaffed]:
        settings.note(f"no schedule and nobody to page: {', '.join(unstaffed)}")
