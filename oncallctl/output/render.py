"""Results on stdout, in the format that the user chose. Everything on stdout goes through this module."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from oncallctl.config.settings import Format, Settings
from oncallctl.output import colors
from oncallctl.output.columns import Columns, Row, cell, field, select
from oncallctl.process import sent_changes
from oncallctl.text import dump_json, masked, visible

if TYPE_CHECKING:
    from rich.text import Text

Item = TypeVar("Item")

_FULL_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"

# Spreadsheets execute these as formulas, even in full width and after any spaces.
_FORMULA = r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]"
_PHONE_NUMBER = r"\+[0-9]{1,3} ?[0-9][0-9 ]{4,16}"


class Secrets(Enum):
    """Formats in which the fields that let anyone raise alerts are not masked."""

    HIDDEN = "none"
    IN_JSON = "json and jsonl"
    SHOWN = "all"


def render(
    settings: Settings,
    value: Iterable[Row] | Row,
    columns: Columns,
    *,
    rows: Iterable[Row] | None = None,
    secrets: Secrets = Secrets.HIDDEN,
    empty: str = "no results",
) -> None:
    """Write results to stdout in the chosen format.

    Args:
        settings: the format, --columns, time zone and --quiet.
        value: an object or an iterable of objects, for json and jsonl.
        columns: header -> dotted path, for tables, csv and --columns.
        rows: the objects for tables, csv, id and --columns. The default is `value`.
        secrets: the formats in which links that let anyone raise alerts are not masked.
        empty: the sentence that a terminal shows instead of an empty table.

    Raises:
        InvalidInput: --columns names an unknown field.
    """
    objects, single = _objects(settings, value, rows, secrets)
    _write_objects(settings, objects, columns, _Writing(empty, single=single))


def render_shifts(
    settings: Settings, value: Iterable[Row] | Row, columns: Columns, *, rows: Iterable[Row], empty: str = ""
) -> None:
    """Write shifts to stdout like `render`. A terminal shows dates, with the distance from now if there is room."""
    objects, single = _objects(settings, value, rows, Secrets.HIDDEN)
    _write_objects(settings, objects, columns, _Writing(empty, single=single, calendar=True))


def render_done(
    settings: Settings,
    value: Iterable[Row] | Row,
    columns: Columns,
    *,
    rows: Iterable[Row] | None = None,
    secrets: Secrets = Secrets.HIDDEN,
    empty: str = "nothing to change",
) -> None:
    """Write the results of a change. An unknown field in --columns is only a warning, since the change was made."""
    objects, single = _objects(settings, value, rows, secrets)
    _write_objects(settings, objects, columns, _Writing(empty, single=single, done=True))


def render_values(settings: Settings, values: Iterable[object], *, document: object = None, done: bool = False) -> None:
    """Write JSON values of any kind, without masking.

    Args:
        settings: the format, --columns, time zone and --quiet.
        values: the rows; jsonl writes each one immediately.
        document: the document for json. The default is an array of the rows.
        done: whether the values are the response to a change; see `render_done`.
    """
    if settings.format is Format.JSON and settings.columns is None:
        render_text(settings, f"{_json(settings, list(values) if document is None else document, indent=2)}\n")
    elif settings.format is Format.JSONL and settings.columns is None:
        for value in values:
            render_text(settings, f"{_json(settings, value)}\n")
    else:
        objects = [value if isinstance(value, Mapping) else {"value": value} for value in values]
        if objects or settings.columns:
            columns = {str(key): str(key) for each in objects for key in each}
            write = render_done if done else render
            write(settings, objects, columns, secrets=Secrets.SHOWN)
    if not settings.quiet:
        sent_changes.mark_reported()


def render_text(settings: Settings, text: str) -> None:
    """Write text that oncallctl itself made, such as a completion script."""
    if not settings.quiet:
        _write(text)


def draw(settings: Settings, picture: Callable[[int, bool], Iterable[Text]]) -> None:
    """Draw a picture on the terminal.

    Args:
        settings: color and --quiet.
        picture: returns the lines for a width in cells; its second argument is whether they must be ASCII.
    """
    if settings.quiet:
        return
    from oncallctl.output.table import console

    screen = console(settings, stderr=False)
    for line in picture(screen.width, ascii_only()):
        screen.print(line, no_wrap=True, overflow="ignore", crop=False)


def ascii_only() -> bool:
    """True if stdout may not be able to encode characters beyond ASCII."""
    return (sys.stdout.encoding or "").lower() not in {"utf-8", "utf8"}


def limited(settings: Settings, objects: Iterable[Item], limit: int | None) -> Iterator[Item]:
    """Yield at most `limit` objects, with a note if there are more."""
    for shown, item in enumerate(objects):
        if shown == limit:
            settings.note(f"showing the first {limit}; omit --limit to show all")
            return
        yield item


def _objects(
    settings: Settings, value: Iterable[Row] | Row, rows: Iterable[Row] | None, secrets: Secrets
) -> tuple[Iterable[Row], bool]:
    """Return the objects to write, with secrets masked, and whether json shows a single object instead of an array."""
    single = isinstance(value, Mapping)
    objects: Iterable[Row] = [value] if isinstance(value, Mapping) else value
    if rows is not None and (settings.columns is not None or not settings.has_structured_output):
        objects = rows = list(rows)
        single = isinstance(value, Mapping) and "id" in value and [row.get("id") for row in rows] == [value["id"]]
    if secrets is Secrets.SHOWN or (secrets is Secrets.IN_JSON and settings.shows_links):
        return objects, single
    return (masked(item) for item in objects), single


@dataclass(frozen=True)
class _Writing:
    """How objects are written.

    Attributes:
        empty: see `render`.
        single: True if json shows a single object instead of an array.
        done: True for the results of a change; see `render_done`.
        calendar: True if a table shows dates; see `render_shifts`.
    """

    empty: str
    single: bool
    done: bool = False
    calendar: bool = False


def _write_objects(settings: Settings, objects: Iterable[Row], columns: Columns, how: _Writing) -> None:
    """Write objects in the chosen format."""
    if settings.format is not Format.JSONL or settings.quiet:
        objects = list(objects)  # all or nothing: the next command of a pipe must not get half a list
    if settings.quiet:
        return
    objects = iter(objects)
    first = next(objects, None)
    objects = objects if first is None else chain([first], objects)
    selected, problem = select(settings, columns, first)
    if problem and not how.done:
        raise problem
    if problem:
        settings.warn(f"{problem.message}; {problem.hint}")
    if settings.format is Format.TABLE and sys.stdout.isatty():
        if first is None:
            _write(f"{how.empty}\n" if how.empty else "")
        else:
            from oncallctl.output.table import layout, print_table

            print_table(settings, layout(settings, list(objects), selected, calendar=how.calendar))
    else:
        for line in _lines(settings, objects, selected, single=how.single):
            _write(f"{line}\n")
    sys.stdout.flush()
    sent_changes.mark_reported()


def _lines(settings: Settings, objects: Iterable[Row], columns: Columns, *, single: bool) -> Iterator[str]:
    if settings.has_structured_output and settings.columns is not None:
        objects = ({title: field(row, path) for title, path in columns.items()} for row in objects)
    match settings.format:
        case Format.JSON:
            documents = list(objects)
            yield _json(settings, documents[0] if single else documents, indent=2)
        case Format.JSONL:
            yield from (_json(settings, item) for item in objects)
        case Format.ID:
            ident = columns.get("ID", "id")
            yield from (visible(str(item[ident])) for item in objects if item.get(ident))
        case Format.CSV:
            yield from map(_csv_line, _cells(settings, objects, columns))
        case Format.TABLE:
            yield from map("\t".join, _cells(settings, objects, columns))


def _cells(settings: Settings, rows: Iterable[Row], columns: Columns) -> Iterator[Sequence[str]]:
    """Yield the header and the rows of a table for a program."""
    if settings.header:
        yield [_harmless(title) for title in columns]
    for row in rows:
        yield [_cell(settings, row, path) for path in columns.values()]


def _json(settings: Settings, document: object, *, indent: int | None = None) -> str:
    return colors.json_on_stdout(settings, dump_json(document, indent=indent, to=sys.stdout))


def _csv_line(cells: Sequence[str]) -> str:
    import csv

    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()


def _cell(settings: Settings, row: Row, path: str) -> str:
    """Format one field for a program: times to the second, in UTC unless --tz is given, and harmless text."""
    text, value = cell(row, path), field(row, path)
    if isinstance(value, str) and re.fullmatch(_FULL_TIME, text):
        with contextlib.suppress(ValueError, OverflowError):
            instant = datetime.fromisoformat(text).astimezone(settings.tz or UTC)
            return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
    return _harmless(text, value)


def _harmless(text: str, value: object = "") -> str:
    """Return text that a terminal does not obey and a spreadsheet does not execute."""
    is_formula = isinstance(value, str) and re.match(_FORMULA, text) and not re.fullmatch(_PHONE_NUMBER, text)
    return f"'{visible(text)}" if is_formula else visible(text)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
