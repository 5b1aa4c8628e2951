"""A server on a real socket with scripted responses and faults; records the requests."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import HTTPException, parse_headers
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

TLS_HELLO = b"\x16"


@dataclass(frozen=True)
class Arrived:
    """A request that reached the server, with header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))


class Fault:
    """A fault in place of a response."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


RESET = Fault("a reset")
SILENCE = Fault("no response in time")
MOMENT = Fault("a moment without data")

# The bytes to send or a fault; or several of them in order, possibly without end.
Step = bytes | Fault
Reaction = Step | Iterable[Step]
Reactions = Callable[[Arrived], Reaction]


def answer(status: int = 200, document: object = None, *, text: str | bytes | None = None, **headers: str) -> bytes:
    """Return a response: a JSON document, or a text. The text is HTML unless `headers` has another type."""
    given = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    if text is None:
        body, kind = json.dumps(document).encode(), "application/json"
    else:
        body, kind = text if isinstance(text, bytes) else text.encode(), "text/html"
    lines = {"content-type": kind, "content-length": str(len(body)), "connection": "close", **given}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Reason\r\n{head}\r\n".encode() + body


class Wire:
    """The server.

    Args:
        reactions: the reaction to each request, in order; the last one repeats.
        decide: returns the reaction to a request, in place of `reactions`.
        listening: False if connections are refused until `listen`.
        tls: the TLS context, or None for plain HTTP.
        keep_alive: True if a connection may carry several requests.

    Attributes:
        arrived: the requests, in order.
        connections: the number of connections that carried a request.
        hellos: the number of connections that began with TLS on a plain HTTP port.
    """

    def __init__(
        self,
        *reactions: Reaction,
        decide: Reactions | None = None,
        listening: bool = True,
        tls: ssl.SSLContext | None = None,
        keep_alive: bool = False,
    ) -> None:
        self.arrived: list[Arrived] = []
        self.connections = 0
        self.keep_alive = keep_alive
        self.hellos = 0
        self._reactions = list(reactions)
        self._decide = decide or (lambda _: self._next())
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self._server.wire, self._server.tls = self, tls
        self._server.server_bind()
        self._serving: threading.Thread | None = None
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if listening:
            self.listen()

    def listen(self) -> None:
        if self._serving is None:
            self._server.server_activate()
            self._serving = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
            self._serving.start()

    def refuse(self) -> None:
        """Refuse new connections; existing ones continue."""
        if self._serving:
            self._server.shutdown()
            self._serving.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.refuse()

    def _next(self) -> Reaction:
        return self._reactions.pop(0) if len(self._reactions) > 1 else self._reactions[0]

    def serve(self, arrived: Arrived, connection: socket.socket) -> None:
        self.arrived.append(arrived)
        reaction = self._decide(arrived)
        for step in [reaction] if isinstance(reaction, (bytes, Fault)) else reaction:
            self._do(step, connection)

    def _do(self, step: Step, connection: socket.socket) -> None:
        if step is RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        elif step is SILENCE:
            self._closing.wait(30)
        elif step is MOMENT:
            if self._closing.wait(0.01):
                raise ConnectionAbortedError
        elif isinstance(step, bytes):
            connection.sendall(step)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    wire: Wire
    tls: ssl.SSLContext | None

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.tls:  # the first read performs the handshake, in the handler's thread
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, *_: Any) -> None:
        """Ignore clients that have disconnected."""


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        if not self.server.tls and self.connection.recv(1, socket.MSG_PEEK) == TLS_HELLO:
            self.server.wire.hellos += 1
            self.connection.sendall(answer(400, text="speak HTTP"))
            return
        self.server.wire.connections += 1
        with contextlib.suppress(HTTPException, ValueError):
            self._serve()
            while self.server.wire.keep_alive:
                self._serve()

    def _serve(self) -> None:
        method, target, _ = self.rfile.readline().decode("latin-1").split(" ", 2)
        headers = {name.lower(): value for name, value in parse_headers(self.rfile).items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        self.server.wire.serve(Arrived(method, target, headers, body), self.connection)

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()
