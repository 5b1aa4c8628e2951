"""Reading a file of windows: all mistakes are reported at once, each with its line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo

from oncallctl.config.toml_schema import Path, StrictTable, TomlLines, TomlMistake, mistakes, toml_error, validator
from oncallctl.errors import InvalidInput
from oncallctl.maintenance import Mode
from oncallctl.maintenance.file.occurrences import Cron, Once
from oncallctl.maintenance.file.rules import WindowRule
from oncallctl.times import parse_duration, zone

TARGETS = ("integrations", "team", "match", "label")
SCHEDULES = ("cron", "at")


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


def _zone(name: object) -> ZoneInfo:
    if name is None:
        raise InvalidInput("is missing, here and above all windows")
    found = zone(name) if isinstance(name, str) else None
    if found is None:
        raise InvalidInput("must be an IANA name such as Europe/Berlin")
    return found


def _duration(value: object) -> timedelta:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise InvalidInput("must be a string such as 90m, 2h30m or 1d")
    try:
        return parse_duration(str(value))
    except InvalidInput as error:
        raise InvalidInput(f"{error.message}{f'; {error.hint}' if error.hint else ''}") from error


def _label(value: object) -> tuple[str, str]:
    name, equals, content = value.partition("=") if isinstance(value, str) else ("", "", "")
    if not equals or not name:
        raise InvalidInput(f"must be KEY=VALUE, not {value!r}")
    return name, content


def _cron(expression: str) -> str:
    Cron.parse(expression, ZoneInfo("UTC"))
    return expression


def _at(at: datetime, info: ValidationInfo) -> datetime:
    if "timezone" in info.data:  # absent if it is invalid itself
        validator(lambda value: Once.of(value, info.data["timezone"]))(at)
    return at


Text = Annotated[str, Field(pattern=r"\S")]  # not only spaces
Zone = Annotated[ZoneInfo, BeforeValidator(validator(_zone))]
NAMES = "an array of names or IDs that is not empty"
DATE_TIME = "a date and a time without quotes, such as 2026-12-01T02:00:00"
DATES = "an array of dates without quotes, such as [2026-12-24]"


class WindowTable(StrictTable):
    """A table ``[[window]]``. Validators of later fields see the values of earlier ones."""

    name: Text
    integrations: Annotated[list[Text] | None, Field(min_length=1, description=NAMES)] = None
    team: Text | None = None
    match: Text | None = None
    label: Annotated[tuple[str, str] | None, BeforeValidator(validator(_label))] = None
    mode: Annotated[Mode, Field(strict=False)] = Mode.SILENCE
    timezone: Zone
    cron: Annotated[Text, AfterValidator(validator(_cron))] | None = None
    at: Annotated[datetime | None, Field(description=DATE_TIME), AfterValidator(_at)] = None
    duration: Annotated[timedelta, BeforeValidator(validator(_duration))]
    reason: Text | None = None
    skip: Annotated[list[date], Field(description=DATES)] = Field(default_factory=list)

    def rule(self) -> WindowRule:
        """Return the window."""
        return WindowRule(
            name=self.name,
            schedule=Cron(self.cron, self.timezone) if self.cron else Once.of(self.at, self.timezone),
            duration=self.duration,
            mode=self.mode.in_cloud_words,
            integrations=tuple(self.integrations or ()),
            team=self.team,
            match=self.match,
            label=self.label,
            reason=self.reason,
            skip=frozenset(self.skip),
        )


class WindowsFile(StrictTable):
    """The complete file."""

    timezone: Zone | None = None
    window: Annotated[list[WindowTable], Field(description="tables, each below a line [[window]]")] = Field(
        default_factory=list
    )


def load(text: str) -> tuple[list[WindowRule], list[Mistake]]:
    """Read a file of windows.

    Returns:
        The windows if there are no mistakes, and all mistakes in the order of their lines.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line, message = toml_error(error, text)
        return [], [Mistake(line, None, f"not TOML: {message}")]
    lines, tables = TomlLines(text), _tables(document)
    found = list(_across_keys(tables, lines))
    if document.get("window", []) == []:
        found.append(TomlMistake(1, (), "there is no [[window]]"))
    windows = []
    try:
        windows = WindowsFile.model_validate(_with_zone(document)).window
    except ValidationError as error:
        found += mistakes(error, lines, WindowsFile, WindowTable)
    if found:
        return [], [_named(each, tables) for each in sorted(found, key=lambda mistake: mistake.line)]
    return [window.rule() for window in windows], []


def usable(text: str, path: str) -> list[WindowRule]:
    """Read a file of windows.

    Raises:
        InvalidInput: the file has mistakes; the message contains the first.
    """
    rules, wrong = load(text)
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise InvalidInput(f"{wrong[0].text(path)}{more}", hint=f"oncallctl maintenance check {path}")
    return rules


def _tables(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    windows = document.get("window")
    return [each if isinstance(each, dict) else {} for each in windows] if isinstance(windows, list) else []


def _with_zone(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the document with the common time zone, or None, in each window that sets none."""
    windows, common = document.get("window"), document.get("timezone")
    if not isinstance(windows, list):
        return document
    try:
        _zone(common or "UTC")
    except InvalidInput:
        common = "UTC"  # the mistake is reported once, and not again for each window
    return {
        **document,
        "window": [{"timezone": common, **each} if isinstance(each, dict) else each for each in windows],
    }


def _across_keys(tables: list[Mapping[str, Any]], lines: TomlLines) -> Iterator[TomlMistake]:
    """Yield the mistakes that concern several keys or several windows."""
    names: dict[str, int] = {}
    for index, table in enumerate(tables):
        for keys in (TARGETS, SCHEDULES):
            given = sorted((key for key in keys if key in table), key=lambda key: lines.of(("window", index, key)))
            if len(given) != 1:
                path: Path = ("window", index, *given[-1:])
                several = f"only one of {', '.join(keys)} can be set, not {' and '.join(given)}"
                message = several if given else f"one of {', '.join(keys)} is required"
                yield TomlMistake(lines.of(path), path, message)
        name, path = table.get("name"), ("window", index, "name")
        if isinstance(name, str) and name in names:
            yield TomlMistake(lines.of(path), path, f"the window on line {names[name]} has the same name")
        elif isinstance(name, str) and name.strip():
            names[name] = lines.of(path)


def _named(mistake: TomlMistake, tables: list[Mapping[str, Any]]) -> Mistake:
    """Return a mistake with the name of its window."""
    index = mistake.path[1] if len(mistake.path) > 1 else None
    name = tables[index].get("name") if isinstance(index, int) and index < len(tables) else None
    return Mistake(mistake.line, name if isinstance(name, str) and name.strip() else None, mistake.message)
