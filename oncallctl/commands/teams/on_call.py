"""The commands `teams who-is-on-call`, `next` and `previous`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncallctl.commands.teams.app import TeamsArgument, app
from oncallctl.config.connect import connect
from oncallctl.errors import ConditionFailed, InvalidInput
from oncallctl.output.render import render
from oncallctl.parsing.options import RouteOption
from oncallctl.times import now, parse_moment, show

if TYPE_CHECKING:
    from oncallctl.config.settings import Settings
    from oncallctl.rota.on_call import TeamOnCall

PEOPLE = {
    "TEAM": "team.name",
    "USER": "name",  # with the reason if they are not notified
    "EMAIL": "email",
    "PHONE": "phone_number",
    "SCHEDULE": "schedules",
    "FROM": "shift_start",
    "UNTIL": "shift_end",
}

DaysOption = Annotated[int, typer.Option("--days", metavar="N", min=1, max=30, help="Number of days to search.")]


@app.command()
def who_is_on_call(
    ctx: typer.Context,
    teams: TeamsArgument = None,
    route: RouteOption = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Show who is on call at TIME instead of now.")
    ] = None,
    require: Annotated[
        bool, typer.Option("--require", help="Exit 10 if a team has nobody on call who would be notified.")
    ] = False,
) -> None:
    """Show who is on call."""
    asked = _show(ctx.obj, teams, "current", at=at, route=_only_of_one(teams, route))
    if require and (bare := [str(each.team) for each in asked if not each.is_anybody_notified]):
        raise ConditionFailed(f"nobody who would be notified is on call for {', '.join(bare)}")


@app.command("next")
def next_on_call(
    ctx: typer.Context, teams: TeamsArgument = None, days: DaysOption = 7, route: RouteOption = None
) -> None:
    """Show who takes over next: the first shift that has not started."""
    _show(ctx.obj, teams, "next", days=days, route=_only_of_one(teams, route))


@app.command("previous")
def previous_on_call(
    ctx: typer.Context, teams: TeamsArgument = None, days: DaysOption = 7, route: RouteOption = None
) -> None:
    """Show who was on call before: the last shift that has ended."""
    _show(ctx.obj, teams, "previous", days=days, route=_only_of_one(teams, route))


def _only_of_one(teams: list[str] | None, route: str | None) -> str | None:
    """Refuse a route for more than one team: it is a route of one team's direct paging integration."""
    if route and len(teams or ()) != 1:
        raise InvalidInput("--route is a route of one team", hint="name the team")
    return route.removeprefix("id:") if route else None


def _show(
    settings: Settings,
    teams: list[str] | None,
    when: str,
    *,
    at: str | None = None,
    **question: Any,  # noqa: ANN401
) -> list[TeamOnCall]:
    """Show who is on call; `question` holds more attributes of `OnCallQuery`."""
    from oncallctl import parallel
    from oncallctl.api import lookup
    from oncallctl.rota.on_call import on_call
    from oncallctl.rota.resolved import OnCallQuery, When

    with connect(settings) as oncall:
        moment = parse_moment(at, settings.tz, near=now()) if at else None  # the profile may know the zone
        # All integrations are needed for all teams, but not for a few.
        ahead = [] if teams or (oncall.is_cloud and moment is None) else [oncall.integrations.everything]
        named, *_ = parallel.together(lambda: lookup.teams(oncall, teams), *ahead)
        asked = on_call(oncall, named, OnCallQuery(When(when), moment, **question))
    if moment:
        settings.note(f"at {show(moment, settings.tz)}")
    documents = [each.document for each in asked]
    rows = [person for each in asked for person in each.people()]
    render(settings, documents[0] if teams and len(teams) == 1 else documents, PEOPLE, rows=rows)
    if bare := [each.team.name or each.team.id for each in asked if not each.answer.users]:
        settings.note(f"nobody: {', '.join(bare)}")
    if slack := [each.team.name or each.team.id for each in asked if each.through_slack]:
        settings.note(f"a step notifies a Slack user group or channel, whose people are not shown: {', '.join(slack)}")
    for each in asked:
        if names := each.names_not_paged:
            team = each.team.name or each.team.id
            settings.note(f"not paged for {team}, because their escalation step never runs: {', '.join(names)}")
    return asked
