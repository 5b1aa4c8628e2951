"""The commands `teams who-is-on-call`, `next` and `previous`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypedDict, Unpack

import typer

from oncallctl.commands.teams.app import TeamsArgument, app
from oncallctl.config.connect import connect
from oncallctl.errors import ConditionFailed, InvalidInput, OncallError
from oncallctl.output.linked_names import for_a_person
from oncallctl.output.render import render, render_shifts
from oncallctl.parsing.options import RouteOption
from oncallctl.times import now, parse_moment, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oncallctl.api.client import OnCall
    from oncallctl.config.settings import Settings
    from oncallctl.rota.on_call import TeamOnCall
    from oncallctl.rota.taken_shifts import TakenShift

PEOPLE = {
    "TEAM": "team.name",
    "USER": "name",  # with the reason if they are not notified
    "EMAIL": "email",
    "PHONE": "phone_number",
    "SCHEDULE": "schedules",
    "FROM": "shift_start",
    "UNTIL": "shift_end",
    "COVERING FOR": "covering_for",
}

DaysOption = Annotated[int, typer.Option("--days", metavar="N", min=1, max=30, help="Number of days to search.")]


class QueryOptions(TypedDict, total=False):
    """Further attributes of `OnCallQuery`."""

    days: int
    route: str | None


@app.command(
    examples=[
        "oncallctl teams who-is-on-call",
        "oncallctl teams who-is-on-call platform --at 18:00",
        "oncallctl teams who-is-on-call platform --require -o json",
    ],
)
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
    on_call = _show(ctx.obj, teams, "current", at=at, route=_route_of(teams, route))
    if require and (failing := [str(each.team) for each in on_call if not each.is_anybody_notified]):
        raise ConditionFailed(f"nobody who would be notified is on call for {', '.join(failing)}")


@app.command(
    "next",
    examples=[
        "oncallctl teams next platform",
        "oncallctl teams next --days 14",
    ],
)
def next_on_call(
    ctx: typer.Context, teams: TeamsArgument = None, days: DaysOption = 7, route: RouteOption = None
) -> None:
    """Show who takes over next: the first shift that has not started."""
    _show(ctx.obj, teams, "next", days=days, route=_route_of(teams, route))


@app.command(
    "previous",
    examples=[
        "oncallctl teams previous platform",
        "oncallctl teams previous --days 14",
    ],
)
def previous_on_call(
    ctx: typer.Context, teams: TeamsArgument = None, days: DaysOption = 7, route: RouteOption = None
) -> None:
    """Show who was on call before: the last shift that has ended."""
    _show(ctx.obj, teams, "previous", days=days, route=_route_of(teams, route))


def _route_of(teams: list[str] | None, route: str | None) -> str | None:
    """Return the ID of a route. Raises InvalidInput for several teams, since a route belongs to one team."""
    if route and len(teams or ()) != 1:
        raise InvalidInput("--route needs exactly one team", hint="name the team")
    return route.removeprefix("id:") if route else None


def _show(
    settings: Settings,
    teams: list[str] | None,
    when: str,
    *,
    at: str | None = None,
    **options: Unpack[QueryOptions],
) -> list[TeamOnCall]:
    """Show who is on call, and return it. `when` is current, next or previous."""
    from oncallctl import parallel
    from oncallctl.api import lookup
    from oncallctl.rota.on_call import on_call
    from oncallctl.rota.resolved import OnCallQuery, When

    with connect(settings) as oncall:
        moment = parse_moment(at, settings.tz, near=now()) if at else None  # the profile may know the zone
        # All integrations are needed for all teams, but not for a few.
        prefetch = [] if teams or (oncall.is_cloud and moment is None) else [oncall.integrations.everything]
        named, *_ = parallel.together(lambda: lookup.teams(oncall, teams), *prefetch)
        results = on_call(oncall, named, OnCallQuery(When(when), moment, **options))
        taken = _taken_shifts(settings, oncall, results)
    if moment:
        settings.note(f"at {show(moment, settings.tz)}")
    documents = [each.document for each in results]
    rows = [person for each in results for person in each.people(taken)]
    write = render if when == When.CURRENT and moment is None else render_shifts
    write(settings, documents[0] if teams and len(teams) == 1 else documents, PEOPLE, rows=rows, empty="")
    if nobody := [each.team.name or each.team.id for each in results if not each.response.users]:
        settings.note(f"nobody is on call for {', '.join(nobody)}")
    if slack := [each.team.name or each.team.id for each in results if each.through_slack]:
        settings.note(f"a step notifies a Slack user group or channel, whose members are not shown: {', '.join(slack)}")
    for each in results:
        if names := each.names_not_paged:
            team = each.team.name or each.team.id
            settings.note(f"not paged for {team}, because their escalation step never runs: {', '.join(names)}")
    return results


def _taken_shifts(settings: Settings, oncall: OnCall, results: Sequence[TeamOnCall]) -> Sequence[TakenShift]:
    """Return the shifts that were taken over in swaps, for a table. A failure is only a warning."""
    from oncallctl.rota import taken_shifts
    from oncallctl.times import Span

    shifts = [shift for each in results for shift in each.response.shifts]
    times = [time for shift in shifts for time in (shift.shift_start, shift.shift_end) if time]
    if not times or not for_a_person(settings):
        return ()
    schedules = {shift.schedule_id for shift in shifts if shift.schedule_id}
    try:
        return taken_shifts.read(oncall, Span(min(times), max(times)), schedules=schedules)
    except OncallError as error:
        settings.warn(f"not known who covers for somebody: {error.message}")
        return ()
