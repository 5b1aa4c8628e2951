"""Users, teams, and the stack they belong to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import GRAFANA_URL
from oncallctl.sandbox.answers import Answer, not_found
from oncallctl.sandbox.listing import listing

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call
    from oncallctl.sandbox.dialects import Dialect

Json = dict[str, object]

USERS_A_PAGE: Final = 100


def info(_call: Call) -> Answer:
    """Say which stack this is."""
    return Answer({"url": GRAFANA_URL})


def all_users(call: Call) -> Answer:
    """List users; `username` and `email` match whole, without regard to the case of ASCII letters.

    An empty one is no filter.
    """
    args = call.request.args
    rows = call.db.execute(
        # LOWER of SQLite knows ASCII only, and so did the recorded one: JOSÉ does not find josé.
        "SELECT * FROM users WHERE (:username = '' OR LOWER(username) = LOWER(:username)) "
        "AND (:email = '' OR LOWER(email) = LOWER(:email)) ORDER BY grafana_id",
        {"username": args.get("username", ""), "email": args.get("email", "")},
    ).fetchall()
    return listing(call, rows, lambda row: user(row, call.dialect), size=USERS_A_PAGE)


def one_user(call: Call) -> Answer:
    """Get one user; `current` is the caller."""
    wanted = call.caller.user_id if call.ids[0] == "current" else call.ids[0]
    row = call.db.execute("SELECT * FROM users WHERE id = ?", (wanted,)).fetchone()
    if row is None:
        raise not_found()
    return Answer(user(row, call.dialect))


def user(row: sqlite3.Row, dialect: Dialect) -> Json:
    """Say one user; Cloud adds the phone number, so far as it is not hidden."""
    shown: Json = {
        "id": row["id"],
        "grafana_id": row["grafana_id"],
        "email": row["email"],
        "slack": None,
        "username": row["username"],
        "role": row["role"],
        "is_phone_number_verified": row["phone_number"] is not None,
    }
    if dialect.is_cloud:
        shown |= _phone(row)
    return shown | {"timezone": row["timezone"], "teams": json.loads(row["teams_json"])}


def _phone(row: sqlite3.Row) -> Json:
    if row["phone_number"] is None:
        return {"phone_number": None, "phone_number_status": "not_configured"}
    if row["phone_hidden"]:
        return {"phone_number": None, "phone_number_status": "private"}
    return {"phone_number": row["phone_number"], "phone_number_status": "available"}


def all_teams(call: Call) -> Answer:
    """List teams; `name` matches whole and exactly, and an empty one is none."""
    rows = call.db.execute(
        "SELECT * FROM teams WHERE :name = '' OR name = :name ORDER BY grafana_id",
        {"name": call.request.args.get("name", "")},
    ).fetchall()
    return listing(call, rows, _team)


def one_team(call: Call) -> Answer:
    """Get one team."""
    return Answer(_team(find_team(call)))


def _team(row: sqlite3.Row) -> Json:
    """Show one team; whether it shares its resources is not told."""
    return {name: row[name] for name in ("id", "grafana_id", "name", "email", "avatar_url")}


def find_team(call: Call) -> sqlite3.Row:
    """Find the team of the path.

    Raises:
        Refusal: 404.
    """
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM teams WHERE id = ?", (call.ids[0],)).fetchone()
    if row is None:
        raise not_found()
    return row
