"""Paging people by hand: POST escalation/."""

from __future__ import annotations

import html
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oncallctl.sandbox import alert_group_rows, integration_rows
from oncallctl.sandbox.alert_group_view import alert_group
from oncallctl.sandbox.answers import Answer, bad_request, detail
from oncallctl.sandbox.escalations import escalate
from oncallctl.sandbox.fields import Checker, Invalid, boolean, optional, text, url
from oncallctl.sandbox.paging import notify
from oncallctl.sandbox.references import team
from oncallctl.sandbox.rows import by_id

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call

NO_TARGET = "No team or user(s) specified"


@dataclass(frozen=True)
class Wanted:
    """What a body asks for, after every field was checked."""

    users: list[tuple[sqlite3.Row, bool]]
    team: sqlite3.Row | None
    important: bool
    title: str | None
    message: str | None
    source_url: str | None
    group: sqlite3.Row | None


def page_people(call: Call) -> Answer:
    """Page a team, or users, by hand.

    Users are notified directly. Their group belongs to the integration without a team, and escalates as its route
    says. A user named twice is paged twice. A team given with `alert_group_id` is accepted and pages nobody, as seen on
    OSS.
    """
    wanted = _read(call)
    if not wanted.users and wanted.team is None:
        raise detail(NO_TARGET)
    if wanted.group is not None:
        if wanted.group["state"] == "resolved":
            raise detail("Cannot add responders for a resolved alert group")
        group_id = wanted.group["id"]
        _page_users(call, wanted, group_id)
        return _answer(call, group_id)
    integration = _direct_paging(call.db, wanted.team)
    title = _default_title(call.caller.name, wanted) if wanted.title is None else html.escape(wanted.title, quote=False)
    payload = _payload(call.caller.name, title, wanted)
    group_id = alert_group_rows.open_group(call.db, integration, title, payload, now=call.now)
    # The chain runs after the response: a step that resolves the group does not show in it.
    answer = _answer(call, group_id)
    _page_users(call, wanted, group_id)
    escalate(call.db, call.dialect, group_id, now=call.now)
    return answer


def _answer(call: Call, group_id: str) -> Answer:
    row = alert_group_rows.by_id(call.db, group_id)
    assert row is not None  # noqa: S101 - it was made or found above
    return Answer(alert_group(row, call.dialect))


def _read(call: Call) -> Wanted:
    """Check the body: each field, then the fields together, in the order that escalation.jsonl shows."""
    fields = call.fields
    checker = Checker(fields)
    users = checker.read("users", lambda value: _users(call.db, value)) or []
    paged = checker.read("team", lambda value: _team(call, value))
    important = checker.read("important_team_escalation", boolean) or False
    title = checker.read("title", text)
    message = checker.read("message", optional(text))
    source_url = checker.read("source_url", optional(url))
    group_id = checker.read("alert_group_id", text)
    checker.done()
    group = None
    if users and paged is not None:
        raise bad_request({"non_field_errors": ["users and team are mutually exclusive"]})
    if group_id is not None:
        if any(name in fields for name in ("title", "message", "source_url")):
            problem = "alert_group_id and (title, message, source_url) are mutually exclusive"
            raise bad_request({"non_field_errors": [problem]})
        group = alert_group_rows.by_id(call.db, group_id)
        if group is None:
            raise bad_request({"non_field_errors": [f"Alert group {group_id} does not exist"]})
    return Wanted(users, paged, important, title, message, source_url, group)


def _users(db: sqlite3.Connection, value: object) -> list[tuple[sqlite3.Row, bool]]:
    """Check the list of `{"id", "important"}`; what is wrong is said entry by entry, {} for a good one."""
    if value is None:
        raise Invalid("This field may not be null.")
    if not isinstance(value, list):
        raise Invalid({"non_field_errors": [f'Expected a list of items but got type "{type(value).__name__}".']})
    users: list[tuple[sqlite3.Row, bool]] = []
    problems: list[object] = []
    for entry in value:
        try:
            users.append(_user(db, entry))
            problems.append({})
        except Invalid as invalid:
            problems.append(invalid.problem)
    if any(problems):
        raise Invalid(problems)
    return users


def _user(db: sqlite3.Connection, entry: object) -> tuple[sqlite3.Row, bool]:
    if not isinstance(entry, dict):
        kind = type(entry).__name__
        raise Invalid({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
    checker = Checker(entry)
    user_id = checker.read("id", text, required=True)
    important = checker.read("important", boolean, required=True)
    if checker.problems:
        raise Invalid(checker.problems)
    row = db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
    if row is None:
        raise Invalid({"non_field_errors": [f"User {user_id} does not exist"]})
    return row, bool(important)


def _team(call: Call, value: object) -> sqlite3.Row | None:
    """Read the team to page, which must be one that the caller may use."""
    team_id = team(call)(value)
    return None if team_id is None else by_id(call.db, "teams", team_id)


def _direct_paging(db: sqlite3.Connection, owner: sqlite3.Row | None) -> sqlite3.Row:
    """Find the direct paging integration of a team, or of no team, whatever its name.

    A team that lacks one gets one, with a default route only: the route for important pages is made when the engine
    synchronizes its teams.
    """
    team_id = None if owner is None else owner["id"]
    name = "Direct paging (No team)" if owner is None else f"Direct paging ({owner['name']} team)"
    query = "SELECT id FROM integrations WHERE type = 'direct_paging' AND team_id IS ?"
    found = db.execute(query, (team_id,)).fetchone()
    return integration_rows.by_id(
        db, found["id"] if found else integration_rows.add(db, "direct_paging", name, team_id)
    )


def _page_users(call: Call, wanted: Wanted, group_id: str) -> None:
    """Notify the users that are paged by name, whatever the state of the group, unless it hangs below another one."""
    if alert_group_rows.is_attached(call.db, group_id):
        return
    for user, important in wanted.users:
        notify(call.db, call.dialect, group_id, [user["id"]], important=important, step=None, now=call.now)


def _default_title(author: str, wanted: Wanted) -> str:
    names = [user["username"] for user, _ in wanted.users] if wanted.team is None else [wanted.team["name"]]
    *first, last = names
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"{author} is paging {listed} to join escalation"


def _payload(author: str, title: str, wanted: Wanted) -> dict[str, object]:
    return {
        "oncall": {
            "title": title,
            "message": None if wanted.message is None else html.escape(wanted.message, quote=False),
            "uid": str(uuid.uuid4()),
            "author_username": author,
            "permalink": wanted.source_url,
            "important": wanted.important,
        }
    }
