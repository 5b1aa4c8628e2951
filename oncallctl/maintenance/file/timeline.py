"""The plan of a file: the occurrences of the next days, with warnings, and a drawing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from oncallctl.api.resources.integrations import Integration
from oncallctl.batch import Target
from oncallctl.errors import OncallError
from oncallctl.maintenance.file.occurrences import Clocks
from oncallctl.maintenance.file.rules import Occurrence, WindowRule
from oncallctl.maintenance.windows.model import utc
from oncallctl.text import visible

FINEST = (24, 12, 8, 6, 4, 3, 2, 1)  # cells a day that are whole hours
LABEL = len("|Mon 24")  # characters
OPEN, OVERLAP, NOTHING, EDGE = "█", "!", "·", "|"
PLAIN = str.maketrans({OPEN: "#", NOTHING: ".", "…": "~"})

Found = Mapping[str, "list[Target[Integration]] | OncallError"]


@dataclass(frozen=True)
class Overlap:
    """An overlap of two occurrences on the same integration."""

    other: Occurrence
    start: datetime
    end: datetime
    integrations: tuple[str, ...]


@dataclass
class Planned:
    """A planned occurrence; `targets` is None if they are not known, or the error why there are none."""

    occurrence: Occurrence
    targets: list[Target[Integration]] | OncallError | None
    overlaps: list[Overlap] = field(default_factory=list)

    @property
    def integrations(self) -> dict[str, str]:
        """The integrations: ID -> name. Without a server, the targets in the file."""
        if isinstance(self.targets, list):
            return {target.found.id: target.found.name for target in self.targets}
        if self.targets is not None:
            return {}
        rule = self.occurrence.rule
        return {each: each for each in rule.integrations or (rule.targets,)}

    def notes(self) -> Iterator[str]:
        """Yield all notes about it."""
        yield from self.oddities()
        if isinstance(self.targets, OncallError):
            yield self.targets.message

    def oddities(self) -> Iterator[str]:
        """Yield notes about changes of the clocks and overlaps."""
        moment, zone = self.occurrence.moment, self.occurrence.rule.schedule.zone
        start, end = self.occurrence.start.astimezone(zone), self.occurrence.end.astimezone(zone)
        meant = f"{moment.wall:%H:%M}"
        if moment.clocks is Clocks.SKIPPED:
            yield f"{meant} does not exist on this day: it starts at {start:%H:%M}"
        elif moment.clocks is Clocks.FIRST:
            yield f"{meant} comes twice on this day: it starts at the first"
        elif moment.clocks in {Clocks.TWICE_FIRST, Clocks.TWICE_SECOND}:
            yield f"{meant} comes twice on this day: it starts at both"
        change = (end.utcoffset() or timedelta()) - (start.utcoffset() or timedelta())
        if change:
            ahead = "forward" if change > timedelta() else "back"
            yield f"the clocks go {ahead} by {abs(change) // timedelta(minutes=1)} min while it is open"
        for overlap in self.overlaps:
            other = overlap.other.rule.name
            which = "its own next or last occurrence" if other == self.occurrence.rule.name else f"window {other!r}"
            yield f"overlaps {which} on {', '.join(overlap.integrations)}"

    def document(self, local: tzinfo | None) -> dict[str, Any]:
        """Return the element of the JSON array; `local` None is the zone of this machine."""
        start, end, rule = self.occurrence.start, self.occurrence.end, self.occurrence.rule
        zone = rule.schedule.zone
        known = isinstance(self.targets, list)
        return {
            "window": rule.name,
            "mode": rule.mode,
            "start": utc(start),
            "end": utc(end),
            "timezone": str(zone),
            "start_in_zone": start.astimezone(zone).isoformat(),
            "end_in_zone": end.astimezone(zone).isoformat(),
            "start_local": start.astimezone(local).isoformat(),
            "end_local": end.astimezone(local).isoformat(),
            "targets": [{"id": key, "name": name} for key, name in self.integrations.items()] if known else None,
            "error": self.targets.document() if isinstance(self.targets, OncallError) else None,
            "clocks": self.occurrence.moment.clocks.value,
            "overlaps": [
                {"window": each.other.rule.name, "start": utc(each.start), "end": utc(each.end)}
                for each in self.overlaps
            ],
            "notes": list(dict.fromkeys(self.notes())),
        }

    def row(self, local: tzinfo | None) -> dict[str, Any]:
        """Return the document with the columns of the table."""
        start, end, rule = self.occurrence.start, self.occurrence.end, self.occurrence.rule
        names = [rule.targets] if self.targets is None else list(self.integrations.values())
        return {
            **self.document(local),
            "zoned": _span(start, end, rule.schedule.zone),
            "local": _span(start, end, local),
            "zoned_short": _span(start, end, rule.schedule.zone, day="%a %m-%d"),
            "local_short": f"{start.astimezone(local):%a %m-%d %H:%M %Z}",
            "names": ", ".join(names),
            "names_short": f"{names[0]} +{len(names) - 1}" if len(names) > 1 else "".join(names),
            "said": "; ".join(dict.fromkeys(self.notes())),
        }


def _span(start: datetime, end: datetime, zone: tzinfo | None, day: str = "%Y-%m-%d") -> str:
    """Format a time span; the date of the end only if it is another day."""
    begin, last = start.astimezone(zone), end.astimezone(zone)
    until = f"{last:%H:%M}" if begin.date() == last.date() else f"{last:%m-%d %H:%M}"
    names = f"{begin:%Z}" if begin.utcoffset() == last.utcoffset() else f"{begin:%Z}/{last:%Z}"
    return f"{begin:{day} %H:%M} to {until} {names}"


def plan(rules: Sequence[WindowRule], at: datetime, days: int, found: Found | None) -> list[Planned]:
    """Return the occurrences that are active or start within this many days, in order.

    Args:
        rules: the windows of the file.
        at: now.
        days: how many days to look ahead.
        found: the targets of each window by its name, or why there are none; None without a server.
    """
    planned = [
        Planned(occurrence, found[rule.name] if found is not None else None)
        for rule in rules
        for occurrence in _from_now_on(rule, at, at + timedelta(days=days))
    ]
    planned.sort(key=lambda each: (each.occurrence.start, each.occurrence.end, each.occurrence.rule.name))
    _find_overlaps(planned)
    return planned


def left_out(rules: Sequence[WindowRule], at: datetime, days: int) -> Iterator[str]:
    """Yield a warning for each start that a change of the clocks skips."""
    for rule in rules:
        for moment in rule.left_out(at, at + timedelta(days=days)):
            yield (
                f"window {rule.name!r}: {moment.wall:%Y-%m-%d %H:%M} does not exist in {rule.schedule.zone}"
                " and is left out"
            )


def _from_now_on(rule: WindowRule, at: datetime, end: datetime) -> Iterator[Occurrence]:
    """Yield the current occurrence, as `apply` sees it, and those that start before `end`."""
    if going_on := rule.due(at):
        yield going_on
    yield from rule.occurrences(at + timedelta(microseconds=1), end)


def _find_overlaps(planned: Sequence[Planned]) -> None:
    going_on: dict[str, Planned] = {}  # the last one of each rule: `apply` opens no other
    for each in planned:
        begin = each.occurrence.start
        for other in going_on.values():
            if other.occurrence.end <= begin:
                continue
            shared = tuple(name for key, name in each.integrations.items() if key in other.integrations)
            if shared:
                end = min(each.occurrence.end, other.occurrence.end)
                each.overlaps.append(Overlap(other.occurrence, begin, end, shared))
                other.overlaps.append(Overlap(each.occurrence, begin, end, shared))
        going_on[each.occurrence.rule.name] = each


def picture(  # a picture is of windows, at a time, in a zone, of a size
    rules: Sequence[WindowRule], planned: Sequence[Planned], at: datetime, days: int, *, zone: tzinfo | None, width: int
) -> list[str]:
    """Draw the windows of the planned span as lines of cells; a cell is some hours.

    The first and the last cell are clipped to the span, like the table. Each line is at most `width` characters.
    """
    from rich.cells import cell_len, set_cell_size

    names = [visible(rule.name) for rule in rules]
    margin = min(max(map(cell_len, names)), max(width // 4, 1))
    edges, scale = _edges(at, days, zone, max(width - margin - 1, 1))
    where = zone or at.astimezone().tzname()
    lines = [f"{'':{margin}} {_header(edges, zone)}"]
    overlapping = False
    for rule, name in zip(rules, names, strict=True):
        mine = [each for each in planned if each.occurrence.rule.name == rule.name]
        drawn = _line(mine, edges)
        overlapping = overlapping or OVERLAP in drawn
        label = set_cell_size(name, margin) if cell_len(name) <= margin else f"{set_cell_size(name, margin - 1)}…"
        lines.append(f"{label} {drawn}")
    legend = f"{OPEN} open, one character is {scale}, {where}"
    lines.append(legend[:width])
    if overlapping:
        lines.append(f"{OVERLAP} overlaps another on the same integration"[:width])
    return lines


def _edges(at: datetime, days: int, zone: tzinfo | None, room: int) -> tuple[list[datetime], str]:
    """Divide the span into as many cells as fit; also return the length of a cell."""
    end, first = at + timedelta(days=days), at.astimezone(zone).date()

    def clipped(edges: Iterable[datetime]) -> list[datetime]:
        return [at, *(edge for edge in edges if at < edge < end), end]

    for per_day in FINEST:
        edges = clipped(edge for day in range(days + 1) for edge in _cells(first + timedelta(days=day), per_day, zone))
        if len(edges) - 1 <= room:
            return edges, f"{24 // per_day}h" if per_day > 1 else "1d"
    length = -(-days // (room - 1)) if room > 1 else days + 1  # days in a cell
    return clipped(_midnight(first + timedelta(days=day), zone) for day in range(0, days + 1, length)), f"{length}d"


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    wall = datetime.combine(day, time())
    return (wall.replace(tzinfo=zone) if zone else wall.astimezone()).astimezone(UTC)


def _cells(day: date, count: int, zone: tzinfo | None) -> Iterator[datetime]:
    """Yield the starts of a day's cells; a day of 23 or 25 hours has as many, a little shorter or longer."""
    begin, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    for cell in range(count):
        yield begin + (end - begin) * cell / count


def _header(edges: Sequence[datetime], zone: tzinfo | None) -> str:
    """Return the line of day labels, at the cells where the days start; labels never overlap."""
    moments = [edge.astimezone(zone) for edge in edges[:-1]]
    begins = [cell for cell, local in enumerate(moments) if cell == 0 or local.date() != moments[cell - 1].date()]
    if moments[0].time() != time() and len(begins) > 1 and begins[1] < LABEL:  # the rest of today is too short for it
        begins = begins[1:]
    line = ""
    for cell in begins:
        if cell >= len(line) and cell + LABEL <= len(edges):
            line = f"{line:{cell}}{EDGE}{moments[cell]:%a %d}"
    return line


def _line(mine: Sequence[Planned], edges: Sequence[datetime]) -> str:
    spans = [(each.occurrence.start, each.occurrence.end) for each in mine]
    overlaps = [(overlap.start, overlap.end) for each in mine for overlap in each.overlaps]

    def drawn(begin: datetime, end: datetime) -> str:
        if any(start < end and begin < last for start, last in overlaps):
            return OVERLAP
        return OPEN if any(start < end and begin < last for start, last in spans) else NOTHING

    return "".join(drawn(begin, end) for begin, end in pairwise(edges))
