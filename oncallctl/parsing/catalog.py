"""The command tree as data: the source of `oncallctl commands`, of the reference in docs/ and of the man page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from oncallctl.parsing import help_layout, shortcuts
from oncallctl.parsing.framework import Leaf
from oncallctl.parsing.global_options import NAMES, Click, global_options

_DEFAULT = re.compile(r" ?\[default: ([^];]+)[^]]*\]")
_VALUE_TYPES = {
    "DURATION": "duration",
    "DURATION|TIME": "duration or time",
    "TIME": "time",
    "FILE": "file",
    "FILE|-": "file",
    "GLOB": "pattern",
    "ID": "ID",
    "TEXT|@FILE|-": "text or file",
}


@dataclass(frozen=True)
class Parameter:
    """An argument or an option.

    Attributes:
        names: such as ``--output`` and ``-o``; the metavar of an argument.
        type: flag, choice, integer, number, text, or a kind of text such as duration.
        value: what the help calls the value; empty for a flag.
        choices: the values, if there are only a few.
        default: the default, as the help shows it.
        required: True if it must be given.
        repeatable: True if it takes several values.
    """

    names: tuple[str, ...]
    type: str
    value: str
    choices: tuple[str, ...]
    default: str | None
    required: bool
    repeatable: bool
    help: str


@dataclass(frozen=True)
class CommandEntry:
    """A command without subcommands.

    Attributes:
        command: its words, without the program's name.
        shortcuts: the words that run it too.
        summary: one sentence without a full stop.
        help: the complete help text.
        usage: the line of its syntax.
        changes: ``server``, ``machine`` (files and the keyring of this machine) or None.
        prompts: True if it may ask for confirmation; `--yes` skips that.
        dry_run: True if `--dry-run` shows the requests without sending them.
        examples: command lines that work on the sandbox in this order.
    """

    command: str
    shortcuts: tuple[str, ...]
    summary: str
    help: str
    usage: str
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...]
    changes: str | None
    prompts: bool
    dry_run: bool
    examples: tuple[str, ...]


def commands(root: Click) -> list[CommandEntry]:
    """Return all commands, in the order of the tree.

    Args:
        root: the context of the program.
    """
    return list(_leaves(root, ()))


def global_parameters(root: Click) -> list[Parameter]:
    """Return the global options."""
    return [_parameter(option, root) for option in global_options()]


def _leaves(context: Click, path: tuple[str, ...]) -> Iterator[CommandEntry]:
    if isinstance(context.command, Leaf):
        yield _command(context, path)
        return
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        yield from _leaves(command.context_class(command, info_name=name, parent=context), (*path, name))


def _command(context: Click, path: tuple[str, ...]) -> CommandEntry:
    leaf: Leaf = context.command
    own = [each for each in leaf.get_params(context) if each.name not in {*NAMES, "help"} and not each.hidden]
    flags = {name for each in own for name in each.opts}
    return CommandEntry(
        command=" ".join(path),
        shortcuts=tuple(shortcut for shortcut, words in shortcuts.SHORTCUTS.items() if words == path),
        summary=leaf.get_short_help_str(),
        help=" ".join((leaf.help or "").split()),
        usage=" ".join(context.command_path.split() + leaf.collect_usage_pieces(context)),
        arguments=tuple(_parameter(each, context) for each in own if each.param_type_name == "argument"),
        options=tuple(_parameter(each, context) for each in own if each.param_type_name == "option"),
        changes=leaf.changes,
        prompts="--yes" in flags,
        dry_run="--dry-run" in flags,
        examples=leaf.examples,
    )


def _parameter(param: Click, context: Click) -> Parameter:
    choices = help_layout.choices_of(param)
    is_option = param.param_type_name == "option"
    is_flag = is_option and (param.is_flag or param.count)
    value = "" if is_flag else help_layout.value_name(param).replace("...", "").strip("[]")
    default = _DEFAULT.search(f"{param.help} {help_layout.remark(param, context)}")
    return Parameter(
        names=(*param.opts, *param.secondary_opts) if is_option else (value,),
        type="flag" if is_flag else "choice" if choices else _type(param.type.name, value),
        value=value,
        choices=choices,
        default=default[1] if default else None,
        required=param.required,
        repeatable=bool(getattr(param, "multiple", False) or getattr(param, "count", False) or param.nargs == -1),
        help=_DEFAULT.sub("", param.help or ""),
    )


def _type(name: str, value: str) -> str:
    if name.startswith("int"):
        return "integer"
    return "number" if name.startswith("float") else _VALUE_TYPES.get(value, "text")
