"""Absences from a TOML or iCalendar file, and the shifts that absent users still have."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oncallctl.api import lookup
from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command_line
from oncallctl.api.resources.schedules import Schedule
from oncallctl.api.resources.users import User
from oncallctl.errors import InvalidInput, OncallError
from oncallctl.rota.shifts import Rota
from oncallctl.times import Span, parse_moment

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Absence:
    """A time in which a user, given by name, email or ID, is absent."""

    user: str
    span: Span


@dataclass(frozen=True)
class AbsentShift:
    """A shift, or the part of one, of a user who is absent then."""

    user: User
    schedule: Schedule
    span: Span

    def document(self, oncall: OnCall, at: datetime) -> dict[str, Any]:
        """Return the JSON document, with the command that lets the token's user take over."""
        start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (self.span.start, self.span.end))
        begin = ["--from", start] if self.span.start > at + timedelta(minutes=1) else []
        words = ["cover", self.user.id, "--schedule", self.schedule.id, *begin, "--until", end]
        return {
            "user": {"id": self.user.id, "username": self.user.username, "email": self.user.email},
            "schedule_id": self.schedule.id,
            "schedule_name": self.schedule.name,
            "shift_start": self.span.start.isoformat(),
            "shift_end": self.span.end.isoformat(),
            "command": command_line(oncall, words),
        }


def read_file(path: str, tz: ZoneInfo | None, at: datetime) -> list[Absence]:
    """Read absences from a file.

    A TOML file has tables ``[[absent]]`` with `user`, `from` and `until`; a date without a time is a full day. In an
    iCalendar file, the attendees of an event are absent, or else the user whom its summary names.

    Args:
        path: the file; its contents tell the format.
        tz: the zone of times without one.
        at: the present, for times such as ``+2d``.

    Raises:
        InvalidInput: the file cannot be read, or has no absences.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise InvalidInput(f"--absent: cannot read {path!r}: {reason}") from error
    is_calendar = text.lstrip("\ufeff \r\n").upper().startswith("BEGIN:VCALENDAR")
    try:
        found = list(_of_calendar(text, tz) if is_calendar else _of_toml(text, tz, at))
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"--absent: {path!r}: {error}", hint="see docs/cover.md for both formats") from error
    except OncallError as error:
        error.message = f"--absent: {path!r}: {error.message}"
        raise
    if not found:
        raise InvalidInput(
            f"--absent: no absences in {path!r}", hint="add a table [[absent]] with user, from and until"
        )
    return found


def find(oncall: OnCall, absences: Sequence[Absence], rotas: Iterable[Rota], ahead: Span) -> list[AbsentShift]:
    """Return the shifts in a time span of users who are absent, by their start.

    Raises:
        NotFound, Ambiguous: a user.
    """
    users = {text: lookup.users(oncall, [text])[0] for text in dict.fromkeys(each.user for each in absences)}
    found = {
        (users[absence.user].id, rota.schedule.id, span): AbsentShift(users[absence.user], rota.schedule, span)
        for rota in rotas
        for shift in rota.shifts
        for absence in absences
        if users[absence.user].id in shift.users and _overlap(shift.span, absence.span, ahead)
        for span in [shift.span.within(absence.span).within(ahead)]
    }
    return sorted(found.values(), key=lambda each: (each.span, each.schedule.name, each.user.username))


def _overlap(*spans: Span) -> bool:
    return max(each.start for each in spans) < min(each.end for each in spans)


def _of_toml(text: str, tz: ZoneInfo | None, at: datetime) -> Iterator[Absence]:
    entries = tomllib.loads(text).get("absent", [])
    if not isinstance(entries, list):
        raise InvalidInput("absent must be an array of tables, [[absent]]")
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or entry.keys() != {"user", "from", "until"}:
            raise InvalidInput(f"absence {number} must have the keys user, from and until, and no others")
        if not isinstance(entry["user"], str):
            raise InvalidInput(f"absence {number}: user must be a string")
        start = _moment(entry["from"], tz, at, is_end=False)
        yield _absence(entry["user"], start, _moment(entry["until"], tz, at, is_end=True))


def _of_calendar(text: str, tz: ZoneInfo | None) -> Iterator[Absence]:
    import icalendar

    events: list[Any] = icalendar.Calendar.from_ical(text).walk("VEVENT")
    for event in events:
        start, end = event.get("dtstart"), event.get("dtend")
        if start is None:
            raise InvalidInput("an event has no DTSTART")
        first = start.dt
        last = end.dt if end else first + (event["duration"].dt if "duration" in event else DAY)
        span = _instant(first, tz), _instant(last, tz)  # a date as DTEND is exclusive (RFC 5545, 3.6.1)
        attendees = event.get("attendee", [])
        people = attendees if isinstance(attendees, list) else [attendees]
        names = [str(each).removeprefix("mailto:").removeprefix("MAILTO:") for each in people]
        for name in names or [str(event.get("summary", "")).strip()]:
            yield _absence(name, *span)


def _absence(user: str, start: datetime, end: datetime) -> Absence:
    if start >= end:
        raise InvalidInput(f"the absence of {user} ends before it starts")
    return Absence(user, Span(start, end))


def _moment(value: object, tz: ZoneInfo | None, at: datetime, *, is_end: bool) -> datetime:
    """Return the instant of a TOML value: a date, a date and time, or a text such as ``+2d``."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return parse_moment(str(value), tz, near=at)
    if isinstance(value, datetime):
        return _instant(value, tz)
    if isinstance(value, date):
        return _instant(value + DAY if is_end else value, tz)
    raise InvalidInput(f"not a time: {value}")


def _instant(value: date, tz: ZoneInfo | None) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    if moment.tzinfo is None:
        moment = moment.astimezone() if tz is None else moment.replace(tzinfo=tz)
    return moment.astimezone(UTC)
