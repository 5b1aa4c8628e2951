"""The sandbox as an HTTP server."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import WSGIApplication


class SilentRequestHandler(WSGIRequestHandler):
    """A request handler without an access log, because stdout and stderr belong to the program."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Log nothing."""


def listen(application: WSGIApplication, *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, with a thread per connection.

    Args:
        application: the application to serve.
        host: the address to bind.
        port: the port to bind; 0 takes a free one.
        ready: called with the URL when the server accepts connections.

    Raises:
        OSError: the address cannot be bound.
    """
    # Bound here, because werkzeug would print and exit if the port is in use.
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listening:
        server = make_server(
            host, port, application, threaded=True, request_handler=SilentRequestHandler, fd=os.dup(listening.fileno())
        )
    url_host = f"[{host}]" if ":" in host else host
    try:
        with _interrupted_by_signals():
            ready(f"http://{url_host}:{server.port}")
            server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGINT and SIGTERM; only the main thread can set signal handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
