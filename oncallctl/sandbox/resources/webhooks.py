"""Outgoing webhooks (webhooks.jsonl). The sandbox never calls them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox.fields import FieldReader, InvalidField, boolean, optional, text
from oncallctl.sandbox.jinja import TemplateError, TemplateWarning, render
from oncallctl.sandbox.references import filter_by_team, usable_team
from oncallctl.sandbox.responses import bad_request, detail
from oncallctl.sandbox.rows import by_id
from oncallctl.sandbox.served_collection import Collection, Writes

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest

Json = dict[str, Any]

METHODS: Final = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
TRIGGERS: Final = [
    "escalation",
    "alert group created",
    "acknowledge",
    "resolve",
    "silence",
    "unsilence",
    "unresolve",
    "unacknowledge",
    "status change",
    "personal notification",
]
MASK: Final = "*" * 16
"""Shown instead of a secret; a body that has it keeps the secret."""
SECRETS: Final = ("password", "authorization_header")
REQUIRED: Final = ("name", "url", "http_method", "trigger_type")


def _view(_: ApiRequest, row: sqlite3.Row) -> Json:
    return {
        "id": row["id"],
        "name": row["name"],
        "is_webhook_enabled": bool(row["is_webhook_enabled"]),
        "team": row["team_id"],
        "data": row["data"],
        "username": row["username"],
        **{name: row[name] and MASK for name in SECRETS},
        "trigger_template": row["trigger_template"],
        "headers": row["headers"],
        "url": row["url"],
        "forward_all": bool(row["forward_all"]),
        "http_method": row["http_method"],
        "trigger_type": row["trigger_type"],
        "integration_filter": json.loads(row["integration_filter_json"]) or None,
        "preset": None,
    }


def _columns(request: ApiRequest, row: sqlite3.Row | None) -> Json:
    """Read a webhook; names are unique in the organization."""
    reader = FieldReader(request.fields)
    checks = {
        "name": text,
        "url": _template,
        "http_method": _http_method,
        "trigger_type": _trigger_type,
        "is_webhook_enabled": boolean,
        "forward_all": boolean,
        "username": optional(text),
        "password": optional(text),
        "authorization_header": optional(text),
        "data": optional(_template),
        "headers": optional(_template),
        "trigger_template": optional(_template),
    }
    columns = reader.given(
        {name: reader.read(name, check, required=row is None and name in REQUIRED) for name, check in checks.items()}
    )
    team_id = reader.read("team", usable_team(request))
    integrations = reader.read("integration_filter", lambda value: _integrations(request, value))
    reader.raise_problems()
    _check_name(request, columns.get("name"), row)
    if "team" in request.fields:
        columns["team_id"] = team_id
    if integrations is not None:
        columns["integration_filter_json"] = json.dumps(integrations)
    return {name: value for name, value in columns.items() if name not in SECRETS or value != MASK}


def _template(value: object) -> str:
    """Return a template. The URL is one as well, so that it need not look like a URL (create_bad_url)."""
    template = text(value)
    try:
        render(template)
    except TemplateError as error:
        raise InvalidField(f"Template Error: {error}") from error
    except TemplateWarning:
        # It may fit an alert group.
        pass
    return template


def _http_method(value: object) -> str:
    if text(value) not in METHODS:
        raise InvalidField(f"Must be one of {METHODS}")
    return str(value)


def _trigger_type(value: object) -> str:
    if text(value) not in TRIGGERS:
        raise detail(f"trigger_type must one of {TRIGGERS}")
    return str(value)


def _integrations(request: ApiRequest, value: object) -> list[str]:
    ids = [str(item) for item in value] if isinstance(value, list) else []
    if any(by_id(request.db, "integrations", integration_id) is None for integration_id in ids):
        raise InvalidField("integration_filter must be a list of valid integration ids")
    return ids


def _check_name(request: ApiRequest, name: object, row: sqlite3.Row | None) -> None:
    query = "SELECT 1 FROM webhooks WHERE name = ? AND id IS NOT ?"
    if request.db.execute(query, (name, None if row is None else row["id"])).fetchone():
        raise bad_request({"non_field_errors": ["The fields name, organization must make a unique set."]})


WEBHOOKS = Collection(
    path="webhooks",
    view=_view,
    filters={"name": "name = :value"},
    narrow=filter_by_team,
    writes=Writes(role="admin", id_prefix="WH", columns=_columns),
)
