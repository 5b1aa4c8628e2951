"""Resolution notes: what people write about an alert group (resolution_notes.jsonl)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oncallctl.sandbox import alert_group_rows
from oncallctl.sandbox.answers import NOTHING, Answer, Crash, not_found
from oncallctl.sandbox.fields import Checker, Invalid, text
from oncallctl.sandbox.identifiers import new_id
from oncallctl.sandbox.listing import listing
from oncallctl.sandbox.moments import precise

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call


def all_notes(call: Call) -> Answer:
    """List them, those of the newest alert group first."""
    return listing(call, _asked_for(call), _view)


def one_note(call: Call) -> Answer:
    """Get one."""
    return Answer(_view(_find(call)))


def create(call: Call) -> Answer:
    """Write one; the author is the caller, or nobody where that is a service account."""

    def group(value: object) -> str:
        row = alert_group_rows.by_id(call.db, value)
        if row is None:
            raise Invalid("Object does not exist")
        return str(row["id"])

    checker = Checker(call.fields)
    group_id = checker.read("alert_group_id", group, required=True)
    words = checker.read("text", text, required=True)
    checker.done()
    note_id = new_id("M")
    call.db.execute(
        "INSERT INTO resolution_notes (id, alert_group_id, author_id, created_at, text) VALUES (?, ?, ?, ?, ?)",
        (note_id, group_id, call.caller.user_id, call.now, words),
    )
    return Answer(_view(_by_id(call.db, note_id)), 201)


def change(call: Call) -> Answer:
    """Change the text; the alert group stays what it is."""
    row = _find(call)
    checker = Checker(call.fields)
    words = checker.read("text", text, required=call.request.method == "PUT")
    checker.done()
    if words is None:
        # The engine looks for a text that a PATCH need not bring.
        raise Crash
    call.db.execute("UPDATE resolution_notes SET text = ? WHERE id = ?", (words, row["id"]))
    return Answer(_view(_by_id(call.db, row["id"])))


def delete(call: Call) -> Answer:
    """Delete one."""
    call.db.execute("DELETE FROM resolution_notes WHERE id = ?", (_find(call)["id"],))
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


def _by_id(db: sqlite3.Connection, note_id: str) -> sqlite3.Row:
    row: sqlite3.Row = db.execute("SELECT * FROM resolution_notes WHERE id = ?", (note_id,)).fetchone()
    return row


def _view(row: sqlite3.Row) -> dict[str, object]:
    return {
        "id": row["id"],
        "alert_group_id": row["alert_group_id"],
        "author": row["author_id"],
        "source": "Web",
        "created_at": precise(row["created_at"]),
        "text": row["text"],
    }
