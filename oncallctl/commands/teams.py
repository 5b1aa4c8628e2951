"""Teams, and who is on call for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.errors import ConditionFailed
from oncallctl.options import RouteOption, noun
from oncallctl.output import render
from oncallctl.session import connect

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.rota.on_call import TeamOnCall
    from oncallctl.settings import Settings

COLUMNS = {"ID": "id", "NAME": "name", "EMAIL": "email"}
PEOPLE = {
    "TEAM": "team.name",
    "USER": "username",
    "EMAIL": "email",
    "PHONE": "phone_number",
    "SCHEDULE": "schedules",
    "FROM": "shift_start",
    "UNTIL": "shift_end",
}

TeamsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[TEAM]...", help="Names or ids; all without one.", show_default=False)
]
DaysOption = Annotated[int, typer.Option("--days", metavar="N", min=1, max=30, help="Look so many days away.")]

app = noun("Teams, and who is on call for them.")


@app.command("list")
def list_teams(ctx: typer.Context) -> None:
    """List the teams."""
    with connect(ctx.obj) as oncall:
        render(ctx.obj, (team.raw for team in oncall.teams.list()), COLUMNS)


@app.command()
def get(ctx: typer.Context, team: Annotated[str, typer.Argument(metavar="TEAM", help="Name or id.")]) -> None:
    """Show one team."""
    from oncallctl.api import names

    with connect(ctx.obj) as oncall:
        render(ctx.obj, oncall.teams.get(names.team(oncall, team).id).raw, COLUMNS)


@app.command()
def who_is_on_call(
    ctx: typer.Context,
    teams: TeamsArgument = None,
    route: RouteOption = None,
    require: Annotated[bool, typer.Option("--require", help="Exit 10 when nobody is on call for one of them.")] = False,
) -> None:
    """Show who is on call now."""
    with connect(ctx.obj) as oncall:
        asked = _ask(oncall, teams, "current", {"route": route} if route else {})
    _render_people(ctx.obj, asked, teams)
    if require and (bare := [str(each.team) for each in asked if not each.answer.users]):
        raise ConditionFailed(f"nobody is on call for {', '.join(bare)}")


@app.command("next")
def next_on_call(
    ctx: typer.Context, teams: TeamsArgument = None, days: DaysOption = 7, route: RouteOption = None
) -> None:
    """Show who takes over next: the first shift that has not begun."""
    with connect(ctx.obj) as oncall:
        asked = _ask(oncall, teams, "next", {"days": days} | ({"route": route} if route else {}))
    _render_people(ctx.obj, asked, teams)


@app.command("previous")
def previous_on_call(
    ctx: typer.Context, teams: TeamsArgument = None, days: DaysOption = 7, route: RouteOption = None
) -> None:
    """Show who was on call before: the last shift that has ended."""
    with connect(ctx.obj) as oncall:
        asked = _ask(oncall, teams, "previous", {"days": days} | ({"route": route} if route else {}))
    _render_people(ctx.obj, asked, teams)


def _ask(oncall: OnCall, teams: list[str] | None, when: str, params: dict[str, str | int]) -> list[TeamOnCall]:
    from oncallctl.api import names
    from oncallctl.rota.on_call import check, on_call

    check(oncall)
    if teams:
        named = [names.team(oncall, team) for team in teams]
    else:
        named = [names.Named(team.id, team.name) for team in oncall.teams.everything()]
    return on_call(oncall, named, when, params)


def _render_people(settings: Settings, asked: list[TeamOnCall], teams: list[str] | None) -> None:
    documents = [each.document for each in asked]
    rows = [person for each in asked for person in each.people()]
    render(settings, documents[0] if teams and len(teams) == 1 else documents, PEOPLE, rows=rows)
    if bare := [each.team.name or each.team.id for each in asked if not each.answer.users]:
        settings.note(f"nobody: {', '.join(bare)}")
