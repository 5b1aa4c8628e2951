"""Durations and instants as people type them, and times as people read them."""

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
    """The present instant, in UTC."""
    return datetime.now(UTC)


def parse_duration(text: str) -> timedelta:
    """Read ``90m``, ``2h30m``, ``1d``, ``3600`` (seconds) or ISO 8601 such as ``PT2H``.

    Raises:
        InvalidInput: it is none of these, or not positive.
    """
    word = text.strip()
    if word.isascii() and word.isdigit():
        parts = (0, 0, 0, int(word))
    else:
        match = _DURATION.fullmatch(word) or _ISO_DURATION.fullmatch(word)
        if match is None or not any(match.groups()):
            raise InvalidInput(f"not a duration: {text!r}", hint="write 90m, 2h30m, 1d, 3600 (seconds) or PT2H")
        parts = tuple(int(part or 0) for part in match.groups())  # type: ignore[assignment]
    days, hours, minutes, seconds = parts
    try:
        duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError as error:
        raise InvalidInput(f"too long a duration: {text!r}") from error
    if duration > LONGEST:
        raise InvalidInput(f"too long a duration: {text!r}")
    if not duration:
        raise InvalidInput(f"a duration must be longer than nothing: {text!r}")
    return duration


def zone(name: str | None) -> ZoneInfo | None:
    """Find a time zone by its IANA name; None is the zone of this machine.

    Raises:
        InvalidInput: no zone has this name.
    """
    if name is None or name.lower() == "local":
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidInput(
            f"no such time zone: {name!r}", hint="write an IANA name such as Europe/Berlin, or UTC"
        ) from error


def parse_time(text: str, tz: ZoneInfo | None, *, after: datetime) -> datetime:
    """Read ``18:00`` (the next one), ``2026-12-01T02:00`` (in the zone given) or ``2026-12-01T01:00Z``.

    Returns:
        The instant in UTC, later than ``after``.

    Raises:
        InvalidInput: not a time, past, or one that a change of the clocks skips or repeats.
    """
    word = text.strip()
    clock = _CLOCK.fullmatch(word)
    try:
        if clock:
            return _next_clock_time(time(int(clock[1]), int(clock[2]), int(clock[3] or 0)), tz, text, after)
        moment = datetime.fromisoformat(word)
    except ValueError as error:
        raise InvalidInput(
            f"not a time: {text!r}", hint="write 18:00, 2026-12-01T02:00 or 2026-12-01T01:00Z"
        ) from error
    try:
        instant = moment.astimezone(UTC) if moment.tzinfo else _instant(moment, tz, text)
    except (OverflowError, ValueError) as error:
        raise InvalidInput(f"a time beyond all calendars: {text!r}") from error
    if instant <= after:
        raise InvalidInput(f"that time is past: {text!r} is {show(instant, tz)}")
    return instant


def parse_past(text: str, tz: ZoneInfo | None, *, before: datetime) -> datetime:
    """Read a time that is past: a duration ago (``12h``), ``18:00`` (the last one), or a full time.

    Returns:
        The instant in UTC, earlier than ``before``.

    Raises:
        InvalidInput: neither, or not past.
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
        raise InvalidInput(f"that time is still to come: {text!r} is {show(instant, tz)}")
    return instant


def parse_moment(text: str, tz: ZoneInfo | None, *, near: datetime) -> datetime:
    """Read any time, past or to come: ``18:00`` (the next one), or a full time.

    Returns:
        The instant in UTC.

    Raises:
        InvalidInput: not a time, one that a change of the clocks skips or repeats, or one beyond all schedules.
    """
    instant = parse_time(text, tz, after=near if _CLOCK.fullmatch(text.strip()) else datetime.min.replace(tzinfo=UTC))
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise InvalidInput(f"{text!r} is beyond all schedules", hint=f"write a year from {_FIRST_YEAR} to {_LAST_YEAR}")
    return instant


def _next_clock_time(clock: time, tz: ZoneInfo | None, text: str, after: datetime) -> datetime:
    today = after.astimezone(tz).date()
    for days in range(3):
        wall = datetime.combine(today + timedelta(days=days), clock)
        if all(_attach(wall.replace(fold=fold), tz) <= after for fold in (0, 1)):
            continue  # past in either reading, so that it need not exist nor be the only one
        instant = _instant(wall, tz, text)
        if instant > after:
            return instant
    raise InvalidInput(f"not a time that comes: {text!r}")


def _instant(wall: datetime, tz: ZoneInfo | None, text: str) -> datetime:
    """Turn a wall-clock time into the one instant it names."""
    first, second = (_attach(wall.replace(fold=fold), tz).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    if first.astimezone(tz).replace(tzinfo=None) != wall:
        raise InvalidInput(
            f"{text!r} does not exist on {wall.date()}: the clocks skip it",
            hint="give the time with its offset from UTC, such as 2026-12-01T02:00+01:00",
        )
    raise InvalidInput(
        f"{text!r} comes twice on {wall.date()}: as {first.astimezone(tz).isoformat()}"
        f" and as {second.astimezone(tz).isoformat()}",
        hint="write the one you mean",
    )


def midnight(at: datetime, tz: ZoneInfo | None, *, days_later: int = 0) -> datetime:
    """The instant, in UTC, at which the day of another one begins in the zone given, or a day so much later."""
    day = at.astimezone(tz).date() + timedelta(days=days_later)
    return _attach(datetime.combine(day, time()), tz).astimezone(UTC)


def _attach(wall: datetime, tz: ZoneInfo | None) -> datetime:
    return wall.astimezone() if tz is None else wall.replace(tzinfo=tz)


def show(instant: datetime, tz: ZoneInfo | None) -> str:
    """Write an instant for a person: in the zone given, to the minute."""
    return f"{instant.astimezone(tz):%Y-%m-%d %H:%M %Z}"


def span(seconds: float) -> str:
    """Write a length of time shortly and rounded: ``45s``, ``12m``, ``1h 30m``, ``3d 4h``."""
    whole = round(abs(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    minutes = round(whole / _MINUTE)
    if minutes < _HOUR // _MINUTE:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, _HOUR // _MINUTE)
    if hours < _DAY // _HOUR:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    days, hours = divmod(round(whole / _HOUR), _DAY // _HOUR)
    return f"{days}d {hours}h" if hours else f"{days}d"


def relative(instant: datetime, *, at: datetime) -> str:
    """Write how far an instant is from another one: ``in 12m`` or ``3h ago``."""
    seconds = (instant - at).total_seconds()
    return f"in {span(seconds)}" if seconds >= 0 else f"{span(seconds)} ago"
