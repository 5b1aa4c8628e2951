"""The plan of a file: the occurrences of the next days, with notes, and their chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from oncallctl.api.resources.integrations import Integration
from oncallctl.batch import Target
from oncallctl.drawing.chart import Chart, Kind, Lane, Segment
from oncallctl.errors import OncallError
from oncallctl.maintenance.file.occurrences import Clocks
from oncallctl.maintenance.file.rules import Occurrence, WindowRule
from oncallctl.maintenance.windows.model import utc
from oncallctl.text import caption
from oncallctl.times import Span

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
    """A planned occurrence. `targets` is None without a server, or the error of their lookup."""

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
        yield from self.timing_notes()
        if isinstance(self.targets, OncallError):
            yield self.targets.message

    def timing_notes(self) -> Iterator[str]:
        """Yield notes about clock changes and overlaps."""
        moment, zone = self.occurrence.moment, self.occurrence.rule.schedule.zone
        start, end = self.occurrence.start.astimezone(zone), self.occurrence.end.astimezone(zone)
        scheduled = f"{moment.wall:%H:%M}"
        if moment.clocks is Clocks.SKIPPED:
            yield f"{scheduled} does not exist on this day: it starts at {start:%H:%M}"
        elif moment.clocks is Clocks.FIRST:
            yield f"{scheduled} occurs twice on this day: it starts at the first"
        elif moment.clocks in {Clocks.TWICE_FIRST, Clocks.TWICE_SECOND}:
            yield f"{scheduled} occurs twice on this day: it starts at both"
        change = (end.utcoffset() or timedelta()) - (start.utcoffset() or timedelta())
        if change:
            ahead = "forward" if change > timedelta() else "back"
            yield f"the clocks go {ahead} by {abs(change) // timedelta(minutes=1)} min during the window"
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
            "notes_text": "; ".join(dict.fromkeys(self.notes())),
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
        found: the targets of each window by its name, or the error of their lookup; None without a server.
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
    """Yield a warning for each start that is omitted because of a clock change."""
    for rule in rules:
        for moment in rule.left_out(at, at + timedelta(days=days)):
            yield (
                f"window {rule.name!r}: {moment.wall:%Y-%m-%d %H:%M} does not exist in {rule.schedule.zone}"
                " and is skipped"
            )


def _from_now_on(rule: WindowRule, at: datetime, end: datetime) -> Iterator[Occurrence]:
    """Yield the current occurrence, as `apply` sees it, and those that start before `end`."""
    if current := rule.due(at):
        yield current
    yield from rule.occurrences(at + timedelta(microseconds=1), end)


def _find_overlaps(planned: Sequence[Planned]) -> None:
    latest: dict[str, Planned] = {}  # the last one of each rule: `apply` starts no other
    for each in planned:
        begin = each.occurrence.start
        for other in latest.values():
            if other.occurrence.end <= begin:
                continue
            shared = tuple(name for key, name in each.integrations.items() if key in other.integrations)
            if shared:
                end = min(each.occurrence.end, other.occurrence.end)
                each.overlaps.append(Overlap(other.occurrence, begin, end, shared))
                other.overlaps.append(Overlap(each.occurrence, begin, end, shared))
        latest[each.occurrence.rule.name] = each


def chart(rules: Sequence[WindowRule], planned: Sequence[Planned], at: datetime, days: int) -> Chart:
    """Return the planned span as a timeline with a lane for each window of the file."""
    segments: dict[str, list[Segment]] = {rule.name: [] for rule in rules}
    for each in planned:
        segments[each.occurrence.rule.name] += [
            Segment(Span(each.occurrence.start, each.occurrence.end)),
            *(Segment(Span(overlap.start, overlap.end), Kind.ALARM) for overlap in each.overlaps),
        ]
    span = Span(at, at + timedelta(days=days))
    lanes = [
        Lane(name, caption(name), tuple(each for each in found if each.span.touches(span)))
        for name, found in segments.items()
    ]
    labels = {Kind.REGULAR: "maintenance", Kind.ALARM: "overlaps another window on an integration"}
    return Chart("Maintenance windows", span, lanes, labels)


def folded(planned: Sequence[Planned], local: tzinfo | None) -> list[dict[str, Any]]:
    """Return the rows of a table in which regular repeats of a window are one row, with their number and last day.

    Occurrences of a window are folded if they have the same notes and start at the same time of day, in the window's
    zone and in `local`.
    """
    groups: dict[tuple[Any, ...], list[Planned]] = {}
    for each in planned:
        rule, start = each.occurrence.rule, each.occurrence.start
        clocks = [start.astimezone(zone) for zone in (rule.schedule.zone, local)]
        key = (rule.name, *(clock.time() for clock in clocks), *(clock.utcoffset() for clock in clocks), *each.notes())
        groups.setdefault(key, []).append(each)
    return [
        {**group[0].row(local), "repeats": _repeats(group, local) if len(group) > 1 else ""}
        for group in groups.values()
    ]


def _repeats(group: Sequence[Planned], local: tzinfo | None) -> str:
    return f"{len(group)} times, last on {group[-1].occurrence.start.astimezone(local):%a %m-%d}"
