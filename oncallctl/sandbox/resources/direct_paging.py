"""Direct paging: POST escalation/."""

from __future__ import annotations

import html
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oncallctl.sandbox.alert_group_rows import existing_group, group_by_id, is_attached, open_group
from oncallctl.sandbox.alert_group_view import alert_group_json
from oncallctl.sandbox.escalation import escalate
from oncallctl.sandbox.fields import FieldReader, InvalidField, boolean, optional, text, url
from oncallctl.sandbox.integration_rows import add_integration
from oncallctl.sandbox.notifications import Notification, notify
from oncallctl.sandbox.references import usable_team
from oncallctl.sandbox.responses import SandboxResponse, bad_request, detail
from oncallctl.sandbox.rows import by_id

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest


@dataclass(frozen=True)
class PageRequest:
    """The checked body of a page."""

    users: list[tuple[sqlite3.Row, bool]]
    team: sqlite3.Row | None
    important: bool
    title: str | None
    message: str | None
    source_url: str | None
    group: sqlite3.Row | None


def page(request: ApiRequest) -> SandboxResponse:
    """Page a team, or users.

    Users are notified directly; their group belongs to the integration without a team and escalates by its route. A
    user who is named twice is notified twice. A team with `alert_group_id` is accepted and pages nobody, as on OSS.
    """
    body = _read(request)
    if not body.users and body.team is None:
        raise detail("No team or user(s) specified")
    if body.group is not None:
        if body.group["state"] == "resolved":
            raise detail("Cannot add responders for a resolved alert group")
        _notify_users(request, body, body.group["id"])
        return _shown(request, body.group["id"])
    integration = _direct_paging_integration(request.db, body.team)
    title = _default_title(request.caller.name, body) if body.title is None else html.escape(body.title, quote=False)
    group_id = open_group(request.db, integration, title, _payload(request.caller.name, title, body), now=request.now)
    # The chain runs after the response: a step that resolves the group does not show in it.
    response = _shown(request, group_id)
    _notify_users(request, body, group_id)
    escalate(request.db, request.variant, group_id, now=request.now)
    return response


def _shown(request: ApiRequest, group_id: str) -> SandboxResponse:
    return SandboxResponse(alert_group_json(existing_group(request.db, group_id), request.variant))


def _read(request: ApiRequest) -> PageRequest:
    """Check each field, then the fields together, in the order of escalation.jsonl."""
    fields = request.fields
    reader = FieldReader(fields)
    users = reader.read("users", lambda value: _users(request.db, value)) or []
    team = reader.read("team", lambda value: _team(request, value))
    important = reader.read("important_team_escalation", boolean) or False
    title = reader.read("title", text)
    message = reader.read("message", optional(text))
    source_url = reader.read("source_url", optional(url))
    group_id = reader.read("alert_group_id", text)
    reader.raise_problems()
    group = None
    if users and team is not None:
        raise bad_request({"non_field_errors": ["users and team are mutually exclusive"]})
    if group_id is not None:
        if any(name in fields for name in ("title", "message", "source_url")):
            problem = "alert_group_id and (title, message, source_url) are mutually exclusive"
            raise bad_request({"non_field_errors": [problem]})
        group = group_by_id(request.db, group_id)
        if group is None:
            raise bad_request({"non_field_errors": [f"Alert group {group_id} does not exist"]})
    return PageRequest(users, team, important, title, message, source_url, group)


def _users(db: sqlite3.Connection, value: object) -> list[tuple[sqlite3.Row, bool]]:
    """Return the users of a list of `{"id", "important"}`; the problems are a list with {} for valid entries."""
    if value is None:
        raise InvalidField("This field may not be null.")
    if not isinstance(value, list):
        raise InvalidField({"non_field_errors": [f'Expected a list of items but got type "{type(value).__name__}".']})
    users: list[tuple[sqlite3.Row, bool]] = []
    problems: list[object] = []
    for entry in value:
        try:
            users.append(_user(db, entry))
            problems.append({})
        except InvalidField as invalid:
            problems.append(invalid.problem)
    if any(problems):
        raise InvalidField(problems)
    return users


def _user(db: sqlite3.Connection, entry: object) -> tuple[sqlite3.Row, bool]:
    if not isinstance(entry, dict):
        kind = type(entry).__name__
        raise InvalidField({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
    reader = FieldReader(entry)
    user_id = reader.read("id", text, required=True)
    important = reader.read("important", boolean, required=True)
    if reader.problems:
        raise InvalidField(reader.problems)
    row = by_id(db, "users", user_id)
    if row is None:
        raise InvalidField({"non_field_errors": [f"User {user_id} does not exist"]})
    return row, bool(important)


def _team(request: ApiRequest, value: object) -> sqlite3.Row | None:
    team_id = usable_team(request)(value)
    return None if team_id is None else by_id(request.db, "teams", team_id)


def _direct_paging_integration(db: sqlite3.Connection, team: sqlite3.Row | None) -> sqlite3.Row:
    """Return the direct paging integration of a team, or of no team, with any name.

    A missing integration is added, with a default route only. The engine adds the route for important pages when it
    synchronizes its teams.
    """
    team_id = None if team is None else team["id"]
    name = "Direct paging (No team)" if team is None else f"Direct paging ({team['name']} team)"
    query = "SELECT * FROM integrations WHERE type = 'direct_paging' AND team_id IS ?"
    found: sqlite3.Row | None = db.execute(query, (team_id,)).fetchone()
    return found or add_integration(db, "direct_paging", name, team_id)


def _notify_users(request: ApiRequest, body: PageRequest, group_id: str) -> None:
    """Notify the users who are paged by name, in any state of the group unless it is attached to another one."""
    if is_attached(request.db, group_id):
        return
    for user, important in body.users:
        notification = Notification(group_id, important, step=None, now=request.now)
        notify(request.db, request.variant, [user["id"]], notification)


def _default_title(author: str, body: PageRequest) -> str:
    names = [user["username"] for user, _ in body.users] if body.team is None else [body.team["name"]]
    *first, last = names
    listed = f"{', '.join(first)} and {last}" if first else last
    return f"{author} is paging {listed} to join escalation"


def _payload(author: str, title: str, body: PageRequest) -> dict[str, Any]:
    return {
        "oncall": {
            "title": title,
            "message": None if body.message is None else html.escape(body.message, quote=False),
            "uid": str(uuid.uuid4()),
            "author_username": author,
            "permalink": body.source_url,
            "important": body.important,
        }
    }
