"""The commands, options and values to complete, read from the Click tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from oncallctl.api.nouns import CACHED
from oncallctl.completion.names import CONFIG_KEYS
from oncallctl.config.name_cache import ALERT_GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

# Not `auth login PROFILE`, which names a new one.
_PROFILE_ARGUMENTS = {"auth switch", "auth logout"}
_CHOICES = re.compile(r"[a-z0-9-]+(\|[a-z0-9-]+)+")
_WORD = re.compile(r"[A-Za-z0-9_.-]+")


class ValueKind(Enum):
    """A value that is not a choice."""

    TEXT = "any text: nothing is offered"
    FILE = "a file name"
    AT_FILE = "a text, or a file name after @"
    PROFILE = "the name of a profile"


@dataclass(frozen=True)
class Names:
    """Names printed by `oncallctl completion names KIND`."""

    kind: str


_CONFIG_KEY = Names(CONFIG_KEYS)
_ALERT_GROUP = Names(ALERT_GROUPS)
_BY_METAVAR = {noun.metavar: Names(noun.path) for noun in CACHED.values()}
NAMES = (*_BY_METAVAR.values(), _ALERT_GROUP, _CONFIG_KEY)

# Parameters with the ID of an alert group. Their metavar, ID, is also that of other objects.
_ALERT_GROUP_PARAMETERS = {"alert_group", "alert_groups"}

Values = tuple[str, ...] | ValueKind | Names


@dataclass(frozen=True)
class Option:
    """An option.

    Attributes:
        names: such as ``--output`` and ``-o``.
        help: one line without a full stop.
        metavar: the name of its value.
        values: the values to offer, or None for a flag.
    """

    names: tuple[str, ...]
    help: str
    metavar: str
    values: Values | None


@dataclass(frozen=True)
class Argument:
    """A positional argument.

    Attributes:
        metavar: its name in the help, without brackets and dots.
        values: the values to offer.
        many: True if it takes all remaining words.
        required: True if it must be given.
    """

    metavar: str
    values: Values
    many: bool
    required: bool


@dataclass(frozen=True)
class Command:
    """A command, or a group of them.

    Attributes:
        path: the words of the command, separated by spaces; empty for the program.
        help: one line without a full stop.
        commands: the commands of a group.
    """

    path: str
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    commands: tuple[Command, ...]

    @property
    def name(self) -> str:
        """Its last word."""
        return self.path.rpartition(" ")[2]

    @property
    def common(self) -> tuple[Option, ...]:
        """The options that every leaf below it has too."""
        leaves = [command for command in self.walk() if not command.commands]
        return tuple(option for option in self.options if all(option in leaf.options for leaf in leaves))

    def walk(self) -> Iterator[Command]:
        """Yield the command and all commands below it, in the order of the help."""
        yield self
        for command in self.commands:
            yield from command.walk()


def read(root: object) -> Command:
    """Read the tree of a Typer command.

    Raises:
        TypeError: it is not a command of Typer.
        ValueError: a command, option or choice would need quoting in a shell.
    """
    return _command(root, "")


def _command(command: object, path: str) -> Command:
    if not isinstance(command, TyperCommand | TyperGroup):
        raise TypeError(f"not a command of Typer: {command!r}")
    context = command.context_class(command, info_name=path)
    shown = [each for each in command.get_params(context) if not getattr(each, "hidden", False)]
    names = [*getattr(command, "commands", ()), *getattr(command, "shortcuts", ())]
    below = [(name, command.get_command(context, name)) for name in names] if isinstance(command, TyperGroup) else []
    return Command(
        path=path,
        help=_one_line(command.help),
        options=tuple(_option(each) for each in shown if isinstance(each, TyperOption)),
        arguments=tuple(_argument(each, path) for each in shown if isinstance(each, TyperArgument)),
        commands=tuple(
            _command(each, f"{path} {_plain(name)}".lstrip()) for name, each in below if each and not each.hidden
        ),
    )


def _option(option: TyperOption) -> Option:
    names = tuple(_plain(name) for name in (*option.opts, *option.secondary_opts))
    values = None if option.is_flag or option.count else _values(option)
    name = str(option.name).upper()
    metavar = name if isinstance(values, tuple) else option.metavar or name
    return Option(names, _one_line(option.help), metavar, values)


def _argument(argument: TyperArgument, path: str) -> Argument:
    metavar = _bare(argument.metavar or str(argument.name).upper())
    values = ValueKind.PROFILE if path in _PROFILE_ARGUMENTS and metavar == "PROFILE" else _values(argument)
    return Argument(metavar, values, many=argument.nargs == -1, required=argument.required)


def _values(parameter: TyperOption | TyperArgument) -> Values:
    if choices := getattr(parameter.type, "choices", None):
        return tuple(_plain(str(getattr(choice, "value", choice))) for choice in choices)
    metavar = parameter.metavar or ""
    if _CHOICES.fullmatch(metavar):
        return tuple(metavar.split("|"))
    return _kind(parameter, metavar)


def _kind(parameter: TyperOption | TyperArgument, metavar: str) -> ValueKind | Names:
    if "@FILE" in metavar:
        return ValueKind.AT_FILE
    if re.search(r"\bFILE\b", metavar):
        return ValueKind.FILE
    if "--profile" in parameter.opts:
        return ValueKind.PROFILE
    if parameter.name in _ALERT_GROUP_PARAMETERS:
        return _ALERT_GROUP
    if metavar == "KEY" and isinstance(parameter, TyperArgument):
        return _CONFIG_KEY
    return _BY_METAVAR.get(_bare(metavar), ValueKind.TEXT)


def _bare(metavar: str) -> str:
    return metavar.replace("...", "").strip("[]")


def _plain(word: str) -> str:
    """Return a word that no shell needs to quote, so that the generators do not quote it either."""
    if not _WORD.fullmatch(word):
        raise ValueError(f"{word!r} would need quoting in a shell")
    return word


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split()).removesuffix(".")
