"""Teams."""

from __future__ import annotations

from oncallctl.sandbox.served_collection import Collection

TEAMS = Collection(
    path="teams",
    # The API does not show whether a team shares its resources.
    view=lambda _, row: {name: row[name] for name in ("id", "grafana_id", "name", "email", "avatar_url")},
    order_by="grafana_id",
    filters={"name": "name = :value"},
)
