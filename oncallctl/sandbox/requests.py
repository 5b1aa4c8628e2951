"""API requests, and the endpoints that handle them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from oncallctl.sandbox.responses import HttpError, ServerCrash, bad_request, detail, invalid_token, not_permitted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from werkzeug import Request

    from oncallctl.sandbox.authentication import Caller
    from oncallctl.sandbox.responses import SandboxResponse
    from oncallctl.sandbox.variants import Variant

    Handler = Callable[["ApiRequest"], SandboxResponse]

JSON_TYPE = "application/json"
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class ApiRequest:
    """A request that has passed authentication, permissions and the rate limit.

    Attributes:
        http: the HTTP request.
        db: the connection of this request; in a transaction unless the method is GET or HEAD.
        variant: the server that is imitated.
        caller: the user or service account of the token.
        now: the time of the request, in seconds since 1970.
        ids: the IDs in the path, in order.
    """

    http: Request
    db: sqlite3.Connection
    variant: Variant
    caller: Caller
    now: float
    ids: tuple[str, ...]

    @cached_property
    def data(self) -> object:
        """The parsed JSON of the body; a form is a dictionary of strings, a missing body an empty dictionary.

        Raises:
            HttpError: 415 for another content type, 400 for invalid JSON.
        """
        raw = self.http.get_data()
        if not raw:
            return {}
        content_type = self.http.mimetype
        if content_type in FORM_TYPES:
            return self.http.form.to_dict()
        if content_type != JSON_TYPE:
            raise HttpError(415, {"detail": f'Unsupported media type "{self.http.content_type or ""}" in request.'})
        try:
            text = raw.decode(self.http.mimetype_params.get("charset", "utf-8"))
            return json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, LookupError) as error:
            raise detail(f"JSON parse error - {error}") from error

    @property
    def fields(self) -> dict[str, object]:
        """The body as a dictionary.

        Raises:
            HttpError: 400 for another kind of JSON, and as for `data`.
        """
        if not isinstance(self.data, dict):
            kind = type(self.data).__name__
            raise bad_request({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
        return self.data


def _refuse_constant(name: str) -> object:
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")


ServiceAccounts = Literal["allowed", "refused", "refused by OSS", "crash OSS"]
"""How an endpoint treats service accounts (auth.jsonl): it refuses their token, or the engine crashes on it."""


@dataclass(frozen=True)
class Endpoint:
    """One HTTP method of a path.

    Attributes:
        handle: returns the response.
        role: the lowest role that may use it.
        service_accounts: how service accounts are treated.
    """

    handle: Handler
    role: str = "viewer"
    service_accounts: ServiceAccounts = "allowed"

    def check(self, caller: Caller, variant: Variant) -> None:
        """Refuse callers of the wrong kind or role.

        Raises:
            HttpError: 403.
            ServerCrash: the engine crashes on this caller.
        """
        if caller.user_id is None:
            on_oss = not variant.is_cloud
            if self.service_accounts == "refused" or (self.service_accounts == "refused by OSS" and on_oss):
                raise invalid_token()
            if self.service_accounts == "crash OSS" and on_oss:
                raise ServerCrash
        if not caller.has_role(self.role):
            raise not_permitted()


@dataclass(frozen=True)
class ApiPath:
    """A path below /api/v1/.

    Attributes:
        pattern: a regular expression for the whole path without the last slash; its groups are the IDs.
        methods: the endpoints by HTTP method; HEAD comes with GET.
        bucket: the rate limit that the requests count for.
        sends_reset: True if a 429 response has RateLimit-Reset besides Retry-After, as for all paths but escalation
            (throttle.jsonl).
        cloud_only: True if OSS does not have the path.
    """

    pattern: str
    methods: dict[str, Endpoint]
    bucket: str = "user"
    sends_reset: bool = True
    cloud_only: bool = False

    @property
    def allow(self) -> str:
        """The Allow header, with the methods in the order of the servers."""
        names = [name for name in ("GET", "POST", "PUT", "PATCH", "DELETE") if name in self.methods]
        return ", ".join([*names, *(["HEAD"] if "GET" in self.methods else []), "OPTIONS"])
