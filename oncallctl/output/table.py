"""Tables for a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Literal

from oncallctl.config.settings import Settings
from oncallctl.output import colors
from oncallctl.output.columns import Columns, Row, cell, field, select
from oncallctl.text import cut, visible
from oncallctl.times import now, relative

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_AGE = re.compile(r"in \d+[a-z]|\d+[a-z] ago|\w+ \d+ \w+ (?:\d{4} )?\d\d:\d\d")
_SECOND_UNIT = re.compile(r"(?<=\d[a-z]) \d+[a-z]")
_URL = re.compile(r"https?://")
_LONGEST_CELL = 4096  # characters; rich takes seconds to measure a megabyte
_GAP = 2  # spaces between two columns

# Useless when truncated.
_COMPLETE = frozenset({"id", "phone_number", "state", "status", "severity"})
# Kept longer than others: without it, a row cannot be recognized.
_MAX_COMPLETE = 40
"""Width up to which these values are never truncated. Longer ones are free text from the server."""
_IDENTIFYING = frozenset({"name", "title", "username", "email", "message", "error.message", "window"})
_LEAST = 8  # cells that a truncated column keeps
_NAME_LEAST = 28  # the same for a name, as long as others can be hidden
_NAME_MOST = 48  # cells of a name that precede other columns
_COLORED = frozenset({"state", "status", "severity", "outcome", "mode"})
# Hidden if they say the same in each row.
_HIDDEN_IF_CONSTANT = frozenset({"HOST", "OUTCOME", "PROFILE"})


class Times(Enum):
    """How much of a time a table shows."""

    COMPLETE = "in 2h 5m (14:00)"
    RELATIVE = "in 2h 5m"
    ROUNDED = "in 2h"
    CALENDAR = "Thu 26 Nov 00:00 (in 20h)"
    DATE = "Thu 26 Nov 00:00"


_SHORTER = {False: (Times.COMPLETE, Times.RELATIVE, Times.ROUNDED), True: (Times.CALENDAR, Times.DATE)}
"""Whether the rows are those of a calendar -> how their times are shown, the longest first."""


def table(settings: Settings, rows: Sequence[Row], columns: Columns) -> Table:
    """Return a table for a terminal; each object is one line.

    Raises:
        InvalidInput: --columns names an unknown field.
    """
    selected, problem = select(settings, columns, rows[0] if rows else None)
    if problem:
        raise problem
    return layout(settings, rows, selected)


@dataclass
class _Column:
    """A column of a table on a terminal.

    Attributes:
        cells: the text of each row, without the header.
        width: the width in cells, without the gap to the next column.
        is_name: True if it identifies the object of the row.
        gives_way: True if other columns are more important.
        least: the smallest width that is of use.
    """

    title: str
    path: str
    cells: Sequence[str]
    width: int
    is_name: bool
    gives_way: bool
    least: int

    @property
    def is_number(self) -> bool:
        """True if all cells are numbers."""
        return all(each.isdigit() for each in self.cells)

    @property
    def says_nothing(self) -> bool:
        """True if the column is empty, or the same in each row and of a kind that matters only if it differs."""
        values = set(self.cells)
        if self.title in _HIDDEN_IF_CONSTANT and len(values) == 1:
            return colors.style_of(self.cells[0]) != colors.BAD
        return values == {""}


def layout(settings: Settings, rows: Sequence[Row], columns: Columns, *, calendar: bool = False) -> Table:
    """Return a table that fits the terminal.

    In a calendar, such as a list of shifts, the dates matter more than the distance from now.

    Columns without information are left out unless --columns asks for them. If the rest is too wide, times are
    shortened, then columns that identify nothing are truncated, and numbers and the last of them are left out. IDs,
    states and URLs are never truncated.
    """
    from rich.table import Table

    width = console(settings, stderr=False).width
    longest, *shorter = _SHORTER[calendar]
    found = _columns(settings, rows, columns, longest)
    for times in shorter:
        if _total(found) > width:
            found = _columns(settings, rows, columns, times)
    shown = _fitted(found, width, may_hide=settings.columns is None)
    made: Table = Table(box=None, pad_edge=False, show_header=settings.header, header_style="", padding=(0, _GAP, 0, 0))
    for column in shown:
        justify: Literal["right", "left"] = "right" if column.is_number else "left"
        made.add_column(_text(column.title, colors.HEADING), width=column.width, justify=justify)
    if len(shown) < len(found):
        made.add_column(_text("…", colors.QUIET), width=1)
    for index in range(len(rows)):
        made.add_row(*(_text(column.cells[index], _style(column, column.cells[index])) for column in shown))
    return made


def print_table(settings: Settings, made: Table) -> None:
    """Print a table on stdout. It may be wider than the terminal if it has long URLs."""
    screen = console(settings, stderr=False)
    screen.width = max(screen.width, sum((column.width or 0) + _GAP for column in made.columns))
    screen.print(made, soft_wrap=True)


def console(settings: Settings, *, stderr: bool) -> Console:
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


def _columns(settings: Settings, rows: Sequence[Row], columns: Columns, times: Times) -> list[_Column]:
    """Return the columns with their natural width, without those that say nothing."""
    at = now()
    made = []
    for title, path in columns.items():
        cells = [readable(settings, row, path, at, times) for row in rows]
        made.append(_column(visible(title) if settings.header else "", path, cells))
    if settings.columns is None and rows:
        return [column for column in made if not column.says_nothing]
    return made


def _column(title: str, path: str, cells: Sequence[str]) -> _Column:
    from rich.cells import cell_len

    width = max([cell_len(title), *map(cell_len, cells)])
    if (path in _COMPLETE and width <= _MAX_COMPLETE) or any(map(_URL.match, cells)):
        return _Column(title, path, cells, width, is_name=False, gives_way=False, least=width)
    is_name = path in _IDENTIFYING or title in {"NAME", "TITLE"}
    least = min(width, _NAME_LEAST if is_name else max(_LEAST, cell_len(title)))
    if any(_AGE.fullmatch(each) for each in cells):
        least = width
    return _Column(title, path, cells, width, is_name=is_name, gives_way=not is_name, least=least)


def _fitted(columns: Sequence[_Column], width: int, *, may_hide: bool) -> list[_Column]:
    """Hide and narrow columns until they fit, as far as possible; return those that are shown."""
    shown = list(columns)
    room = width
    hidden_first = list(reversed(columns))
    hidden_first.sort(key=lambda column: not column.is_number)
    for column in hidden_first:
        if not may_hide or sum(each.least + _GAP for each in shown) - _GAP <= room:
            break
        if column.gives_way:
            shown.remove(column)
            room = width - _GAP - 1  # for the mark of hidden columns
    for least in (  # one long name must not take the room of all other columns
        lambda column: _NAME_MOST if column.is_name else column.width,
        lambda column: column.least if column.gives_way else column.width,
        lambda column: column.least,
        lambda column: _LEAST if column.is_name else column.least,
    ):
        _narrow(shown, _total(shown) - room, least)
    return shown


def _narrow(columns: Sequence[_Column], excess: int, least: Callable[[_Column], int]) -> None:
    """Take cells from the widest columns, down to the least width of each."""
    for _ in range(excess):
        widest = max((each for each in columns if each.width > least(each)), key=lambda each: each.width, default=None)
        if widest is None:
            return
        widest.width -= 1


def _total(columns: Sequence[_Column]) -> int:
    """Return the width of a table; the last column has no gap."""
    return sum(column.width + _GAP for column in columns) - _GAP


def _text(text: str, style: str) -> Text:
    from rich.text import Text

    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _style(column: _Column, text: str) -> str:
    if _URL.match(text):
        return colors.LINK
    return colors.style_of(text) if column.path.rpartition(".")[2] in _COLORED else ""


def readable(settings: Settings, row: Row, path: str, at: datetime, times: Times = Times.COMPLETE) -> str:
    """Format one field for a person: times relative and local, true as yes, false as an empty string."""
    text, value = cut(cell(row, path), _LONGEST_CELL), field(row, path)
    if isinstance(value, bool):
        return "yes" if value else ""
    if _TIME.match(text) and (time := _readable_time(settings, text, at, times)):
        return time
    return visible(text)


def _readable_time(settings: Settings, text: str, at: datetime, times: Times) -> str | None:
    """Return a time as "in 2h 5m (14:00)", or None if the text is not a time that can be shown."""
    try:
        instant = datetime.fromisoformat(text)
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        local = instant.astimezone(settings.tz)
    except (ValueError, OverflowError):
        return None
    if times is Times.ROUNDED:
        return _SECOND_UNIT.sub("", relative(instant, at=at))
    if times is Times.RELATIVE:
        return relative(instant, at=at)
    if times in {Times.CALENDAR, Times.DATE}:
        year = "" if local.year == at.astimezone(settings.tz).year else f"{local.year} "
        date = f"{local:%a} {local.day} {local:%b} {year}{local:%H:%M}"
        return date if times is Times.DATE else f"{date} ({relative(instant, at=at)})"
    same_day = local.date() == at.astimezone(settings.tz).date()
    return f"{relative(instant, at=at)} ({local:{'%H:%M' if same_day else '%m-%d %H:%M'}})"
