"""Rows of integrations, and of their default routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oncallctl.sandbox import rows
from oncallctl.sandbox.ids import new_id, new_token

if TYPE_CHECKING:
    import sqlite3


def add_integration(
    db: sqlite3.Connection, kind: str, name: str, team_id: str | None, *, hidden: bool = False
) -> sqlite3.Row:
    """Add an integration whose only route, the default one, has no chain."""
    columns = {"name": name, "team_id": team_id, "type": kind, "token": new_token(), "hidden": hidden}
    integration_id = new_id("C")
    rows.insert(db, "integrations", {"id": integration_id, **columns})
    add_default_route(db, integration_id)
    return rows.existing(db, "integrations", integration_id)


def add_default_route(db: sqlite3.Connection, integration_id: str) -> sqlite3.Row:
    """Add a default route without a chain."""
    route_id = new_id("R")
    rows.insert(db, "routes", {"id": route_id, "integration_id": integration_id, "position": 0, "is_default": True})
    return rows.existing(db, "routes", route_id)


def default_route(db: sqlite3.Connection, integration_id: str) -> sqlite3.Row | None:
    """Return the default route of an integration; only a new integration has none."""
    query = "SELECT * FROM routes WHERE integration_id = ? AND is_default"
    row: sqlite3.Row | None = db.execute(query, (integration_id,)).fetchone()
    return row
