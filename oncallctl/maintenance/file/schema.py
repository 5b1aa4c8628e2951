"""A file of windows: what `windows.toml` says, and everything that is wrong with it at once."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from oncallctl.errors import InvalidInput
from oncallctl.maintenance import Mode
from oncallctl.maintenance.file.occurrences import Clocks, Cron, Moment, Once, Recurrence, utc
from oncallctl.times import parse_duration, zone

TARGETS = ("integrations", "team", "match", "label")
SCHEDULES = ("cron", "at")
KEYS = ("name", *TARGETS, "mode", *SCHEDULES, "timezone", "duration", "reason", "skip")
TOP = ("timezone", "window")

# What can end a statement of many lines.
_CLOSING = ('"""', "'''", "]", "}")
_WHERE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True)
class WindowRule:
    """A window of the file: which integrations, when, for how long.

    Attributes:
        mode: in Cloud's words.
        duration: elapsed time, whatever the clocks do meanwhile.
        skip: the days, in the window's zone, on which it does not begin.
    """

    name: str
    schedule: Recurrence
    duration: timedelta
    mode: str = Mode.SILENCE.value
    integrations: tuple[str, ...] = ()
    team: str | None = None
    match: str | None = None
    label: tuple[str, str] | None = None
    reason: str | None = None
    skip: frozenset[date] = frozenset()

    @property
    def targets(self) -> str:
        """What it says about its targets, in a few words."""
        if self.integrations:
            return ", ".join(self.integrations)
        if self.label:
            return f"label {'='.join(self.label)}"
        return f"team {self.team}" if self.team else f"match {self.match}"

    def occurrences(self, begin: datetime, end: datetime) -> Iterator[Occurrence]:
        """Those that start from `begin` to before `end`, in order, without the days to skip."""
        for moment in self.schedule.moments(begin, end):
            if moment.clocks is not Clocks.LEFT_OUT and not self._skips(moment):
                yield Occurrence(self, moment)

    def left_out(self, begin: datetime, end: datetime) -> Iterator[Moment]:
        """The starts in this time that do not happen, because the clocks skip them."""
        for moment in self.schedule.moments(begin, end):
            if moment.clocks is Clocks.LEFT_OUT and not self._skips(moment):
                yield moment

    def due(self, at: datetime) -> Occurrence | None:
        """Return the occurrence that is going on; if several overlap, the last one to start."""
        return self._last(at - self.duration, at)

    def touches(self, begin: datetime, end: datetime) -> bool:
        """True if an occurrence is going on at some time from `begin` to `end`."""
        return self._last(begin - self.duration, end) is not None

    def _last(self, after: datetime, until: datetime) -> Occurrence | None:
        """Return the last one to start in this time, without its beginning and with its end.

        It is looked for backwards, a day at a time: a window of ten years has thousands of occurrences that overlap.
        """
        instant = timedelta(microseconds=1)
        begin, end = after + instant, until + instant
        while begin < end:
            day = max(begin, end - timedelta(days=1))
            if found := list(self.occurrences(day, end)):
                return found[-1]
            end = day
        return None

    def _skips(self, moment: Moment) -> bool:
        return moment.instant.astimezone(self.schedule.zone).date() in self.skip


@dataclass(frozen=True)
class Occurrence:
    """One time that a window of the file is to be open."""

    rule: WindowRule
    moment: Moment

    @property
    def start(self) -> datetime:
        """When it starts, in UTC."""
        return self.moment.instant

    @property
    def end(self) -> datetime:
        """When it ends, in UTC."""
        return self.start + self.rule.duration

    @property
    def key(self) -> str:
        """What the journal knows it by."""
        return f"{self.rule.name}@{utc(self.start)}"


@dataclass(frozen=True)
class Mistake:
    """Something that is wrong with the file; `window` is None where it concerns none in particular."""

    line: int
    window: str | None
    message: str

    def text(self, path: str) -> str:
        """The mistake as compilers write theirs."""
        window = f'window "{self.window}": ' if self.window else ""
        return f"{path}:{self.line}: {window}{self.message}"

    def document(self) -> dict[str, Any]:
        """The mistake as scripts read it."""
        return {"line": self.line, "window": self.window, "message": self.message}


@dataclass
class Lines:
    """On which lines things stand: the keys above all windows, and for each window its header and its keys."""

    top: dict[str, int] = field(default_factory=dict)
    windows: list[tuple[int, dict[str, int]]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Lines:
        """Take a valid document apart.

        A statement ends on the first line with which it is TOML by itself: so neither a string nor an array of many
        lines is mistaken for keys and headers.
        """
        found = cls()
        here = found.top
        for number, header, statement in _statements(text):
            for key, value in statement.items():
                if header and key == "window" and value == [{}]:
                    here = {}
                    found.windows.append((number, here))
                elif header and key == "window" and found.windows and isinstance(value, dict):
                    here = {}  # [window.more], of which the window's own check complains
                    found.windows[-1][1].update(dict.fromkeys(value, number))
                elif header:
                    here = {}
                    found.top.setdefault(key, number)
                else:
                    here.setdefault(key, number)
        return found

    def of_window(self, index: int, key: str | None = None) -> int:
        """The line of a key of a window, or of its header."""
        if index >= len(self.windows):  # window = [{…}, {…}]
            return self.top.get("window", 1)
        header, keys = self.windows[index]
        return keys.get(key, header) if key else header


def _statements(text: str) -> Iterator[tuple[int, bool, dict[str, Any]]]:
    """Yield ``(line, whether it is a header, what it says by itself)``."""
    begun, number = "", 1
    for last, line in enumerate(text.split("\n"), start=1):
        closes = not begun or any(mark in line for mark in _CLOSING)
        begun += f"{line}\n"
        if not closes:
            continue
        try:
            statement = tomllib.loads(begun)
        except ValueError:
            continue
        if statement:
            yield number, begun.lstrip().startswith("["), statement
        begun, number = "", last + 1


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
    """Read a file that has to be without mistakes.

    Raises:
        InvalidInput: it is not; the message names the first.
    """
    rules, mistakes = load(text)
    if mistakes:
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        raise InvalidInput(f"{mistakes[0].text(path)}{more}", hint=f"oncallctl maintenance check {path}")
    return rules


class _Reader:
    """Reads a document and gathers what is wrong with it."""

    def __init__(self, document: Mapping[str, Any], lines: Lines) -> None:
        self.document = document
        self.lines = lines
        self.mistakes: list[Mistake] = []
        self.names: dict[str, int] = {}
        self.zone: str | None = None

    def read(self) -> list[WindowRule]:
        """Read everything."""
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
        """Check the zone of the windows that name none themselves."""
        if "timezone" not in self.document:
            return
        try:
            self.zone = str(_zone(self.document["timezone"]))
        except InvalidInput as error:
            self.mistakes.append(Mistake(self.lines.top.get("timezone", 1), None, error.message))
            self.zone = "UTC"  # said once; not again for each window


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
        """Note a mistake, at a key or at the window's header."""
        line = self.reader.lines.of_window(self.index, key)
        self.reader.mistakes.append(Mistake(line, self.name, message))

    def read(self) -> WindowRule | None:
        """Read the window; None when it cannot be used."""
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
                return Cron.parse(self._text(key), where) if self._text_is_there(key) else None
            return Once.of(self.table[key], where)
        except InvalidInput as error:
            self.wrong(key, error.message)
            return None

    def _text_is_there(self, key: str) -> bool:
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
