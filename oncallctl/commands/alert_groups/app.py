"""The noun `alert-groups`, and the options by which its verbs choose alert groups."""

from __future__ import annotations

from typing import Annotated

import typer

from oncallctl.alert_groups import State
from oncallctl.parsing.framework import noun

StateOption = Annotated[
    list[State] | None, typer.Option("--state", help="Only those in this state (new is firing); may be repeated.")
]
IntegrationOption = Annotated[
    str | None, typer.Option("--integration", metavar="INTEGRATION", help="Those of this integration (name or id).")
]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="DURATION|TIME", help="Those that began since: 12h, 18:00.")
]
MineOption = Annotated[
    bool, typer.Option("--mine", help="Those of my teams, and those that I acknowledged or resolved.")
]

app = noun()
