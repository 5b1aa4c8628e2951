"""Escalation chains: list, get, create, change, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import rows
from oncallctl.sandbox.answers import NOTHING, Answer, bad_request, not_found
from oncallctl.sandbox.fields import Checker, at_most
from oncallctl.sandbox.identifiers import new_id
from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.references import of_team, team

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call

Json = dict[str, object]

NAME_LENGTH: Final = 100
NAME_TAKEN: Final = "The fields organization, name must make a unique set."


def all_chains(call: Call) -> Answer:
    """List them; `name` matches whole and exactly."""
    found = call.db.execute("SELECT * FROM escalation_chains ORDER BY position").fetchall()
    name = call.request.args.get("name")
    wanted = [row for row in of_team(call, found) if name is None or row["name"] == name]
    return listing(call, wanted, _view)


def one_chain(call: Call) -> Answer:
    """Get one."""
    return Answer(_view(_find(call)))


def create(call: Call) -> Answer:
    """Create one, without steps."""
    chain = {"id": new_id("F"), "team_id": None, **_read(call, None)}
    rows.insert(call.db, "escalation_chains", chain)
    return Answer(chain, 201)


def change(call: Call) -> Answer:
    """Change its name or its team."""
    row = _find(call)
    changes = _read(call, row)
    rows.update(call.db, "escalation_chains", row["id"], changes)
    return Answer(_view(row) | changes)


def delete(call: Call) -> Answer:
    """Delete one with its steps; the routes that led to it lead nowhere then."""
    rows.delete(call.db, "escalation_chains", _find(call)["id"])
    return Answer(NOTHING, 204)


def _read(call: Call, row: sqlite3.Row | None) -> Json:
    """Read a body; names are unique in the whole organisation."""
    checker = Checker(call.fields)
    needed = row is None or call.request.method == "PUT"
    name = checker.read("name", at_most(NAME_LENGTH), required=needed)
    team_id = checker.read("team_id", team(call))
    checker.done()
    query = "SELECT 1 FROM escalation_chains WHERE name = ? AND id IS NOT ?"
    if call.db.execute(query, (name, None if row is None else row["id"])).fetchone():
        raise bad_request({"non_field_errors": [NAME_TAKEN]})
    return {column: value for column, value in (("name", name), ("team_id", team_id)) if column in call.fields}


def _find(call: Call) -> sqlite3.Row:
    row = rows.by_id(call.db, "escalation_chains", call.ids[0])
    if row is None:
        raise not_found()
    return row


def _view(row: sqlite3.Row) -> Json:
    return {name: row[name] for name in ("id", "name", "team_id")}
