"""Shifts as an iCalendar file (RFC 5545), for Google Calendar, Apple Calendar and Outlook."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from oncallctl.rota.shifts import Rota
from oncallctl.rota.user_shifts import UserShift
from oncallctl.text import caption
from oncallctl.times import Span

PRODUCT = "-//oncallctl//oncallctl//EN"


@dataclass(frozen=True)
class CalendarEvent:
    """A shift in a calendar.

    Attributes:
        users: the IDs of the people on call.
        names: their names.
        covering_name: the name of the person who had this shift before a shift swap, or None.
    """

    schedule_id: str
    schedule_name: str
    users: Sequence[str]
    names: Sequence[str]
    span: Span
    covering_name: str | None = None

    @property
    def summary(self) -> str:
        """The title of the event."""
        people = ", ".join(map(caption, self.names))
        cover = f", covering for {caption(self.covering_name)}" if self.covering_name else ""
        return f"On call: {people} ({caption(self.schedule_name)}){cover}"

    @property
    def uid(self) -> str:
        """The identifier of the event.

        It is the same in every export. If the end of a shift changes, a calendar thus updates the event.
        """
        key = "\n".join([self.schedule_id, self.span.start.isoformat(), *sorted(self.users)])
        return f"{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}@oncallctl"


def of_rotas(rotas: Iterable[Rota]) -> list[CalendarEvent]:
    """Return the events of schedules."""
    return [
        CalendarEvent(
            rota.schedule.id,
            rota.schedule.name,
            shift.users,
            [rota.usernames.get(user, user) for user in shift.users],
            shift.span,
        )
        for rota in rotas
        for shift in rota.shifts
    ]


def of_users(shifts: Iterable[UserShift]) -> list[CalendarEvent]:
    """Return the events of users."""
    return [
        CalendarEvent(
            shift.schedule.id,
            shift.schedule.name,
            [shift.user.id],
            [shift.user.username],
            shift.span,
            shift.covering_name,
        )
        for shift in shifts
    ]


def calendar(events: Sequence[CalendarEvent], name: str, *, at: datetime) -> str:
    """Return a calendar with these events, with times in UTC.

    Args:
        events: the events. Those without a duration are left out, since a calendar cannot hold them.
        name: the name of the calendar.
        at: the time of the export.

    Returns:
        The text with CRLF line ends. Names from the server are escaped.
    """
    import icalendar

    document = icalendar.Calendar()
    document.add("prodid", PRODUCT)
    document.add("version", "2.0")
    document.add("calscale", "GREGORIAN")
    document.add("x-wr-calname", caption(name))
    uids: dict[str, int] = {}
    for each in events:
        if each.span.length <= timedelta():
            continue
        uids[each.uid] = number = uids.get(each.uid, 0) + 1
        event = icalendar.Event()
        event.add("uid", each.uid if number == 1 else f"{number}-{each.uid}")  # shifts with the same start
        event.add("dtstamp", at.astimezone(UTC).replace(microsecond=0))
        event.add("dtstart", each.span.start.replace(microsecond=0))
        event.add("dtend", each.span.end.replace(microsecond=0))
        event.add("summary", each.summary)
        event.add("transp", "TRANSPARENT")  # on call is not busy: others may still invite the person
        document.add_component(event)
    content: bytes = document.to_ical()
    return content.decode()
