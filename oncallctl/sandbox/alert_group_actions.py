"""What people do to alert groups: 200 with an empty body, or 400 in the wrong state (alert_groups.jsonl)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.alert_group_rows import resolve as resolve_row
from oncallctl.sandbox.alert_groups import find_group
from oncallctl.sandbox.answers import NOTHING, Answer, Crash, Refusal, bad_request, detail
from oncallctl.sandbox.escalations import escalate
from oncallctl.sandbox.integration_rows import by_id
from oncallctl.sandbox.moments import can_be_said
from oncallctl.sandbox.windows import end_window

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call

FOREVER: Final = -1


def acknowledge(call: Call) -> Answer:
    """Stop escalation because somebody looks into it."""
    row = _open_for(call, "acknowledge", "acknowledged", "resolved")
    call.db.execute(
        "UPDATE alert_groups SET state = 'acknowledged', acknowledged_at = ?, acknowledged_by = ?, silenced_at = NULL, "
        "silenced_until = NULL WHERE id = ?",
        (call.now, call.caller.user_id, row["id"]),
    )
    return Answer(NOTHING)


def unacknowledge(call: Call) -> Answer:
    """Take an acknowledgement back."""
    row = _only_from(call, "unacknowledge", "acknowledged")
    _fire(call, row["id"])
    return Answer(NOTHING)


def resolve(call: Call) -> Answer:
    """Resolve it; resolving the group of a maintenance window ends the window (inbound.jsonl)."""
    row = _open_for(call, "resolve", "resolved", for_windows=True)
    owner = call.db.execute("SELECT id FROM integrations WHERE maintenance_group_id = ?", (row["id"],)).fetchone()
    if owner is None:
        resolve_row(call.db, row["id"], by=call.caller.user_id, now=call.now)
    else:
        end_window(call.db, by_id(call.db, owner["id"]), by=call.caller.user_id, now=call.now)
    return Answer(NOTHING)


def unresolve(call: Call) -> Answer:
    """Let it fire again."""
    row = _only_from(call, "unresolve", "resolved")
    _fire(call, row["id"])
    return Answer(NOTHING)


def silence(call: Call) -> Answer:
    """Keep it quiet for `delay` seconds, for ever with 0 or -1; what is silenced already is silenced anew."""
    row = _found(call, "silence")
    delay = _delay(call)
    _check(call.db, row, "silence", "resolved", "acknowledged", for_windows=True)
    if not can_be_said(call.now, delay):
        raise Crash
    call.db.execute(
        "UPDATE alert_groups SET state = 'silenced', silenced_at = ?, silenced_until = ? WHERE id = ?",
        (call.now, call.now + delay if delay > 0 else None, row["id"]),
    )
    return Answer(NOTHING)


def unsilence(call: Call) -> Answer:
    """Let it fire again before the silence is over."""
    row = _only_from(call, "unsilence", "silenced", for_windows=True)
    _fire(call, row["id"])
    return Answer(NOTHING)


def delete(call: Call) -> Answer:
    """Delete it, or with mode `wipe` what it says; both take it out of the list here."""
    row = find_group(call)
    if not isinstance(call.data, dict):
        raise bad_request("A dict with a `mode` key is expected")
    if call.data.get("mode", "wipe") not in {"wipe", "delete"}:
        raise bad_request("Invalid mode")
    call.db.execute("DELETE FROM alert_groups WHERE id = ?", (row["id"],))
    return Answer(NOTHING, 204)


def _open_for(call: Call, verb: str, *closed: str, for_windows: bool = False) -> sqlite3.Row:
    """Find the group of the path and refuse it in the states named."""
    row = _found(call, verb)
    _check(call.db, row, verb, *closed, for_windows=for_windows)
    return row


def _only_from(call: Call, verb: str, state: str, *, for_windows: bool = False) -> sqlite3.Row:
    """Find the group of the path and refuse it in every state but one."""
    row = _found(call, verb)
    if row["state"] != state:
        raise detail(f"Can't {verb} an un{state} alert group")
    _check(call.db, row, verb, for_windows=for_windows)
    return row


def _check(db: sqlite3.Connection, row: sqlite3.Row, verb: str, *closed: str, for_windows: bool) -> None:
    """Refuse a group in the states named, one that hangs below a window's, and the window's own.

    Raises:
        Refusal: 400 with `{"detail": "Can't …"}`.
    """
    if row["state"] in closed:
        article = "an" if row["state"] == "acknowledged" else "a"
        raise detail(f"Can't {verb} {article} {row['state']} alert group")
    if row["window_group_id"] is not None:
        raise detail(f"Can't {verb} an attached alert group")
    hidden = db.execute("SELECT 1 FROM integrations WHERE hidden AND id = ?", (row["integration_id"],)).fetchone()
    if hidden and not for_windows:
        raise detail(f"Can't {verb} a maintenance alert group")


def _found(call: Call, verb: str) -> sqlite3.Row:
    if call.caller.user_id is None:
        raise Refusal(403, {"detail": f"Service accounts are not allowed to {verb} alert groups"})
    return find_group(call)


def _fire(call: Call, group_id: str) -> None:
    """Let a group fire again: its escalation starts from the beginning."""
    call.db.execute(
        "UPDATE alert_groups SET state = 'firing', resolved_at = NULL, resolved_by = NULL, acknowledged_at = NULL, "
        "acknowledged_by = NULL, silenced_at = NULL, silenced_until = NULL WHERE id = ?",
        (group_id,),
    )
    escalate(call.db, call.dialect, group_id, now=call.now)


def _delay(call: Call) -> int:
    """Read the delay as `int()` does; what it cannot take fails in the engine (silence_list)."""
    value = call.fields.get("delay")
    if value is None:
        raise detail("delay is required")
    if not isinstance(value, str | int | float):
        raise Crash
    try:
        delay = int(value)
    except ValueError as error:
        raise detail("invalid delay value") from error
    if delay < FOREVER:
        raise detail("invalid delay value")
    return delay
