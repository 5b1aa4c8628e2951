"""Where alerts go: routes, escalation chains and their policies, for reading."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.answers import Answer, not_found
from oncallctl.sandbox.integration_view import notifications
from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.references import of_team

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call

Json = dict[str, object]

ROUTES_A_PAGE: Final = 25


def all_chains(call: Call) -> Answer:
    """List escalation chains; `name` matches whole and exactly."""
    rows = call.db.execute("SELECT id, name, team_id FROM escalation_chains ORDER BY position").fetchall()
    name = call.request.args.get("name")
    wanted = [row for row in of_team(call, rows) if name is None or row["name"] == name]
    return listing(call, wanted, dict)


def one_chain(call: Call) -> Answer:
    """Get one escalation chain."""
    row = call.db.execute("SELECT id, name, team_id FROM escalation_chains WHERE id = ?", call.ids).fetchone()
    return Answer(dict(_found(row)))


def all_policies(call: Call) -> Answer:
    """List the steps of all chains, or of the one that `escalation_chain_id` names."""
    chain = call.request.args.get("escalation_chain_id", "")
    query = (
        "SELECT escalation_policies.* FROM escalation_policies JOIN escalation_chains "
        "ON escalation_chains.id = escalation_policies.escalation_chain_id "
        "WHERE :chain = '' OR escalation_chain_id = :chain "
        "ORDER BY escalation_chains.position, escalation_policies.position"
    )
    rows = call.db.execute(query, {"chain": chain}).fetchall()
    return listing(call, rows, _policy)


def one_policy(call: Call) -> Answer:
    """Get one step."""
    return Answer(
        _policy(_found(call.db.execute("SELECT * FROM escalation_policies WHERE id = ?", call.ids).fetchone()))
    )


def all_routes(call: Call) -> Answer:
    """List the routes of all integrations, or of the one that `integration_id` names; the default route comes last."""
    query = (
        "SELECT routes.* FROM routes JOIN integrations ON integrations.id = routes.integration_id "
        "WHERE NOT hidden AND (:integration = '' OR integration_id = :integration) "
        "ORDER BY integrations.position, routes.is_default, routes.position"
    )
    rows = call.db.execute(query, {"integration": call.request.args.get("integration_id", "")}).fetchall()
    return listing(call, rows, lambda row: _route(call, row), size=ROUTES_A_PAGE)


def one_route(call: Call) -> Answer:
    """Get one route."""
    return Answer(_route(call, _found(call.db.execute("SELECT * FROM routes WHERE id = ?", call.ids).fetchone())))


def _found(row: sqlite3.Row | None) -> sqlite3.Row:
    if row is None:
        raise not_found()
    return row


def _policy(row: sqlite3.Row) -> Json:
    """Say one step; which fields there are depends on its type (escalation_policies/list)."""
    shown: Json = {name: row[name] for name in ("position", "id", "escalation_chain_id", "type")}
    people = json.loads(row["people_json"])
    match row["type"]:
        case "wait":
            shown["duration"] = row["duration_seconds"]
        case "notify_on_call_from_schedule":
            shown["notify_on_call_from_schedule"] = row["schedule_id"]
        case "notify_persons":
            shown["persons_to_notify"] = people
        case "notify_person_next_each_time":
            shown["persons_to_notify_next_each_time"] = people
    if row["important"] is not None:
        shown["important"] = bool(row["important"])
    return shown


def _route(call: Call, row: sqlite3.Row) -> Json:
    names = ("position", "id", "integration_id", "escalation_chain_id", "routing_type", "routing_regex")
    shown: Json = {name: row[name] for name in names}
    return shown | {"is_the_last_route": bool(row["is_default"])} | notifications(row, call.dialect)
