"""Rotas as timelines: a lane per person, with gaps and handovers below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from itertools import groupby

from rich.text import Text

from oncallctl.drawing.chart import RED, Chart, Kind, Lane, Listing, Segment
from oncallctl.drawing.local_time import DAY, LocalTime
from oncallctl.rota.handovers import NOBODY, Handover, handovers
from oncallctl.rota.regular_handovers import Regular, regular
from oncallctl.rota.shifts import Rota
from oncallctl.text import caption, visible
from oncallctl.times import Span, show_duration

LABELS = {Kind.REGULAR: "on call", Kind.SPECIAL: "override", Kind.ALARM: NOBODY}
MOST = 100  # handovers, or gaps, that are listed per schedule


def chart(rota: Rota, *, now: datetime, tz: tzinfo | None) -> Chart:
    """Return the timeline of a rota; `tz` is the user's time zone; None is the zone of this machine."""
    drawable = replace(rota, shifts=tuple(shift for shift in rota.shifts if shift.span.start < shift.span.end))
    days = round(rota.span.length / DAY)
    return Chart(
        title=caption(rota.schedule.name),
        span=rota.span,
        lanes=lanes(drawable, now) if drawable.shifts else (),
        labels=LABELS,
        lists=tuple(_lists(drawable, now, LocalTime(tz))),
        empty=f"{NOBODY} on call {'on this day' if days <= 1 else f'in these {days} days'}",
    )


def lanes(rota: Rota, now: datetime) -> list[Lane]:
    """Return one lane per person: first those on call now, then by their first shift, and last the gaps."""
    shifts: dict[str, list[Segment]] = {}
    for shift in rota.shifts:
        segment = Segment(shift.span, Kind.SPECIAL if shift.override else Kind.REGULAR)
        for user in dict.fromkeys(shift.users):
            shifts.setdefault(user, []).append(segment)
    names = _names(rota)
    people = [Lane(user, names[user], tuple(segments)) for user, segments in shifts.items()]
    people.sort(key=lambda lane: (lane.at(now) is None, min(each.span.start for each in lane.segments)))
    gaps = tuple(Segment(gap, Kind.ALARM) for gap in rota.gaps())
    return [*people, Lane(None, NOBODY, gaps)] if gaps else people


def _names(rota: Rota) -> dict[str, str]:
    """Return the label of each person, with the ID if two people have the same name."""
    users = dict.fromkeys(user for shift in rota.shifts for user in shift.users)
    labels = {user: caption(rota.usernames.get(user) or user) for user in users}
    times = Counter([*labels.values(), NOBODY])
    return {user: f"{name} ({visible(user)})" if times[name] > 1 else name for user, name in labels.items()}


def _lists(rota: Rota, now: datetime, local: LocalTime) -> Iterator[Listing]:
    """Yield the gaps, the regular handovers, and the other handovers of each day."""
    first, last = local.at(rota.span.start), local.at(rota.span.end)
    month = (first.year, first.month) != (last.year, last.month)
    if gaps := rota.gaps():
        pieces = [_gap(gap, local, month=month) for gap in gaps[:MOST]]
        yield Listing("gaps", pieces + _left_out(len(gaps), "gaps"), is_alarm=True)
    names = _names(rota)
    changes = [each.with_names(names) for each in handovers(rota)]
    if not changes:
        yield Listing("", [Text("no handover", "dim")])
    folded = regular(changes, rota.span, local)
    for every, those in groupby(folded, lambda each: each.every):
        yield Listing(every, [_regular(each) for each in those])
    done = {change.at for each in folded for change in each.handovers}
    single = [change for change in changes if change.at not in done]
    for day, on_day in groupby(single[:MOST], lambda change: local.day(change.at, month=month)):
        yield Listing(day, [_handover(change, local, is_past=change.at <= now) for change in on_day])
    if left_out := _left_out(len(single), "handovers"):
        yield Listing("", left_out)


def _gap(gap: Span, local: LocalTime, *, month: bool) -> Text:
    return Text(f"{local.from_until(gap, month=month)} ({show_duration(gap.length.total_seconds())})", RED)


def _regular(each: Regular) -> Text:
    return Text().append(each.clock, "bold").append(f" {each.text}")


def _handover(change: Handover, local: LocalTime, *, is_past: bool) -> Text:
    text = Text("", "dim" if is_past else "").append(local.clock(change.at), "" if is_past else "bold")
    text.append(" ").append(change.leaving, "" if change.before else RED).append(" → ")
    return text.append(change.taking_over, "" if change.after else RED)


def _left_out(count: int, noun: str) -> list[Text]:
    return [Text(f"and {count - MOST} more {noun}; -o json lists all", RED)] if count > MOST else []
