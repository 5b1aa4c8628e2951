"""The options that commands share, each declared once; and the question before something dangerous."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from oncallctl.errors import ConfirmationNeeded, Declined, InvalidInput, NotFound
from oncallctl.settings import LONGEST_TIMEOUT, Format, Settings
from oncallctl.text import sentence, visible
from oncallctl.times import parse_duration, zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from oncallctl.outcomes import Target
    from oncallctl.profiles import Profile

MANY = 20  # targets that are changed without asking
SHOWN = 10
SHORTEST_MEANT = 60  # seconds: a shorter bare number is likely to have been meant as minutes
MAY_BE_EMPTY = frozenset({"title", "message"})  # left out with a warning: somebody is to be woken


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


def common_options() -> list[TyperOption]:
    """The options of every command; a command takes them after its verb and before its noun, and the former win."""
    return [
        TyperOption(param_decls=["--profile", "-p"], metavar="NAME", help="Use this profile."),
        TyperOption(param_decls=["--output", "-o"], metavar="|".join(Format), help="How to write results."),
        TyperOption(param_decls=["--columns"], metavar="A,B.C", help="Show these fields in table and csv."),
        TyperOption(param_decls=["--no-header"], is_flag=True, help="Leave out the header line."),
        TyperOption(param_decls=["--tz"], metavar="ZONE", help="Read and show times in this zone."),
        TyperOption(param_decls=["--timeout"], type=float, metavar="SECONDS", help="Wait so long for one answer (20)."),
        TyperOption(param_decls=["--quiet", "-q"], is_flag=True, help="No results; one line on failure."),
        TyperOption(param_decls=["--verbose", "-v"], count=True, help="Say what is sent and answered."),
        TyperOption(param_decls=["--no-color"], is_flag=True, help="No colours."),
    ]


COMMON = ("profile", "output", "columns", "no_header", "tz", "timeout", "quiet", "verbose", "no_color")


class Leaf(TyperCommand):
    """A command that does something: it has the common options besides its own."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]  # Typer's own Parameter is private
        """Add the common options; --help stays last."""
        own = super().get_params(ctx)
        return [*own[:-1], *common_options(), *own[-1:]]

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Refuse an option that is given twice and takes one value: the last would win without a word."""
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        for option, times in Counter(map(id, order)).items():
            twice = next(each for each in order if id(each) == option)
            if times > 1 and isinstance(twice, TyperOption) and not (twice.multiple or twice.count or twice.is_flag):
                raise InvalidInput(f"{twice.opts[0]} is given {times} times", hint="give it once")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # noqa: ANN401
        """Turn the common options into settings and run the command with its own ones."""
        self._refuse_empty(ctx)
        given = {name: ctx.params.pop(name) for name in COMMON}
        before: dict[str, Any] = ctx.meta.get(__name__, {})
        settle(ctx.obj, {name: _later(given[name], before.get(name)) for name in COMMON})
        return super().invoke(ctx)

    def _refuse_empty(self, ctx: typer.Context) -> None:
        """Refuse an option that is given and empty, as ``--team "$UNSET"`` is: it would choose everything."""
        for param in self.get_params(ctx):
            if (
                isinstance(param, TyperOption)
                and ctx.params.get(str(param.name)) == ""
                and param.name not in MAY_BE_EMPTY
            ):
                raise InvalidInput(f"{param.opts[0]} is empty", hint="give it a value, or leave it out")


def _later(after_the_verb: object, before_the_noun: object) -> object:
    return before_the_noun if after_the_verb is None or after_the_verb is False else after_the_verb


def keep_for_leaf(ctx: typer.Context) -> None:
    """Put the common options that stand before the noun aside for the command that is run."""
    ctx.meta[__name__] = {name: ctx.params.pop(name) for name in COMMON}


def settle(settings: Settings, given: dict[str, Any]) -> None:
    """Turn flags and environment into settings.

    Raises:
        InvalidInput: a value that is none.
    """
    settings.quiet = bool(given["quiet"])
    settings.verbose = given["verbose"] or 0
    settings.color = not given["no_color"] and not os.environ.get("NO_COLOR")
    settings.header = not given["no_header"]
    settings.profile = given["profile"]
    if output := given["output"] or os.environ.get("ONCALLCTL_OUTPUT"):
        settings.output = output_format(output)
    if columns := given["columns"]:
        settings.columns = [column.strip() for column in columns.split(",") if column.strip()]
    settings.tz = zone(given["tz"])
    settings.timeout = _seconds(os.environ.get("ONCALLCTL_TIMEOUT")) if given["timeout"] is None else given["timeout"]
    if settings.timeout is not None and not 0 < settings.timeout <= LONGEST_TIMEOUT:
        hint = f"it is seconds, more than 0 and at most {LONGEST_TIMEOUT}"
        raise InvalidInput(f"a time-out of {settings.timeout} s", hint=hint)


def output_format(word: str) -> Format:
    """Read the name of a format."""
    try:
        return Format(word)
    except ValueError as error:
        raise InvalidInput(f"no output format {word!r}", hint=f"there are {', '.join(Format)}") from error


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError as error:
        raise InvalidInput(f"ONCALLCTL_TIMEOUT is {text!r}", hint="it is a number of seconds") from error


def interactive() -> bool:
    """Whether a person can be asked: stdin and stderr are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(place: Profile, question: str, *, yes: bool = False) -> bool:
    """Ask before something dangerous, naming profile and host; without a terminal it needs --yes.

    Returns:
        Whether somebody was asked: time has passed since the question was made.

    Raises:
        ConfirmationNeeded: there is nobody to ask.
        Declined: the answer is not yes.
    """
    if yes:
        return False
    if not interactive():
        raise ConfirmationNeeded(
            f"{question} Not without --yes: stdin and stderr are no terminal to ask at", hint="add --yes"
        )
    ask(place, question)
    return True


def ask(place: Profile, question: str) -> None:
    """Put a yes-or-no question to the person at the terminal; anything but yes is no."""
    print(
        f"{sentence(question)}\n[{visible(place.name)} at {visible(place.host)}] Go on? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    answer = sys.stdin.readline()
    if answer.strip().lower() not in {"y", "yes"}:
        raise Declined("declined; nothing was changed")


def ask_text(question: str) -> str:
    """Ask the person at the terminal for a line of text; nothing if they press Enter."""
    print(sentence(question), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


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


def name_all(targets: Sequence[Target[Any]]) -> str:
    """Name targets in a question: all of a few, the first of many and how many there are."""
    what = targets[0].wording.key.replace("_", " ")
    shown = [str(target) for target in targets[:SHOWN]]
    more = f" and {len(targets) - SHOWN} more" if len(targets) > SHOWN else ""
    return f"{len(targets)} {what}{'s' if len(targets) > 1 else ''}: {', '.join(shown)}{more}"


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


def noun() -> typer.Typer:
    """Make the group of commands of one noun; all its commands are leaves."""
    return _Noun(rich_markup_mode=None)


class _Noun(typer.Typer):
    def command(self, name: str | None = None, **extra: Any) -> Any:  # noqa: ANN401
        return super().command(name, cls=Leaf, **extra)
