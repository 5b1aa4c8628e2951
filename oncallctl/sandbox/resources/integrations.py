"""Integrations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox import labels, route_channels, rows, templates
from oncallctl.sandbox.fields import FieldReader, dictionary, optional, text, text_up_to
from oncallctl.sandbox.ids import new_token
from oncallctl.sandbox.integration_rows import add_default_route, default_route
from oncallctl.sandbox.integration_view import integration_json
from oncallctl.sandbox.maintenance_windows import end_window
from oncallctl.sandbox.references import filter_by_team, usable_team
from oncallctl.sandbox.responses import bad_request, detail
from oncallctl.sandbox.served_collection import Collection, Writes

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest
    from oncallctl.sandbox.variants import Variant

Json = dict[str, Any]

MAX_DESCRIPTION_LENGTH: Final = 250


def _columns(request: ApiRequest, row: sqlite3.Row | None) -> Json:
    """Read an integration; unknown and read-only fields are ignored, and the type of an existing one stays."""
    fields = request.fields
    reader = FieldReader(fields)
    kind = _read_type(request, reader, row)
    name = reader.read("name", text)
    description = reader.read("description_short", optional(text_up_to(MAX_DESCRIPTION_LENGTH)))
    team_id = reader.read("team_id", usable_team(request))
    reader.read("default_route", dictionary)
    reader.raise_problems()
    if row is None:
        _check_new_type(kind, request.variant)
    elif "team_id" not in fields:
        team_id = row["team_id"]
    columns: Json = reader.given({"description_short": description})
    if "templates" in fields:
        stored = {} if row is None else json.loads(row["templates_json"])
        columns["templates_json"] = json.dumps(templates.updated(stored, fields["templates"], request.variant))
    name = name or (_free_name(request.db, kind, team_id) if row is None else row["name"])
    _check_owner(request.db, row, kind, name, team_id)
    columns |= {"name": name, "team_id": team_id, **_label_columns(request)}
    return columns if row else {"type": kind, "token": new_token(), **columns}


def _read_type(request: ApiRequest, reader: FieldReader, row: sqlite3.Row | None) -> str:
    if row is not None:
        return str(row["type"])
    return reader.read("type", lambda value: _type(value, request.variant), required=True) or ""


def _type(value: object, variant: Variant) -> str:
    """Check a type, with its spaces: ` webhook` is invalid."""
    text(value)
    if value == "direct_paging":
        raise detail("Direct paging integrations can't be created")
    if value not in variant.types:
        raise detail("Invalid integration type")
    return str(value)


def _check_new_type(kind: str, variant: Variant) -> None:
    if kind == "grafana_alerting" and not variant.is_cloud:
        # The engine calls its Grafana, which failed when it was recorded. The body is a bare list.
        raise bad_request(
            ["Failed to create the integration with current Grafana Alerting. Please reach out to our support team"]
        )


def _check_owner(db: sqlite3.Connection, row: sqlite3.Row | None, kind: str, name: str, team_id: str | None) -> None:
    """Refuse a second integration of a name, and a second one for direct paging, in a team."""
    if row is not None and (row["name"], row["team_id"]) == (name, team_id):
        return
    if kind == "direct_paging" and row is not None and row["team_id"] != team_id:
        query = "SELECT 1 FROM integrations WHERE type = 'direct_paging' AND team_id IS ?"
        if db.execute(query, (team_id,)).fetchone():
            raise detail("Direct paging integration already exists for this team")
    query = "SELECT 1 FROM integrations WHERE name = ? AND team_id IS ? AND id IS NOT ? AND NOT hidden"
    if db.execute(query, (name, team_id, None if row is None else row["id"])).fetchone():
        raise detail("An integration with this name already exists for this team")


def _free_name(db: sqlite3.Connection, kind: str, team_id: str | None) -> str:
    """Return a name derived from the type, as the servers do: `Grafana :blush:`."""
    taken = {row["name"] for row in db.execute("SELECT name FROM integrations WHERE team_id IS ?", (team_id,))}
    name = default = f"{kind.replace('_', ' ').capitalize()} :blush:"
    number = 1
    while name in taken:
        number += 1
        name = f"{default} {number}"
    return name


def _label_columns(request: ApiRequest) -> Json:
    """Return the columns of labels. OSS ignores labels, even invalid ones (integrations/create_labels_bad)."""
    if not request.variant.is_cloud:
        return {}
    return {
        f"{name}_json": json.dumps(labels.parse(request.fields[name], name, dynamic=name == "dynamic_labels"))
        for name in ("labels", "dynamic_labels")
        if name in request.fields
    }


def _change_default_route(request: ApiRequest, row: sqlite3.Row) -> None:
    """Add or change the default route. Its problems are not nested below `default_route` (patch_bad_chain)."""
    route = default_route(request.db, row["id"]) or add_default_route(request.db, row["id"])
    given = request.fields.get("default_route")
    if not isinstance(given, dict):
        return
    columns = route_channels.columns(request, route, given)
    if "escalation_chain_id" in given:
        chain_id = given["escalation_chain_id"]
        if chain_id is not None and rows.by_id(request.db, "escalation_chains", chain_id) is None:
            raise bad_request({"escalation_chain_id": ["Object does not exist"]})
        columns["escalation_chain_id"] = chain_id
    rows.update(request.db, "routes", route["id"], columns)


def _delete(request: ApiRequest, row: sqlite3.Row) -> None:
    """Delete an integration; its alert groups stay."""
    if row["type"] == "direct_paging":
        raise detail("Direct paging integrations can't be deleted")
    if row["maintenance_mode"] is not None:
        end_window(request.db, row, now=request.now)
    rows.delete(request.db, "integrations", row["id"])


INTEGRATIONS = Collection(
    path="integrations",
    view=lambda request, row: integration_json(request.db, row, request.variant),
    select="SELECT * FROM integrations WHERE NOT hidden",
    filters={"name": "name = :value"},
    filters_even_if_empty=frozenset({"name"}),
    narrow=filter_by_team,
    writes=Writes(role="admin", id_prefix="C", columns=_columns, after=_change_default_route, delete=_delete),
)
