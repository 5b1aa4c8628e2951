"""Resolution notes: what people write about an alert group (resolution_notes.jsonl)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oncallctl.sandbox import rows
from oncallctl.sandbox.answers import NOTHING, Answer, Crash, not_found
from oncallctl.sandbox.fields import Checker, text
from oncallctl.sandbox.identifiers import new_id
from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.moments import precise
from oncallctl.sandbox.references import one_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from oncallctl.sandbox.calls import Call


def all_notes(call: Call) -> Answer:
    """List them, those of the newest alert group first."""
    return listing(call, _asked_for(call), _view)


def one_note(call: Call) -> Answer:
    """Get one."""
    return Answer(_view(_find(call)))


def create(call: Call) -> Answer:
    """Write one; the author is the caller, or nobody where that is a service account."""
    checker = Checker(call.fields)
    group_id = checker.read("alert_group_id", one_of(call.db, "alert_groups"), required=True)
    words = checker.read("text", text, required=True)
    checker.done()
    note = {
        "id": new_id("M"),
        "alert_group_id": group_id,
        "author_id": call.caller.user_id,
        "created_at": call.now,
        "text": words,
    }
    rows.insert(call.db, "resolution_notes", note)
    return Answer(_view(note), 201)


def change(call: Call) -> Answer:
    """Change the text; the alert group stays what it is."""
    row = _find(call)
    checker = Checker(call.fields)
    words = checker.read("text", text, required=call.request.method == "PUT")
    checker.done()
    if words is None:
        # The engine looks for a text that a PATCH need not bring.
        raise Crash
    rows.update(call.db, "resolution_notes", row["id"], {"text": words})
    return Answer(_view({**row, "text": words}))


def delete(call: Call) -> Answer:
    """Delete one."""
    rows.delete(call.db, "resolution_notes", _find(call)["id"])
    return Answer(NOTHING, 204)


def _asked_for(call: Call) -> list[sqlite3.Row]:
    """List the notes that the query asks for; an unknown alert group has none (filter_group_unknown)."""
    return call.db.execute(
        "SELECT resolution_notes.* FROM resolution_notes "
        "JOIN alert_groups ON alert_groups.id = resolution_notes.alert_group_id "
        "WHERE :group = '' OR alert_groups.id = :group "
        "ORDER BY alert_groups.created_at DESC, resolution_notes.position",
        {"group": call.request.args.get("alert_group_id", "")},
    ).fetchall()


def _find(call: Call) -> sqlite3.Row:
    for row in _asked_for(call):
        if row["id"] == call.ids[0]:
            return row
    raise not_found()


def _view(row: sqlite3.Row | Mapping[str, Any]) -> dict[str, object]:
    return {
        "id": row["id"],
        "alert_group_id": row["alert_group_id"],
        "author": row["author_id"],
        "source": "Web",
        "created_at": precise(row["created_at"]),
        "text": row["text"],
    }
