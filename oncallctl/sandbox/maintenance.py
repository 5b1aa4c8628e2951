"""Starting and stopping maintenance windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oncallctl.sandbox.answers import Answer, Crash, Refusal, bad_request, detail
from oncallctl.sandbox.integration_rows import by_id, find
from oncallctl.sandbox.integration_view import integration
from oncallctl.sandbox.moments import can_be_said
from oncallctl.sandbox.windows import end_window, open_window

if TYPE_CHECKING:
    from oncallctl.sandbox.calls import Call
    from oncallctl.sandbox.dialects import Dialect


def start(call: Call) -> Answer:
    """Open a window; the mode is looked at before the duration, both before whether one is open."""
    row = find(call)
    data = call.data
    if not isinstance(data, dict):
        raise Crash
    mode = _mode(data.get("mode"), call.dialect)
    seconds = _seconds(data.get("duration"), call.dialect)
    # The engine fails on an end that it cannot say (start_duration_1e12).
    if not can_be_said(call.now, seconds):
        raise _invalid_duration() if call.dialect.is_cloud else Crash
    # Also where it is past its end and not yet swept.
    if row["maintenance_mode"] is not None:
        raise detail("Already on maintenance")
    open_window(call.db, row, mode, seconds, by=call.caller.name, now=call.now)
    return Answer(integration(call.db, by_id(call.db, row["id"]), call.dialect))


def stop(call: Call) -> Answer:
    """End the window; the body is not read.

    Without a window the engine fails where Slack is connected, as it is here (stop_not_in_maintenance).
    """
    row = find(call)
    if row["maintenance_mode"] is not None:
        end_window(call.db, row, now=call.now)
    elif not call.dialect.is_cloud:
        raise Crash
    return Answer(integration(call.db, by_id(call.db, row["id"]), call.dialect))


def _mode(value: object, dialect: Dialect) -> str:
    """Translate a mode to Cloud's words; OSS takes its own in any case."""
    word = value if isinstance(value, str) else ""
    mode = dialect.modes.get(word if dialect.is_cloud else word.lower())
    if mode is None:
        raise bad_request({"mode": ["Unknown mode"]})
    return mode


def _seconds(value: object, dialect: Dialect) -> int:
    """Read a duration. OSS takes whatever `int()` takes, also 0, -5, 1.5 and true; Cloud positive whole numbers."""
    if not isinstance(value, str | int | float) or (dialect.is_cloud and not isinstance(value, str | int)):
        raise _invalid_duration()
    try:
        seconds = int(value)
    except ValueError as error:
        raise _invalid_duration() from error
    except OverflowError as error:
        raise Crash from error
    if dialect.is_cloud and (seconds <= 0 or isinstance(value, bool)):
        raise _invalid_duration()
    return seconds


def _invalid_duration() -> Refusal:
    return bad_request({"duration": ["Invalid duration"]})
