"""The WSGI application: finds the path, the caller and the rate limit, then calls the endpoint.

The order of checks is the engine's (throttle.jsonl, errors.jsonl): an unknown path is 404 even with a bad token; the
Accept header is checked before the token; an undeclared method fails before the rate limit; objects and bodies come
last.
"""

from __future__ import annotations

import json
import re
import time
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from werkzeug import Request, Response
from werkzeug.exceptions import SecurityError

from oncallctl.sandbox import rate_limit, storage
from oncallctl.sandbox.authentication import Caller, identify
from oncallctl.sandbox.endpoints import PATHS
from oncallctl.sandbox.escalation import resume_due_escalations, unsilence_due_groups
from oncallctl.sandbox.inbound_alerts import receive, recipient
from oncallctl.sandbox.maintenance_windows import end_overdue_windows
from oncallctl.sandbox.rate_limit import RateLimited
from oncallctl.sandbox.requests import JSON_TYPE, ApiPath, ApiRequest, Endpoint
from oncallctl.sandbox.responses import (
    BAD_REQUEST_PAGE,
    CRASH_PAGE,
    EMPTY_BODY,
    NOT_FOUND_PAGE,
    HttpError,
    SandboxResponse,
    ServerCrash,
)
from oncallctl.sandbox.variants import VARIANTS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

    from oncallctl.sandbox.variants import VariantName

PREFIX: Final = "/api/v1/"
INBOUND: Final = re.compile(r"/integrations/v1/([^/]+)/([^/]+)/?")
HOST: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(:\d+)?")


class Server:
    """The WSGI application over one database, imitating one server."""

    def __init__(
        self,
        database: Path,
        variant: VariantName,
        *,
        rate_limit: int,
        sweeps: bool,
        clock: Callable[[], float] | None = None,
    ) -> None:
        storage.prepare(database, clock)
        self._database = database
        self._variant = VARIANTS[variant]
        self._rate_limit = rate_limit
        self._sweeps = sweeps
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one HTTP request."""
        response = self._respond(Request(environ))
        return response(environ, start_response)

    def _respond(self, http: Request) -> Response:
        if not _has_valid_host(http):
            return _html(HTTPStatus.BAD_REQUEST, BAD_REQUEST_PAGE)
        if http.path == "/":
            return _html(HTTPStatus.OK, "Ok")
        now = time.time() if self._clock is None else self._clock()
        with closing(storage.connect(self._database)) as db:
            if self._sweeps:
                end_overdue_windows(db, now=now)
            resume_due_escalations(db, self._variant, now=now)
            unsilence_due_groups(db, self._variant, now=now)
            inbound = INBOUND.fullmatch(http.path)
            if inbound is not None:
                return self._receive_alert(db, http, inbound[1], inbound[2], now)
            found = self._find_path(http.path)
            if found is None:
                return _html(HTTPStatus.NOT_FOUND, NOT_FOUND_PAGE)
            return self._call_endpoint(db, http, *found, now)

    def _find_path(self, path: str) -> tuple[ApiPath, tuple[str, ...]] | None:
        if not path.startswith(PREFIX):
            return None
        rest = path.removeprefix(PREFIX).removesuffix("/")
        for candidate in PATHS:
            if candidate.cloud_only and not self._variant.is_cloud:
                continue
            match = re.fullmatch(candidate.pattern, rest)
            if match is not None:
                return candidate, match.groups()
        return None

    def _call_endpoint(
        self, db: sqlite3.Connection, http: Request, path: ApiPath, ids: tuple[str, ...], now: float
    ) -> Response:
        try:
            caller, endpoint = self._admit(db, http, path, now)
            request = ApiRequest(http, db, self._variant, caller, now, ids)
            if http.method in {"GET", "HEAD"}:
                return _json(path, endpoint.handle(request))
            # The transaction includes the reads, so that nothing changes between them and the writes.
            with storage.transaction(db):
                return _json(path, endpoint.handle(request))
        except RateLimited as limited:
            return _rate_limited(path, limited)
        except HttpError as error:
            return _json(path, SandboxResponse(error.body, error.status))
        except ServerCrash:
            return _html(HTTPStatus.INTERNAL_SERVER_ERROR, CRASH_PAGE)

    def _admit(self, db: sqlite3.Connection, http: Request, path: ApiPath, now: float) -> tuple[Caller, Endpoint]:
        """Identify the caller, check their permission, and count the request."""
        if not _accepts_json(http):
            raise HttpError(HTTPStatus.NOT_ACCEPTABLE, {"detail": "Could not satisfy the request Accept header."})
        caller = identify(http.headers, self._variant, db)
        endpoint = self._endpoint(path, http.method)
        endpoint.check(caller, self._variant)
        rate_limit.count(db, path.bucket, caller.name, limit=self._rate_limit, now=now)
        return caller, endpoint

    def _receive_alert(self, db: sqlite3.Connection, http: Request, kind: str, token: str, now: float) -> Response:
        if http.method != "POST":
            return _html(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed")
        with storage.transaction(db):
            integration = recipient(db, kind, token)
            if integration is None:
                return _html(HTTPStatus.FORBIDDEN, "Integration key was not found. Permission denied.")
            receive(db, self._variant, integration, http.get_data(), now=now)
        return Response('"Ok."', HTTPStatus.OK, {"Allow": "GET, POST, HEAD, OPTIONS"}, content_type=JSON_TYPE)

    def _endpoint(self, path: ApiPath, method: str) -> Endpoint:
        endpoint = path.methods.get("GET" if method == "HEAD" else method)
        if endpoint is not None:
            return endpoint
        if self._variant.is_cloud:
            raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, {"detail": f'Method "{method}" not allowed.'})
        raise ServerCrash


def _has_valid_host(http: Request) -> bool:
    try:
        return HOST.fullmatch(http.host) is not None
    except SecurityError:
        return False


def _accepts_json(http: Request) -> bool:
    return "Accept" not in http.headers or http.accept_mimetypes[JSON_TYPE] > 0


def _html(status: int, text: str) -> Response:
    return Response(text, status, content_type="text/html; charset=utf-8")


def _json(path: ApiPath, result: SandboxResponse) -> Response:
    if result.body is EMPTY_BODY:
        response = Response(status=result.status)
        del response.headers["Content-Type"]
    else:
        text = json.dumps(result.body, ensure_ascii=False, separators=(",", ":"))
        # JSON can name half of a surrogate pair, which cannot be encoded.
        response = Response(text.encode("utf-8", "replace"), result.status, content_type=JSON_TYPE)
    response.headers["Allow"] = path.allow
    return response


def _rate_limited(path: ApiPath, limited: RateLimited) -> Response:
    response = _json(path, SandboxResponse(limited.body, limited.status))
    response.headers["Retry-After"] = str(limited.seconds)
    if path.sends_reset:
        response.headers["RateLimit-Reset"] = str(limited.seconds)
    return response
