"""An integration as JSON, in the words of either server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import BASE_URL, labels, notifications, templates
from oncallctl.sandbox.moments import whole

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.dialects import Dialect

Json = dict[str, object]

WITHOUT_LINK: Final = frozenset({"inbound_email", "manual"})
WITHOUT_HEARTBEAT: Final = WITHOUT_LINK | {"direct_paging", "kapacitor"}
MAIL_HOST: Final = "inbound.sandbox.invalid"


def integration(db: sqlite3.Connection, row: sqlite3.Row, dialect: Dialect) -> Json:
    """Say one integration whole."""
    kind, token = row["type"], row["token"]
    link = f"{BASE_URL}/integrations/v1/{kind}/{token}/"
    shown: Json = {
        "maintenance_mode": dialect.mode(row["maintenance_mode"]),
        "maintenance_started_at": whole(row["maintenance_started_at"]),
        "maintenance_end_at": whole(row["maintenance_end_at"]),
        "id": row["id"],
        "name": row["name"],
        "description_short": row["description_short"],
        "team_id": row["team_id"],
        "link": None if kind in WITHOUT_LINK else link,
        "inbound_email": f"{token}@{MAIL_HOST}" if kind == "inbound_email" else None,
        "type": kind,
        "templates": templates.view(json.loads(row["templates_json"]), dialect),
        "heartbeat": None if kind in WITHOUT_HEARTBEAT else {"link": f"{link}heartbeat/"},
        "default_route": _default_route(db, row["id"], dialect),
    }
    if dialect.is_cloud:
        shown["labels"] = labels.view(json.loads(row["labels_json"]))
        shown["dynamic_labels"] = labels.view(json.loads(row["dynamic_labels_json"]))
    return shown


def _default_route(db: sqlite3.Connection, integration_id: str, dialect: Dialect) -> Json:
    row = db.execute("SELECT * FROM routes WHERE integration_id = ? AND is_default", (integration_id,)).fetchone()
    chain = row["escalation_chain_id"]
    return {"id": row["id"], "escalation_chain_id": chain, **notifications.view(row, dialect)}
