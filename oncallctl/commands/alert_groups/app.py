"""The noun `alert-groups`, and the filter options of its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from oncallctl.alert_groups import State
from oncallctl.parsing.framework import noun

StateOption = Annotated[
    list[State] | None, typer.Option("--state", help="Only groups in this state (new means firing). Can be repeated.")
]
IntegrationOption = Annotated[
    str | None,
    typer.Option("--integration", metavar="INTEGRATION", help="Only groups of this integration (name or ID)."),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="Only groups that began since then, for example 12h, 18:00 or yesterday 9:00."
    ),
]
MineOption = Annotated[
    bool, typer.Option("--mine", help="Only groups of my teams, and groups that I acknowledged or resolved.")
]

app = noun()
