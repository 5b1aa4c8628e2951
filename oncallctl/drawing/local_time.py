"""Local times in the user's time zone, including changes to and from daylight saving time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from oncallctl.times import Span

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DASH = "\N{EN DASH}"


@dataclass(frozen=True)
class LocalTime:
    """A time zone; `tz` None is the zone of this machine."""

    tz: tzinfo | None

    def at(self, instant: datetime) -> datetime:
        """Return the local time of an instant."""
        return instant.astimezone(self.tz)

    def clock(self, instant: datetime) -> str:
        """Return the time of day, such as ``02:30``, or ``02:30 (CET)`` if it occurs twice on this day."""
        local = self.at(instant)
        twice = self._offset(local, 0) != self._offset(local, 1)
        return f"{local:%H:%M (%Z)}" if twice else f"{local:%H:%M}"

    def moment(self, instant: datetime, *, month: bool = False) -> str:
        """Return day and time: ``Sat 21 09:00``, or ``Sat 21 Nov 09:00``."""
        return f"{self.day(instant, month=month)} {self.clock(instant)}"

    def day(self, instant: datetime, *, month: bool = False) -> str:
        """Return the day: ``Sat 21``, or ``Sat 21 Nov``."""
        local = self.at(instant)
        return f"{local:%a} {self.day_of_month(instant)}" if month else f"{local:%a} {local.day}"

    def day_of_month(self, instant: datetime) -> str:
        """Return the date without its weekday: ``21 Nov``."""
        local = self.at(instant)
        return f"{local.day} {local:%b}"

    def from_until(self, span: Span, *, month: bool = False) -> str:
        """Return start and end; the day of the end only if it is a different one."""
        same = self.at(span.start).date() == self.at(span.end).date()
        end = self.clock(span.end) if same else self.moment(span.end, month=month)
        return f"{self.moment(span.start, month=month)} {DASH} {end}"

    def midnights(self, span: Span) -> list[datetime]:
        """Return the starts of days (UTC) within a span."""
        day, begins = self.at(span.start).date(), []
        while (begin := self.midnight(day)) < span.end:
            if begin >= span.start:
                begins.append(begin)
            day += DAY
        return begins

    def midnight(self, day: date) -> datetime:
        """Return the start of a day (UTC). If the clocks skip midnight, that is when they change."""
        return self.instant(datetime.combine(day, time()))

    def instant(self, wall: datetime) -> datetime:
        """Return the first instant (UTC) of a local time."""
        return (wall.astimezone() if self.tz is None else wall.replace(tzinfo=self.tz)).astimezone(UTC)

    def clock_changes(self, span: Span) -> list[str]:
        """Return sentences about days with more or fewer hours, such as ``Sun 25 Oct has 25 hours``."""
        sentences: list[str] = []
        for begin in (self.midnight(self.at(span.start).date()), *self.midnights(span)):
            length = self.midnight(self.at(begin).date() + DAY) - begin
            sentence = f"{self.day(begin, month=True)} has {length / HOUR:g} hours"
            if length != DAY and sentence not in sentences:
                sentences.append(sentence)
        return sentences

    def title(self, span: Span) -> str:
        """Return the days of a span, and the time zone."""
        first, last = self.at(span.start), self.at(max(span.start, span.end - timedelta(microseconds=1)))
        days = f"{self.day(first, month=first.month != last.month or first.year != last.year)}"
        if first.year != last.year:
            days += f" {first.year}"
        if first.date() == last.date():
            return f"{self.day(first, month=True)} {last.year}, {self.name(span)}"
        return f"{days} {DASH} {self.day(last, month=True)} {last.year}, {self.name(span)}"

    def name(self, span: Span) -> str:
        """Return the name of the time zone. The zone of this machine may only have abbreviations."""
        if key := getattr(self.tz, "key", None):
            return str(key)
        ends = (self.at(span.start), self.at(span.end))
        return "/".join(dict.fromkeys(end.tzname() or f"{end:%z}" for end in ends))

    def _offset(self, local: datetime, fold: int) -> timedelta | None:
        wall = local.replace(fold=fold)
        return (wall.replace(tzinfo=None).astimezone() if self.tz is None else wall).utcoffset()
