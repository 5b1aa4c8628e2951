"""Timelines for a terminal: a line of cells per lane, with lists below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import groupby
from operator import itemgetter

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from oncallctl.drawing.axis import Axis
from oncallctl.drawing.chart import RED, Chart, Kind, Labels, Lane, all_labels, color_indexes
from oncallctl.drawing.flow import flow, truncate, wrap
from oncallctl.drawing.grid import Grid, Halves
from oncallctl.drawing.local_time import DASH, LocalTime

NARROWEST = 24

FULL, LEFT, RIGHT, HATCHED = "█", "▌", "▐", "▒"
CROSSED = "\N{BOX DRAWINGS LIGHT DIAGONAL CROSS}"
AT_NOW, HATCHED_AT_NOW, NOW, MIDNIGHT, WEEKEND, ARROW = "◆", "◇", "┃", "┊", "·", "▼"
ASCII = str.maketrans(f"{FULL}{LEFT}{RIGHT}{HATCHED}{CROSSED}◆◇┃┊·▼→…{DASH}", "###%!@&|:.v>~-")

# Colors that are readable in light and dark themes; red is for warnings.
COLORS = ("cyan", "magenta", "green", "bright_blue")


def draw(charts: Sequence[Chart], *, now: datetime, tz: tzinfo | None, width: int, plain: bool = False) -> list[Text]:
    """Draw charts below each other, with aligned lanes.

    Args:
        charts: the charts, from top to bottom.
        now: the current time, which is marked.
        tz: the user's time zone; None is the zone of this machine.
        width: the width of the terminal, in cells. If it is less than `NARROWEST`, lines are longer.
        plain: draw with ASCII characters only; names are not changed.

    Returns:
        The lines. All information is in their characters, so they can be shown without colors.
    """
    width = max(width, NARROWEST)
    pictures = [_Picture(chart, now, LocalTime(tz), width) for chart in charts]
    longest = max((cell_len(lane.name) for chart in charts for lane in chart.lanes), default=0)
    label = min(longest, width // 5 if width < 100 else width // 4)  # so that a month at 80 cells has two cells per day
    colors = {key: COLORS[index] for key, index in color_indexes(charts, len(COLORS)).items()}
    lines: list[Text] = []
    for picture in pictures:
        lines += [*([Text()] if lines else []), *picture.lines(label, colors)]
    glyphs = {glyph for picture in pictures for glyph in picture.glyphs}
    legend = _legend(all_labels(charts))
    if meanings := [Text(f"{glyph} {text}", "dim") for glyph, text in legend.items() if glyph in glyphs]:
        lines += [Text(), *flow(Text(), meanings, width)]
    for line in lines:
        line.rstrip()
        if plain:
            line.plain = line.plain.translate(ASCII)
    return lines


def _legend(labels: Labels) -> Mapping[str, str]:
    """Return the meaning of each glyph."""
    special = labels.get(Kind.SPECIAL, "")
    return {
        FULL: labels.get(Kind.REGULAR, ""),
        HATCHED: special,
        CROSSED: labels.get(Kind.ALARM, ""),
        AT_NOW: "now",
        HATCHED_AT_NOW: f"now ({special})",
        WEEKEND: "weekend",
    }


class _Picture:
    """Drawing of one chart.

    Attributes:
        glyphs: the glyphs in use, once the lines have been drawn.
    """

    def __init__(self, chart: Chart, now: datetime, local: LocalTime, width: int) -> None:
        self.chart = chart
        self.now = now if chart.span.contains(now) else None
        self.local = local
        self.width = width
        self.glyphs: set[str] = set()

    def lines(self, label: int, colors: Mapping[str, str]) -> Iterator[Text]:
        """Yield the lines; `label` is the width of the names in cells, `colors` maps keys of lanes to colors."""
        yield from self._title()
        if not self.chart.lanes:
            yield Text(self.chart.empty, RED)
            return
        axis = Axis(Grid.finest(self.chart.span, self.width - label - 2), self.local)
        for line in axis.lines(self.now, ARROW):
            yield Text(" " * (label + 2)).append_text(line)
        for lane in self.chart.lanes:
            style = RED if lane.key is None else colors[lane.key]
            name = set_cell_size(truncate(lane.name, label), label)
            yield Text().append(f"{name}  ", style).append_text(self._lane(lane, axis, style))
        yield from self._lists()
        for sentence in self.local.clock_changes(self.chart.span):
            yield Text(f"  {sentence}", "dim")

    def _title(self) -> Iterator[Text]:
        name = Text().append(self.chart.title, "bold")
        days = Text().append(self.local.title(self.chart.span), "dim")
        if name.cell_len + 2 + days.cell_len <= self.width:
            yield name.append(" " * (self.width - name.cell_len - days.cell_len)).append_text(days)
        else:
            yield from wrap(name, self.width)
            yield from wrap(days, self.width)

    def _lane(self, lane: Lane, axis: Axis, style: str) -> Text:
        row = Text()
        for look, run in groupby(self._cells(lane, axis, style), key=itemgetter(1)):
            glyphs = "".join(glyph for glyph, _ in run)
            self.glyphs.update(glyphs)
            row.append(glyphs, look)
        return row

    def _cells(self, lane: Lane, axis: Axis, style: str) -> Iterator[tuple[str, str]]:
        """Yield the glyph and the style of each cell."""
        at = axis.grid.cell(self.now) if self.now else None
        current = lane.at(self.now) if self.now else None
        for cell, halves in enumerate(axis.grid.fill(lane.segments)):
            if current and cell == at:
                glyph = HATCHED_AT_NOW if current.kind is Kind.SPECIAL else AT_NOW
                look = f"bold {RED if current.kind is Kind.ALARM else style}"
            elif halves != (None, None):
                glyph, look = _glyph(halves), RED if Kind.ALARM in halves else style
            elif cell == at:
                glyph, look = NOW, "bold"
            else:
                glyph = MIDNIGHT if cell in axis.marks else WEEKEND if cell in axis.weekend else " "
                look = "dim"
            yield glyph, look

    def _lists(self) -> Iterator[Text]:
        widest = max((len(listing.lead) for listing in self.chart.lists), default=0)
        for listing in self.chart.lists:
            lead = Text().append(f"  {listing.lead:{widest}}  ", f"bold {RED}" if listing.is_alarm else "dim")
            yield from flow(lead, listing.pieces, self.width)


def _glyph(halves: Halves) -> str:
    if Kind.ALARM in halves:
        return CROSSED
    if Kind.SPECIAL in halves:
        return HATCHED
    return FULL if None not in halves else LEFT if halves[0] else RIGHT
