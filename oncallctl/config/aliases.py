"""Aliases in config.toml: short names for command lines."""

from __future__ import annotations

import re
import shlex

from oncallctl.errors import InvalidInput

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]*"


def split_alias(name: str, line: object) -> list[str]:
    """Return the words of an alias, split like a POSIX shell does; nothing is expanded.

    Raises:
        InvalidInput: the name or the command line is malformed.
    """
    if not re.fullmatch(_NAME, name):
        raise InvalidInput(f"{name!r}: the name may only contain letters, digits, _ and -")
    if not isinstance(line, str):
        raise InvalidInput(f"{name} must be a string")
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidInput(f"{name}: {str(error).lower()}") from error
    if not words:
        raise InvalidInput(f"{name} must be a command line, such as 'alert-groups list --mine'")
    return words
