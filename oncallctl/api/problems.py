"""Turns unsuccessful responses into errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from oncallctl.api.memory import MIB, estimate
from oncallctl.errors import AccessDenied, Conflict, NotFound, NotOnCall, OncallError, ServerRefused, Unavailable

# The engine's error messages for a change that the current state does not allow (maintenance, escalation, integrations
# and shift_swaps recordings).
_CONFLICTS = re.compile(
    r"already (on|in) maintenance|already exists|resolved alert group|can't \w+ an? \w+ alert group"
    r"|not in a state which allows it"
)

API = "/api/v1/"
_LONGEST_DETAIL = 500  # characters
_LARGEST_BODY = 16 * MIB  # bytes of memory


def error_from_response(status: int, content_type: str, body: bytes, *, request: str) -> OncallError:
    """Return the error for an unsuccessful response.

    Args:
        status: the HTTP status, 300 or more.
        content_type: the value of the header.
        body: the response body.
        request: method and path, such as ``GET /api/v1/teams/``, for the message.
    """
    detail = _detail(content_type, body)
    if status in {401, 403}:
        return AccessDenied(
            f"the server refused the token: {detail or f'status {status}'}",
            hint="check the token and its permissions: oncallctl auth status",
            http_status=status,
        )
    if status == 404:
        if detail is None:
            return NotOnCall(
                f"no OnCall API at this URL: the server has no path {request.partition(' ')[2]}",
                hint="use the URL from OnCall's settings page, not Grafana's; to see it: oncallctl auth status",
                http_status=status,
            )
        return _not_found(request.partition(API)[2])
    if status == 429 or status >= 500:
        unavailable = Unavailable(
            f"the server responded with {status} to {request}{f': {detail}' if detail else ''}", http_status=status
        )
        unavailable.is_engine_crash = status == 500 and _is_crash_page(content_type, body)
        return unavailable
    if 300 <= status < 400:
        return NotOnCall(
            f"the server redirects {request}: not followed",
            hint="set the profile's url to the address of the API",
            http_status=status,
        )
    message = f"the server refused: {detail or f'status {status} to {request}'}"
    return _refusal(status, detail)(message, http_status=status)


def retry_after(header: str | None) -> float | None:
    """Return the seconds of a header Retry-After, which holds seconds or a date; None if it is missing or invalid."""
    word = (header or "").strip()
    if word.isascii() and word.isdigit():
        return max(float(word[:9]), 1.0)
    try:
        moment = parsedate_to_datetime(word)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 1.0)


def _not_found(path: str) -> NotFound:
    """Return the error for a missing object, named by its path."""
    collection, ident, *rest = [*path.strip("/").split("/"), "", ""]
    kind = collection.removesuffix("s").replace("_", " ")
    # `teams/ID/current_oncall/` takes a route in the query, and the response does not say which of the two is missing.
    route = ", or no such route" if collection == "teams" and rest[0] else ""
    hint = f"oncallctl {collection.replace('_', '-')} list; if {ident} is a name, use name:{ident}"
    return NotFound(f"no {kind} {ident}{route}", hint=hint, http_status=404)


def _refusal(status: int, detail: str | None) -> type[OncallError]:
    reason = (detail or "").lower()
    # For an unknown user, team, alert group or chain in a body, the engine responds with 400.
    if "does not exist" in reason or "not one of the available choices" in reason:
        return NotFound
    return Conflict if status == 409 or _CONFLICTS.search(reason) else ServerRefused


def _detail(content_type: str, body: bytes) -> str | None:
    """Return the server's error message, or None if the body is not JSON (a proxy's page, the engine's HTML pages)."""
    if "json" not in content_type.lower() or estimate(body, _LARGEST_BODY) > _LARGEST_BODY:
        return None
    try:
        detail = "; ".join(_flatten(json.loads(body)))
    except (ValueError, RecursionError):
        return None
    return f"{detail[:_LONGEST_DETAIL]}…" if len(detail) > _LONGEST_DETAIL else detail or "(no reason given)"


def _is_crash_page(content_type: str, body: bytes) -> bool:
    """True for Django's page "Server Error (500)", which no proxy sends (cases ``*_405`` of the recordings)."""
    return content_type.lower().startswith("text/html") and b"<title>Server Error (500)</title>" in body


def _flatten(value: object, field: str = "") -> Iterator[str]:
    """Yield the messages of a 400 body, which nests strings, lists and objects of fields."""
    if isinstance(value, dict):
        for key, item in value.items():
            path = f"{field}.{key}" if field else str(key)
            yield from _flatten(item, field if key in {"detail", "non_field_errors"} else path)
    elif isinstance(value, list):
        for item in value:
            yield from _flatten(item, field)
    elif value is not None:
        yield f"{field}: {value}" if field else str(value)
