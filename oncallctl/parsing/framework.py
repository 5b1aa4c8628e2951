"""Command classes: every command takes the global options, before the noun or after the verb."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import typer
from typer.core import TyperCommand, TyperOption

from oncallctl.config.connect import profile_defaults
from oncallctl.config.settings import LONGEST_TIMEOUT, Format, Settings
from oncallctl.errors import InvalidInput
from oncallctl.times import zone

MAY_BE_EMPTY = frozenset({"title", "message"})  # left out with a warning: somebody is to be woken


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
        resolve(ctx.obj, {name: _later(given[name], before.get(name)) for name in COMMON})
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


def resolve(settings: Settings, given: dict[str, Any]) -> None:
    """Fill the settings from flags, environment and profile, in this order of precedence.

    Raises:
        InvalidInput: a value cannot be used.
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
    defaults = profile_defaults(settings.profile)
    if defaults and defaults.output:
        settings.profile_output = Format(defaults.output)
    settings.tz = zone(given["tz"] or (defaults.tz if defaults else None))
    settings.timeout = _timeout(given["timeout"])
    if settings.timeout is None and defaults:
        settings.timeout = defaults.timeout
    settings.parsed = True


def _timeout(given: float | None) -> float | None:
    timeout = _seconds(os.environ.get("ONCALLCTL_TIMEOUT")) if given is None else given
    if timeout is not None and not 0 < timeout <= LONGEST_TIMEOUT:
        raise InvalidInput(
            f"invalid timeout: {timeout} s", hint=f"give seconds, more than 0 and at most {LONGEST_TIMEOUT}"
        )
    return timeout


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


def noun() -> typer.Typer:
    """Make the group of commands of one noun; all its commands are leaves."""
    return _Noun(rich_markup_mode=None)


class _Noun(typer.Typer):
    def command(self, name: str | None = None, **extra: Any) -> Any:  # noqa: ANN401
        return super().command(name, cls=Leaf, **extra)
