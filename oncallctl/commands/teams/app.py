"""The noun `teams`; the other modules of this package add verbs to it."""

from typing import Annotated

import typer

from oncallctl.api.nouns import TEAMS
from oncallctl.commands import generic

TeamsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[TEAM]...", help="Names or IDs. [default: all teams]", show_default=False)
]
TeamArgument = Annotated[str, typer.Argument(metavar="TEAM", help="Name or ID.")]

app = generic.app_of(TEAMS)
