"""The WSGI application: which path, who, how often, and only then the handler.

The order is the engine's (throttle.jsonl, errors.jsonl): an unknown path is 404 even to a bad token; the Accept header
comes before the token; an undeclared method fails before the limit is looked at; objects and bodies are read last.
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

from oncallctl.sandbox import storage, throttle
from oncallctl.sandbox.access import Caller, identify
from oncallctl.sandbox.answers import (
    BAD_REQUEST_PAGE,
    CRASH_PAGE,
    NOT_FOUND_PAGE,
    NOTHING,
    Answer,
    Crash,
    Refusal,
)
from oncallctl.sandbox.calls import JSON_TYPE, Call, Method, Path
from oncallctl.sandbox.dialects import DIALECTS
from oncallctl.sandbox.escalations import advance, wake
from oncallctl.sandbox.inbound import receive
from oncallctl.sandbox.paths import PATHS
from oncallctl.sandbox.throttle import Throttled
from oncallctl.sandbox.windows import sweep

if TYPE_CHECKING:
    import pathlib
    import sqlite3
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from oncallctl.sandbox.dialects import Name

PREFIX: Final = "/api/v1/"
INBOUND: Final = re.compile(r"/integrations/v1/([^/]+)/([^/]+)/?")
HOST: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(:\d+)?")


class Server:
    """The WSGI application over one database and one dialect."""

    def __init__(
        self,
        database: pathlib.Path,
        dialect: Name,
        *,
        rate_limit: int,
        sweeps: bool,
        clock: Callable[[], float] | None = None,
    ) -> None:
        storage.prepare(database, clock)
        self._database = database
        self._dialect = DIALECTS[dialect]
        self._rate_limit = rate_limit
        self._sweeps = sweeps
        self._clock = clock

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        response = self._respond(Request(environ))
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if not _has_host(request):
            return _html(HTTPStatus.BAD_REQUEST, BAD_REQUEST_PAGE)
        if request.path == "/":
            return _html(HTTPStatus.OK, "Ok")
        now = time.time() if self._clock is None else self._clock()
        with closing(storage.connect(self._database)) as db:
            if self._sweeps:
                sweep(db, now=now)
            advance(db, self._dialect, now=now)
            wake(db, self._dialect, now=now)
            inbound = INBOUND.fullmatch(request.path)
            if inbound is not None:
                return self._take_alert(db, request, inbound[1], inbound[2], now)
            found = self._find(request.path)
            if found is None:
                return _html(HTTPStatus.NOT_FOUND, NOT_FOUND_PAGE)
            return self._answer(db, request, *found, now)

    def _find(self, path: str) -> tuple[Path, tuple[str, ...]] | None:
        if not path.startswith(PREFIX):
            return None
        rest = path.removeprefix(PREFIX).removesuffix("/")
        for candidate in PATHS:
            if candidate.cloud_only and not self._dialect.is_cloud:
                continue
            match = re.fullmatch(candidate.pattern, rest)
            if match is not None:
                return candidate, match.groups()
        return None

    def _answer(
        self, db: sqlite3.Connection, request: Request, path: Path, ids: tuple[str, ...], now: float
    ) -> Response:
        try:
            caller, method = self._admit(db, request, path, now)
            call = Call(request, db, self._dialect, caller, now, ids)
            if request.method in {"GET", "HEAD"}:
                return _json(path, method.handle(call))
            # From the first read on, so that nothing changes between what the handler saw and what it writes.
            with storage.changing(db):
                return _json(path, method.handle(call))
        except Throttled as throttled:
            return _throttled(path, throttled)
        except Refusal as refusal:
            return _json(path, Answer(refusal.body, refusal.status))
        except Crash:
            return _html(HTTPStatus.INTERNAL_SERVER_ERROR, CRASH_PAGE)

    def _admit(self, db: sqlite3.Connection, request: Request, path: Path, now: float) -> tuple[Caller, Method]:
        """Find the caller and what they may do here, and count the request."""
        if not _accepts_json(request):
            raise Refusal(HTTPStatus.NOT_ACCEPTABLE, {"detail": "Could not satisfy the request Accept header."})
        caller = identify(request.headers, self._dialect, db)
        method = self._method(path, request.method)
        method.check(caller, self._dialect)
        throttle.count(db, path.bucket, caller.name, limit=self._rate_limit, now=now)
        return caller, method

    def _take_alert(self, db: sqlite3.Connection, request: Request, kind: str, token: str, now: float) -> Response:
        if request.method != "POST":
            return _html(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed")
        with storage.changing(db):
            taken = receive(db, self._dialect, kind, token, request.get_data(), now=now)
        if not taken:
            return _html(HTTPStatus.FORBIDDEN, "Integration key was not found. Permission denied.")
        return Response('"Ok."', HTTPStatus.OK, {"Allow": "GET, POST, HEAD, OPTIONS"}, content_type=JSON_TYPE)

    def _method(self, path: Path, name: str) -> Method:
        method = path.methods.get("GET" if name == "HEAD" else name)
        if method is not None:
            return method
        if self._dialect.is_cloud:
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, {"detail": f'Method "{name}" not allowed.'})
        raise Crash


def _has_host(request: Request) -> bool:
    try:
        return HOST.fullmatch(request.host) is not None
    except SecurityError:
        return False


def _accepts_json(request: Request) -> bool:
    return "Accept" not in request.headers or request.accept_mimetypes[JSON_TYPE] > 0


def _html(status: int, text: str) -> Response:
    return Response(text, status, content_type="text/html; charset=utf-8")


def _json(path: Path, answer: Answer) -> Response:
    if answer.body is NOTHING:
        response = Response(status=answer.status)
        del response.headers["Content-Type"]
    else:
        text = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":"))
        # Half of a surrogate pair can be named in JSON and cannot be encoded.
        response = Response(text.encode("utf-8", "replace"), answer.status, content_type=JSON_TYPE)
    response.headers["Allow"] = path.allow
    return response


def _throttled(path: Path, throttled: Throttled) -> Response:
    response = _json(path, Answer(throttled.body, throttled.status))
    response.headers["Retry-After"] = str(throttled.seconds)
    if path.says_reset:
        response.headers["RateLimit-Reset"] = str(throttled.seconds)
    return response
