"""Regular handovers, folded into one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import pairwise

from oncallctl.drawing.local_time import DAY, LocalTime
from oncallctl.rota.handovers import Handover
from oncallctl.times import Span

FEWEST = {1: 3, 7: 2}  # days between two handovers -> the minimum number to fold
MOST_EXCEPTIONS = 3
LONGEST_TURN = 9  # people in a line; a longer line would be harder to read than a list


@dataclass(frozen=True)
class Regular:
    """Handovers at the same local time of every day, or of one weekday.

    Attributes:
        every: ``every day``, or a weekday such as ``every Mon``.
        clock: the local time.
        text: the people who hand over and take over, and the days with other people.
        handovers: the handovers that the text describes.
    """

    every: str
    clock: str
    text: str
    handovers: tuple[Handover, ...]


def regular(handovers: Sequence[Handover], span: Span, local: LocalTime) -> list[Regular]:
    """Return the regular handovers of a span: first the daily ones, then the weekly ones.

    A text is true for all days of the span.
    """
    daily = _folded(handovers, span, local, 1)
    done = {each.at for found in daily for each in found.handovers}
    return daily + _folded([each for each in handovers if each.at not in done], span, local, 7)


def _folded(handovers: Sequence[Handover], span: Span, local: LocalTime, days: int) -> list[Regular]:
    slots = (slot for slot in _slots(handovers, local, days) if len(slot) >= FEWEST[days])
    return [found for slot in slots if (found := _fold(slot, span, local, days))]


def _slots(handovers: Sequence[Handover], local: LocalTime, days: int) -> list[list[Handover]]:
    """Group handovers by their local time, and by the weekday if they are a week apart."""
    slots: dict[tuple[int, time], list[Handover]] = {}
    for each in handovers:
        at = local.at(each.at)
        slots.setdefault((at.weekday() if days > 1 else 0, at.time()), []).append(each)
    return [slots[key] for key in sorted(slots)]


def _fold(slot: Sequence[Handover], span: Span, local: LocalTime, days: int) -> Regular | None:
    """Fold handovers at one local time, or return None if they are not regular."""
    first = local.at(slot[0].at)
    expected = _expected(first, span, local, days)
    every, clock = "every day" if days == 1 else f"every {first:%a}", f"{first:%H:%M}"
    ((text, _),) = Counter(each.text for each in slot).most_common(1)
    alike = tuple(each for each in slot if each.text == text and each.at in expected)
    exceptions = [at for at in expected if at not in {each.at for each in alike}]
    if len(alike) >= FEWEST[days] and len(exceptions) <= min(MOST_EXCEPTIONS, len(alike) // 2):
        month = local.at(span.start).month != local.at(span.end).month
        different = ", ".join(local.day(at, month=month) for at in exceptions)
        return Regular(every, clock, f"{text} (not {different})" if different else text, alike)
    turn = _turn(slot)
    if turn and [each.at for each in slot] == expected:
        return Regular(every, clock, turn, tuple(slot))
    return None


def _expected(first: datetime, span: Span, local: LocalTime, days: int) -> list[datetime]:
    """Return the instants in a span, after its start, with the local time and rhythm of a local time."""
    day = local.at(span.start).date()
    last = local.at(span.end).date()
    instants = []
    while day <= last:
        if days == 1 or day.weekday() == first.weekday():
            instants.append(local.instant(datetime.combine(day, first.time())))
        day += DAY
    return [instant for instant in instants if span.start < instant < span.end]


def _turn(slot: Sequence[Handover]) -> str | None:
    """Return people who take over from each other in turn, such as ``alice → bob → alice → …``, or None."""
    if any(each.taking_over != following.leaving for each, following in pairwise(slot)):
        return None
    people = [slot[0].leaving, *(each.taking_over for each in slot)]
    for period in range(2, len(people) - 1):
        if people[period:] == people[:-period]:
            return f"{' → '.join(people[: period + 1])} → …" if period < LONGEST_TURN else None
    return " → ".join(people) if len(people) <= LONGEST_TURN else None
