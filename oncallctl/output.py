"""`render`: the only way to stdout."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from oncallctl import changes
from oncallctl.errors import InvalidInput
from oncallctl.settings import Format, Settings
from oncallctl.text import cut, dump_json, masked, visible
from oncallctl.times import now, relative

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

Row = Mapping[str, Any]
Columns = Mapping[str, str]
Item = TypeVar("Item")

REQUEST: Columns = {"METHOD": "method", "URL": "url", "BODY": "body"}

_WHOLE_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
# What is of no use when a part of it is missing.
_NARROWED_LAST = {"id", "phone_number", "state", "status"}
# What a spreadsheet takes for a formula, also in full width and after spaces of any kind; a phone number is none.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]")
_PHONE_NUMBER = re.compile(r"\+[0-9]{1,3} ?[0-9][0-9 ]{4,16}")
_LONGEST_CELL = 4096  # characters that a terminal is shown at most: to measure a megabyte takes seconds


class Secrets(Enum):
    """Where the fields that let anyone raise alerts are shown whole."""

    HIDDEN = "nowhere"
    IN_JSON = "in json and jsonl"
    SHOWN = "everywhere"


def render(  # noqa: C901, PLR0913  # a branch a format
    settings: Settings,
    value: Iterable[Row] | Row,
    columns: Columns,
    *,
    rows: Iterable[Row] | None = None,
    secrets: Secrets = Secrets.HIDDEN,
    done: bool = False,
) -> None:
    """Write results to stdout in the format that was asked for.

    Args:
        settings: format, columns, zone, quiet.
        value: what json and jsonl write: an object, or an iterable of them, which jsonl writes as it comes.
        columns: header -> dotted path, for table and csv.
        rows: what table, csv and id write; by default the value.
        secrets: whether links that let anyone raise alerts may be shown.
        done: whether this tells of something that was changed: then nothing about its display is an error any more.

    Raises:
        InvalidInput: --columns names a field that there is not.
    """
    single = isinstance(value, Mapping)
    hide = secrets is Secrets.HIDDEN or (secrets is Secrets.IN_JSON and not settings.as_json)
    objects: Iterable[Row] = [value] if isinstance(value, Mapping) else value
    if not settings.as_json and rows is not None:
        objects = rows
    if hide:
        objects = (masked(item) for item in objects)
    if settings.format is not Format.JSONL or settings.quiet:
        objects = list(objects)  # whole or not at all: half a list must not feed the next command of a pipe
    if settings.quiet:
        return
    if settings.format is Format.JSON:
        documents = list(objects)
        _write(dump_json(documents[0] if single else documents, indent=2, to=sys.stdout))
    elif settings.format is Format.JSONL:
        for item in objects:
            _write(dump_json(item, to=sys.stdout))
    elif settings.format is Format.ID:
        for item in objects:
            if ident := item.get("id"):
                _write(visible(str(ident)))
    else:
        _write_table(settings, list(objects), columns, done=done)
    sys.stdout.flush()
    changes.mark_reported()


def render_text(settings: Settings, text: str) -> None:
    """Write a text of this program's own, such as a completion script."""
    if not settings.quiet:
        sys.stdout.write(text)
        sys.stdout.flush()


def write_file(settings: Settings, path: str, option: str, text: str) -> None:
    """Write a file that an option names, whole or not at all; ``-`` is stdout.

    Raises:
        InvalidInput: it cannot be written.
    """
    if path == "-":
        render_text(settings, text)
        return
    target = Path(path).resolve()  # a link stays one
    part = target.with_name(f"{target.name}.part")
    try:
        if target.exists() and not target.is_file():  # a device or a pipe is written to, never replaced
            with target.open("w", encoding="utf-8") as device:
                device.write(text)
        else:
            part.unlink(missing_ok=True)
            with part.open("x", encoding="utf-8") as file:  # not through a link that somebody put there
                file.write(text)
            part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise InvalidInput(f"{option}: cannot write {path!r}: {error.strerror}") from error
    settings.note(f"written: {path}")


def draw(settings: Settings, picture: Callable[[int, bool], Iterable[Text]]) -> None:
    """Show a picture on the terminal: the lines that it comes to at a width in columns, and with ASCII alone or not."""
    if settings.quiet:
        return
    screen = console(settings, stderr=False)
    for line in picture(screen.width, ascii_alone()):
        screen.print(line, no_wrap=True, overflow="ignore", crop=False)


def ascii_alone() -> bool:
    """Whether pictures must do without characters beyond ASCII: stdout may not be able to write them."""
    return (sys.stdout.encoding or "").lower() not in {"utf-8", "utf8"}


def limited(settings: Settings, objects: Iterable[Item], limit: int | None) -> Iterator[Item]:
    """Yield at most `limit` objects, and note it if there are more."""
    for shown, item in enumerate(objects):
        if shown == limit:
            settings.note(f"showing the first {limit}; omit --limit to show all")
            return
        yield item


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


def _write_table(settings: Settings, rows: Sequence[Row], columns: Columns, *, done: bool) -> None:
    columns = _chosen(settings, rows, columns, done=done)
    if settings.format is Format.CSV:
        _write_csv(settings, rows, columns)
    elif sys.stdout.isatty():
        console(settings, stderr=False).print(_laid_out(settings, rows, columns))
    else:
        if settings.header:
            _write("\t".join(_harmless(title) for title in columns))
        for row in rows:
            _write("\t".join(_piped(settings, row, path) for path in columns.values()))


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


def _write_csv(settings: Settings, rows: Iterable[Row], columns: Columns) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if settings.header:
        writer.writerow([_harmless(title) for title in columns])
    for row in rows:
        writer.writerow([_piped(settings, row, path) for path in columns.values()])
        sys.stdout.write(buffer.getvalue())
        buffer.seek(0)
        buffer.truncate()
    sys.stdout.write(buffer.getvalue())
    sys.stdout.flush()


def _piped(settings: Settings, row: Row, path: str) -> str:
    """Write one field for a program: a time to the second, in UTC or in the zone asked for, and text harmless."""
    text, value = cell(row, path), field(row, path)
    if isinstance(value, str) and _WHOLE_INSTANT.fullmatch(text):
        with contextlib.suppress(ValueError, OverflowError):
            instant = datetime.fromisoformat(text).astimezone(settings.tz or UTC)
            return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
    return _harmless(text, value)


def _harmless(text: str, value: object = "") -> str:
    """Keep a terminal from obeying text, and a spreadsheet from executing it."""
    is_formula = isinstance(value, str) and _FORMULA.match(text) and not _PHONE_NUMBER.fullmatch(text)
    return f"'{visible(text)}" if is_formula else visible(text)


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


@contextmanager
def progress(settings: Settings, what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a progress bar on a terminal while several targets are worked on; yields what to call after each."""
    if total <= 1 or settings.quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=console(settings, stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(visible(what), total=total)
        yield lambda: bar.advance(task)


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
