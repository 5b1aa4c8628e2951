"""The rota as a standalone SVG, for a wiki."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from itertools import groupby
from xml.etree import ElementTree as ET

from oncallctl.rota.drawing.flow import shortened
from oncallctl.rota.drawing.lanes import Bar, Lane, colours, hand_overs, in_utc, lanes, nobody_at_all
from oncallctl.rota.drawing.local import DASH, DAY, LocalTime
from oncallctl.rota.drawing.sheet import ADVANCE, INK, add, path, width, write
from oncallctl.rota.shifts import Rota, Span
from oncallctl.text import caption
from oncallctl.times import span as length

# Pixels of the view box, which a page may scale.
WIDTH, MARGIN, ROW, BAR = 1000, 24, 28, 20
WIDEST_LABEL = 220
TITLE, NAME, SMALL, TINY = 18, 14, 12, 10  # sizes of type
MOST = 100  # handovers, or gaps, that are listed per schedule

FONT = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
FAINT, RULE, SHADE, PAPER, RED = "#59636e", "#d8dee4", "#f3f5f7", "#ffffff", "#b3261e"
# Paul Tol's light scheme, apart for every kind of colour vision and under dark type; without its reds.
COLOURS = ("#77aadd", "#eedd88", "#44bb99", "#bbcc33", "#99ddff", "#aaaa00", "#dddddd")

ON_CALL, OVERRIDE, NOBODY = "on call", "override", "nobody"


def draw(rotas: Sequence[Rota], *, now: datetime, tz: tzinfo | None, title: str) -> str:
    """Draw rotas below each other, with aligned lanes.

    Args:
        rotas: the rotas; their spans must not be empty.
        now: the time of the mark.
        tz: the user's time zone; None is the zone of this machine.
        title: the title of the picture.

    Returns:
        A document without external references. The tooltip of a bar shows the person and the times.
    """
    return _Drawing([in_utc(rota) for rota in rotas], now, LocalTime(tz)).document(title)


class _Drawing:
    """A drawing that grows downwards: `y` is its current height."""

    def __init__(self, rotas: Sequence[Rota], now: datetime, local: LocalTime) -> None:
        self.rotas = rotas
        self.now = now
        self.local = local
        self.colours = {user: COLOURS[index] for user, index in colours(rotas, len(COLOURS)).items()}
        self.root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "font-family": FONT})
        self.lanes = [lanes(rota, now) for rota in rotas]
        longest = max((width(lane.name, SMALL) for each in self.lanes for lane in each), default=0)
        self.left = MARGIN + min(longest + 14, WIDEST_LABEL)
        self.y = float(MARGIN)

    def document(self, title: str) -> str:
        add(self.root, "title", caption(title))
        self._patterns()
        paper = add(self.root, "rect", width=WIDTH, rx=6, fill=PAPER, stroke=RULE)
        self.y += TITLE
        write(self.root, (MARGIN, self.y), shortened(caption(title), 80), TITLE, bold=True)
        for rota, people in zip(self.rotas, self.lanes, strict=True):
            self._rota(rota, people)
        self._legend()
        height = f"{self.y + MARGIN:.0f}"
        paper.set("height", height)
        self.root.attrib |= {"viewBox": f"0 0 {WIDTH} {height}", "width": str(WIDTH), "height": height}
        ET.indent(self.root)
        return ET.tostring(self.root, encoding="unicode") + "\n"

    def _patterns(self) -> None:
        definitions = add(self.root, "defs")
        for kind, turn, stroke, line, ground in (
            (NOBODY, 45, RED, 3, "#fde7e5"),
            (OVERRIDE, -45, PAPER, 4, "none"),
        ):
            pattern = add(definitions, "pattern", id=f"oncallctl-{kind}", width=8, height=8)
            pattern.attrib |= {"patternUnits": "userSpaceOnUse", "patternTransform": f"rotate({turn})"}
            add(pattern, "rect", width=8, height=8, fill=ground)
            add(pattern, "path", d="M 0 0 V 8", stroke=stroke, stroke_width=line)

    def _rota(self, rota: Rota, people: Sequence[Lane]) -> None:
        self.y += 44
        write(self.root, (MARGIN, self.y), shortened(caption(rota.schedule.name), 60), NAME, bold=True)
        write(self.root, (WIDTH - MARGIN, self.y), self.local.title(rota.span), SMALL, FAINT, to_the_left=True)
        if not rota.shifts:
            self.y += 24
            write(self.root, (MARGIN, self.y), nobody_at_all(rota), SMALL, RED)
            return
        self.y += 36
        self._days(rota.span, ROW * len(people))
        for lane in people:
            self._lane(rota.span, lane)
        self._mark(rota.span, ROW * len(people))
        self.y += 4
        for lead, pieces, ink in self._lists(rota):
            self._list(lead, pieces, ink)

    def _days(self, span: Span, height: int) -> None:
        """Draw days, or weeks if days are too narrow, behind the lanes. Weekends are shaded."""
        day = (WIDTH - MARGIN - self.left) * (DAY / span.length)
        by_days = day >= 46
        begins = self.local.midnights(span)
        if not begins or begins[0] != span.start:
            begins = [span.start, *begins]
        for begin, end in zip(begins, [*begins[1:], span.end], strict=True):
            x, weekday = self._x(span, begin), self.local.at(begin).weekday()
            across = self._x(span, end) - x
            if weekday >= 5:
                add(self.root, "rect", x=x, y=self.y, width=across, height=height, fill=SHADE)
            if not by_days and weekday:
                continue
            label = self.local.day(begin, month=day >= 80 or not by_days)
            add(self.root, "path", d=path("M", x, self.y - 6, "v", height + 6), stroke=RULE)
            if width(label, SMALL) <= (across if by_days else min(7 * day, WIDTH - MARGIN - x)):
                write(self.root, (x + 3, self.y - 10), label, SMALL, FAINT)

    def _lane(self, span: Span, lane: Lane) -> None:
        group = add(self.root, "g")
        add(group, "title", lane.name)
        name = shortened(lane.name, int((self.left - MARGIN - 8) / (SMALL * ADVANCE)))
        write(group, (MARGIN, self.y + ROW / 2 + 4), name, SMALL, RED if lane.user is None else INK)
        for bar in lane.bars:
            self._bar(span, lane, bar)
        self.y += ROW
        add(self.root, "path", d=path("M", MARGIN, self.y, "H", WIDTH - MARGIN), stroke=SHADE)

    def _bar(self, span: Span, lane: Lane, bar: Bar) -> None:
        x = self._x(span, bar.span.start)
        across = max(self._x(span, bar.span.end) - x - 1, 1.5)
        group = add(self.root, "g")
        lasts = length(bar.whole.length.total_seconds())
        said = f"{lane.name}, {self.local.from_until(bar.whole, month=True)} ({lasts})"
        add(group, "title", f"{said}, {OVERRIDE}" if bar.override else said)
        kind = NOBODY if lane.user is None else OVERRIDE if bar.override else ON_CALL
        _box(group, (x, self.y + (ROW - BAR) / 2), across, kind, self.colours.get(lane.user or "", ""))
        if lane.user is not None and (times := self._times(bar, across - 4)):
            write(group, (x + 3, self.y + ROW / 2 + 3.5), times, TINY)

    def _times(self, bar: Bar, room: float) -> str | None:
        """Return the times of a shift in the longest form that fits, or None."""
        start, end = self.local.clock(bar.whole.start), self.local.clock(bar.whole.end)
        shorter = (f"{start} {DASH} {end}", start) if bar.whole.start == bar.span.start else (f"until {end}",)
        wordings = (self.local.from_until(bar.whole), *shorter)
        return next((said for said in wordings if width(said, TINY) <= room), None)

    def _mark(self, span: Span, height: int) -> None:
        if span.start <= self.now < span.end:
            x, top = self._x(span, self.now), self.y - height
            group = add(self.root, "g")
            add(group, "title", f"now, {self.local.moment(self.now, month=True)}")
            add(group, "path", d=path("M", x, top, "v", height), stroke=INK, stroke_width=1.6)
            add(group, "path", d=path("M", x - 5, top - 6, "h", 10, "l", -5, 7, "z"), fill=INK)

    def _lists(self, rota: Rota) -> Iterator[tuple[str, list[str], str]]:
        """Yield the gaps, and the handovers of each day, since bars may be too short for text."""
        if gaps := rota.gaps():
            said = [
                f"{self.local.from_until(gap, month=True)} ({length(gap.length.total_seconds())})"
                for gap in gaps[:MOST]
            ]
            yield NOBODY, said + _left_out(gaps, "gaps"), RED
        changes = list(hand_overs(rota))
        for day, those in groupby(changes[:MOST], lambda change: self.local.day(change.at, month=True)):
            yield day, [f"{self.local.clock(each.at)} {each.said}" for each in those], INK
        if len(changes) > MOST:
            yield "", _left_out(changes, "hand-overs"), RED

    def _list(self, lead: str, pieces: Sequence[str], ink: str) -> None:
        left = MARGIN + 84
        for index, line in enumerate(_lines(pieces, WIDTH - MARGIN - left)):
            self.y += 17
            if not index:
                write(self.root, (MARGIN, self.y), lead, SMALL, RED if ink == RED else FAINT)
            write(self.root, (left, self.y), line, SMALL, ink).set("xml:space", "preserve")

    def _legend(self) -> None:
        """Draw a legend of the patterns in use, and the current time."""
        bars = [(lane.user, bar.override) for each in self.lanes for lane in each for bar in lane.bars]
        there = {NOBODY if user is None else OVERRIDE if override else ON_CALL for user, override in bars}
        self.y += 42
        x = float(MARGIN)
        for kind in (ON_CALL, OVERRIDE, NOBODY):
            if kind in there:
                _box(self.root, (x, self.y - BAR + 6), 34, kind, COLOURS[0])
                write(self.root, (x + 42, self.y), kind, SMALL, FAINT)
                x += 42 + width(kind, SMALL) + 24
        said = f"now: {self.local.moment(self.now, month=True)}"
        write(self.root, (WIDTH - MARGIN, self.y), said, SMALL, FAINT, to_the_left=True)

    def _x(self, span: Span, instant: datetime) -> float:
        return self.left + (WIDTH - MARGIN - self.left) * ((instant - span.start) / span.length)


def _box(into: ET.Element, at: tuple[float, float], across: float, kind: str, colour: str) -> None:
    """Draw a bar: overrides are hatched and outlined, gaps are hatched in red."""
    place = {"x": at[0], "y": at[1], "width": across, "height": BAR, "rx": min(3.0, across / 3)}
    if kind == NOBODY:
        add(into, "rect", fill=f"url(#oncallctl-{NOBODY})", stroke=RED, **place)
        return
    add(into, "rect", fill=colour, **place)
    if kind == OVERRIDE:
        outline: dict[str, float | str] = {"stroke": INK, "stroke_width": 1.2, "stroke_dasharray": "4 2"}
        add(into, "rect", fill=f"url(#oncallctl-{OVERRIDE})", **outline, **place)


def _left_out(items: Sequence[object], what: str) -> list[str]:
    return [f"and {len(items) - MOST} more {what}"] if len(items) > MOST else []


def _lines(pieces: Sequence[str], room: float) -> Iterator[str]:
    """Yield lines of pieces, at most `room` pixels wide. Longer pieces are truncated."""
    line = ""
    for piece in pieces:
        longer = f"{line}    {piece}" if line else piece
        if line and width(longer, SMALL) > room:
            yield line
            longer = piece
        line = shortened(longer, int(room / (SMALL * ADVANCE)))
    if line:
        yield line
