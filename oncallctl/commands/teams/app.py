"""The noun `teams`, to which the modules of this package add commands."""

from typing import Annotated

import typer

from oncallctl.parsing.framework import noun

TeamsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[TEAM]...", help="Names or IDs. [default: all teams]", show_default=False)
]
TeamArgument = Annotated[str, typer.Argument(metavar="TEAM", help="Name or ID.")]

app = noun()
