"""The command `teams handoff`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from oncallctl.commands.ics import check_file_option
from oncallctl.commands.teams.app import TeamArgument, app
from oncallctl.config.connect import connect
from oncallctl.config.settings import Format
from oncallctl.output.render import render, render_text
from oncallctl.parsing.options import past_time
from oncallctl.times import now

OPEN = {"ID": "id", "STATE": "state", "TITLE": "title", "CREATED": "created_at"}
LAST_SHIFT = "last-shift"


class TextFormat(StrEnum):
    """Values of `handoff --format`."""

    MARKDOWN = "markdown"
    SLACK = "slack"
    TEXT = "text"


@app.command(
    examples=[
        "oncallctl teams handoff platform",
        "oncallctl teams handoff platform --since 24h --format slack",
        "oncallctl teams handoff platform > handoff.md",
    ]
)
def handoff(
    ctx: typer.Context,
    team: TeamArgument,
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="TIME|last-shift",
            help="Look back to TIME, or to the last handover at least an hour ago.",
        ),
    ] = LAST_SHIFT,
    text_format: Annotated[
        TextFormat | None,
        typer.Option("--format", help="Format of the text; slack is for webhooks. [default: markdown]"),
    ] = None,
) -> None:
    """Print a summary for the next shift: who takes over, the alerts of the ending shift, and what is open."""
    from oncallctl.api import lookup
    from oncallctl.rota import handoff as rota_handoff, handoff_text, markup

    check_file_option(ctx.obj, "--format", text_format)
    at = now()
    with connect(ctx.obj) as oncall:
        begin = None if since == LAST_SHIFT else past_time(ctx.obj, since, before=at)
        found = lookup.find(oncall.teams, team)  # a text for people has the name of the team, even if its ID was given
        summary = rota_handoff.read(oncall, lookup.Named(found.id, found.name), at, since=begin)
    if text_format or (ctx.obj.format is Format.TABLE and ctx.obj.columns is None):
        markups: Mapping[TextFormat, markup.Markup] = {
            TextFormat.MARKDOWN: markup.Markdown(),
            TextFormat.SLACK: markup.Slack(),
            TextFormat.TEXT: markup.PlainText(),
        }
        render_text(ctx.obj, handoff_text.text(summary, markups[text_format or TextFormat.MARKDOWN], ctx.obj.tz))
    else:
        render(ctx.obj, summary.document(ctx.obj.tz), OPEN, rows=[group.row for group in summary.open])
