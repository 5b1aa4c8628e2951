"""Escalation chains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox.fields import FieldReader, text_up_to
from oncallctl.sandbox.references import filter_by_team, usable_team
from oncallctl.sandbox.responses import bad_request
from oncallctl.sandbox.served_collection import Collection, Writes

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest

MAX_NAME_LENGTH: Final = 100


def _columns(request: ApiRequest, row: sqlite3.Row | None) -> dict[str, Any]:
    """Read a chain; names are unique in the organization."""
    reader = FieldReader(request.fields)
    is_complete = row is None or request.http.method == "PUT"
    name = reader.read("name", text_up_to(MAX_NAME_LENGTH), required=is_complete)
    team_id = reader.read("team_id", usable_team(request))
    reader.raise_problems()
    query = "SELECT 1 FROM escalation_chains WHERE name = ? AND id IS NOT ?"
    if request.db.execute(query, (name, None if row is None else row["id"])).fetchone():
        raise bad_request({"non_field_errors": ["The fields organization, name must make a unique set."]})
    return reader.given({"name": name, "team_id": team_id})


# Deleting a chain deletes its steps; its routes then have no chain. The foreign keys of schema.sql do that.
ESCALATION_CHAINS = Collection(
    path="escalation_chains",
    view=lambda _, row: {name: row[name] for name in ("id", "name", "team_id")},
    filters={"name": "name = :value"},
    filters_even_if_empty=frozenset({"name"}),
    narrow=filter_by_team,
    writes=Writes(role="admin", id_prefix="F", columns=_columns),
)
