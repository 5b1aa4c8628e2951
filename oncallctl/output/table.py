"""Tables for a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oncallctl.config.settings import Settings
from oncallctl.errors import InvalidInput
from oncallctl.output import colors
from oncallctl.text import cut, dump_json, visible
from oncallctl.times import now, relative

if TYPE_CHECKING:
    from rich.table import Table

Row = Mapping[str, Any]
Columns = Mapping[str, str]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_NARROWED_LAST = {"id", "phone_number", "state", "status"}  # useless when truncated
_LONGEST_CELL = 4096  # characters; rich takes seconds to measure a megabyte


def table(settings: Settings, rows: Sequence[Row], columns: Columns) -> Table:
    """Return a table for a terminal; each object is one line.

    Raises:
        InvalidInput: --columns names an unknown field.
    """
    if problem := unknown_column(settings, rows):
        raise problem
    return layout(settings, rows, columns)


def selected_columns(settings: Settings, columns: Columns) -> Columns:
    """Return the columns of --columns, or the default columns."""
    return columns if settings.columns is None else {path: path for path in settings.columns}


def unknown_column(settings: Settings, rows: Sequence[Row]) -> InvalidInput | None:
    """Return an error for the first field of --columns that the objects lack, or None."""
    for path in settings.columns or ():
        if rows and path.partition(".")[0] not in rows[0]:
            return InvalidInput(f"no field {path!r} here", hint=f"there are {', '.join(rows[0])}")
    return None


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


def layout(settings: Settings, rows: Sequence[Row], columns: Columns) -> Table:
    """Return a table without columns that are empty in all rows, unless --columns asks for them."""
    from rich.table import Table
    from rich.text import Text

    columns = selected_columns(settings, columns)
    lines = _fitting_cells(settings, rows, columns)
    shown = [
        index
        for index in range(len(columns))
        if settings.columns is not None or not lines or any(line[index] for line in lines)
    ]
    made: Table = Table(
        box=None, pad_edge=False, show_header=settings.header, header_style="bold", padding=(0, 2, 0, 0)
    )
    headers = list(columns.items())
    for title, path in (headers[index] for index in shown):
        # rich narrows columns that may wrap first, starting with the widest; the cells themselves never wrap.
        made.add_column(Text(visible(title), no_wrap=True, overflow="ellipsis"), no_wrap=path in _NARROWED_LAST)
    for line in lines:
        made.add_row(*(Text(line[index], no_wrap=True, overflow="ellipsis") for index in shown))
    return made


def console(settings: Settings, *, stderr: bool) -> Any:  # noqa: ANN401  # rich is imported only here
    """Return a rich console that ignores markup in text."""
    from rich.console import Console

    colored = colors.enabled(settings, sys.stderr if stderr else sys.stdout)
    return Console(
        stderr=stderr,
        color_system="standard" if colored else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def _fitting_cells(settings: Settings, rows: Iterable[Row], columns: Columns) -> list[list[str]]:
    """Return the cells of a table; times are shortened if it would be wider than the terminal."""
    from rich.cells import cell_len

    rows, at = list(rows), now()
    lines = [[_readable(settings, row, path, at) for path in columns.values()] for row in rows]
    widths = [max([cell_len(title), *(cell_len(line[index]) for line in lines)]) for index, title in enumerate(columns)]
    if sum(widths) + 2 * len(widths) <= console(settings, stderr=False).width:
        return lines
    return [[_readable(settings, row, path, at, short=True) for path in columns.values()] for row in rows]


def _readable(settings: Settings, row: Row, path: str, at: datetime, *, short: bool = False) -> str:
    """Format one field for a person: times relative and local, true as yes, false as an empty string."""
    text, value = cut(cell(row, path), _LONGEST_CELL), field(row, path)
    if isinstance(value, bool):
        return "yes" if value else ""
    if _TIME.match(text) and (time := _readable_time(settings, text, at, short=short)):
        return time
    return visible(text)


def _readable_time(settings: Settings, text: str, at: datetime, *, short: bool) -> str | None:
    """Return a time as "in 2h (14:00)", or None if the text is not a time that can be shown."""
    try:
        instant = datetime.fromisoformat(text)
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        local = instant.astimezone(settings.tz)
    except (ValueError, OverflowError):
        return None
    if short:
        return relative(instant, at=at)
    same_day = local.date() == at.astimezone(settings.tz).date()
    return f"{relative(instant, at=at)} ({local:{'%H:%M' if same_day else '%m-%d %H:%M'}})"
