"""The layout of a help page: a command's own options first, then the global ones, then examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from oncallctl.parsing.global_options import NAMES, Click

HELP_OPTION = ("-h", "--help")

_GLOBAL = frozenset({*NAMES, "help"})
_WIDEST = 30  # characters of an option with its value, beyond which Click puts the text on the next line
_CHOICES = r"[a-z0-9-]+(\|[a-z0-9-]+)+"
_VALUES = {"output": "FORMAT", "if_active": "ACTION", "if_start_fails": "ACTION", "wait": "STATE"}


def first_sentence(text: str | None) -> str:
    """Return the first sentence of a help text, without its full stop."""
    line = " ".join((text or "").partition("\n\n")[0].split())
    return line.partition(". ")[0].removesuffix(".")


def write_own(params: Iterable[Click], ctx: Click, formatter: Click) -> None:
    """Write the arguments and the options that are not global."""
    own = [param for param in params if param.name not in _GLOBAL]
    arguments = [_argument(param, ctx) for param in own if param.param_type_name == "argument"]
    options = [_option(param, ctx) for param in own if param.param_type_name == "option" and not param.hidden]
    for heading, rows in (("Arguments", arguments), ("Options", options)):
        if rows:
            with formatter.section(heading):
                formatter.write_dl(rows)


def write_global(params: Iterable[Click], ctx: Click, formatter: Click, heading: str) -> None:
    """Write the global options and --help."""
    with formatter.section(heading):
        formatter.write_dl([_option(param, ctx) for param in params if param.name in _GLOBAL])


def write_examples(examples: Sequence[str], formatter: Click) -> None:
    """Write command lines as they can be pasted, never wrapped."""
    if examples:
        with formatter.section("Examples"):
            formatter.write("".join(f"  {line}\n" for line in examples))


def choices_of(param: Click) -> tuple[str, ...]:
    """Return the values of a parameter that takes one of a few words."""
    if choices := getattr(param.type, "choices", None):
        return tuple(str(getattr(choice, "value", choice)) for choice in choices)
    found = re.fullmatch(_CHOICES, param.metavar or "")
    return tuple(found[0].split("|")) if found else ()


def value_name(param: Click) -> str:
    """Return the word that stands for a parameter's value."""
    word: str = param.name.upper()
    return _VALUES.get(param.name, word) if choices_of(param) else param.metavar or word


def remark(param: Click, ctx: Click) -> str:
    """Return the remarks about default and range that end the help text of a parameter; "" if there are none."""
    _, text = param.get_help_record(ctx)
    text = re.sub(r"(\[|; )(\d+)<=x<=(\d+)", r"\1from \2 to \3", re.sub(r"\[x>=\d+\]|; x>=\d+", "", text))
    found = re.search(r"\[[^]]*\]$", text.rstrip()) if text.rstrip() != (param.help or "").rstrip() else None
    return found[0] if found else ""


def _argument(param: Click, ctx: Click) -> tuple[str, str]:
    name, _ = param.get_help_record(ctx)
    return name, _joined(param.help, remark(param, ctx).replace("[required]", ""))


def _option(param: Click, ctx: Click) -> tuple[str, str]:
    """Return an option and its text. Many choices stand in the text, because they would push it to the next line."""
    name, _ = param.get_help_record(ctx)
    text = param.help or ""
    choices = choices_of(param)
    if choices and len(name) > _WIDEST:
        name = f"{name.rpartition(' ')[0]} {value_name(param)}"
        sentence, bracket, rest = text.partition(" [")
        text = f"{sentence} One of {', '.join(choices)}.{bracket}{rest}"
    return name, _joined(text, remark(param, ctx))


def _joined(text: str | None, remarks: str) -> str:
    return " ".join(filter(None, [text, remarks]))
