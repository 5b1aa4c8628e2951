"""Fields and filters that name other objects by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.answers import Crash, bad_request
from oncallctl.sandbox.fields import Invalid
from oncallctl.sandbox.rows import by_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from oncallctl.sandbox.calls import Call

NO_SUCH_TEAM: Final = "Select a valid choice. That choice is not one of the available choices."


def one_of(db: sqlite3.Connection, table: str) -> Callable[[object], str]:
    """Take the id of an object that there is."""

    def check(value: object) -> str:
        if value is None:
            raise Invalid("This field may not be null.")
        if by_id(db, table, value) is None:
            raise Invalid("Object does not exist")
        return str(value)

    return check


def team(call: Call) -> Callable[[object], str | None]:
    """Take the id of a team that the caller may use, or null for no team, also as a word.

    Admins and service accounts may use all teams, others their own and those that share their resources. A team that
    the caller may not use is refused as if it did not exist.
    """

    def check(value: object) -> str | None:
        if value is None or value == "null":
            return None
        team_id = one_of(call.db, "teams")(value)
        if not call.caller.may("admin") and not _is_open_to(call.db, team_id, call.caller.user_id):
            raise Invalid("Object does not exist")
        return team_id

    return check


def _is_open_to(db: sqlite3.Connection, team_id: str, user_id: str | None) -> bool:
    query = (
        "SELECT 1 FROM teams WHERE id = :team AND (shares_resources OR EXISTS "
        "(SELECT 1 FROM users, json_each(teams_json) WHERE users.id = :user AND json_each.value = :team))"
    )
    return db.execute(query, {"team": team_id, "user": user_id}).fetchone() is not None


def people(db: sqlite3.Connection) -> Callable[[object], list[str]]:
    """Take ids of users, each once; unknown ones are left out (escalation_policies/create_persons_unknown)."""

    def check(value: object) -> list[str]:
        named = value if isinstance(value, list) else []
        return [str(user_id) for user_id in dict.fromkeys(map(str, named)) if by_id(db, "users", user_id) is not None]

    return check


def asked_teams(call: Call) -> list[str]:
    """Read the filter `team_id`, which may be there several times; `null` means no team.

    Raises:
        Refusal: 400 for a team that is none.
    """
    wanted = [team_id for team_id in call.request.args.getlist("team_id") if team_id]
    if any(team_id != "null" and by_id(call.db, "teams", team_id) is None for team_id in wanted):
        raise bad_request({"team_id": [NO_SUCH_TEAM]})
    return wanted


def of_team(call: Call, rows: Iterable[sqlite3.Row]) -> list[sqlite3.Row]:
    """Leave the rows of the teams asked for.

    Raises:
        Refusal: 400 for a team that is none.
        Crash: the engine fails on every team that exists (integrations/list_perpage_10_page_2_team).
    """
    wanted = asked_teams(call)
    if wanted and not call.dialect.is_cloud:
        raise Crash
    return [row for row in rows if not wanted or (row["team_id"] or "null") in wanted]
