"""The endpoints that start and stop maintenance windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oncallctl.sandbox import rows
from oncallctl.sandbox.integration_view import integration_json
from oncallctl.sandbox.maintenance_windows import end_window, start_window
from oncallctl.sandbox.resources.integrations import INTEGRATIONS
from oncallctl.sandbox.responses import HttpError, SandboxResponse, ServerCrash, bad_request, detail
from oncallctl.sandbox.timestamps import is_representable

if TYPE_CHECKING:
    from oncallctl.sandbox.requests import ApiRequest
    from oncallctl.sandbox.variants import Variant


def start_maintenance(request: ApiRequest) -> SandboxResponse:
    """Start a window. The mode is checked first, then the duration, then whether a window is open."""
    row = INTEGRATIONS.find(request)
    body = request.data
    if not isinstance(body, dict):
        raise ServerCrash
    mode = _mode(body.get("mode"), request.variant)
    seconds = _duration(body.get("duration"), request.variant)
    # The engine crashes on an end that has no date (start_duration_1e12).
    if not is_representable(request.now, seconds):
        raise _invalid_duration() if request.variant.is_cloud else ServerCrash
    # This includes a window that has ended and that no sweep has closed yet.
    if row["maintenance_mode"] is not None:
        raise detail("Already on maintenance")
    start_window(request, row, mode, seconds)
    return _shown(request, row["id"])


def stop_maintenance(request: ApiRequest) -> SandboxResponse:
    """Stop the window; the body is not read.

    Without a window, the engine crashes if Slack is connected, as it is here (stop_not_in_maintenance).
    """
    row = INTEGRATIONS.find(request)
    if row["maintenance_mode"] is not None:
        end_window(request.db, row, now=request.now)
    elif not request.variant.is_cloud:
        raise ServerCrash
    return _shown(request, row["id"])


def _shown(request: ApiRequest, integration_id: str) -> SandboxResponse:
    row = rows.existing(request.db, "integrations", integration_id)
    return SandboxResponse(integration_json(request.db, row, request.variant))


def _mode(value: object, variant: Variant) -> str:
    """Return Cloud's name of a mode; OSS ignores the case."""
    name = value if isinstance(value, str) else ""
    mode = variant.modes.get(name if variant.is_cloud else name.lower())
    if mode is None:
        raise bad_request({"mode": ["Unknown mode"]})
    return mode


def _duration(value: object, variant: Variant) -> int:
    """Return a duration. OSS accepts everything that `int()` does (0, -5, 1.5, true), Cloud positive integers."""
    if not isinstance(value, str | int | float) or (variant.is_cloud and not isinstance(value, str | int)):
        raise _invalid_duration()
    try:
        seconds = int(value)
    except ValueError as error:
        raise _invalid_duration() from error
    except OverflowError as error:
        raise ServerCrash from error
    if variant.is_cloud and (seconds <= 0 or isinstance(value, bool)):
        raise _invalid_duration()
    return seconds


def _invalid_duration() -> HttpError:
    return bad_request({"duration": ["Invalid duration"]})
