"""Parse durations and times from user input, and format them for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from oncallctl.errors import InvalidInput

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_UNITS = ((86400, "d|days?"), (3600, "h|hrs?|hours?"), (60, "m|mins?|minutes?"), (1, "s|secs?|seconds?"))
_DURATION = r"(?i)" + r"\s*".join(rf"(?:{_NUMBER}\s*(?:{names}))?" for _, names in _UNITS)
_ISO_DURATION = rf"(?ia)P(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # datetime.weekday() counts from Monday
# 18:00, 3am, 3:30 pm, tomorrow 7:00, Sat 10:00. An hour needs minutes or am/pm: a bare number is a duration in seconds.
_CLOCK = (
    r"(?i)(?:(?:(?P<day>yesterday|today|tomorrow)"
    r"|(?P<weekday>mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?))"
    r"\s+(?:at\s+)?)?"
    r"(?P<hour>[0-9]{1,2})(?:(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?)|(?=\s*[ap]))\s*(?P<half>am|pm)?"
)
_ROUNDING = 1e-6  # seconds; 1.1h is 3960.0000000000005 s in floating point
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_NOON = 12
_TIME_HINT = "use 18:00, 3am, tomorrow 7:00, Sat 10:00, +2h, 2026-12-01T02:00 or 2026-12-01T01:00Z"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
LONGEST = timedelta(days=36500)
_FIRST_YEAR, _LAST_YEAR = 1980, 2200


def now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC)


def parse_duration(text: str) -> timedelta:
    """Parse ``90m``, ``2h30m``, ``1.5h``, ``2 hours``, ``3600`` (seconds) or ISO 8601 such as ``PT2H``.

    Raises:
        InvalidInput: it is not a duration, not positive, not in whole seconds, or longer than `LONGEST`.
    """
    word = text.strip()
    if word.isascii() and word.isdigit():
        parts: Sequence[str | None] = (None, None, None, word)
    else:
        match = re.fullmatch(_DURATION, word) or re.fullmatch(_ISO_DURATION, word)
        if match is None or not any(match.groups()):
            raise InvalidInput(f"not a duration: {text!r}", hint="use 90m, 2h30m, 1.5h, 1d, 3600 (seconds) or PT2H")
        parts = match.groups()
    seconds = sum(float(part or 0) * size for part, (size, _) in zip(parts, _UNITS, strict=True))
    if seconds > LONGEST.total_seconds():
        raise InvalidInput(f"duration too long: {text!r}")
    if abs(seconds - round(seconds)) > _ROUNDING:
        raise InvalidInput(f"not a duration in whole seconds: {text!r}")
    if not round(seconds):
        raise InvalidInput(f"duration must be positive: {text!r}")
    return timedelta(seconds=round(seconds))


def zone(name: str | None) -> ZoneInfo | None:
    """Return a time zone by its IANA name; None stands for the local zone.

    Raises:
        InvalidInput: there is no zone of this name.
    """
    if name is None or name.lower() == "local":
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(
            f"no such time zone: {name!r}", hint="use an IANA name such as Europe/Berlin, or UTC"
        ) from error


def parse_time(text: str, tz: ZoneInfo | None, *, after: datetime) -> datetime:
    """Parse a future time: ``18:00`` (the next one), ``tomorrow 7:00``, ``Sat 10:00``, ``+2h``, or a date and time.

    Returns:
        The instant in UTC, later than `after`.

    Raises:
        InvalidInput: it is not a time, it is past, or a DST change skips or repeats it.
    """
    instant = _parse(text, tz, at=after, clock_time=_next_clock_time)
    if instant <= after:
        raise InvalidInput(f"time in the past: {text!r} is {show(instant, tz)}")
    return instant


def parse_past(text: str, tz: ZoneInfo | None, *, before: datetime) -> datetime:
    """Parse a past time: a duration ago (``12h`` or ``-12h``), ``18:00`` (the last one), or a date and time.

    Returns:
        The instant in UTC, earlier than `before`.

    Raises:
        InvalidInput: it is neither, or not past.
    """
    try:
        return before - parse_duration(text)
    except InvalidInput as no_duration:
        try:
            instant = _checked_year(text, _parse(text, tz, at=before, clock_time=_last_clock_time))
        except InvalidInput as error:
            if error.hint == _TIME_HINT:
                error.hint = f"{error.hint}; or a duration ago, such as 12h"
            raise error from no_duration
    if instant >= before:
        raise InvalidInput(f"time in the future: {text!r} is {show(instant, tz)}")
    return instant


def parse_moment(text: str, tz: ZoneInfo | None, *, near: datetime) -> datetime:
    """Parse a past or future time: ``18:00`` (the next one), ``+2h``, ``-30m``, or a date and time.

    Returns:
        The instant in UTC.

    Raises:
        InvalidInput: it is not a time, a DST change skips or repeats it, or its year is out of range.
    """
    return _checked_year(text, _parse(text, tz, at=near, clock_time=_next_clock_time))


def is_incomplete(text: str) -> bool:
    """True if a valid time depends on the current time, such as ``18:00`` or ``+2h``; users must be shown its date."""
    word = text.strip()
    return word.startswith(("+", "-")) or word.lower() in _DAYS or re.fullmatch(_CLOCK, word) is not None


def _parse(
    text: str,
    tz: ZoneInfo | None,
    *,
    at: datetime,
    clock_time: Callable[[_Clock, ZoneInfo | None, str, datetime], datetime],
) -> datetime:
    """Parse a time; `clock_time` completes a time of day without a date."""
    word = text.strip()
    try:
        if word.startswith(("+", "-")):
            if word[1:].strip().isdigit():  # seconds or minutes? a sign suggests an offset, so the unit must be clear
                raise InvalidInput(f"missing unit: {text!r}", hint=f"use {word}m or {word}h")
            length = parse_duration(word[1:])
            return at + length if word.startswith("+") else at - length
        if match := re.fullmatch(_CLOCK, word):
            clock = _time_of_day(match)
            if not match["day"]:
                weekday = match["weekday"]
                return clock_time(
                    _Clock(clock, _WEEKDAYS.index(weekday[:3].lower()) if weekday else None), tz, text, at
                )
            day = at.astimezone(tz).date() + timedelta(days=_DAYS[match["day"].lower()])
            return _instant(datetime.combine(day, clock), tz, text)
        if word.lower() in _DAYS:  # the beginning of the day, as for a date
            return midnight(at, tz, days_later=_DAYS[word.lower()])
        moment = datetime.fromisoformat(word)
    except ValueError as error:
        raise InvalidInput(f"not a time: {text!r}", hint=_TIME_HINT) from error
    try:
        return moment.astimezone(UTC) if moment.tzinfo else _instant(moment, tz, text)
    except (OverflowError, ValueError) as error:
        raise InvalidInput(f"time out of range: {text!r}") from error


class _Clock(NamedTuple):
    """A time of day, on any day or on one day of the week (0 is Monday)."""

    time: time
    weekday: int | None = None

    def walls(self, today: date, step: int) -> Iterator[datetime]:
        """Yield its nearest wall-clock times from `today` on, or back from it if `step` is -1."""
        days = (today + timedelta(days=step * count) for count in range(3 if self.weekday is None else 15))
        return (datetime.combine(day, self.time) for day in days if self.weekday in {None, day.weekday()})


def _time_of_day(match: re.Match[str]) -> time:
    """Return the time of day of a `_CLOCK` match.

    Raises:
        ValueError: there is no such time, as for 25:00 and 13pm.
    """
    hour = int(match["hour"])
    if half := match["half"]:
        if not 1 <= hour <= _NOON:
            raise ValueError(match.group())
        hour = hour % _NOON + (_NOON if half.lower() == "pm" else 0)
    return time(hour, int(match["minute"] or 0), int(match["second"] or 0))


def _checked_year(text: str, instant: datetime) -> datetime:
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise InvalidInput(f"time out of range: {text!r}", hint=f"use a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    return instant


def _next_clock_time(clock: _Clock, tz: ZoneInfo | None, text: str, after: datetime) -> datetime:
    for wall in clock.walls(after.astimezone(tz).date(), 1):
        if all(_attach(wall.replace(fold=fold), tz) <= after for fold in (0, 1)):
            continue  # past in both readings, so it does not matter if it is skipped or repeated
        instant = _instant(wall, tz, text)
        if instant > after:
            return instant
    raise InvalidInput(f"not a future time: {text!r}")


def _last_clock_time(clock: _Clock, tz: ZoneInfo | None, text: str, before: datetime) -> datetime:
    for wall in clock.walls(before.astimezone(tz).date(), -1):
        if all(_attach(wall.replace(fold=fold), tz) >= before for fold in (0, 1)):
            continue  # still to come in both readings, so it does not matter if it is skipped or repeated
        instant = _instant(wall, tz, text)
        if instant < before:
            return instant
    raise InvalidInput(f"not a past time: {text!r}")


def _instant(wall: datetime, tz: ZoneInfo | None, text: str) -> datetime:
    """Convert a wall-clock time to UTC; refuse it if a DST change skips or repeats it."""
    first, second = (_attach(wall.replace(fold=fold), tz).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    if first.astimezone(tz).replace(tzinfo=None) != wall:
        raise InvalidInput(
            f"{text!r} does not exist on {wall.date()}: the clocks skip it",
            hint="add the offset from UTC, such as 2026-12-01T02:00+01:00",
        )
    raise InvalidInput(
        f"{text!r} is ambiguous on {wall.date()}, the clocks repeat it: {first.astimezone(tz).isoformat()}"
        f" or {second.astimezone(tz).isoformat()}",
        hint="use one of these",
    )


def midnight(at: datetime, tz: ZoneInfo | None, *, days_later: int = 0) -> datetime:
    """Return the start, in UTC, of the day in `tz` that contains `at`, or of the day `days_later`."""
    day = at.astimezone(tz).date() + timedelta(days=days_later)
    return _attach(datetime.combine(day, time()), tz).astimezone(UTC)


def _attach(wall: datetime, tz: ZoneInfo | None) -> datetime:
    return wall.astimezone() if tz is None else wall.replace(tzinfo=tz)


def show(instant: datetime, tz: ZoneInfo | None) -> str:
    """Format an instant in `tz`, to the minute."""
    return f"{instant.astimezone(tz):%Y-%m-%d %H:%M %Z}"


def show_duration(seconds: float) -> str:
    """Format a number of seconds, rounded: ``45s``, ``12m``, ``1h 30m``, ``3d 4h``."""
    rounded = round(abs(seconds))
    if rounded < _MINUTE:
        return f"{rounded}s"
    minutes = round(rounded / _MINUTE)
    if minutes < _HOUR // _MINUTE:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, _HOUR // _MINUTE)
    if hours < _DAY // _HOUR:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    days, hours = divmod(round(rounded / _HOUR), _DAY // _HOUR)
    return f"{days}d {hours}h" if hours else f"{days}d"


def relative(instant: datetime, *, at: datetime) -> str:
    """Format an instant relative to `at`: ``in 12m`` or ``3h ago``."""
    seconds = (instant - at).total_seconds()
    return f"in {show_duration(seconds)}" if seconds >= 0 else f"{show_duration(seconds)} ago"


@dataclass(frozen=True, order=True)
class Span:
    """A time span. The end is exclusive.

    Both ends are converted to UTC, since Python compares and subtracts two times in one zone by their wall clocks. That
    is wrong across a change of the clocks.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    @property
    def length(self) -> timedelta:
        """The duration."""
        return self.end - self.start

    def touches(self, other: Span) -> bool:
        """True if the two spans overlap."""
        return self.start < other.end and other.start < self.end

    def contains(self, instant: datetime) -> bool:
        """True if an instant is within the span."""
        return self.start <= instant < self.end

    def within(self, other: Span) -> Span:
        """Return the part that is within another span, which must overlap this one."""
        return Span(max(self.start, other.start), min(self.end, other.end))
