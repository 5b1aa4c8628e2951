"""One request on its way to a handler, and how a handler is declared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from oncallctl.sandbox.answers import Crash, Refusal, bad_request, detail, invalid_token, not_permitted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from werkzeug import Request

    from oncallctl.sandbox.access import Caller
    from oncallctl.sandbox.answers import Answer
    from oncallctl.sandbox.dialects import Dialect

JSON_TYPE = "application/json"
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True)
class Call:
    """A request that has passed authentication, permissions and limits.

    Attributes:
        request: the HTTP request.
        db: a connection of this request's own, outside of any transaction.
        dialect: the server that is being asked.
        caller: who asks.
        now: the moment of the request, in seconds since 1970.
        ids: the ids in the path, in order.
    """

    request: Request
    db: sqlite3.Connection
    dialect: Dialect
    caller: Caller
    now: float
    ids: tuple[str, ...]

    @cached_property
    def data(self) -> object:
        """The body: what its JSON says, or a dictionary of strings out of a form; without a body an empty dictionary.

        Raises:
            Refusal: 415 for another content type, 400 for what is no JSON.
        """
        raw = self.request.get_data()
        if not raw:
            return {}
        kind = self.request.mimetype
        if kind in FORM_TYPES:
            return self.request.form.to_dict()
        if kind != JSON_TYPE:
            raise Refusal(415, {"detail": f'Unsupported media type "{self.request.content_type or ""}" in request.'})
        try:
            text = raw.decode(self.request.mimetype_params.get("charset", "utf-8"))
            return json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, LookupError) as error:
            raise detail(f"JSON parse error - {error}") from error

    @property
    def fields(self) -> dict[str, object]:
        """The body, which must be a dictionary.

        Raises:
            Refusal: 400 for another kind of JSON, and as `data`.
        """
        if not isinstance(self.data, dict):
            kind = type(self.data).__name__
            raise bad_request({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
        return self.data


def _refuse_constant(name: str) -> object:
    message = f"Out of range float values are not JSON compliant: {name!r}"
    raise ValueError(message)


@dataclass(frozen=True)
class Method:
    """What one HTTP method of a path does.

    Attributes:
        handle: answers the call.
        least: the role it takes.
        service_accounts: how they fare: "refused" as if their token were bad, "refused by OSS", or "crash OSS", which
            fails on them (auth.jsonl).
    """

    handle: Callable[[Call], Answer]
    least: str = "viewer"
    service_accounts: Literal["welcome", "refused", "refused by OSS", "crash OSS"] = "welcome"

    def check(self, caller: Caller, dialect: Dialect) -> None:
        """Refuse a caller of the wrong kind, or whose role does not reach.

        Raises:
            Refusal: 403.
            Crash: the engine fails on this caller.
        """
        if caller.user_id is None:
            if self.service_accounts == "refused" or (
                self.service_accounts == "refused by OSS" and not dialect.is_cloud
            ):
                raise invalid_token()
            if self.service_accounts == "crash OSS" and not dialect.is_cloud:
                raise Crash
        if not caller.may(self.least):
            raise not_permitted()


@dataclass(frozen=True)
class Path:
    """A path of the API below /api/v1/.

    Attributes:
        pattern: a regular expression for the whole path without the last slash; its groups are the ids.
        methods: by name; HEAD comes with GET.
        bucket: which limit its requests count for.
        says_reset: whether its 429 carries RateLimit-Reset besides Retry-After; escalation's does not (throttle.jsonl).
        cloud_only: whether OSS does not know the path.
    """

    pattern: str
    methods: dict[str, Method]
    bucket: str = "user"
    says_reset: bool = True
    cloud_only: bool = False

    @property
    def allow(self) -> str:
        """The Allow header: the methods in the order that the servers list them."""
        order = [name for name in ("GET", "POST", "PUT", "PATCH", "DELETE") if name in self.methods]
        return ", ".join([*order, *(["HEAD"] if "GET" in self.methods else []), "OPTIONS"])
