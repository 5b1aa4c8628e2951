"""Integrations: list, get, create, change, delete."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import labels, notifications, templates
from oncallctl.sandbox.answers import NOTHING, Answer, bad_request, detail
from oncallctl.sandbox.fields import Checker, at_most, dictionary, optional, text
from oncallctl.sandbox.integration_rows import add, by_id, find, matching
from oncallctl.sandbox.integration_view import integration
from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.references import team
from oncallctl.sandbox.windows import end_window

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call
    from oncallctl.sandbox.dialects import Dialect

DESCRIPTION_LENGTH: Final = 250
NAME_TAKEN: Final = "An integration with this name already exists for this team"


def all_integrations(call: Call) -> Answer:
    """List them, oldest first."""
    return listing(call, matching(call), lambda row: integration(call.db, row, call.dialect))


def one(call: Call) -> Answer:
    """Get one."""
    return Answer(integration(call.db, find(call), call.dialect))


def create(call: Call) -> Answer:
    """Create one; unknown and read-only fields are ignored."""
    fields = call.fields
    kind, name, description, team_id = _checked(call, fields, kind_required=True)
    assert kind is not None  # noqa: S101 - it is required
    if kind == "grafana_alerting" and not call.dialect.is_cloud:
        # The engine asks its Grafana, which the recorded one could not do; the body is a bare list.
        raise bad_request(
            ["Failed to create the integration with current Grafana Alerting. Please reach out to our support team"]
        )
    texts = templates.changed({}, fields["templates"], call.dialect) if "templates" in fields else {}
    name = name or _free_name(call.db, kind, team_id)
    _check_name(call.db, name, team_id)
    integration_id = add(call.db, kind, name, team_id)
    call.db.execute(
        "UPDATE integrations SET description_short = ?, templates_json = ? WHERE id = ?",
        (description, json.dumps(texts), integration_id),
    )
    _change_labels(call, fields, integration_id)
    _change_default_route(call, fields, integration_id)
    return Answer(integration(call.db, by_id(call.db, integration_id), call.dialect), 201)


def change(call: Call) -> Answer:
    """Change the fields a body names. PUT does no more than PATCH; the type stays what it is."""
    row = find(call)
    fields = {name: value for name, value in call.fields.items() if name != "type"}
    _, name, description, team_id = _checked(call, fields, kind_required=False)
    new_name = row["name"] if name is None else name
    new_team = team_id if "team_id" in fields else row["team_id"]
    texts = json.loads(row["templates_json"])
    if "templates" in fields:
        texts = templates.changed(texts, fields["templates"], call.dialect)
    if row["type"] == "direct_paging" and new_team != row["team_id"]:
        _check_direct_paging(call.db, new_team)
    if (new_name, new_team) != (row["name"], row["team_id"]):
        _check_name(call.db, new_name, new_team)
    call.db.execute(
        "UPDATE integrations SET name = ?, team_id = ?, description_short = ?, templates_json = ? WHERE id = ?",
        (
            new_name,
            new_team,
            description if "description_short" in fields else row["description_short"],
            json.dumps(texts),
            row["id"],
        ),
    )
    _change_labels(call, fields, row["id"])
    _change_default_route(call, fields, row["id"])
    return Answer(integration(call.db, by_id(call.db, row["id"]), call.dialect))


def delete(call: Call) -> Answer:
    """Delete one; its alert groups stay."""
    row = find(call)
    if row["type"] == "direct_paging":
        raise detail("Direct paging integrations can't be deleted")
    if row["maintenance_mode"] is not None:
        end_window(call.db, row, now=call.now)
    call.db.execute("DELETE FROM integrations WHERE id = ?", (row["id"],))
    return Answer(NOTHING, 204)


def _checked(
    call: Call, fields: dict[str, object], *, kind_required: bool
) -> tuple[str | None, str | None, str | None, str | None]:
    """Read type, name, description and team out of a body."""
    checker = Checker(fields)
    kind = checker.read("type", lambda value: _kind(value, call.dialect), required=kind_required)
    name = checker.read("name", text)
    description = checker.read("description_short", optional(at_most(DESCRIPTION_LENGTH)))
    team_id = checker.read("team_id", team(call))
    checker.read("default_route", dictionary)
    checker.done()
    return kind, name, description, team_id


def _kind(value: object, dialect: Dialect) -> str:
    """Check a type, which is taken with its spaces: ` webhook` is none."""
    kind = text(value)
    if value == "direct_paging":
        raise detail("Direct paging integrations can't be created")
    if value not in dialect.types:
        raise detail("Invalid integration type")
    return kind


def _check_name(db: sqlite3.Connection, name: str, team_id: str | None) -> None:
    query = "SELECT 1 FROM integrations WHERE name = ? AND team_id IS ? AND NOT hidden"
    if db.execute(query, (name, team_id)).fetchone():
        raise detail(NAME_TAKEN)


def _check_direct_paging(db: sqlite3.Connection, team_id: str | None) -> None:
    query = "SELECT 1 FROM integrations WHERE type = 'direct_paging' AND team_id IS ?"
    if db.execute(query, (team_id,)).fetchone():
        raise detail("Direct paging integration already exists for this team")


def _free_name(db: sqlite3.Connection, kind: str, team_id: str | None) -> str:
    """Name an integration after its type, as the servers do: `Grafana :blush:`."""
    taken = {row["name"] for row in db.execute("SELECT name FROM integrations WHERE team_id IS ?", (team_id,))}
    name = wanted = f"{kind.replace('_', ' ').capitalize()} :blush:"
    number = 1
    while name in taken:
        number += 1
        name = f"{wanted} {number}"
    return name


def _change_labels(call: Call, fields: dict[str, object], integration_id: str) -> None:
    """Store labels. OSS ignores them, whatever they are (integrations/create_labels_bad)."""
    if not call.dialect.is_cloud:
        return
    if "labels" in fields:
        plain = labels.read(fields["labels"], "labels", dynamic=False)
        call.db.execute("UPDATE integrations SET labels_json = ? WHERE id = ?", (json.dumps(plain), integration_id))
    if "dynamic_labels" in fields:
        dynamic = labels.read(fields["dynamic_labels"], "dynamic_labels", dynamic=True)
        call.db.execute(
            "UPDATE integrations SET dynamic_labels_json = ? WHERE id = ?", (json.dumps(dynamic), integration_id)
        )


def _change_default_route(call: Call, fields: dict[str, object], integration_id: str) -> None:
    """Change where alerts go that no other route takes. Errors are not wrapped in `default_route` (patch_bad_chain)."""
    route = fields.get("default_route")
    if not isinstance(route, dict):
        return
    if "escalation_chain_id" in route:
        chain = route["escalation_chain_id"]
        known = call.db.execute("SELECT 1 FROM escalation_chains WHERE id = ?", (str(chain),)).fetchone()
        if chain is not None and not known:
            raise bad_request({"escalation_chain_id": ["Object does not exist"]})
        call.db.execute(
            "UPDATE routes SET escalation_chain_id = ? WHERE integration_id = ? AND is_default", (chain, integration_id)
        )
    query = "SELECT id FROM routes WHERE integration_id = ? AND is_default"
    default = call.db.execute(query, (integration_id,)).fetchone()
    notifications.change(call.db, default["id"], route, call.dialect)
