"""The options that commands share, each declared once; and the question before something dangerous."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.config.settings import Settings
from oncallctl.errors import InvalidInput, NotFound
from oncallctl.times import parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta


SHORTEST_MEANT = 60  # seconds: a shorter bare number is likely to have been meant as minutes

TargetsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[INTEGRATION]...", help="Names or ids; - reads them from stdin.", show_default=False),
]

TeamOption = Annotated[
    str | None, typer.Option("--team", metavar="TEAM", help="Only those of this team (name or ID; none: of no team).")
]

LabelOption = Annotated[str | None, typer.Option("--label", metavar="KEY=VALUE", help="Those with this label (Cloud).")]

MatchOption = Annotated[
    str | None, typer.Option("--match", metavar="GLOB", help="Those whose name matches; * and ? are special.")
]

AllOption = Annotated[bool, typer.Option("--all", help="Every integration.")]

LimitOption = Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many.")]

RouteOption = Annotated[
    str | None, typer.Option("--route", metavar="ID", help="This route instead of the default one.")
]

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show the exact requests; change nothing.")]

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

ShowSecretsOption = Annotated[bool, typer.Option("--show-secrets", help="Show links that let anyone raise alerts.")]


def given_targets(targets: Sequence[str] | None) -> list[str]:
    """The targets of the command line, or the lines of stdin where it says ``-``.

    Raises:
        NotFound: stdin holds none.
        InvalidInput: ``-`` stands beside others, or stdin is a terminal.
    """
    if not targets or "-" not in targets:
        return list(targets or ())
    if len(targets) > 1:
        raise InvalidInput("- reads the targets from stdin, and stands alone")
    return stdin_lines("targets")


def stdin_lines(what: str) -> list[str]:
    """The lines of stdin that are not empty."""
    if sys.stdin.isatty():
        raise InvalidInput(f"stdin is a terminal; the {what} are read from a pipe or a file there")
    lines = [line.rstrip("\r\n") for line in sys.stdin]
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise NotFound(f"stdin holds no {what}", hint="what writes into the pipe found nothing")
    return lines


def length(settings: Settings, text: str) -> timedelta:
    """Read --for; seconds that are likely to have been meant as minutes are warned of.

    Raises:
        InvalidInput: it is no duration.
    """
    duration, word = parse_duration(text), text.strip()
    if word.isdigit() and int(word) < SHORTEST_MEANT:
        settings.warn(f"--for {word} is {word} second{'' if int(word) == 1 else 's'}; {word}m would be minutes")
    return duration


def text_value(value: str | None, option: str) -> str | None:
    """An option's text: as given, from a file (``@FILE``), or from stdin (``-``).

    Raises:
        InvalidInput: the file cannot be read.
    """
    if value is None or not (value == "-" or value.startswith("@")):
        return value
    return read_text(value.removeprefix("@"), option)


def read_text(path: str, option: str) -> str:
    """The text of a file, or of stdin for ``-``."""
    try:
        if path == "-":
            return sys.stdin.read()
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  # as it was typed
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise InvalidInput(f"{option}: cannot read {path!r}: {reason}") from error


def key_value(text: str, option: str) -> tuple[str, str]:
    """Split ``KEY=VALUE``.

    Raises:
        InvalidInput: there is no = or nothing before it.
    """
    key, found, value = text.partition("=")
    if not found or not key:
        raise InvalidInput(f"{option} {text!r} is not KEY=VALUE")
    return key, value
