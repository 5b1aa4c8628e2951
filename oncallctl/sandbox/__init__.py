"""An embedded OnCall server for trying things out and for tests: a WSGI application over one SQLite file.

It imitates both servers over the same data: "cloud" behaves as Grafana Cloud IRM is documented, "oss" as the
self-hosted engine was recorded. It notifies nobody: the notifications of a real server become rows of the table
`notifications`.

Importing this package is cheap; the first call imports werkzeug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from wsgiref.types import WSGIApplication

__all__ = [
    "ADMIN_TOKEN",
    "BASE_URL",
    "EDITOR_TOKEN",
    "GRAFANA_URL",
    "SERVICE_ACCOUNT_TOKEN",
    "VIEWER_TOKEN",
    "application",
    "reset",
    "serve",
]

ADMIN_TOKEN: Final = "sandbox-admin"  # noqa: S105 - valid only in the sandbox
EDITOR_TOKEN: Final = "sandbox-editor"  # noqa: S105 - the same
VIEWER_TOKEN: Final = "sandbox-viewer"  # noqa: S105 - the same
SERVICE_ACCOUNT_TOKEN: Final = "glsa_sandbox"  # noqa: S105 - the same

GRAFANA_URL: Final = "https://sandbox.grafana.invalid"
"""The URL of the stack, which X-Grafana-URL must name."""

BASE_URL: Final = "http://oncall.sandbox.invalid"
"""The base of `next` and `link`; the Host header is ignored, as on a real server behind a proxy."""


def application(
    database: Path,
    variant: Literal["cloud", "oss"],
    *,
    rate_limit: int = 300,
    sweeps: bool = True,
    clock: Callable[[], float] | None = None,
) -> WSGIApplication:
    """Return the WSGI application.

    Args:
        database: the SQLite file; created with the sample data (folder 0700, file 0600) if it is missing. Several
            processes may share it.
        variant: the server to imitate.
        rate_limit: requests per minute and user.
        sweeps: True if a request ends the windows whose end has passed. The real engine does so once an hour; without
            it, a window that has ended stays in force until it is stopped.
        clock: returns the time of requests and of the sample data, in seconds since 1970; the machine's clock by
            default.
    """
    from oncallctl.sandbox.server import Server

    return Server(database, variant, rate_limit=rate_limit, sweeps=sweeps, clock=clock)


def reset(database: Path) -> None:
    """Restore the sample data; other processes may have the file open."""
    from oncallctl.sandbox.storage import restore

    restore(database)


def serve(
    database: Path,
    variant: Literal["cloud", "oss"],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[str], None],
) -> None:
    """Serve over HTTP until SIGINT or SIGTERM.

    Args:
        database: as for `application`.
        variant: as for `application`.
        host: the address to bind.
        port: the port to bind; 0 takes a free one.
        ready: called with the URL when the server accepts connections.
    """
    from oncallctl.sandbox.http_server import listen

    listen(application(database, variant), host=host, port=port, ready=ready)
