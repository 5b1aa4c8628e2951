"""Resolution notes of alert groups (resolution_notes.jsonl)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oncallctl.sandbox.fields import FieldReader, text
from oncallctl.sandbox.references import existing_id
from oncallctl.sandbox.responses import ServerCrash
from oncallctl.sandbox.served_collection import Collection, Writes
from oncallctl.sandbox.timestamps import to_iso

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest

Json = dict[str, Any]


def _view(_: ApiRequest, row: sqlite3.Row) -> Json:
    return {
        "id": row["id"],
        "alert_group_id": row["alert_group_id"],
        "author": row["author_id"],
        "source": "Web",
        "created_at": to_iso(row["created_at"]),
        "text": row["text"],
    }


def _columns(request: ApiRequest, row: sqlite3.Row | None) -> Json:
    """Read a note; the alert group of an existing one stays. A service account is no author."""
    reader = FieldReader(request.fields)
    if row is None:
        group_id = reader.read("alert_group_id", existing_id(request.db, "alert_groups"), required=True)
    is_complete = row is None or request.http.method == "PUT"
    note = reader.read("text", text, required=is_complete)
    reader.raise_problems()
    if row is None:
        author = {"author_id": request.caller.user_id, "created_at": request.now}
        return {"alert_group_id": group_id, **author, "text": note}
    if note is None:
        # The engine requires the text that a PATCH may omit.
        raise ServerCrash
    return {"text": note}


# An unknown alert group has no notes (filter_group_unknown).
RESOLUTION_NOTES = Collection(
    path="resolution_notes",
    view=_view,
    select=(
        "SELECT resolution_notes.*, alert_groups.created_at AS opened_at FROM resolution_notes "
        "JOIN alert_groups ON alert_groups.id = alert_group_id"
    ),
    order_by="opened_at DESC, position",
    filters={"alert_group_id": "alert_group_id = :value"},
    writes=Writes(role="editor", id_prefix="M", columns=_columns),
)
