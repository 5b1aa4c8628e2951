"""The server over HTTP."""

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


class Quiet(WSGIRequestHandler):
    """Answers without a line of log for each request: stdout and stderr belong to the program."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


def listen(application: WSGIApplication, *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, a thread for each connection.

    Args:
        application: what answers.
        host: the address to listen at.
        port: the port; 0 takes a free one.
        ready: called with the URL once connections are taken.

    Raises:
        OSError: the port cannot be listened at.
    """
    # Opened here, since werkzeug would print and leave when the port is taken.
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listening:
        server = make_server(
            host, port, application, threaded=True, request_handler=Quiet, fd=os.dup(listening.fileno())
        )
    named = f"[{host}]" if ":" in host else host
    try:
        with _ended_by_signals():
            ready(f"http://{named}:{server.port}")
            server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM end the server quietly. Only the main thread may set signal handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
