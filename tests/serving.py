"""The sandbox behind a socket: an HTTP server for tests that records requests and plays faults on demand."""

from __future__ import annotations

import io
import json
import math
import shutil
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Self

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from oncallctl import sandbox
from tests.recorded_texts import use_recorded_texts


@dataclass(frozen=True)
class Seen:
    """A request that reached the server."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


MAX_AGE = 20.0  # seconds; the times in the sample data are relative to the time of its creation


class _SampleData:
    """A sandbox database with the sample data, recreated when it is older than `MAX_AGE`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="oncallctl-sample-")
        self._database = Path(self._folder.name) / "sandbox.sqlite3"
        self._made = -math.inf

    def copy_to(self, database: Path) -> None:
        with self._lock:
            if time.monotonic() - self._made > MAX_AGE:
                sandbox.reset(self._database)
                use_recorded_texts(self._database)
                self._made = time.monotonic()
            database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(self._database, database)
        database.chmod(0o600)


_SAMPLE_DATA = _SampleData()


def copy_sample_data(database: Path) -> Path:
    """Create a sandbox database from a copy: that takes 1 ms, and filling a new one 70."""
    _SAMPLE_DATA.copy_to(database)
    return database


Fault = Callable[[Request, Callable[[], Response]], Response | None]
"""Returns the response to a request, or None to close the connection. The second argument carries the request out."""


def drop(_request: Request, _answer: Callable[[], Response]) -> None:
    """Close the connection without carrying the request out."""


def lose(_request: Request, answer: Callable[[], Response]) -> None:
    """Carry the request out, and close the connection without a response."""
    answer()


def status(code: int, body: str = "<html>no</html>", **headers: str) -> Fault:
    """Return a fault that responds with a status and does not carry the request out."""
    made = {name.replace("_", "-"): value for name, value in headers.items()}
    content_type = "application/json" if body.startswith("{") else "text/html"
    return lambda _request, _answer: Response(body, code, made, content_type=content_type)


@dataclass
class Serving:
    """The sandbox behind a socket, as a context manager.

    Attributes:
        rate_limit: requests per token and minute.
        sweeps: True if the server closes windows at their end.
        seen: the requests received, in order.
        faults: (method, part of the path, fault). The first matching request removes and plays a fault.
        ahead: offset of the server's clock and its `Date` header from the clock of this machine.
        dated: True if responses have a `Date` header.
    """

    database: Path
    dialect: str
    rate_limit: int = 300
    sweeps: bool = True
    token: str = sandbox.ADMIN_TOKEN
    seen: list[Seen] = field(default_factory=list)
    faults: list[tuple[str, str, Fault]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    ahead: timedelta = timedelta()
    dated: bool = True

    def __enter__(self) -> Self:
        if not self.database.exists():
            copy_sample_data(self.database)
        self._application = sandbox.application(
            self.database,
            self.dialect,
            rate_limit=self.rate_limit,
            sweeps=self.sweeps,
            clock=lambda: time.time() + self.ahead.total_seconds(),
        )
        self._server = make_server("127.0.0.1", 0, self, threaded=True, request_handler=_RequestHandler)
        self._server.daemon_threads = True
        self._closing = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def _accept(self) -> None:
        """Handle connections. `serve_forever` would poll for the end, and delay it by the interval of the polls."""
        while not self._closing:
            self._server.handle_request()

    def __exit__(self, *_: object) -> None:
        self._closing = True
        socket.create_connection(("127.0.0.1", self._server.server_port)).close()
        self._thread.join()
        self._server.server_close()

    def fail(self, method: str, part: str, fault: Fault, times: int = 1) -> None:
        """Play a fault on the next matching requests."""
        self.faults += [(method, part, fault)] * times

    def changes(self) -> list[str]:
        """Return all requests but reads, as ``METHOD /path``."""
        return [str(each) for each in self.seen if each.method != "GET"]

    def reads(self) -> list[str]:
        """Return the reads, as ``GET /path``."""
        return [str(each) for each in self.seen if each.method == "GET"]

    def bodies(self) -> list[Any]:
        """Return the bodies of all requests but reads."""
        return [each.body for each in self.seen if each.method != "GET"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send a request to the server without the program under test, and return the JSON of the response."""
        from werkzeug.test import Client

        token = self.token if self.dialect == "oss" else f"Bearer {self.token}"
        response = Client(self._application).open(
            f"/api/v1/{path}", method=method, json=body, headers={"Authorization": token}
        )
        assert response.status_code < 300, response.text
        return response.json if response.data else None

    def alert(self, integration: str, title: str = "it burns", **fields: Any) -> None:
        """Send an alert to an integration like a monitoring system; `fields` are more fields of the payload."""
        from werkzeug.test import Client

        link = self.call("GET", f"integrations/{integration}/")["link"]
        response = Client(self._application).post(link.removeprefix(sandbox.BASE_URL), json={"title": title, **fields})
        assert response.status_code == 200, response.text

    def notified(self, group: str | None = None) -> list[tuple[str, bool]]:
        """Return the notifications that a real server would have sent, in order: user name and importance.

        Args:
            group: only those about this alert group.
        """
        with closing(sqlite3.connect(self.database)) as db:
            rows = db.execute(
                "SELECT username, important FROM notifications JOIN users ON users.id = user_id "
                "WHERE ? IS NULL OR alert_group_id = ? ORDER BY notifications.position",
                (group, group),
            ).fetchall()
        return [(name, bool(important)) for name, important in rows]

    def set_role(self, user: str, role: str) -> None:
        """Set the role of a user, by name: admin, editor, viewer or none."""
        with closing(sqlite3.connect(self.database)) as db, db:
            db.execute("UPDATE users SET role = ? WHERE username = ?", (role, user))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        raw = request.get_data()
        environ["wsgi.input"] = io.BytesIO(raw)
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw
        self.seen.append(Seen(request.method, request.path, dict(request.args), dict(request.headers), body))

        def answer() -> Response:
            return Response.from_app(self._application, environ)

        fault = self._fault_for(request)
        response = fault(request, answer) if fault else answer()
        if response is None:
            connection: socket.socket = environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError
        return response(environ, start_response)

    def _fault_for(self, request: Request) -> Fault | None:
        with self.lock:
            for index, (method, part, _) in enumerate(self.faults):
                if method == request.method and part in request.path:
                    return self.faults.pop(index)[2]
        return None


class _RequestHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def send_header(self, keyword: str, value: str) -> None:
        """Send the date of the server's clock, or no `Date` header if the test wants none."""
        serving: Serving = self.server.app  # type: ignore[attr-defined]  # werkzeug's server has it
        if keyword.lower() == "date":
            if not serving.dated:
                return
            value = format_datetime(datetime.now(UTC) + serving.ahead, usegmt=True)
        super().send_header(keyword, value)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # werkzeug's name
        """Do not log requests to stderr."""
