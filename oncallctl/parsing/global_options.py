"""The global options, which every command takes, and their resolution into settings."""

from __future__ import annotations

import os
from functools import cache, partial
from typing import Any, TypeAlias

import typer
from typer.core import TyperOption

from oncallctl.config.settings import LONGEST_TIMEOUT, Format, Settings
from oncallctl.errors import InvalidInput
from oncallctl.output import colors

Click: TypeAlias = Any
"""A context, command, parameter or formatter of Typer's own Click, whose classes are private."""

NAMES = ("profile", "output", "columns", "no_header", "tz", "timeout", "quiet", "verbose", "no_color")
"""The parameter names of the global options."""


@cache
def global_options() -> tuple[TyperOption, ...]:
    """Return the global options. They may stand before the noun or after the verb; the latter take precedence."""
    return (
        TyperOption(param_decls=["--profile", "-p"], metavar="NAME", help="Profile to use."),
        TyperOption(param_decls=["--output", "-o"], metavar="|".join(Format), help="Output format. [default: table]"),
        TyperOption(param_decls=["--columns"], metavar="A,B.C", help="Columns to show, by header or field path."),
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
    )


def keep_for_leaf(ctx: typer.Context) -> None:
    """Store the global options before the noun for the command that will run."""
    ctx.meta[__name__] = {name: ctx.params.pop(name) for name in NAMES}


def resolve_for_leaf(ctx: typer.Context) -> None:
    """Take the global options out of a command's parameters, and resolve them into the settings.

    Raises:
        InvalidInput: a value cannot be used.
    """
    given = {name: ctx.params.pop(name) for name in NAMES}
    before: dict[str, Any] = ctx.meta.get(__name__, {})
    resolve(ctx.obj, {name: _later(given[name], before.get(name)) for name in NAMES})


def _later(after_the_verb: object, before_the_noun: object) -> object:
    return before_the_noun if after_the_verb is None or after_the_verb is False else after_the_verb


def resolve(settings: Settings, given: dict[str, Any]) -> None:
    """Fill the settings from flags, environment and profile, in this order of precedence.

    Raises:
        InvalidInput: a value cannot be used.
    """
    from oncallctl.config.connect import profile_defaults
    from oncallctl.times import zone

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
