"""`doctor`: check the setup."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.config.settings import Format
from oncallctl.output import colors
from oncallctl.output.render import render
from oncallctl.output.table import console
from oncallctl.parsing.framework import verb

if TYPE_CHECKING:
    from oncallctl.config.settings import Settings
    from oncallctl.doctor import Finding

app = verb()


COLUMNS = {"STATUS": "status", "CHECK": "check", "MESSAGE": "message", "HINT": "hint"}


@app.command(
    examples=[
        "oncallctl doctor",
        "oncallctl doctor --as-cron --profile sandbox",
    ]
)
def doctor(
    ctx: typer.Context,
    as_cron: Annotated[
        bool, typer.Option("--as-cron", help="Check as a cron job: no environment, no terminal, no desktop.")
    ] = False,
) -> None:
    """Check the configuration, the credentials and the server, and suggest fixes."""
    from oncallctl.completion.scripts import script
    from oncallctl.doctor import examine, in_cron

    root = ctx.find_root().command
    found: list[Finding] = []
    findings = in_cron(ctx.obj) if as_cron else examine(ctx.obj, lambda shell: script(shell, root))
    _show(ctx.obj, _collected(findings, found))
    for finding in found:
        if finding.error:
            finding.error.message = f"{finding.check}: {finding.message}"
            if not ctx.obj.has_json_messages:
                finding.error.hint = None  # it is printed below the finding
            raise finding.error


def _collected(findings: Iterable[Finding], found: list[Finding]) -> Iterator[Finding]:
    for finding in findings:
        found.append(finding)
        yield finding


def _show(settings: Settings, findings: Iterator[Finding]) -> None:
    """Print each finding as soon as it is known; on a terminal, one line each with the hint below."""
    if settings.quiet or settings.format is not Format.TABLE or settings.columns or not sys.stdout.isatty():
        if settings.has_structured_output:
            render(settings, (finding.row for finding in findings), COLUMNS)
        else:
            render(settings, ({"id": finding.check, **finding.row} for finding in findings), COLUMNS)
        return
    from rich.text import Text

    from oncallctl.text import sentence

    shown = console(settings, stderr=False)
    for finding in findings:
        status = (f"{finding.status.value:<4}", colors.style_of(finding.status.value))
        shown.print(Text.assemble(status, f"  {finding.check:<18} {sentence(finding.message)}"), soft_wrap=True)
        if finding.hint:
            shown.print(Text(f"{'hint: ':>31}{sentence(finding.hint)}"), soft_wrap=True)
