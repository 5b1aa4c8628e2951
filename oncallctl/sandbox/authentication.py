"""Identifies the caller by the headers of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from oncallctl.sandbox import ADMIN_TOKEN, EDITOR_TOKEN, GRAFANA_URL, SERVICE_ACCOUNT_TOKEN, VIEWER_TOKEN
from oncallctl.sandbox.responses import HttpError, invalid_token

if TYPE_CHECKING:
    import sqlite3

    from werkzeug.datastructures import Headers

    from oncallctl.sandbox.variants import Variant

USER_TOKENS: Final = {
    ADMIN_TOKEN: "U9PL1JZN3LQ3F",
    EDITOR_TOKEN: "U85BI7ASG8K6E",
    VIEWER_TOKEN: "UW3PFPDHZ6ZBV",
}
ROLES: Final = ("none", "viewer", "editor", "admin")


@dataclass(frozen=True)
class Caller:
    """The user or service account of a token.

    Attributes:
        user_id: None for a service account.
        name: the user name.
        role: "none", "viewer", "editor" or "admin".
    """

    user_id: str | None
    name: str
    role: str

    def has_role(self, role: str) -> bool:
        """True if the caller has a role or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


def identify(headers: Headers, variant: Variant, db: sqlite3.Connection) -> Caller:
    """Return the caller.

    Raises:
        HttpError: 403 for every bad token; 429 without Retry-After if X-Grafana-URL names another stack (auth.jsonl).
    """
    token = headers.get("Authorization", "").strip()
    if variant.accepts_bearer:
        token = token.removeprefix("Bearer ").strip()
    is_service_account = token.startswith("glsa_")
    # The engine reads the header for service accounts only.
    if is_service_account or variant.is_cloud:
        _check_stack(headers.get("X-Grafana-URL"), required=is_service_account and variant.is_cloud)
    if token == SERVICE_ACCOUNT_TOKEN:
        return Caller(user_id=None, name="sandbox service account", role="admin")
    user = db.execute("SELECT id, username, role FROM users WHERE id = ?", (USER_TOKENS.get(token),)).fetchone()
    if user is None:
        raise invalid_token()
    return Caller(user_id=user["id"], name=user["username"], role=user["role"])


def _check_stack(url: str | None, *, required: bool) -> None:
    parts = urlsplit(url or "")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        if required:
            raise invalid_token()
        return
    if (url or "").rstrip("/") != GRAFANA_URL:
        raise HttpError(429, {"detail": "Organization being synced, please retry."})
