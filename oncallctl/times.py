"""Parse durations and times from user input, and format them for people."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from oncallctl.errors import InvalidInput

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.IGNORECASE)
_ISO_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
LONGEST = timedelta(days=36500)
_FIRST_YEAR, _LAST_YEAR = 1980, 2200


def now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC)


def parse_duration(text: str) -> timedelta:
    """Parse ``90m``, ``2h30m``, ``1d``, ``3600`` (seconds) or ISO 8601 such as ``PT2H``.

    Raises:
        InvalidInput: it is not a duration, not positive, or longer than `LONGEST`.
    """
    word = text.strip()
    if word.isascii() and word.isdigit():
        days, hours, minutes, seconds = 0, 0, 0, int(word)
    else:
        match = _DURATION.fullmatch(word) or _ISO_DURATION.fullmatch(word)
        if match is None or not any(match.groups()):
            raise InvalidInput(f"not a duration: {text!r}", hint="use 90m, 2h30m, 1d, 3600 (seconds) or PT2H")
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    try:
        duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError as error:
        raise InvalidInput(f"duration too long: {text!r}") from error
    if duration > LONGEST:
        raise InvalidInput(f"duration too long: {text!r}")
    if not duration:
        raise InvalidInput(f"duration must be positive: {text!r}")
    return duration


def zone(name: str | None) -> ZoneInfo | None:
    """Return a time zone by its IANA name; None stands for the local zone.

    Raises:
        InvalidInput: there is no zone of this name.
    """
    if name is None or name.lower() == "local":
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(
            f"no such time zone: {name!r}", hint="use an IANA name such as Europe/Berlin, or UTC"
        ) from error


def parse_time(text: str, tz: ZoneInfo | None, *, after: datetime) -> datetime:
    """Parse ``18:00`` (the next one), ``2026-12-01T02:00`` (in `tz`) or ``2026-12-01T01:00Z``.

    Returns:
        The instant in UTC, later than `after`.

    Raises:
        InvalidInput: it is not a time, it is past, or a DST change skips or repeats it.
    """
    word = text.strip()
    clock = _CLOCK.fullmatch(word)
    try:
        if clock:
            return _next_clock_time(time(int(clock[1]), int(clock[2]), int(clock[3] or 0)), tz, text, after)
        moment = datetime.fromisoformat(word)
    except ValueError as error:
        raise InvalidInput(f"not a time: {text!r}", hint="use 18:00, 2026-12-01T02:00 or 2026-12-01T01:00Z") from error
    try:
        instant = moment.astimezone(UTC) if moment.tzinfo else _instant(moment, tz, text)
    except (OverflowError, ValueError) as error:
        raise InvalidInput(f"time out of range: {text!r}") from error
    if instant <= after:
        raise InvalidInput(f"time in the past: {text!r} is {show(instant, tz)}")
    return instant


def parse_past(text: str, tz: ZoneInfo | None, *, before: datetime) -> datetime:
    """Parse a past time: a duration ago (``12h``), ``18:00`` (the last one), or a full time.

    Returns:
        The instant in UTC, earlier than `before`.

    Raises:
        InvalidInput: it is neither, or not past.
    """
    if _CLOCK.fullmatch(text.strip()):
        return parse_time(text, tz, after=before - timedelta(days=1, minutes=1))
    try:
        return before - parse_duration(text)
    except InvalidInput as no_duration:
        try:
            instant = parse_moment(text, tz, near=before)
        except InvalidInput as error:
            error.hint = error.hint and f"{error.hint}; or a duration ago, such as 12h"
            raise error from no_duration
    if instant >= before:
        raise InvalidInput(f"time in the future: {text!r} is {show(instant, tz)}")
    return instant


def parse_moment(text: str, tz: ZoneInfo | None, *, near: datetime) -> datetime:
    """Parse a past or future time: ``18:00`` (the next one), or a full time.

    Returns:
        The instant in UTC.

    Raises:
        InvalidInput: it is not a time, a DST change skips or repeats it, or its year is out of range.
    """
    instant = parse_time(text, tz, after=near if _CLOCK.fullmatch(text.strip()) else datetime.min.replace(tzinfo=UTC))
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise InvalidInput(f"time out of range: {text!r}", hint=f"use a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    return instant


def _next_clock_time(clock: time, tz: ZoneInfo | None, text: str, after: datetime) -> datetime:
    today = after.astimezone(tz).date()
    for days in range(3):
        wall = datetime.combine(today + timedelta(days=days), clock)
        if all(_attach(wall.replace(fold=fold), tz) <= after for fold in (0, 1)):
            continue  # past in both readings, so it does not matter if it is skipped or repeated
        instant = _instant(wall, tz, text)
        if instant > after:
            return instant
    raise InvalidInput(f"not a future time: {text!r}")


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


def span(seconds: float) -> str:
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
    return f"in {span(seconds)}" if seconds >= 0 else f"{span(seconds)} ago"
