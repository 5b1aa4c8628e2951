"""The embedded sandbox."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from oncallctl.config.connect import sandbox_database, telling_of
from oncallctl.errors import InvalidInput
from oncallctl.output.render import render_text
from oncallctl.parsing.framework import noun


class SandboxVariant(StrEnum):
    """Which server the sandbox is."""

    CLOUD = "cloud"
    OSS = "oss"


app = noun()


@app.command()
def serve(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Listen here; 0 takes a free one.")
    ] = 0,
    api: Annotated[SandboxVariant, typer.Option("--api", help="Which server to be.")] = SandboxVariant.CLOUD,
) -> None:
    """Serve the sandbox over HTTP, for other programs; its URL is printed first."""
    from oncallctl import sandbox

    def ready(url: str) -> None:
        render_text(ctx.obj, f"{url}\n")
        ctx.obj.note(f"log in with the token {sandbox.ADMIN_TOKEN}; Ctrl-C ends it")

    try:
        sandbox.serve(sandbox_database(), api.value, port=port, ready=ready)
    except OSError as error:
        raise InvalidInput(
            f"cannot listen at port {port}: {error.strerror}", hint="--port 0 takes a free one"
        ) from error


@app.command()
def reset(ctx: typer.Context) -> None:
    """Put the sample data back."""
    from oncallctl import sandbox

    database = sandbox_database()
    with telling_of(database):
        sandbox.reset(database)
    ctx.obj.note("the sandbox has its sample data again")
