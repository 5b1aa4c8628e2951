"""Validation of TOML files with pydantic: all mistakes at once, each with its line.

Importing pydantic takes 50 ms: import this module only where a file is validated.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from oncallctl.errors import InvalidInput

Path = tuple[str | int, ...]
Given = TypeVar("Given")
Parsed = TypeVar("Parsed")

_MESSAGES = {
    "missing": "is missing",
    "bool_type": "must be true or false",
    "string_type": "must be a string",
    "string_pattern_mismatch": "must not be empty",
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "list_type": "must be an array",
    "dict_type": "must be a table",
    "model_type": "must be a table",
}

# Marks that can end a statement of several lines.
_CLOSING = ('"""', "'''", "]", "}")
_POSITION = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


class StrictTable(BaseModel):
    """A table of TOML: unknown keys are mistakes, and values are not converted.

    The description of a field completes "KEY must be …" for a value of the wrong type.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)


@dataclass(frozen=True)
class TomlMistake:
    """A mistake in a TOML file.

    Attributes:
        line: the line of the key, or of the table if the key is missing.
        path: the path of the key: names, and indexes of arrays.
        message: the key, and the problem with its value.
    """

    line: int
    path: Path
    message: str
    hint: str | None = None


def validator(parse: Callable[[Given], Parsed]) -> Callable[[Given], Parsed]:
    """Turn a function that raises InvalidInput into a validator of a field."""

    def validate(value: Given) -> Parsed:
        try:
            return parse(value)
        except InvalidInput as error:
            context = {"message": error.message, "hint": error.hint}
            raise PydanticCustomError("invalid_input", "{message}", context) from error

    return validate


def mistakes(
    error: ValidationError, lines: TomlLines, top: type[BaseModel], table: type[BaseModel]
) -> list[TomlMistake]:
    """Return all mistakes of a document, in the order of their lines.

    Args:
        error: the error of pydantic.
        lines: the lines of the document.
        top: the model of the document.
        table: the model of its tables, each at a path of two parts such as `profiles.prod`.
    """
    found: dict[tuple[int, str], TomlMistake] = {}
    for each in error.errors(include_url=False):
        path = each["loc"]
        message = _message(each, (table if len(path) > 2 else top).model_fields)
        mistake = TomlMistake(lines.of(path), path, message, each.get("ctx", {}).get("hint"))
        found.setdefault((mistake.line, message), mistake)  # an array has an error for each of its elements
    return sorted(found.values(), key=lambda mistake: mistake.line)


def _message(error: Any, fields: Mapping[str, FieldInfo]) -> str:  # noqa: ANN401  # its context has no type
    kind, path, context = error["type"], error["loc"], error.get("ctx", {})
    key = path[2] if len(path) > 2 else " ".join(part for part in path if isinstance(part, str))
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(key, fields, 1)
        return f"{key}: unknown key ({f'did you mean {near[0]}?' if near else 'known: ' + ', '.join(fields)})"
    if kind == "invalid_input":
        message = context["message"]
        return f"{key} {message}" if message.startswith(("must ", "is ")) else f"{key}: {message}"
    if kind in {"literal_error", "enum"}:
        return f"{key} must be one of {context['expected'].replace(chr(39), '').replace(' or ', ', ')}"
    if kind != "missing" and key in fields and fields[key].description:
        return f"{key} must be {fields[key].description}"
    return f"{key} {_MESSAGES.get(kind, error['msg'])}"


class TomlLines:
    """The lines of the tables and keys of a TOML document, which `tomllib` does not give.

    A statement ends on the first line with which it parses as TOML. Lines in a string or an array are therefore not
    mistaken for keys and headers.

    Args:
        text: a valid document.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}  # arrays of tables: their lengths so far
        table: Path = ()
        for line, is_header, statement in _statements(text):
            if is_header:
                table = self._header(statement)
                self._lines.setdefault(table, line)
            else:
                for path in _paths(statement):
                    self._lines.setdefault(table + path, line)

    def of(self, path: Path) -> int:
        """Return the line of a key, or of the innermost table that has one."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _header(self, statement: Mapping[str, Any]) -> Path:
        """Return the path of a table. Arrays such as ``[[window]]`` add an index; subtables are in the last item."""
        path: Path = ()
        value: Any = statement
        while isinstance(value, dict) and value:
            ((key, value),) = value.items()
            path += (key,)
            if isinstance(value, list):
                self._tables[path] = self._tables.get(path, 0) + 1
            if path in self._tables:
                path += (self._tables[path] - 1,)
        return path


def toml_error(error: Exception, text: str) -> tuple[int, str]:
    """Return the line and the message of an error of `tomllib`."""
    position = _POSITION.search(str(error))
    line = int(position[1]) if position and position[1] else text.rstrip("\n").count("\n") + 1
    return line, _POSITION.sub("", str(error))


def _paths(table: Mapping[str, Any]) -> Iterator[Path]:
    for key, value in table.items():
        yield (key,)
        if isinstance(value, dict):
            yield from ((key, *path) for path in _paths(value))


def _statements(text: str) -> Iterator[tuple[int, bool, dict[str, Any]]]:
    """Yield for each statement: its line, True if it is the header of a table, and the parsed statement."""
    pending, number = "", 1
    for last, line in enumerate(text.split("\n"), start=1):
        closes = not pending or any(mark in line for mark in _CLOSING)
        pending += f"{line}\n"
        if not closes:
            continue
        try:
            statement = tomllib.loads(pending)
        except ValueError:
            continue
        if statement:
            yield number, pending.lstrip().startswith("["), statement
        pending, number = "", last + 1
