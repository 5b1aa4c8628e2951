"""Timelines as a standalone SVG, for a wiki."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from xml.etree import ElementTree as ET

from oncallctl.drawing.chart import Chart, Kind, Lane, Listing, Segment, all_labels, color_indexes
from oncallctl.drawing.flow import truncate
from oncallctl.drawing.local_time import DASH, DAY, LocalTime
from oncallctl.drawing.sheet import ADVANCE, INK, Color, TextStyle, add, dark_theme, path, width, write
from oncallctl.text import caption
from oncallctl.times import Span, show_duration

# Pixels of the view box, which a page may scale.
WIDTH, MARGIN, ROW, BAR = 1000, 24, 28, 20
WIDEST_LABEL = 220
TITLE, NAME, SMALL, TINY = 18, 14, 12, 10  # font sizes

FONT = "-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
FAINT = Color("faint", "#59636e", "#9198a1")
RULE = Color("rule", "#d8dee4", "#3d444d")
SHADE = Color("shade", "#f3f5f7", "#1c2128")
PAPER = Color("paper", "#ffffff", "#0d1117")
RED = Color("red", "#b3261e", "#ff7b72")
BLUSH = Color("blush", "#fde7e5", "#3c1618")
# Paul Tol's light scheme without its reds: distinct for all kinds of color vision, and light enough for dark text. Both
# themes use it, with the text and the stripes of the light one.
COLORS = ("#77aadd", "#eedd88", "#44bb99", "#bbcc33", "#99ddff", "#aaaa00", "#dddddd")
ON_COLOR, STRIPE = INK.light, PAPER.light

THEME = (INK, FAINT, RULE, SHADE, PAPER, RED, BLUSH)
HEADING, SUBHEADING = TextStyle(TITLE, bold=True), TextStyle(NAME, bold=True)
SMALL_INK, SMALL_FAINT, SMALL_RED = TextStyle(SMALL), TextStyle(SMALL, FAINT), TextStyle(SMALL, RED)
FAINT_FROM_END = TextStyle(SMALL, FAINT, from_end=True)


def draw(charts: Sequence[Chart], *, now: datetime, tz: tzinfo | None, title: str) -> str:
    """Draw charts below each other, with aligned lanes.

    Args:
        charts: the charts, from top to bottom.
        now: the current time, which is marked.
        tz: the user's time zone; None is the zone of this machine.
        title: the title of the picture.

    Returns:
        A document without external references. The tooltip of a segment shows the name of the lane and the times. Its
        colors follow the theme of the viewer.
    """
    return _Drawing(charts, now, LocalTime(tz)).document(title)


class _Drawing:
    """A drawing that grows downwards: `y` is its current height."""

    def __init__(self, charts: Sequence[Chart], now: datetime, local: LocalTime) -> None:
        self.charts = charts
        self.labels = all_labels(charts)
        self.now = now
        self.local = local
        self.colors = {key: COLORS[index] for key, index in color_indexes(charts, len(COLORS)).items()}
        self.root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "font-family": FONT})
        longest = max((width(lane.name, SMALL) for chart in charts for lane in chart.lanes), default=0)
        self.left = MARGIN + min(longest + 14, WIDEST_LABEL)
        self.y = float(MARGIN)

    def document(self, title: str) -> str:
        add(self.root, "title", caption(title))
        add(self.root, "style", dark_theme(*THEME))
        self._patterns()
        paper = add(self.root, "rect", width=WIDTH, rx=6, fill=PAPER, stroke=RULE)
        self.y += TITLE
        write(self.root, (MARGIN, self.y), truncate(caption(title), 80), HEADING)
        for chart in self.charts:
            self._chart(chart)
        self._legend()
        height = f"{self.y + MARGIN:.0f}"
        paper.set("height", height)
        self.root.attrib |= {"viewBox": f"0 0 {WIDTH} {height}", "width": str(WIDTH), "height": height}
        ET.indent(self.root)
        return ET.tostring(self.root, encoding="unicode") + "\n"

    def _patterns(self) -> None:
        definitions = add(self.root, "defs")
        stroke: Color | str
        ground: Color | str
        for kind, turn, stroke, line, ground in (
            (Kind.ALARM, 45, RED, 3, BLUSH),
            (Kind.SPECIAL, -45, STRIPE, 4, "none"),
        ):
            pattern = add(definitions, "pattern", id=_pattern(kind), width=8, height=8)
            pattern.attrib |= {"patternUnits": "userSpaceOnUse", "patternTransform": f"rotate({turn})"}
            add(pattern, "rect", width=8, height=8, fill=ground)
            add(pattern, "path", d="M 0 0 V 8", stroke=stroke, stroke_width=line)

    def _chart(self, chart: Chart) -> None:
        self.y += 44
        write(self.root, (MARGIN, self.y), truncate(chart.title, 60), SUBHEADING)
        write(self.root, (WIDTH - MARGIN, self.y), self.local.title(chart.span), FAINT_FROM_END)
        if not chart.lanes:
            self.y += 24
            write(self.root, (MARGIN, self.y), chart.empty, SMALL_RED)
            return
        self.y += 36
        self._days(chart.span, ROW * len(chart.lanes))
        for lane in chart.lanes:
            self._lane(chart.span, lane)
        self._mark(chart.span, ROW * len(chart.lanes))
        self.y += 4
        for listing in chart.lists:
            self._list(listing)

    def _days(self, span: Span, height: int) -> None:
        """Draw days, or weeks if days are too narrow, behind the lanes. Weekends are shaded."""
        day = (WIDTH - MARGIN - self.left) * (DAY / span.length)
        labels_days = day >= 46
        begins = self.local.midnights(span)
        if not begins or begins[0] != span.start:
            begins = [span.start, *begins]
        for begin, end in zip(begins, [*begins[1:], span.end], strict=True):
            x, weekday = self._x(span, begin), self.local.at(begin).weekday()
            across = self._x(span, end) - x
            if weekday >= 5:
                add(self.root, "rect", x=x, y=self.y, width=across, height=height, fill=SHADE)
            if not labels_days and weekday:
                continue
            label = self.local.day(begin, month=day >= 80) if labels_days else self.local.day_of_month(begin)
            add(self.root, "path", d=path("M", x, self.y - 6, "v", height + 6), stroke=RULE)
            if width(label, SMALL) <= (across if labels_days else min(7 * day, WIDTH - MARGIN - x)):
                write(self.root, (x + 3, self.y - 10), label, SMALL_FAINT)

    def _lane(self, span: Span, lane: Lane) -> None:
        group = add(self.root, "g")
        add(group, "title", lane.name)
        name = truncate(lane.name, int((self.left - MARGIN - 8) / (SMALL * ADVANCE)))
        write(group, (MARGIN, self.y + ROW / 2 + 4), name, SMALL_RED if lane.key is None else SMALL_INK)
        for segment in lane.segments:
            self._segment(span, lane, segment)
        self.y += ROW
        add(self.root, "path", d=path("M", MARGIN, self.y, "H", WIDTH - MARGIN), stroke=SHADE)

    def _segment(self, span: Span, lane: Lane, segment: Segment) -> None:
        shown = segment.span.within(span)
        x = self._x(span, shown.start)
        across = max(self._x(span, shown.end) - x - 1, 1.5)
        group = add(self.root, "g")
        lasts = show_duration(segment.span.length.total_seconds())
        tooltip = f"{lane.name}, {self.local.from_until(segment.span, month=True)} ({lasts})"
        add(group, "title", f"{tooltip}, {self.labels[Kind.SPECIAL]}" if segment.kind is Kind.SPECIAL else tooltip)
        _box(group, (x, self.y + (ROW - BAR) / 2), across, segment.kind, self.colors.get(lane.key or "", ""))
        if segment.kind is not Kind.ALARM and (times := self._times(segment.span, span, across - 4)):
            write(group, (x + 3, self.y + ROW / 2 + 3.5), times, TextStyle(TINY, ON_COLOR))

    def _times(self, segment: Span, span: Span, room: float) -> str | None:
        """Return the times of a segment in the longest form that fits, or None."""
        start, end = self.local.clock(segment.start), self.local.clock(segment.end)
        shorter = (f"{start} {DASH} {end}", start) if segment.start >= span.start else (f"until {end}",)
        forms = (self.local.from_until(segment), *shorter)
        return next((text for text in forms if width(text, TINY) <= room), None)

    def _mark(self, span: Span, height: int) -> None:
        if span.contains(self.now):
            x, top = self._x(span, self.now), self.y - height
            group = add(self.root, "g")
            add(group, "title", f"now, {self.local.moment(self.now, month=True)}")
            add(group, "path", d=path("M", x, top, "v", height), stroke=INK, stroke_width=1.6)
            add(group, "path", d=path("M", x - 5, top - 6, "h", 10, "l", -5, 7, "z"), fill=INK)

    def _list(self, listing: Listing) -> None:
        left = MARGIN + 100
        pieces = [piece.plain for piece in listing.pieces]
        for index, line in enumerate(_lines(pieces, WIDTH - MARGIN - left)):
            self.y += 17
            if not index:
                write(self.root, (MARGIN, self.y), listing.lead, SMALL_RED if listing.is_alarm else SMALL_FAINT)
            text = write(self.root, (left, self.y), line, SMALL_RED if listing.is_alarm else SMALL_INK)
            text.set("xml:space", "preserve")

    def _legend(self) -> None:
        """Draw a legend of the kinds of segments in use, and the current time."""
        used = {segment.kind for chart in self.charts for lane in chart.lanes for segment in lane.segments}
        self.y += 42
        x = float(MARGIN)
        for kind in sorted(used):
            _box(self.root, (x, self.y - BAR + 6), 34, kind, COLORS[0])
            write(self.root, (x + 42, self.y), self.labels[kind], SMALL_FAINT)
            x += 42 + width(self.labels[kind], SMALL) + 24
        label = f"now: {self.local.moment(self.now, month=True)}"
        write(self.root, (WIDTH - MARGIN, self.y), label, FAINT_FROM_END)

    def _x(self, span: Span, instant: datetime) -> float:
        return self.left + (WIDTH - MARGIN - self.left) * ((instant - span.start) / span.length)


def _pattern(kind: Kind) -> str:
    """Return the ID of a pattern."""
    return f"oncallctl-{kind.name.lower()}"


def _box(into: ET.Element, at: tuple[float, float], across: float, kind: Kind, color: str) -> None:
    """Draw a segment: special ones are hatched and outlined, alarms are hatched in red."""
    place = {"x": at[0], "y": at[1], "width": across, "height": BAR, "rx": min(3.0, across / 3)}
    if kind is Kind.ALARM:
        add(into, "rect", fill=f"url(#{_pattern(kind)})", stroke=RED, **place)
        return
    add(into, "rect", fill=color, **place)
    if kind is Kind.SPECIAL:
        hatch = add(into, "rect", fill=f"url(#{_pattern(kind)})", stroke=INK, stroke_width=1.2, **place)
        hatch.set("stroke-dasharray", "4 2")


def _lines(pieces: Sequence[str], room: float) -> Iterator[str]:
    """Yield lines of pieces, at most `room` pixels wide. Longer pieces are truncated with an ellipsis."""
    line = ""
    for piece in pieces:
        longer = f"{line}    {piece}" if line else piece
        if line and width(longer, SMALL) > room:
            yield line
            longer = piece
        line = truncate(longer, int(room / (SMALL * ADVANCE)))
    if line:
        yield line
