"""`completion`: print a completion script."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from oncallctl.output.render import render_text
from oncallctl.parsing.framework import verb

app = verb()


class Shell(StrEnum):
    """The supported shells."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command(
    examples=[
        "oncallctl completion bash > oncallctl.bash",
        "oncallctl completion zsh > _oncallctl",
        "oncallctl completion fish > oncallctl.fish",
    ]
)
def completion(
    ctx: typer.Context, shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]
) -> None:
    """Print the completion script for a shell."""
    from oncallctl.completion.scripts import script

    render_text(ctx.obj, script(shell.value, ctx.find_root().command))
