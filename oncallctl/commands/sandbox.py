"""`sandbox`: serve the embedded sandbox, and reset it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from oncallctl.config.connect import sandbox_database, sandbox_errors
from oncallctl.errors import InvalidInput
from oncallctl.output.render import render_text
from oncallctl.parsing.framework import noun


class SandboxVariant(StrEnum):
    """The server types that the sandbox can be."""

    CLOUD = "cloud"
    OSS = "oss"


app = noun()


@app.command(
    examples=[
        "oncallctl sandbox serve",
        "oncallctl sandbox serve --port 8080 --api oss",
    ],
)
def serve(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = 0,
    api: Annotated[SandboxVariant, typer.Option("--api", help="Server type to simulate.")] = SandboxVariant.CLOUD,
) -> None:
    """Serve the sandbox over HTTP for other programs, and print its URL."""
    from oncallctl import sandbox

    def ready(url: str) -> None:
        render_text(ctx.obj, f"{url}\n")
        ctx.obj.note(f"log in with the token {sandbox.ADMIN_TOKEN}; press Ctrl-C to stop")

    try:
        sandbox.serve(sandbox_database(), api.value, port=port, ready=ready)
    except OSError as error:
        raise InvalidInput(
            f"cannot listen on port {port}: {error.strerror}", hint="use --port 0 for a free one"
        ) from error


@app.command(
    examples=[
        "oncallctl sandbox reset",
        "oncallctl sandbox reset --quiet",
    ],
    changes="machine",
)
def reset(ctx: typer.Context) -> None:
    """Restore the sample data."""
    from oncallctl import sandbox

    database = sandbox_database()
    with sandbox_errors(database):
        sandbox.reset(database)
    ctx.obj.note("restored the sample data of the sandbox")
