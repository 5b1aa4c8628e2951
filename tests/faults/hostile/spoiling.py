"""A sandbox with hostile texts, and assertions about output that contains them."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

from oncallctl.text import MASK, visible
from tests.serving import Fault, Serving
from tests.system.program import RICH

MARK = "root@evil"  # only in hostile texts

OBEYED = {
    "osc 52": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "osc 8": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "csi": "\x1b[2J\x1b[7;5m\x1b[A",
    "c1": "\x9b31m\x9d0;title\x9c\x85",
    "bidi": "\u202egnp.exe\u2066\u200f\u061c",
    "markup": "[red]x[/red] [bold]b [link=http://evil.example]l[/link] :boom:",
    "lines": "one\ntwo\r\nthree\u2028four\u2029five\x0b\x0c\x1c",
    "columns": 'six\tseven,"eight";nine',
    "surrogate": "\ud800 \udfff",
    "shell": "$(touch pwned) `touch pwned` ; touch pwned #",
    "nothing": "\x00\x7f\b\ufeff\u200b\u200c\u3164\xad\U000e0041",
}
TEXT = f"=cmd|'/c calc'!A1 {MARK} {' '.join(OBEYED.values())} {{}} %s \\x1b"
SHOWN = visible(TEXT)

# Fields that the program interprets: a server with other texts there would not be OnCall.
_GOES_BY = re.compile(
    r"(.*_)?id|next|previous|.*_at|.*_start|.*_end|start|until|state|type|routing_type|maintenance_mode|user_pk|author"
    r"|users|teams|rolling_users|shifts|on_call_now|persons_to_notify.*|acknowledged_by|resolved_by|time_zone|.*_to_notify"
    r"|action_to_trigger|notify_on_call_from_schedule|notify_if_time_.*|by_day|interval_.*"
)


def spoiled(value: Any, text: str, goes_by: re.Pattern[str] = _GOES_BY, key: str = "") -> Any:
    """Return the document with a text in every field that a server can choose freely."""
    if isinstance(value, dict):
        return {name: spoiled(item, text, goes_by, name) for name, item in value.items()}
    if isinstance(value, list):
        return [spoiled(item, text, goes_by, key) for item in value]
    return text if isinstance(value, str) and not goes_by.fullmatch(key) else value


@dataclass
class Spoiled(Serving):
    """The sandbox with a hostile text in every field.

    Attributes:
        sent: JSON documents of its responses.
        text: the text.
        rows: number of rows to keep of each list; None keeps all.
        change: function that changes documents instead.
    """

    sent: list[Any] = field(default_factory=list)
    text: str = TEXT
    rows: int | None = None
    change: Callable[[Any], Any] | None = None

    def _fault_for(self, request: Request) -> Fault:
        return super()._fault_for(request) or self._answer

    def _answer(self, _request: Request, answer: Callable[[], Response]) -> Response:
        made = answer()
        if made.is_json and made.data:
            document = self.change(made.json) if self.change else spoiled(made.json, self.text)
            if isinstance(document, dict) and isinstance(document.get("results"), list) and self.rows is not None:
                _cut(document, self.rows)
            self.sent.append(document)
            made.data = json.dumps(document)  # escaped, because half of a surrogate pair has no encoding
        return made

    def objects(self) -> list[Any]:
        """Return every object that was sent, with and without its secrets."""
        objects = [each for document in self.sent for each in _objects(document)]
        return [*objects, *(_masked(each) for each in objects)]


def _cut(page: dict[str, Any], rows: int) -> None:
    """Remove all but the first rows of a list from a result page."""
    number, size = page.get("current_page_number", 1), page.get("page_size", rows)
    count = min(page["count"], rows)
    last = max(math.ceil(count / size), 1)
    page |= {
        "results": page["results"][: max(rows - (number - 1) * size, 0)],
        "count": count,
        "next": page["next"] if number < last else None,
        "total_pages": last,
    }


def _objects(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(item)


def _masked(value: dict[str, Any]) -> dict[str, Any]:
    hidden = {key: MASK if key in {"link", "inbound_email"} and item else item for key, item in value.items()}
    if hidden.get("heartbeat"):
        hidden["heartbeat"] = {**hidden["heartbeat"], "link": MASK}
    return hidden


def harmless(text: str) -> None:
    """Assert that a text has no control characters, nothing that reorders or hides text, and no foreign line breaks."""
    bad = {hex(ord(each)) for each in text if each not in "\n\t" and _is_obeyed(each)}
    assert not bad, f"{bad} in {text[:2000]!r}"


def _is_obeyed(character: str) -> bool:
    marks = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(character) in marks
        or character in "\u200e\u200f\u061c\u200b\u200c\u3164\xad\ufeff\U000e0041"
    )


def plain(shown: bytes) -> str:
    """Return the output at a terminal without the escape sequences of rich."""
    return RICH.sub(b"", shown).decode().replace("\r\n", "\n").replace("\r", "")


def texts(value: Any) -> Iterator[str]:
    """Yield all texts in a JSON value, including keys."""
    if isinstance(value, str):
        yield value
    for item in value if isinstance(value, list) else (*value, *value.values()) if isinstance(value, dict) else ():
        yield from texts(item)


def exact(document: Any, text: str = TEXT) -> None:
    """Assert that hostile texts in a JSON value are complete and unchanged."""
    for each in texts(document):
        assert each.count(MARK) == each.count(text), repr(each)


def cells_of_tabs(text: str) -> list[list[str]]:
    """Return the rows of a piped table, after checking that all have as many cells as the header."""
    rows = [line.split("\t") for line in text.removesuffix("\n").split("\n")]
    assert {len(row) for row in rows} == {len(rows[0])}, rows
    return rows


def cells_of_csv(text: str) -> list[list[str]]:
    """Return the rows of a csv, after checking that no cell is a formula and all rows are as long as the header."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}, rows
    formulas = [cell for row in rows for cell in row if cell.lstrip()[:1] in set("=+-@\t\r") and not _number(cell)]
    assert not formulas
    return rows


def _number(cell: str) -> bool:
    return re.fullmatch(r"[-+]?\d+(\.\d+)?|", cell) is not None
