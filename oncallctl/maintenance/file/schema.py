"""Reading a file of windows: all mistakes are reported at once, each with its line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from oncallctl.errors import InvalidInput
from oncallctl.maintenance import Mode
from oncallctl.maintenance.file.lines import Lines
from oncallctl.maintenance.file.occurrences import Cron, Once, Recurrence
from oncallctl.maintenance.file.rules import WindowRule
from oncallctl.times import parse_duration, zone

TARGETS = ("integrations", "team", "match", "label")
SCHEDULES = ("cron", "at")
KEYS = ("name", *TARGETS, "mode", *SCHEDULES, "timezone", "duration", "reason", "skip")
TOP = ("timezone", "window")

_WHERE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True)
class Mistake:
    """A mistake in the file; `window` is None if it does not concern a particular window."""

    line: int
    window: str | None
    message: str

    def text(self, path: str) -> str:
        """Return the mistake in the format of compilers."""
        window = f'window "{self.window}": ' if self.window else ""
        return f"{path}:{self.line}: {window}{self.message}"

    def document(self) -> dict[str, Any]:
        """Return the mistake for structured output."""
        return {"line": self.line, "window": self.window, "message": self.message}


def load(text: str) -> tuple[list[WindowRule], list[Mistake]]:
    """Read a file of windows.

    Returns:
        The windows without mistakes, and all mistakes in the order of their lines.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        where = _WHERE.search(str(error))
        line = int(where[1]) if where and where[1] else text.rstrip("\n").count("\n") + 1
        return [], [Mistake(line, None, f"not TOML: {_WHERE.sub('', str(error))}")]
    reader = _Reader(document, Lines.of(text))
    rules = reader.read()
    return rules, sorted(reader.mistakes, key=lambda mistake: mistake.line)


def usable(text: str, path: str) -> list[WindowRule]:
    """Read a file of windows.

    Raises:
        InvalidInput: the file has mistakes; the message contains the first.
    """
    rules, mistakes = load(text)
    if mistakes:
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        raise InvalidInput(f"{mistakes[0].text(path)}{more}", hint=f"oncallctl maintenance check {path}")
    return rules


