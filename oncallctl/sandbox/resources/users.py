"""Users."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from oncallctl.sandbox import rows
from oncallctl.sandbox.responses import SandboxResponse, not_found
from oncallctl.sandbox.served_collection import Collection

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest
    from oncallctl.sandbox.variants import Variant

Json = dict[str, Any]


def view(row: sqlite3.Row, variant: Variant) -> Json:
    """Return the JSON of a user; Cloud adds the phone number unless it is hidden."""
    shown: Json = {name: row[name] for name in ("id", "grafana_id", "email")}
    shown |= {
        "slack": None,
        "username": row["username"],
        "role": row["role"],
        "is_phone_number_verified": row["phone_number"] is not None,
    }
    if variant.is_cloud:
        shown |= _phone(row)
    return shown | {"timezone": row["timezone"], "teams": json.loads(row["teams_json"])}


def _phone(row: sqlite3.Row) -> Json:
    if row["phone_number"] is None:
        return {"phone_number": None, "phone_number_status": "not_configured"}
    if row["phone_hidden"]:
        return {"phone_number": None, "phone_number_status": "private"}
    return {"phone_number": row["phone_number"], "phone_number_status": "available"}


def get_current_user(request: ApiRequest) -> SandboxResponse:
    """Return the caller; a service account is not a user."""
    row = rows.by_id(request.db, "users", request.caller.user_id)
    if row is None:
        raise not_found()
    return SandboxResponse(view(row, request.variant))


USERS = Collection(
    path="users",
    view=lambda request, row: view(row, request.variant),
    order_by="grafana_id",
    # SQLite's LOWER knows only ASCII, as on the recorded engine: JOSÉ does not find josé.
    filters={"username": "LOWER(username) = LOWER(:value)", "email": "LOWER(email) = LOWER(:value)"},
    page_size=100,
)
