"""Other words for commands: shortcuts and the user's aliases work, synonyms are answered with the command to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from oncallctl.errors import InvalidInput, OncallError
from oncallctl.text import closest

if TYPE_CHECKING:
    from oncallctl.config.settings import Settings

SHORTCUTS: Mapping[str, tuple[str, ...]] = {
    "who": ("teams", "who-is-on-call"),
    "page": ("escalate",),
    "ack": ("alert-groups", "acknowledge"),
    "alert-groups ack": ("alert-groups", "acknowledge"),
    "alert-groups unack": ("alert-groups", "unacknowledge"),
}
"""Shortcut -> the command that it runs; help and completion show them."""

_NOUNS = {
    "alert": "alert-groups",
    "alerts": "alert-groups",
    "incidents": "alert-groups",
    "chains": "escalation-chains",
    "firing": "alert-groups list --state firing",
    "groups": "alert-groups",
    "handover": "teams handoff",
    "maint": "maintenance",
    "notes": "resolution-notes",
    "oncall": "teams who-is-on-call",
    "on-call": "teams who-is-on-call",
    "notify": "escalate",
    "policies": "escalation-policies",
    "rules": "personal-notification-rules",
    "shifts": "on-call-shifts",
    "steps": "escalation-policies",
    "swaps": "shift-swaps",
    "unack": "alert-groups unacknowledge",
    "version": "--version",
    "windows": "maintenance",
}

_VERBS = {
    "add": ("create", "start"),
    "begin": ("start",),
    "change": ("update",),
    "close": ("resolve", "stop"),
    "comment": ("note",),
    "current": ("who-is-on-call", "status"),
    "del": ("delete",),
    "describe": ("get",),
    "edit": ("update",),
    "end": ("stop",),
    "handover": ("handoff",),
    "info": ("get",),
    "list": ("status",),
    "ls": ("list", "status"),
    "mute": ("silence",),
    "new": ("create",),
    "now": ("who-is-on-call",),
    "on-call": ("who-is-on-call",),
    "oncall": ("who-is-on-call",),
    "open": ("start",),
    "remove": ("delete",),
    "rm": ("delete",),
    "schedule": ("plan",),
    "show": ("get", "status"),
    "unmute": ("unsilence",),
    "view": ("get",),
    "who": ("who-is-on-call",),
}

_FEW = 3  # nouns that a hint lists


@cache
def of_noun(noun: str) -> Mapping[str, tuple[str, ...]]:
    """Return the shortcuts below a noun, or those of the program for an empty name."""
    found = ((shortcut.split(" "), words) for shortcut, words in SHORTCUTS.items())
    return {path[-1]: words for path, words in found if path[:-1] == noun.split()}


def in_examples(word: str | None, examples: Sequence[str]) -> list[str]:
    """Return the examples of a command as a user of the shortcut `word` types them."""
    if word is None or word not in SHORTCUTS:
        return list(examples)
    command = re.compile(rf"oncallctl {' '.join(SHORTCUTS[word])}(?= |$)")
    return [command.sub(f"oncallctl {word}", line) for line in examples]


def expand(args: Sequence[str], is_command: Callable[[str], bool]) -> list[str]:
    """Replace the first word by the user's alias of this name, if there is one; further arguments are appended.

    Raises:
        InvalidInput: the alias does not start with a command, but for example with another alias.
    """
    from oncallctl.config.aliases import split_alias
    from oncallctl.config.config_file import aliases, config_path

    name, *rest = args
    line = aliases().get(name)
    if line is None:
        return list(args)
    words = split_alias(name, line)
    if not is_command(words[0]):
        raise InvalidInput(
            f"alias {name!r} does not start with a command: {line!r}",
            hint=f"edit [aliases] in {config_path()}",
        )
    return [*words, *rest]


def warn_if_shadowed(settings: Settings, command: str) -> None:
    """Warn of an alias with the name of the command that runs: the command always wins."""
    from oncallctl.config.config_file import aliases, config_path

    with suppress(OncallError):  # a broken file is reported by what needs it
        if command in aliases():
            settings.warn(f"alias {command!r} in {config_path()} is ignored: it is the name of a command")


def unknown_verb(command: str, verbs: Sequence[str], args: Sequence[str]) -> InvalidInput:
    """Return the error for an unknown verb, with the command to type if the word is a synonym.

    Args:
        command: the command that lacks it, such as ``oncallctl teams``.
        verbs: its verbs.
        args: the unknown word, and what follows it.
    """
    word, *rest = args
    meant = next((verb for verb in _VERBS.get(word, ()) if verb in verbs), None)
    if meant:
        return _unknown(word, [meant], hint=f"{command} {shlex.join([meant, *rest])}")
    return _unknown(word, closest(word, verbs), hint=f"{command} --help")


def unknown_noun(
    program: str, nouns: Sequence[str], args: Sequence[str], verbs_of: Callable[[str], Iterable[str]]
) -> InvalidInput:
    """Return the error for an unknown first word: a synonym, or a verb without its noun.

    Args:
        program: the program's name.
        nouns: the nouns, and the commands that are not nouns.
        args: the unknown word, and what follows it.
        verbs_of: returns the verbs of a noun.
    """
    word, *rest = args
    meant = _NOUNS.get(word, "")
    if meant.startswith("--") or meant.partition(" ")[0] in nouns:
        return _unknown(word, [meant], hint=f"{program} {meant} {shlex.join(rest)}".rstrip())
    near = closest(word, nouns)
    if not near:
        owners = [noun for noun in nouns if word in verbs_of(noun)]
        if len(owners) > _FEW:
            return _unknown(word, [], hint=f"put a noun first, such as {program} {owners[0]} {word}")
        if owners:
            lines = [f"{program} {noun} {shlex.join(args)}" for noun in owners]
            return _unknown(word, [f"{noun} {word}" for noun in owners], hint=" or ".join(lines))
    return _unknown(word, near, hint=f"{program} --help")


def _unknown(word: str, meant: Sequence[str], *, hint: str) -> InvalidInput:
    near = f" (did you mean {' or '.join(map(repr, meant))}?)" if meant else ""
    return InvalidInput(f"unknown command: {word!r}{near}", hint=hint)
