"""`render`: the only way to stdout."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from oncallctl.config.settings import Format, Settings
from oncallctl.process import sent_changes
from oncallctl.text import dump_json, masked, visible

if TYPE_CHECKING:
    from rich.text import Text
from oncallctl.output.table import Columns, Row, _chosen, _laid_out, cell, console, field

Item = TypeVar("Item")

REQUEST: Columns = {"METHOD": "method", "URL": "url", "BODY": "body"}

_WHOLE_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")

# What a spreadsheet takes for a formula, also in full width and after spaces of any kind; a phone number is none.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]")

_PHONE_NUMBER = re.compile(r"\+[0-9]{1,3} ?[0-9][0-9 ]{4,16}")


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
    hide = secrets is Secrets.HIDDEN or (secrets is Secrets.IN_JSON and not settings.shows_links)
    objects: Iterable[Row] = [value] if isinstance(value, Mapping) else value
    if not settings.has_structured_output and rows is not None:
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
    sent_changes.mark_reported()


def render_values(settings: Settings, values: Iterable[object], *, whole: object = None, done: bool = False) -> None:
    """Write JSON values of any kind, in the format of the settings; they are not masked.

    Args:
        settings: format, columns, zone, quiet.
        values: the rows; jsonl writes each as soon as it is there.
        whole: what json writes instead of an array of the rows.
        done: whether they are the response to a change: then an unknown column is no error.
    """
    if settings.format is Format.JSON:
        text = dump_json(list(values) if whole is None else whole, indent=2, to=sys.stdout)
        render_text(settings, f"{text}\n")
    elif settings.format is Format.JSONL:
        for value in values:
            render_text(settings, f"{dump_json(value, to=sys.stdout)}\n")
    else:
        objects = [value if isinstance(value, Mapping) else {"value": value} for value in values]
        if objects or settings.columns:
            columns = {str(key): str(key) for each in objects for key in each}
            render(settings, objects, columns, secrets=Secrets.SHOWN, done=done)
    if not settings.quiet:
        sent_changes.mark_reported()


def render_text(settings: Settings, text: str) -> None:
    """Write a text of this program's own, such as a completion script."""
    if not settings.quiet:
        sys.stdout.write(text)
        sys.stdout.flush()


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


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
