"""The options that commands share, and functions that read their values."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncallctl.config.settings import Settings
from oncallctl.errors import InvalidInput, NotFound
from oncallctl.text import counted
from oncallctl.times import is_incomplete, now, parse_duration, parse_past, relative, show

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta


MIN_BARE_SECONDS = 60  # a smaller bare number probably means minutes

TargetsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[INTEGRATION]...", help="Integration names or IDs; - reads them from stdin.", show_default=False
    ),
]

TeamOption = Annotated[
    str | None,
    typer.Option(
        "--team",
        metavar="TEAM",
        help="Limit to this team (name or ID); none means without a team.",
    ),
]

LabelOption = Annotated[
    str | None, typer.Option("--label", metavar="KEY=VALUE", help="Limit to integrations with this label (Cloud only).")
]

MatchOption = Annotated[
    str | None, typer.Option("--match", metavar="GLOB", help="Limit to names that match; * and ? are wildcards.")
]

AllOption = Annotated[bool, typer.Option("--all", help="Select all integrations.")]

LimitOption = Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="Show at most N rows.")]

RouteOption = Annotated[
    str | None, typer.Option("--route", metavar="ID", help="Route to use instead of the default one.")
]

FileOption = Annotated[
    str, typer.Option("--file", "-f", metavar="FILE|-", help="A JSON object as `get -o json` prints it; - is stdin.")
]

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the exact requests without sending them.")]

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not prompt for confirmation.")]

ShowSecretsOption = Annotated[
    bool, typer.Option("--show-secrets", help="Show secrets in every format, not only in json.")
]


def given_targets(targets: Sequence[str] | None) -> list[str]:
    """Return the targets of the command line, or the lines of stdin for ``-``.

    Raises:
        NotFound: stdin is empty.
        InvalidInput: ``-`` stands beside others, or stdin is a terminal.
    """
    if not targets or "-" not in targets:
        return list(targets or ())
    if len(targets) > 1:
        raise InvalidInput("- reads the targets from stdin and cannot be combined with others")
    return stdin_lines("targets")


def stdin_lines(kind: str) -> list[str]:
    """Return the nonempty lines of stdin."""
    if sys.stdin.isatty():
        raise InvalidInput(f"cannot read {kind} from stdin: it is a terminal")
    lines = [line.rstrip("\r\n") for line in sys.stdin]
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise NotFound(f"no {kind} on stdin", hint="the command before the pipe printed nothing")
    return lines


def length(settings: Settings, text: str, option: str = "--for") -> timedelta:
    """Parse the duration of a window; warn of a small number of seconds that probably means minutes.

    Raises:
        InvalidInput: it is not a duration.
    """
    duration, word = parse_duration(text), text.strip()
    if word.isdigit() and int(word) < MIN_BARE_SECONDS:
        settings.warn(f"{option} {word} is {counted(int(word), 'second')}; for minutes use {word}m")
    return duration


def note_time(settings: Settings, label: str, text: str, instant: datetime) -> None:
    """Print the full time that an incomplete one stands for, such as 18:00 or +2h.

    Args:
        settings: the time zone, and where the note goes.
        label: a word before the time, such as "until".
        text: the value of the option.
        instant: the parsed time.
    """
    if is_incomplete(text):
        settings.note(f"{label} {show(instant, settings.tz)}, {relative(instant, at=now())}")


def past_time(settings: Settings, text: str, *, before: datetime) -> datetime:
    """Parse the time of --since, and print it in full if it is incomplete.

    Raises:
        InvalidInput: it is neither a duration nor a past time.
    """
    begin = parse_past(text, settings.tz, before=before)
    note_time(settings, "since", text, begin)
    return begin


def since_value(settings: Settings, since: str | None) -> datetime | timedelta | None:
    """Parse --since of a list. A duration is returned as such, since it counts back from each request.

    Raises:
        InvalidInput: it is neither a duration nor a past time.
    """
    if since is None:
        return None
    try:
        return parse_duration(since)
    except InvalidInput:
        return past_time(settings, since, before=now())


def text_value(value: str | None, option: str) -> str | None:
    """Return the text of an option: as given, from a file (``@FILE``), or from stdin (``-``).

    Raises:
        InvalidInput: the file cannot be read.
    """
    if value is None or not (value == "-" or value.startswith("@")):
        return value
    return read_text(value.removeprefix("@"), option)


def read_text(path: str, option: str) -> str:
    """Return the text of a file, or of stdin for ``-``."""
    try:
        if path == "-":
            return sys.stdin.read()
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InvalidInput(f"{option}: cannot read {path!r}: {reason}") from error


def read_object(path: str, option: str) -> dict[str, Any]:
    """Read a JSON object from a file, or from stdin for ``-``; an array of one object is taken as that object.

    Raises:
        InvalidInput: the file cannot be read, or has something else in it.
    """
    from oncallctl.api.strict_json import parse

    try:
        document = parse(read_text(path, option))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{option} is not JSON: {error}") from error
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        raise InvalidInput(f"{option} is not one JSON object")
    return document


def key_value(text: str, option: str) -> tuple[str, str]:
    """Split ``KEY=VALUE``.

    Raises:
        InvalidInput: there is no ``=``, or no key before it.
    """
    key, found, value = text.partition("=")
    if not found or not key:
        raise InvalidInput(f"invalid {option}: {text!r} is not KEY=VALUE")
    return key, value
