"""Routes: they send the alerts of an integration to an escalation chain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox import route_channels, rows
from oncallctl.sandbox.fields import FieldReader, integer, optional, text
from oncallctl.sandbox.jinja import TemplateError, TemplateWarning, render
from oncallctl.sandbox.references import existing_id
from oncallctl.sandbox.responses import bad_request, detail
from oncallctl.sandbox.served_collection import Collection, Writes

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest

Json = dict[str, Any]

MAX_CONDITION_LENGTH: Final = 1024
TYPES: Final = ("regex", "jinja2")


def _view(request: ApiRequest, row: sqlite3.Row) -> Json:
    names = ("position", "id", "integration_id", "escalation_chain_id", "routing_type", "routing_regex")
    shown: Json = {name: row[name] for name in names}
    return shown | {"is_the_last_route": bool(row["is_default"])} | route_channels.view(row, request.variant)


def _columns(request: ApiRequest, row: sqlite3.Row | None) -> Json:
    """Read a route; an existing one, which may be the default route, stays in its integration and keeps a chain."""
    reader = FieldReader(request.fields)
    columns: Json = {}
    chain = existing_id(request.db, "escalation_chains")
    if row is None:
        integration = existing_id(request.db, "integrations")
        columns |= {
            "integration_id": reader.read("integration_id", integration, required=True),
            "escalation_chain_id": reader.read("escalation_chain_id", optional(chain), required=True),
            "is_default": False,
        }
    else:
        columns["escalation_chain_id"] = reader.read("escalation_chain_id", chain) or row["escalation_chain_id"]
    position = reader.read("position", integer())
    routing_type = reader.read("routing_type", _routing_type)
    condition = reader.read("routing_regex", text, required=row is None)
    reader.raise_problems()
    if condition is not None:
        _check_condition(condition, routing_type)
    read = {"routing_type": routing_type, "routing_regex": condition, "position": position}
    columns |= {name: value for name, value in read.items() if value is not None}
    return columns | route_channels.columns(request, row)


def _routing_type(value: object) -> str:
    if value not in TYPES:
        raise detail("Invalid route type")
    return str(value)


def _check_condition(condition: str, routing_type: str | None) -> None:
    if len(condition) > MAX_CONDITION_LENGTH:
        problem = (
            f"Expression is too long. Maximum length: {MAX_CONDITION_LENGTH} characters, "
            f"current length: {len(condition)}"
        )
        raise bad_request({"non_field_errors": [problem]})
    try:
        if routing_type == "jinja2":
            render(condition, payload={})
        else:
            re.compile(condition)
    except TemplateError as error:
        raise bad_request({"non_field_errors": ["Jinja template is incorrect"]}) from error
    except TemplateWarning:
        # It may fit another payload.
        return
    except re.error as error:
        raise bad_request({"non_field_errors": ["Regular expression is incorrect"]}) from error


def _delete(request: ApiRequest, row: sqlite3.Row) -> None:
    if row["is_default"]:
        raise detail("Unable to delete default filter")
    rows.delete(request.db, "routes", row["id"])


ROUTES = Collection(
    path="routes",
    view=_view,
    select=(
        "SELECT routes.*, integrations.position AS integration_position FROM routes "
        "JOIN integrations ON integrations.id = integration_id WHERE NOT hidden"
    ),
    order_by="integration_position, is_default, position",
    filters={"integration_id": "integration_id = :value", "routing_regex": "routing_regex = :value"},
    page_size=25,
    writes=Writes(
        role="admin", id_prefix="R", columns=_columns, siblings=("integration_id", "is_default"), delete=_delete
    ),
)
