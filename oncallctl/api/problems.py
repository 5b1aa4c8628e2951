"""From an answer that is not a success to the error that says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from oncallctl.api.memory import MIB, estimate
from oncallctl.errors import AccessDenied, Conflict, NotFound, NotOnCall, OncallError, ServerRefused, Unavailable

# What the engine says when the present state does not allow it (maintenance, escalation and integrations recordings).
_CONFLICTS = re.compile(
    r"already (on|in) maintenance|already exists|resolved alert group|can't \w+ an? \w+ alert group"
)

API = "/api/v1/"
_MOST = 500
_LARGEST = 16 * MIB  # bytes of memory


def from_answer(status: int, content_type: str, body: bytes, *, what: str) -> OncallError:
    """Name the error that an answer with this status means.

    Args:
        status: 300 or more.
        content_type: as the server gave it.
        body: the beginning of the answer is enough.
        what: the request, such as ``GET /api/v1/teams/``, for the message.
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
                f"no OnCall API at this URL: {what} is an unknown path there",
                hint="the URL is the one on OnCall's settings page, not Grafana's: oncallctl auth status shows it",
                http_status=status,
            )
        return _unknown(what.partition(API)[2])
    if status == 429 or status >= 500:
        unavailable = Unavailable(
            f"the server answered {status} to {what}{f': {detail}' if detail else ''}", http_status=status
        )
        unavailable.is_engine_crash = status == 500 and _is_crash_page(content_type, body)
        return unavailable
    if 300 <= status < 400:
        return NotOnCall(
            f"the server redirects {what}; that is not followed",
            hint="set the profile's url to where the API itself is",
            http_status=status,
        )
    return _refusal(status, detail)(f"the server refused: {detail or f'status {status} to {what}'}", http_status=status)


def retry_after(header: str | None) -> float | None:
    """The seconds that a Retry-After asks for, as seconds or as a date; None when it is missing or makes no sense."""
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


def _unknown(path: str) -> NotFound:
    """Say a path that the server does not know as the thing that it names."""
    collection, ident, *rest = [*path.strip("/").split("/"), "", ""]
    kind = collection.removesuffix("s").replace("_", " ")
    route = ", or no such route" if collection == "teams" and rest[0] else ""
    hint = f"oncallctl {collection.replace('_', '-')} list; if {ident} is a name, write name:{ident}"
    return NotFound(f"no {kind} {ident}{route}", hint=hint, http_status=404)


def _refusal(status: int, detail: str | None) -> type[OncallError]:
    said = (detail or "").lower()
    # An unknown user, team, alert group or chain is 400 there, not 404.
    if "does not exist" in said or "not one of the available choices" in said:
        return NotFound
    return Conflict if status == 409 or _CONFLICTS.search(said) else ServerRefused


def _detail(content_type: str, body: bytes) -> str | None:
    """The server's own words, or None when the body is not JSON (a proxy's page, the engine's HTML 404 and 500)."""
    if "json" not in content_type.lower() or estimate(body, _LARGEST) > _LARGEST:
        return None
    try:
        said = "; ".join(_flatten(json.loads(body)))
    except (ValueError, RecursionError):
        return None
    return f"{said[:_MOST]}…" if len(said) > _MOST else said or "(no reason given)"


def _is_crash_page(content_type: str, body: bytes) -> bool:
    """True for Django's page "Server Error (500)" (recordings *_405), which a proxy in front of the engine lacks."""
    return content_type.lower().startswith("text/html") and b"<title>Server Error (500)</title>" in body


def _flatten(value: object, field: str = "") -> Iterator[str]:
    """Walk the many shapes of a 400: a string, a list, fields with a string or list each, and these nested."""
    if isinstance(value, dict):
        for key, item in value.items():
            inner = field if key in {"detail", "non_field_errors"} else f"{field}.{key}" if field else str(key)
            yield from _flatten(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from _flatten(item, field)
    elif value is not None:
        yield f"{field}: {value}" if field else str(value)
