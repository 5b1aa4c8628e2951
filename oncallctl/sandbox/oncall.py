"""Who is on call for a team, now, next and before: Cloud's `teams/<id>/current_oncall` and its neighbours.

The team's direct paging integration is resolved: its default route, or the one that `route` names, that route's
escalation chain, and the schedules the chain notifies from. People whom the chain names without a schedule are on call
at any moment, and have no shifts; next and before are about shifts alone.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.answers import Answer, bad_request, not_found
from oncallctl.sandbox.moments import offset
from oncallctl.sandbox.paging import people_of, steps
from oncallctl.sandbox.people import find_team, user
from oncallctl.sandbox.rota import Shift, Span, shifts

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from oncallctl.sandbox.calls import Call

Found = list[tuple[str, Shift]]
"""Shifts, each with the id of its schedule."""

FROM_SCHEDULE: Final = "notify_on_call_from_schedule"
DAY: Final = 86_400
DEFAULT_DAYS: Final = 7
MOST_DAYS: Final = 30


def current(call: Call) -> Answer:
    """Answer with the shifts that contain this moment, and the people of all steps, in the order of the steps."""
    chain = _steps(call)
    moment = Span(call.now, math.nextafter(call.now, math.inf))
    found = _shifts(call, chain, moment, lambda _: True)
    people: list[str] = []
    for step in chain:
        if step["type"] == FROM_SCHEDULE:
            people += _users(pair for pair in found if pair[0] == step["schedule_id"])
        else:
            people += people_of(call.db, step)
    return _answer(call, found, people)


def following(call: Call) -> Answer:
    """Answer with the shifts that start next; those that overlap this moment are skipped."""
    within = Span(call.now, call.now + _days(call) * DAY)
    found = _shifts(call, _steps(call), within, lambda span: span.start > call.now)
    first = min((shift.span.start for _, shift in found), default=None)
    chosen = [(schedule, shift) for schedule, shift in found if shift.span.start == first]
    return _answer(call, chosen, _users(chosen))


def previous(call: Call) -> Answer:
    """Answer with the shifts that ended last."""
    within = Span(call.now - _days(call) * DAY, call.now)
    found = _shifts(call, _steps(call), within, lambda span: span.end <= call.now)
    last = max((shift.span.end for _, shift in found), default=None)
    chosen = [(schedule, shift) for schedule, shift in found if shift.span.end == last]
    return _answer(call, chosen, _users(chosen))


def _steps(call: Call) -> list[sqlite3.Row]:
    """List the steps that paging the team goes through; none without a direct paging integration or a chain."""
    team = find_team(call)
    query = (
        "SELECT routes.id, routes.escalation_chain_id, routes.is_default FROM routes "
        "JOIN integrations ON integrations.id = routes.integration_id "
        "WHERE integrations.type = 'direct_paging' AND integrations.team_id = ?"
    )
    routes = call.db.execute(query, (team["id"],)).fetchall()
    wanted = call.request.args.get("route")
    chosen = [route for route in routes if (route["is_default"] if wanted is None else route["id"] == wanted)]
    if wanted is not None and not chosen:
        raise not_found()
    return steps(call.db, chosen[0]["escalation_chain_id"]) if chosen else []


def _shifts(call: Call, chain: Iterable[sqlite3.Row], within: Span, wanted: Callable[[Span], bool]) -> Found:
    """Find the shifts that touch a span: by the order of the steps, then by start and end."""
    schedules = [step["schedule_id"] for step in chain if step["type"] == FROM_SCHEDULE and step["schedule_id"]]
    return [
        (schedule_id, shift)
        for schedule_id in dict.fromkeys(schedules)
        for shift in shifts(call.db, schedule_id, within, call.dialect)
        if wanted(shift.span)
    ]


def _users(found: Iterable[tuple[str, Shift]]) -> list[str]:
    return [user_id for _, shift in found for user_id in shift.users]


def _days(call: Call) -> int:
    text = call.request.args.get("days", str(DEFAULT_DAYS))
    try:
        days = int(text)
    except ValueError as error:
        raise bad_request({"days": ["A valid integer is required."]}) from error
    if days < 1:
        raise bad_request({"days": ["Ensure this value is greater than or equal to 1."]})
    if days > MOST_DAYS:
        raise bad_request({"days": [f"Ensure this value is less than or equal to {MOST_DAYS}."]})
    return days


def _answer(call: Call, found: Found, people: Iterable[str]) -> Answer:
    """Say the people, each once, then the shifts; those of a schedule at the same time are one."""
    on_call = dict.fromkeys(people)
    rows = [call.db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone() for user_id in on_call]
    entries = [
        _shift(call.db, schedule_id, span, list(same))
        for (schedule_id, span), same in groupby(found, key=lambda pair: (pair[0], pair[1].span))
    ]
    return Answer({"count": len(rows), "users": [user(row, call.dialect) for row in rows], "shifts": entries})


def _shift(db: sqlite3.Connection, schedule_id: str, span: Span, same: Found) -> dict[str, object]:
    schedule = db.execute("SELECT name, team_id FROM schedules WHERE id = ?", (schedule_id,)).fetchone()
    return {
        "schedule_id": schedule_id,
        "schedule_name": schedule["name"],
        "team_id": schedule["team_id"],
        "shift_start": offset(span.start),
        "shift_end": offset(span.end),
        "users": list(dict.fromkeys(user_id for _, shift in same for user_id in shift.users)),
    }
