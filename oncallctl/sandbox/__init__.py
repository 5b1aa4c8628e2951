"""An embedded OnCall: a WSGI application over one SQLite file that behaves like the real servers.

It speaks both dialects over the same data: "cloud" as Grafana Cloud IRM is documented, "oss" as the self-hosted engine
was recorded. Nobody is ever notified: the notifications that a real server would send are rows of the table
`notifications`.

Importing this package is cheap; werkzeug is loaded by the first call.
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

ADMIN_TOKEN: Final = "sandbox-admin"  # noqa: S105 - opens nothing but the sandbox, like the three below
EDITOR_TOKEN: Final = "sandbox-editor"  # noqa: S105
VIEWER_TOKEN: Final = "sandbox-viewer"  # noqa: S105
SERVICE_ACCOUNT_TOKEN: Final = "glsa_sandbox"  # noqa: S105

GRAFANA_URL: Final = "https://sandbox.grafana.invalid"
"""The only value of the header X-Grafana-URL that the sandbox knows."""

BASE_URL: Final = "http://oncall.sandbox.invalid"
"""What `next` and `link` are built from: never the host that was asked, as on a real server behind a proxy."""


def application(
    database: Path,
    dialect: Literal["cloud", "oss"],
    *,
    rate_limit: int = 300,
    sweeps: bool = True,
    clock: Callable[[], float] | None = None,
) -> WSGIApplication:
    """Build the server.

    Args:
        database: the SQLite file; created with the sample data (folder 0700, file 0600) when absent. Several processes
            may share it.
        dialect: which of the two servers to be.
        rate_limit: requests a minute for each user.
        sweeps: whether windows past their end are ended by the next request. The real engine sweeps once an hour;
            without, a window that has ended stays in force until it is stopped.
        clock: tells the moment in seconds since 1970, of every request and of the sample data; the machine's clock
            unless given.
    """
    from oncallctl.sandbox.server import Server

    return Server(database, dialect, rate_limit=rate_limit, sweeps=sweeps, clock=clock)


def reset(database: Path) -> None:
    """Put the sample data back, also while other processes have the file open."""
    from oncallctl.sandbox.storage import restore

    restore(database)


def serve(
    database: Path,
    dialect: Literal["cloud", "oss"],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[str], None],
) -> None:
    """Serve over HTTP until SIGINT or SIGTERM.

    Args:
        database: as for `application`.
        dialect: as for `application`.
        host: the address to listen at.
        port: the port to listen at; 0 takes a free one.
        ready: called with the URL once the server listens.
    """
    from oncallctl.sandbox.listener import listen

    listen(application(database, dialect), host=host, port=port, ready=ready)
