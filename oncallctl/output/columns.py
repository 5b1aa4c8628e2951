"""Fields of objects: the columns of tables, and those that `--columns` selects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oncallctl.config.settings import Settings
from oncallctl.errors import InvalidInput
from oncallctl.text import dump_json

Row = Mapping[str, Any]
Columns = Mapping[str, str]


def select(settings: Settings, columns: Columns, row: Row | None) -> tuple[Columns, InvalidInput | None]:
    """Return the columns to show, and an error for the first word of --columns that is neither a header nor a field.

    Args:
        settings: --columns. Without it, all columns are returned.
        columns: the default columns, header -> dotted path.
        row: the first object, for its fields; None accepts every word.
    """
    if settings.columns is None:
        return columns, None
    selected, problem = {}, None
    for word in settings.columns:
        path = path_of(word, columns, row)
        if row is None or path.partition(".")[0] in row:
            selected[word] = path
        elif problem is None:
            known = dict.fromkeys([*(title.lower() for title in columns), *row])
            problem = InvalidInput(f"unknown column: {word!r}", hint=f"use {', '.join(known)}")
    return selected, problem


def path_of(word: str, columns: Columns, row: Row | None) -> str:
    """Return the path that a word of --columns means: a field, or else a header in any case.

    A header that shows a part of the field, such as TEAM for ``team.name``, precedes the field ``team``.
    """
    path = next((path for title, path in columns.items() if title.lower() == word.lower()), word)
    is_field = row is not None and word in row
    return word if is_field and path.partition(".")[0] != word else path


def field(row: Row, path: str) -> object:
    """Return the field at a dotted path, or None."""
    value: object = row
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def cell(row: Row, path: str) -> str:
    """Format one field as the server sent it: objects as JSON, null as an empty string."""
    match field(row, path):
        case None:
            return ""
        case bool() as value:
            return "true" if value else "false"
        case str() as value:
            return value
        case int() | float() as value:
            return str(value)
        case value:
            return dump_json(value)
