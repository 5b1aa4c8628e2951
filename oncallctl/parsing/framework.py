"""Command classes that add the global options to every command."""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from typing import Any

import typer
from typer.core import TyperCommand, TyperOption

from oncallctl.config.connect import profile_defaults
from oncallctl.config.settings import LONGEST_TIMEOUT, Format, Settings
from oncallctl.errors import InvalidInput
from oncallctl.output import colors
from oncallctl.times import zone

MAY_BE_EMPTY = frozenset({"title", "message"})  # omitted with a warning: the page must not fail because of them


def common_options() -> list[TyperOption]:
    """Return the global options. They may stand before the noun or after the verb; the latter take precedence."""
    return [
        TyperOption(param_decls=["--profile", "-p"], metavar="NAME", help="Profile to use."),
        TyperOption(param_decls=["--output", "-o"], metavar="|".join(Format), help="Output format. [default: table]"),
        TyperOption(param_decls=["--columns"], metavar="A,B.C", help="Fields to show in table and csv."),
        TyperOption(param_decls=["--no-header"], is_flag=True, help="Omit the header line."),
        TyperOption(param_decls=["--tz"], metavar="ZONE", help="Time zone to read and show times in. [default: local]"),
        TyperOption(
            param_decls=["--timeout"],
            type=float,
            metavar="SECONDS",
            help="Timeout per request, in seconds. [default: 20]",
        ),
        TyperOption(param_decls=["--quiet", "-q"], is_flag=True, help="Print nothing but one line on failure."),
        TyperOption(param_decls=["--verbose", "-v"], count=True, help="Log HTTP requests and responses to stderr."),
        TyperOption(param_decls=["--no-color"], is_flag=True, help="Disable colors."),
    ]


COMMON = ("profile", "output", "columns", "no_header", "tz", "timeout", "quiet", "verbose", "no_color")


class Leaf(TyperCommand):
    """A command without subcommands: it has the global options besides its own."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]  # Typer's own Parameter is private
        """Add the common options; --help stays last."""
        own = super().get_params(ctx)
        return [*own[:-1], *common_options(), *own[-1:]]

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Refuse an option that takes one value and is given twice: Click would silently use the last one."""
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        for option, times in Counter(map(id, order)).items():
            repeated = next(each for each in order if id(each) == option)
            if times > 1 and isinstance(repeated, TyperOption) and not _repeats(repeated):
                raise InvalidInput(f"{repeated.opts[0]} is given {times} times", hint="give it once")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # noqa: ANN401
        """Resolve the global options into settings, and run the command with its own options."""
        self._refuse_empty(ctx)
        given = {name: ctx.params.pop(name) for name in COMMON}
        before: dict[str, Any] = ctx.meta.get(__name__, {})
        resolve(ctx.obj, {name: _later(given[name], before.get(name)) for name in COMMON})
        return super().invoke(ctx)

    def _refuse_empty(self, ctx: typer.Context) -> None:
        """Refuse options with empty values, such as ``--team "$UNSET"``: they would select everything."""
        for param in self.get_params(ctx):
            if (
                isinstance(param, TyperOption)
                and ctx.params.get(str(param.name)) == ""
                and param.name not in MAY_BE_EMPTY
            ):
                raise InvalidInput(f"{param.opts[0]} is empty", hint="give it a value, or omit it")


def _repeats(option: TyperOption) -> bool:
    return bool(option.multiple or option.count or option.is_flag)


def _later(after_the_verb: object, before_the_noun: object) -> object:
    return before_the_noun if after_the_verb is None or after_the_verb is False else after_the_verb


def keep_for_leaf(ctx: typer.Context) -> None:
    """Store the global options before the noun for the command that will run."""
    ctx.meta[__name__] = {name: ctx.params.pop(name) for name in COMMON}


def resolve(settings: Settings, given: dict[str, Any]) -> None:
    """Fill the settings from flags, environment and profile, in this order of precedence.

    Raises:
        InvalidInput: a value cannot be used.
    """
    settings.quiet = bool(given["quiet"])
    settings.verbose = given["verbose"] or 0
    settings.color = not given["no_color"]
    settings.prefix = partial(colors.prefix, settings)
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
    """Return an output format by its name."""
    try:
        return Format(word)
    except ValueError as error:
        raise InvalidInput(f"unknown output format: {word!r}", hint=f"use one of {', '.join(Format)}") from error


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError as error:
        raise InvalidInput(f"invalid ONCALLCTL_TIMEOUT: {text!r}", hint="give a number of seconds") from error


def noun() -> typer.Typer:
    """Return the command group of a noun; all its commands are leaves."""
    return _Noun(rich_markup_mode=None)


class _Noun(typer.Typer):
    def command(self, name: str | None = None, **extra: Any) -> Any:  # noqa: ANN401
        return super().command(name, cls=Leaf, **extra)
