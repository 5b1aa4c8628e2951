"""Routes, which take the alerts of an integration to an escalation chain: list, get, create, change, delete."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import notifications, positions, rows
from oncallctl.sandbox.answers import NOTHING, Answer, bad_request, detail, not_found
from oncallctl.sandbox.fields import Checker, number, optional, text
from oncallctl.sandbox.identifiers import new_id
from oncallctl.sandbox.jinja import TemplateError, TemplateWarning, render
from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.references import one_of

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call

Json = dict[str, object]

ROUTES_A_PAGE: Final = 25
LONGEST: Final = 1024
TYPES: Final = ("regex", "jinja2")


def all_routes(call: Call) -> Answer:
    """List the routes of all integrations, or of the one that `integration_id` names; the default route comes last.

    `routing_regex` matches whole and exactly.
    """
    query = (
        "SELECT routes.* FROM routes JOIN integrations ON integrations.id = routes.integration_id "
        "WHERE NOT hidden AND (:integration = '' OR integration_id = :integration) "
        "AND (:regex = '' OR routing_regex = :regex) "
        "ORDER BY integrations.position, routes.is_default, routes.position"
    )
    args = call.request.args
    asked = {"integration": args.get("integration_id", ""), "regex": args.get("routing_regex", "")}
    found = call.db.execute(query, asked).fetchall()
    return listing(call, found, lambda row: _view(call, row), size=ROUTES_A_PAGE)


def one_route(call: Call) -> Answer:
    """Get one."""
    return Answer(_view(call, _find(call)))


def create(call: Call) -> Answer:
    """Add a route to an integration: behind those that are not its default, or where `position` says."""
    checker = Checker(call.fields)
    integration_id = checker.read("integration_id", one_of(call.db, "integrations"), required=True)
    chain = optional(one_of(call.db, "escalation_chains"))
    chain_id = checker.read("escalation_chain_id", chain, required=True)
    position, columns = _read(checker, required=True)
    route_id = new_id("R")
    rows.insert(
        call.db,
        "routes",
        {
            "id": route_id,
            "integration_id": integration_id,
            "escalation_chain_id": chain_id,
            "position": positions.after(_neighbours(call.db, integration_id, is_default=False)),
            "is_default": False,
            **columns,
        },
    )
    notifications.change(call.db, route_id, call.fields, call.dialect)
    if position is not None:
        neighbours = _neighbours(call.db, integration_id, is_default=False)
        positions.move(call.db, "routes", route_id, position, neighbours)
    return Answer(_view(call, _by_id(call.db, route_id)), 201)


def change(call: Call) -> Answer:
    """Change what a body names, of a default route too; the integration stays. PUT does no more than PATCH."""
    row = _find(call)
    checker = Checker(call.fields)
    # Once a route has a chain, it is not taken away again.
    chain_id = checker.read("escalation_chain_id", one_of(call.db, "escalation_chains"))
    position, columns = _read(checker, required=False)
    if position is not None:
        neighbours = _neighbours(call.db, row["integration_id"], is_default=row["is_default"])
        positions.move(call.db, "routes", row["id"], position, neighbours)
    rows.update(call.db, "routes", row["id"], columns | ({} if chain_id is None else {"escalation_chain_id": chain_id}))
    notifications.change(call.db, row["id"], call.fields, call.dialect)
    return Answer(_view(call, _by_id(call.db, row["id"])))


def delete(call: Call) -> Answer:
    """Delete one that is not the default."""
    row = _find(call)
    if row["is_default"]:
        raise detail("Unable to delete default filter")
    rows.delete(call.db, "routes", row["id"])
    return Answer(NOTHING, 204)


def _read(checker: Checker, *, required: bool) -> tuple[int | None, Json]:
    """Read the position, and which alerts a route takes.

    Raises:
        Refusal: 400 with all problems, also those that the checker has found before.
    """

    def kind(value: object) -> str:
        if value not in TYPES:
            raise detail("Invalid route type")
        return str(value)

    position = checker.read("position", number())
    routing_type = checker.read("routing_type", kind)
    expression = checker.read("routing_regex", text, required=required)
    checker.done()
    if expression is not None:
        _check(expression, routing_type)
    columns = {"routing_type": routing_type, "routing_regex": expression}
    return position, {column: value for column, value in columns.items() if value is not None}


def _check(expression: str, routing_type: str | None) -> None:
    if len(expression) > LONGEST:
        problem = f"Expression is too long. Maximum length: {LONGEST} characters, current length: {len(expression)}"
        raise bad_request({"non_field_errors": [problem]})
    try:
        if routing_type == "jinja2":
            render(expression, payload={})
        else:
            re.compile(expression)
    except TemplateError as error:
        raise bad_request({"non_field_errors": ["Jinja template is incorrect"]}) from error
    except TemplateWarning:
        # It may fit another payload.
        return
    except re.error as error:
        raise bad_request({"non_field_errors": ["Regular expression is incorrect"]}) from error


def _neighbours(db: sqlite3.Connection, integration_id: object, *, is_default: bool) -> list[sqlite3.Row]:
    query = "SELECT * FROM routes WHERE integration_id = ? AND is_default = ?"
    return db.execute(query, (integration_id, is_default)).fetchall()


def _find(call: Call) -> sqlite3.Row:
    row = rows.by_id(call.db, "routes", call.ids[0])
    if row is None:
        raise not_found()
    return row


def _by_id(db: sqlite3.Connection, route_id: str) -> sqlite3.Row:
    row = rows.by_id(db, "routes", route_id)
    assert row is not None  # noqa: S101 - it was made or found
    return row


def _view(call: Call, row: sqlite3.Row) -> Json:
    names = ("position", "id", "integration_id", "escalation_chain_id", "routing_type", "routing_regex")
    shown: Json = {name: row[name] for name in names}
    return shown | {"is_the_last_route": bool(row["is_default"])} | notifications.view(row, call.dialect)
