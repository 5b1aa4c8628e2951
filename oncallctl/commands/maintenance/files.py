"""The commands `maintenance check`, `plan` and `apply`."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.commands.maintenance.app import app
from oncallctl.config.connect import choose_profile, connect
from oncallctl.config.settings import Format
from oncallctl.errors import InvalidInput, OncallError, Unavailable
from oncallctl.output.dry_run import render_requests
from oncallctl.output.render import draw, render, render_done, render_text
from oncallctl.parsing.options import DryRunOption, read_text
from oncallctl.text import counted, visible
from oncallctl.times import now, parse_duration, show_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.integrations import Integration
    from oncallctl.batch import Target
    from oncallctl.config.private_files import Holder
    from oncallctl.config.settings import Settings
    from oncallctl.maintenance.file.rules import WindowRule
    from oncallctl.maintenance.file.timeline import Found

LONGEST = 366  # days that a plan looks ahead
LONGEST_RUN = timedelta(minutes=10)  # of one `apply`, before the next ones fail

MISTAKES = {"LINE": "line", "WINDOW": "window", "MESSAGE": "message"}
OUTCOMES = {
    "WINDOW": "window",
    "OCCURRENCE": "occurrence",
    "ID": "id",
    "NAME": "name",
    "STATUS": "status",
    "UNTIL": "ends_at",
    "ERROR": "error.message",
}

OCCURRENCES = {
    "WINDOW": "window",
    "START": "start",
    "END": "end",
    "IN ITS ZONE": "zoned",
    "LOCAL": "local",
    "TARGETS": "names",
    "NOTES": "notes_text",
}
ON_A_TERMINAL = {
    "WINDOW": "window",
    "IN ITS ZONE": "zoned_short",
    "LOCAL START": "local_short",
    "REPEATS": "repeats",
    "TARGETS": "names_short",
}

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="The file of windows; - is stdin.")]


def on_a_terminal() -> bool:
    """True if stdout is a terminal."""
    return sys.stdout.isatty()


@app.command(
    examples=[
        "oncallctl maintenance check windows.toml",
        "oncallctl maintenance check windows.toml -o json",
    ],
)
def check(ctx: typer.Context, file: FileArgument) -> None:
    """Report all mistakes in a file of windows; needs no server."""
    from oncallctl.maintenance.file import schema
    from oncallctl.maintenance.windows import guards

    settings = ctx.obj
    rules, mistakes = schema.load(read_text(file, "FILE"))
    if settings.format is Format.TABLE and settings.columns is None:
        render_text(settings, "".join(f"{visible(mistake.text(file))}\n" for mistake in mistakes))
    else:
        render(settings, [mistake.document() for mistake in mistakes], MISTAKES)
    if mistakes:
        raise InvalidInput(f"{file}: {counted(len(mistakes), 'mistake')}")
    usual = parse_duration(guards.LONGEST)
    for rule in rules:
        if rule.duration > usual:
            settings.warn(
                f"window {rule.name!r}: {show_duration(rule.duration.total_seconds())} is longer than {guards.LONGEST}:"
                " `apply` refuses it unless longest_window in the profile allows it"
            )
    settings.note(f"{file}: {counted(len(rules), 'window')}, no mistakes")


@app.command(
    examples=[
        "oncallctl maintenance plan windows.toml",
        "oncallctl maintenance plan windows.toml --days 14 -o json",
    ],
)
def plan(
    ctx: typer.Context,
    file: FileArgument,
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, max=LONGEST, help="How many days to look ahead.")
    ] = 7,
) -> None:
    """Preview when the windows in a file will start and end, with warnings."""
    from oncallctl.drawing import terminal
    from oncallctl.maintenance.file import schema, timeline

    settings = ctx.obj
    rules = schema.usable(read_text(file, "FILE"), file)
    found = _targets(settings, rules)
    at = now()
    planned = timeline.plan(rules, at, days, found)
    for rule in rules:
        problem = found[rule.name] if found is not None else None
        if isinstance(problem, OncallError):
            settings.warn(f"window {rule.name!r}: {problem.message}")
    for omitted in timeline.left_out(rules, at, days):
        settings.warn(omitted)
    for_a_person = settings.format is Format.TABLE and on_a_terminal()
    documents = [each.document(settings.tz) for each in planned]
    if not for_a_person:
        render(settings, documents, OCCURRENCES, rows=[each.row(settings.tz) for each in planned])
        return
    chart = timeline.chart(rules, planned, at, days)
    draw(settings, lambda width, plain: terminal.draw([chart], now=at, tz=settings.tz, width=width, plain=plain))
    for each in planned:
        for note in each.timing_notes():
            settings.note(f"{each.occurrence.key}: {note}")
    render(settings, documents, ON_A_TERMINAL, rows=timeline.folded(planned, settings.tz))


def _targets(settings: Settings, rules: Sequence[WindowRule]) -> Found | None:
    """Fetch the targets of all windows; warn and return None if the server cannot be reached."""
    from oncallctl.maintenance.file import apply as applying

    found: dict[str, list[Target[Integration]] | OncallError] = {}
    try:
        with connect(settings) as oncall, oncall.without_retries():
            for rule in rules:
                try:
                    found[rule.name] = applying.targets(oncall, rule)
                except Unavailable:
                    raise
                except OncallError as error:
                    found[rule.name] = error
    except OncallError as error:
        settings.warn(f"the plan does not include the integrations: {error.message}")
        return None
    return found


@app.command(
    examples=[
        "oncallctl maintenance apply windows.toml --dry-run",
        "oncallctl maintenance apply windows.toml --quiet",
    ],
)
def apply(ctx: typer.Context, file: FileArgument, dry_run: DryRunOption = False) -> None:
    """Start the windows of a file that are due now; run it every minute."""
    from oncallctl.config.private_files import Held, state_folder
    from oncallctl.maintenance import skew
    from oncallctl.maintenance.file import apply as applying, schema
    from oncallctl.maintenance.journal import Author, Journal
    from oncallctl.maintenance.windows.change import WindowService

    settings = ctx.obj
    rules = schema.usable(read_text(file, "FILE"), file)
    server, folder = choose_profile(settings.profile, os.environ).host, state_folder()
    known = skew.remembered(folder, server)
    if known is not None and not applying.near(rules, now() + known):
        render(settings, [], OUTCOMES, empty="nothing is due")
        return
    try:
        with nullcontext() if dry_run else _only_run(folder, server, file), connect(settings) as oncall:
            if known is None:
                _learn_clock(oncall, folder, server)
            near = applying.near(rules, oncall.now() + (known or timedelta()))
            results = applying.apply(
                WindowService(oncall, Journal(), Author(), settings.warn), near, settings.debug, dry_run=dry_run
            )
    except Held as held:
        _note_other_run(settings, file, held.holder)
        render(settings, [], OUTCOMES, empty="")
        return
    if not results.items:
        render(settings, [], OUTCOMES, empty="nothing is due")
        return
    write = render_requests if dry_run else render_done
    write(settings, [each.document() for each in results.items], OUTCOMES, rows=[each.row() for each in results.items])
    results.raise_failures()


def _learn_clock(oncall: OnCall, folder: Path, server: str) -> None:
    """Fetch something small for the Date header; if that fails, this machine's clock is used."""
    from oncallctl.maintenance import skew

    clock = oncall.transport.clock
    with suppress(OncallError), oncall.without_retries():
        if not clock.is_known:
            next(oncall.teams.list(1), None)
        if clock.is_known:
            skew.remember(folder, server, clock.skew)


def _only_run(folder: Path, server: str, file: str) -> AbstractContextManager[None]:
    """Hold the lock of a file on a server: cron starts the next run even if the last one has not ended."""
    import hashlib

    from oncallctl.config.private_files import locked_at_once

    place = f"{server} {file if file == '-' else Path(file).resolve()}"
    return locked_at_once(folder / f"apply-{hashlib.sha256(place.encode()).hexdigest()[:12]}.lock")


def _note_other_run(settings: Settings, file: str, other: Holder | None) -> None:
    """Print a note that another run is applying the file.

    Raises:
        Unavailable: that run has been active for so long that it probably hangs.
    """
    who = f"process {other.pid}" if other else "another process"
    lasts = now() - other.since if other else timedelta()
    if lasts > LONGEST_RUN:
        raise Unavailable(
            f"{who} has been applying {file} for {show_duration(lasts.total_seconds())}; nothing was done",
            hint=f"if it hangs, end it: kill {other.pid}" if other else None,
        )
    settings.note(f"{who} is applying {file}; nothing was done")
