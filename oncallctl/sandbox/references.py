"""Fields and filters that refer to other objects by ID."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.fields import InvalidField
from oncallctl.sandbox.responses import ServerCrash, bad_request
from oncallctl.sandbox.rows import by_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from oncallctl.sandbox.requests import ApiRequest

UNKNOWN_TEAM: Final = "Select a valid choice. That choice is not one of the available choices."


def existing_id(db: sqlite3.Connection, table: str) -> Callable[[object], str]:
    """Return a check for the ID of an existing object."""

    def check(value: object) -> str:
        if value is None:
            raise InvalidField("This field may not be null.")
        if by_id(db, table, value) is None:
            raise InvalidField("Object does not exist")
        return str(value)

    return check


def usable_team(request: ApiRequest) -> Callable[[object], str | None]:
    """Return a check for the ID of a team that the caller may use; null and "null" are no team.

    Admins and service accounts may use all teams, others their own teams and those that share their resources. A team
    that the caller may not use is refused like an unknown team.
    """

    def check(value: object) -> str | None:
        if value is None or value == "null":
            return None
        team_id = existing_id(request.db, "teams")(value)
        if not request.caller.has_role("admin") and not _is_open_to(request.db, team_id, request.caller.user_id):
            raise InvalidField("Object does not exist")
        return team_id

    return check


def _is_open_to(db: sqlite3.Connection, team_id: str, user_id: str | None) -> bool:
    query = (
        "SELECT 1 FROM teams WHERE id = :team AND (shares_resources OR EXISTS "
        "(SELECT 1 FROM users, json_each(teams_json) WHERE users.id = :user AND json_each.value = :team))"
    )
    return db.execute(query, {"team": team_id, "user": user_id}).fetchone() is not None


def existing_users(db: sqlite3.Connection) -> Callable[[object], list[str]]:
    """Return a check for a list of user IDs: drops repeated and unknown ones (create_persons_unknown)."""

    def check(value: object) -> list[str]:
        ids = value if isinstance(value, list) else []
        return [str(user_id) for user_id in dict.fromkeys(map(str, ids)) if by_id(db, "users", user_id) is not None]

    return check


def team_filter(request: ApiRequest) -> list[str]:
    """Return the values of the filter `team_id`, which may be repeated; `null` stands for no team.

    Raises:
        HttpError: 400 for an unknown team.
    """
    team_ids = [team_id for team_id in request.http.args.getlist("team_id") if team_id]
    if any(team_id != "null" and by_id(request.db, "teams", team_id) is None for team_id in team_ids):
        raise bad_request({"team_id": [UNKNOWN_TEAM]})
    return team_ids


def filter_by_team(request: ApiRequest, rows: list[sqlite3.Row]) -> list[sqlite3.Row]:
    """Return the rows of the teams in the filter `team_id`.

    Raises:
        HttpError: 400 for an unknown team.
        ServerCrash: the engine crashes on every existing team (integrations/list_perpage_10_page_2_team).
    """
    team_ids = team_filter(request)
    if team_ids and not request.variant.is_cloud:
        raise ServerCrash
    return [row for row in rows if not team_ids or (row["team_id"] or "null") in team_ids]
