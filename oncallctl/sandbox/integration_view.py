"""The JSON of an integration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox import BASE_URL, labels, route_channels, templates
from oncallctl.sandbox.integration_rows import default_route
from oncallctl.sandbox.timestamps import to_iso_seconds

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.variants import Variant

Json = dict[str, Any]

WITHOUT_LINK: Final = frozenset({"inbound_email", "manual"})
WITHOUT_HEARTBEAT: Final = WITHOUT_LINK | {"direct_paging", "kapacitor"}
MAIL_HOST: Final = "inbound.sandbox.invalid"


def integration_json(db: sqlite3.Connection, row: sqlite3.Row, variant: Variant) -> Json:
    """Return the JSON of an integration."""
    kind, token = row["type"], row["token"]
    link = f"{BASE_URL}/integrations/v1/{kind}/{token}/"
    shown: Json = {
        "maintenance_mode": variant.mode(row["maintenance_mode"]),
        "maintenance_started_at": to_iso_seconds(row["maintenance_started_at"]),
        "maintenance_end_at": to_iso_seconds(row["maintenance_end_at"]),
        "id": row["id"],
        "name": row["name"],
        "description_short": row["description_short"],
        "team_id": row["team_id"],
        "link": None if kind in WITHOUT_LINK else link,
        "inbound_email": f"{token}@{MAIL_HOST}" if kind == "inbound_email" else None,
        "type": kind,
        "templates": templates.view(json.loads(row["templates_json"]), variant),
        "heartbeat": None if kind in WITHOUT_HEARTBEAT else {"link": f"{link}heartbeat/"},
        "default_route": _default_route_json(db, row["id"], variant),
    }
    if variant.is_cloud:
        shown["labels"] = labels.view(json.loads(row["labels_json"]))
        shown["dynamic_labels"] = labels.view(json.loads(row["dynamic_labels_json"]))
    return shown


def _default_route_json(db: sqlite3.Connection, integration_id: str, variant: Variant) -> Json | None:
    route = default_route(db, integration_id)
    if route is None:
        return None
    names = ("id", "escalation_chain_id")
    return {**{name: route[name] for name in names}, **route_channels.view(route, variant)}
