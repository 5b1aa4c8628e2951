"""Actions on alert groups. They return an empty body, or 400 if the state does not allow them (alert_groups.jsonl)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.alert_group_rows import resolve_group
from oncallctl.sandbox.escalation import escalate
from oncallctl.sandbox.maintenance_windows import end_window
from oncallctl.sandbox.resources.alert_groups import ALERT_GROUPS
from oncallctl.sandbox.responses import EMPTY_BODY, HttpError, SandboxResponse, ServerCrash, bad_request, detail
from oncallctl.sandbox.rows import delete, update
from oncallctl.sandbox.timestamps import is_representable

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.requests import ApiRequest

FOREVER: Final = -1
NEW_STATE: Final = {
    "resolved_at": None,
    "resolved_by": None,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "silenced_at": None,
    "silenced_until": None,
}


def acknowledge(request: ApiRequest) -> SandboxResponse:
    """Acknowledge a group, which stops its escalation."""
    row = _find_unless(request, "acknowledge", "acknowledged", "resolved")
    changes = {"acknowledged_at": request.now, "acknowledged_by": request.caller.user_id}
    not_silenced = {"silenced_at": None, "silenced_until": None}
    update(request.db, "alert_groups", row["id"], {"state": "acknowledged", **changes, **not_silenced})
    return SandboxResponse(EMPTY_BODY)


def unacknowledge(request: ApiRequest) -> SandboxResponse:
    """Let an acknowledged group fire again."""
    _fire(request, _find_in_state(request, "unacknowledge", "acknowledged"))
    return SandboxResponse(EMPTY_BODY)


def resolve(request: ApiRequest) -> SandboxResponse:
    """Resolve a group; resolving the group of a maintenance window ends the window (inbound.jsonl)."""
    row = _find_unless(request, "resolve", "resolved", for_windows=True)
    query = "SELECT * FROM integrations WHERE maintenance_group_id = ?"
    owner = request.db.execute(query, (row["id"],)).fetchone()
    if owner is None:
        resolve_group(request.db, row["id"], by=request.caller.user_id, now=request.now)
    else:
        end_window(request.db, owner, by=request.caller.user_id, now=request.now)
    return SandboxResponse(EMPTY_BODY)


def unresolve(request: ApiRequest) -> SandboxResponse:
    """Let a resolved group fire again."""
    _fire(request, _find_in_state(request, "unresolve", "resolved"))
    return SandboxResponse(EMPTY_BODY)


def silence(request: ApiRequest) -> SandboxResponse:
    """Silence a group for `delay` seconds, without an end for 0 and -1; silencing again restarts the clock."""
    row = _find(request, "silence")
    delay = _delay(request)
    _check(request.db, row, "silence", "resolved", "acknowledged", for_windows=True)
    if not is_representable(request.now, delay):
        raise ServerCrash
    until = request.now + delay if delay > 0 else None
    changes = {"state": "silenced", "silenced_at": request.now, "silenced_until": until}
    update(request.db, "alert_groups", row["id"], changes)
    return SandboxResponse(EMPTY_BODY)


def unsilence(request: ApiRequest) -> SandboxResponse:
    """Let a silenced group fire again."""
    _fire(request, _find_in_state(request, "unsilence", "silenced", for_windows=True))
    return SandboxResponse(EMPTY_BODY)


ACTIONS: Final = (acknowledge, unacknowledge, resolve, unresolve, silence, unsilence)


def delete_group(request: ApiRequest) -> SandboxResponse:
    """Delete a group. Mode `wipe` only erases its content on the engine; here both remove it from the list."""
    row = ALERT_GROUPS.find(request)
    if not isinstance(request.data, dict):
        raise bad_request("A dict with a `mode` key is expected")
    if request.data.get("mode", "wipe") not in {"wipe", "delete"}:
        raise bad_request("Invalid mode")
    delete(request.db, "alert_groups", row["id"])
    return SandboxResponse(EMPTY_BODY, 204)


def _find_unless(request: ApiRequest, verb: str, *states: str, for_windows: bool = False) -> sqlite3.Row:
    """Return the group of the path unless it is in one of the states."""
    row = _find(request, verb)
    _check(request.db, row, verb, *states, for_windows=for_windows)
    return row


def _find_in_state(request: ApiRequest, verb: str, state: str, *, for_windows: bool = False) -> sqlite3.Row:
    """Return the group of the path if it is in a state."""
    row = _find(request, verb)
    if row["state"] != state:
        raise detail(f"Can't {verb} an un{state} alert group")
    _check(request.db, row, verb, for_windows=for_windows)
    return row


def _check(db: sqlite3.Connection, row: sqlite3.Row, verb: str, *states: str, for_windows: bool) -> None:
    """Refuse a group in one of the states, an attached one, and the group of a window unless `for_windows`.

    Raises:
        HttpError: 400 with `{"detail": "Can't …"}`.
    """
    if row["state"] in states:
        article = "an" if row["state"] == "acknowledged" else "a"
        raise detail(f"Can't {verb} {article} {row['state']} alert group")
    if row["window_group_id"] is not None:
        raise detail(f"Can't {verb} an attached alert group")
    hidden = db.execute("SELECT 1 FROM integrations WHERE hidden AND id = ?", (row["integration_id"],)).fetchone()
    if hidden and not for_windows:
        raise detail(f"Can't {verb} a maintenance alert group")


def _find(request: ApiRequest, verb: str) -> sqlite3.Row:
    if request.caller.user_id is None:
        raise HttpError(403, {"detail": f"Service accounts are not allowed to {verb} alert groups"})
    return ALERT_GROUPS.find(request)


def _fire(request: ApiRequest, row: sqlite3.Row) -> None:
    """Let a group fire again; its escalation starts from the beginning."""
    update(request.db, "alert_groups", row["id"], {"state": "firing", **NEW_STATE})
    escalate(request.db, request.variant, row["id"], now=request.now)


def _delay(request: ApiRequest) -> int:
    """Return the delay as `int()` reads it; the engine crashes on other types (silence_list)."""
    value = request.fields.get("delay")
    if value is None:
        raise detail("delay is required")
    if not isinstance(value, str | int | float):
        raise ServerCrash
    try:
        delay = int(value)
    except ValueError as error:
        raise detail("invalid delay value") from error
    if delay < FOREVER:
        raise detail("invalid delay value")
    return delay
