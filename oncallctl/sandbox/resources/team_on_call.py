"""Who is on call for a team now, next and before: Cloud's `teams/<id>/current_oncall` and the like.

The users come from the team's direct paging integration: its default route, or the route in the query, that route's
escalation chain, and the schedules and users of its steps. Users who are named by a step are on call at any time and
have no shifts; next and previous consider shifts only.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox import rows
from oncallctl.sandbox.notifications import steps_of, users_named_by
from oncallctl.sandbox.resources import users
from oncallctl.sandbox.resources.teams import TEAMS
from oncallctl.sandbox.responses import SandboxResponse, bad_request, not_found
from oncallctl.sandbox.rota import OnCallPeriod, TimeRange, periods
from oncallctl.sandbox.timestamps import to_iso_offset

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from oncallctl.sandbox.requests import ApiRequest

SchedulePeriods = list[tuple[str, OnCallPeriod]]
"""Periods on call, each with the ID of its schedule."""

FROM_SCHEDULE: Final = "notify_on_call_from_schedule"
DAY: Final = 86_400
DEFAULT_DAYS: Final = 7
MAX_DAYS: Final = 30


def current_on_call(request: ApiRequest) -> SandboxResponse:
    """Return the current shifts, and the users of all steps in the order of the steps."""
    steps = _steps(request)
    instant = TimeRange(request.now, math.nextafter(request.now, math.inf))
    found = _periods(request, steps, instant, lambda _: True)
    user_ids: list[str] = []
    for step in steps:
        if step["type"] == FROM_SCHEDULE:
            user_ids += _user_ids(pair for pair in found if pair[0] == step["schedule_id"])
        else:
            user_ids += users_named_by(request.db, step)
    return _response(request, found, user_ids)


def next_on_call(request: ApiRequest) -> SandboxResponse:
    """Return the shifts that start next; those that have started are skipped."""
    within = TimeRange(request.now, request.now + _days(request) * DAY)
    found = _periods(request, _steps(request), within, lambda each: each.start > request.now)
    first = min((period.range.start for _, period in found), default=None)
    chosen = [(schedule_id, period) for schedule_id, period in found if period.range.start == first]
    return _response(request, chosen, _user_ids(chosen))


def previous_on_call(request: ApiRequest) -> SandboxResponse:
    """Return the shifts that ended last."""
    within = TimeRange(request.now - _days(request) * DAY, request.now)
    found = _periods(request, _steps(request), within, lambda each: each.end <= request.now)
    last = max((period.range.end for _, period in found), default=None)
    chosen = [(schedule_id, period) for schedule_id, period in found if period.range.end == last]
    return _response(request, chosen, _user_ids(chosen))


def _steps(request: ApiRequest) -> list[sqlite3.Row]:
    """Return the steps that a page of the team runs; none without a direct paging integration or a chain."""
    team = TEAMS.find(request)
    query = (
        "SELECT routes.id, routes.escalation_chain_id, routes.is_default FROM routes "
        "JOIN integrations ON integrations.id = routes.integration_id "
        "WHERE integrations.type = 'direct_paging' AND integrations.team_id = ?"
    )
    routes = request.db.execute(query, (team["id"],)).fetchall()
    route_id = request.http.args.get("route")
    chosen = [route for route in routes if (route["is_default"] if route_id is None else route["id"] == route_id)]
    if route_id is not None and not chosen:
        raise not_found()
    return steps_of(request.db, chosen[0]["escalation_chain_id"]) if chosen else []


def _periods(
    request: ApiRequest, steps: Iterable[sqlite3.Row], within: TimeRange, accepts: Callable[[TimeRange], bool]
) -> SchedulePeriods:
    """Return the periods that overlap a time range, in the order of the steps, then by start and end."""
    schedule_ids = [step["schedule_id"] for step in steps if step["type"] == FROM_SCHEDULE and step["schedule_id"]]
    return [
        (schedule_id, period)
        for schedule_id in dict.fromkeys(schedule_ids)
        for period in periods(request.db, schedule_id, within, request.variant, now=request.now)
        if accepts(period.range)
    ]


def _user_ids(found: Iterable[tuple[str, OnCallPeriod]]) -> list[str]:
    return [user_id for _, period in found for user_id in period.users]


def _days(request: ApiRequest) -> int:
    text = request.http.args.get("days", str(DEFAULT_DAYS))
    try:
        days = int(text)
    except ValueError as error:
        raise bad_request({"days": ["A valid integer is required."]}) from error
    if days < 1:
        raise bad_request({"days": ["Ensure this value is greater than or equal to 1."]})
    if days > MAX_DAYS:
        raise bad_request({"days": [f"Ensure this value is less than or equal to {MAX_DAYS}."]})
    return days


def _response(request: ApiRequest, found: SchedulePeriods, user_ids: Iterable[str]) -> SandboxResponse:
    """Return each user once, and the shifts; equal periods of a schedule are one shift."""
    user_rows = [rows.existing(request.db, "users", user_id) for user_id in dict.fromkeys(user_ids)]
    shifts = [
        _shift(request.db, schedule_id, time_range, list(group))
        for (schedule_id, time_range), group in groupby(found, key=lambda pair: (pair[0], pair[1].range))
    ]
    shown = [users.view(row, request.variant) for row in user_rows]
    return SandboxResponse({"count": len(shown), "users": shown, "shifts": shifts})


def _shift(db: sqlite3.Connection, schedule_id: str, time_range: TimeRange, found: SchedulePeriods) -> dict[str, Any]:
    schedule = rows.existing(db, "schedules", schedule_id)
    return {
        "schedule_id": schedule_id,
        "schedule_name": schedule["name"],
        "team_id": schedule["team_id"],
        "shift_start": to_iso_offset(time_range.start),
        "shift_end": to_iso_offset(time_range.end),
        "users": list(dict.fromkeys(_user_ids(found))),
    }
