"""Tables for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from oncallctl.config.settings import Settings
from oncallctl.errors import InvalidInput
from oncallctl.text import cut, dump_json, visible
from oncallctl.times import now, relative

if TYPE_CHECKING:
    from rich.table import Table


Row = Mapping[str, Any]

Columns = Mapping[str, str]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")

# What is of no use when a part of it is missing.
_NARROWED_LAST = {"id", "phone_number", "state", "status"}

_LONGEST_CELL = 4096  # characters that a terminal is shown at most: to measure a megabyte takes seconds


def table(settings: Settings, rows: Sequence[Row], columns: Columns) -> Table:
    """Lay rows out as `render` does at a terminal; a row is a line.

    Raises:
        InvalidInput: --columns names a field that there is not.
    """
    return _laid_out(settings, rows, _chosen(settings, rows, columns))


def _chosen(settings: Settings, rows: Sequence[Row], columns: Columns, *, done: bool = False) -> Columns:
    if settings.columns is None:
        return columns
    _check_columns(settings, rows, done=done)
    return {path: path for path in settings.columns}


def _check_columns(settings: Settings, rows: Sequence[Row], *, done: bool) -> None:
    """Refuse a column that there is not; where something has been done already, only say it."""
    for path in settings.columns or ():
        if rows and path.partition(".")[0] not in rows[0]:
            problem = InvalidInput(f"no field {path!r} here", hint=f"there are {', '.join(rows[0])}")
            if not done:
                raise problem
            settings.warn(f"{problem.message}; {problem.hint}")


def field(row: Row, path: str) -> object:
    """Follow a dotted path into an object; None where it leads nowhere."""
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
    """Write one field as the server has it, objects as JSON, nothing for null."""
    value = field(row, path)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else dump_json(value)


def _laid_out(settings: Settings, rows: Iterable[Row], columns: Columns) -> Table:
    from rich.table import Table
    from rich.text import Text

    at = now()
    made: Table = Table(
        box=None, pad_edge=False, show_header=settings.header, header_style="bold", padding=(0, 2, 0, 0)
    )
    cells = _cells(settings, rows, columns, at)
    if settings.columns is None:  # room is for what there is
        empty = {index for index in range(len(columns)) if cells and not any(line[index] for line in cells)}
        columns = {title: path for index, (title, path) in enumerate(columns.items()) if index not in empty}
        cells = [[cell for index, cell in enumerate(line) if index not in empty] for line in cells]
    for title, path in columns.items():
        # Columns that may wrap are narrowed first, the widest before the others; their cells do not wrap.
        made.add_column(Text(visible(title), no_wrap=True, overflow="ellipsis"), no_wrap=path in _NARROWED_LAST)
    for line in cells:
        made.add_row(*(Text(text, no_wrap=True, overflow="ellipsis") for text in line))
    return made


def console(settings: Settings, *, stderr: bool) -> Any:  # noqa: ANN401  # rich is imported only here
    """A rich console that obeys nothing in the text it is given."""
    from rich.console import Console

    return Console(
        stderr=stderr, no_color=not settings.color, highlight=False, markup=False, emoji=False, legacy_windows=False
    )


def _cells(settings: Settings, rows: Iterable[Row], columns: Columns, at: datetime) -> list[list[str]]:
    """What stands in a table; where that is wider than the terminal, times are told shortly."""
    from rich.cells import cell_len

    rows = list(rows)
    cells = [[_readable(settings, row, path, at) for path in columns.values()] for row in rows]
    widths = [max([cell_len(title), *(cell_len(line[index]) for line in cells)]) for index, title in enumerate(columns)]
    if sum(widths) + 2 * len(widths) <= console(settings, stderr=False).width:
        return cells
    return [[_readable(settings, row, path, at, shortly=True) for path in columns.values()] for row in rows]


def _readable(settings: Settings, row: Row, path: str, at: datetime, *, shortly: bool = False) -> str:
    """Write one field for a person: a time relative and local, yes or nothing, anything else as it is."""
    text, value = cut(cell(row, path), _LONGEST_CELL), field(row, path)
    if isinstance(value, bool):
        return "yes" if value else ""
    if _INSTANT.match(text):
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            return visible(text)
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        try:
            local = instant.astimezone(settings.tz)
        except OverflowError:
            return visible(text)
        if shortly:
            return relative(instant, at=at)
        same_day = local.date() == at.astimezone(settings.tz).date()
        return (
            f"{relative(instant, at=at)} ({local:%H:%M})"
            if same_day
            else f"{relative(instant, at=at)} ({local:%m-%d %H:%M})"
        )
    return visible(text)