class _Reader:
    """Reads a document and collects its mistakes."""

    def __init__(self, document: Mapping[str, Any], lines: Lines) -> None:
        self.document = document
        self.lines = lines
        self.mistakes: list[Mistake] = []
        self.names: dict[str, int] = {}
        self.zone: str | None = None

    def read(self) -> list[WindowRule]:
        """Read all windows."""
        for key in self.document:
            if key not in TOP:
                self.mistakes.append(Mistake(self.lines.top.get(key, 1), None, _unknown(key, TOP)))
        self._read_zone()
        tables = self.document.get("window", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            line = self.lines.top.get("window", 1)
            self.mistakes.append(Mistake(line, None, "windows are tables, each below a line [[window]]"))
            return []
        if not tables:
            self.mistakes.append(Mistake(1, None, "there is no [[window]]"))
        return [rule for index, table in enumerate(tables) if (rule := _Table(self, index, table).read())]

    def _read_zone(self) -> None:
        """Check the time zone of the windows without one of their own."""
        if "timezone" not in self.document:
            return
        try:
            self.zone = str(_zone(self.document["timezone"]))
        except InvalidInput as error:
            self.mistakes.append(Mistake(self.lines.top.get("timezone", 1), None, error.message))
            self.zone = "UTC"  # reported once, and not again for each window


class _Table:
    """Reads one window."""

    def __init__(self, reader: _Reader, index: int, table: Mapping[str, Any]) -> None:
        self.reader = reader
        self.index = index
        self.table = table
        name = table.get("name")
        self.name = name if isinstance(name, str) and name.strip() else None
        self.before = len(reader.mistakes)

    def wrong(self, key: str | None, message: str) -> None:
        """Record a mistake, at a key or at the window's header."""
        line = self.reader.lines.of_window(self.index, key)
        self.reader.mistakes.append(Mistake(line, self.name, message))

    def read(self) -> WindowRule | None:
        """Return the window, or None if it has mistakes."""
        for key in self.table:
            if key not in KEYS:
                self.wrong(key, _unknown(key, KEYS))
        self._check_name()
        target = self._one_of(TARGETS)
        made: dict[str, Any] = {target: self._target(target)} if target else {}
        made["mode"] = self._mode()
        made["schedule"] = self._schedule()
        made["duration"] = self._duration()
        made["reason"] = self._text("reason") if "reason" in self.table else None
        made["skip"] = self._skip()
        if len(self.reader.mistakes) > self.before:
            return None
        return WindowRule(self.table["name"], **made)

    def _check_name(self) -> None:
        if "name" not in self.table:
            self.wrong(None, "it has no name")
        elif self.name is None:
            self.wrong("name", "name must be a text that is not empty")
        elif self.name in self.reader.names:
            self.wrong("name", f"another window, on line {self.reader.names[self.name]}, has this name")
        else:
            self.reader.names[self.name] = self.reader.lines.of_window(self.index, "name")

    def _one_of(self, keys: tuple[str, ...]) -> str | None:
        there = [key for key in keys if key in self.table]
        if len(there) == 1:
            return there[0]
        wanted = f"{', '.join(keys[:-1])} and {keys[-1]}"
        if there:
            last = max(there, key=lambda key: self.reader.lines.of_window(self.index, key))
            self.wrong(last, f"it has {' and '.join(there)}; give one of {wanted}")
        else:
            self.wrong(None, f"it has none of {wanted}")
        return None

    def _text(self, key: str) -> str:
        value = self.table[key]
        if not isinstance(value, str) or not value.strip():
            self.wrong(key, f"{key} must be a text that is not empty")
            return ""
        return value

    def _target(self, key: str) -> object:
        if key == "integrations":
            value = self.table[key]
            if (
                not isinstance(value, list)
                or not value
                or not all(isinstance(each, str) and each.strip() for each in value)
            ):
                self.wrong(key, "integrations must be a list of names or ids that is not empty")
                return ()
            return tuple(value)
        text = self._text(key)
        if key != "label" or not text:
            return text
        name, found, value = text.partition("=")
        if not found or not name:
            self.wrong(key, f"label must be KEY=VALUE, not {text!r}")
        return name, value

    def _mode(self) -> str:
        word = self.table.get("mode", Mode.SILENCE.value)
        try:
            return Mode(word).in_cloud_words
        except ValueError:
            self.wrong("mode", f"no mode {word!r}; there are {', '.join(Mode)}")
            return ""

    def _schedule(self) -> Recurrence | None:
        key = self._one_of(SCHEDULES)
        where = self._zone()
        if key is None:
            return None
        try:
            if key == "cron":
                return Cron.parse(self._text(key), where) if self._is_text(key) else None
            return Once.of(self.table[key], where)
        except InvalidInput as error:
            self.wrong(key, error.message)
            return None

    def _is_text(self, key: str) -> bool:
        before = len(self.reader.mistakes)
        self._text(key)
        return len(self.reader.mistakes) == before

    def _zone(self) -> ZoneInfo:
        name = self.table.get("timezone", self.reader.zone)
        if name is None:
            self.wrong(None, "it has no timezone, and there is none above all windows")
            return ZoneInfo("UTC")
        try:
            return _zone(name)
        except InvalidInput as error:
            self.wrong("timezone", error.message)
            return ZoneInfo("UTC")

    def _duration(self) -> timedelta:
        value = self.table.get("duration")
        if value is None:
            self.wrong(None, "it has no duration")
        elif not isinstance(value, str | int) or isinstance(value, bool):
            self.wrong("duration", "duration must be a text such as 90m, 2h30m or 1d")
        else:
            try:
                return parse_duration(str(value))
            except InvalidInput as error:
                hint = f"; {error.hint}" if error.hint else ""
                self.wrong("duration", f"{error.message}{hint}")
        return timedelta()

    def _skip(self) -> frozenset[date]:
        days = self.table.get("skip", [])
        if not isinstance(days, list) or not all(
            isinstance(day, date) and not isinstance(day, datetime) for day in days
        ):
            self.wrong("skip", "skip must be a list of dates without quotes, such as [2026-12-24]")
            return frozenset()
        return frozenset(days)


def _zone(name: object) -> ZoneInfo:
    found = zone(name) if isinstance(name, str) else None
    if found is None:
        raise InvalidInput("timezone must be an IANA name such as Europe/Berlin")
    return found


def _unknown(key: str, keys: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(key, keys, n=1)
    known = f"did you mean {close[0]}?" if close else f"there are {', '.join(keys)}"
    return f"unknown key {key!r}; {known}"
