"""Picture of a rota for a terminal: one lane per person, with the handovers below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import groupby

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from oncallctl.rota.drawing.axis import Axis
from oncallctl.rota.drawing.flow import chopped, flow, shortened
from oncallctl.rota.drawing.grid import FREE, OVERRIDE, Grid
from oncallctl.rota.drawing.lanes import Lane, colours, hand_overs, in_utc, lanes, nobody_at_all
from oncallctl.rota.drawing.local import DASH, LocalTime
from oncallctl.rota.handovers import NOBODY, HandOver
from oncallctl.rota.shifts import Rota, Span
from oncallctl.text import caption
from oncallctl.times import span as length

NARROWEST = 24
MOST = 200  # handovers, or gaps, that are listed per schedule

FULL, LEFT, RIGHT, STAND_IN, GAP = "█", "▌", "▐", "▒", "╳"  # noqa: RUF001  # not an X
ON_CALL_NOW, STAND_IN_NOW, NOW, MIDNIGHT, ARROW = "◆", "◇", "┃", "┊", "▼"
MEANINGS = {FULL: "on call", STAND_IN: "override", GAP: NOBODY, ON_CALL_NOW: "now", STAND_IN_NOW: "now, an override"}
ASCII = str.maketrans("█▌▐▒╳◆◇┃┊▼→…" + DASH, "###%!@&|:v>~-")  # noqa: RUF001  # the same

# Colors that are readable in light and dark themes; red is for gaps.
COLOURS = ("cyan", "magenta", "green", "blue")
RED = "red"


def draw(rotas: Sequence[Rota], *, now: datetime, tz: tzinfo | None, width: int, plain: bool = False) -> list[Text]:
    """Draw rotas below each other, with aligned lanes.

    Args:
        rotas: the rotas; their spans must not be empty.
        now: the time of the mark.
        tz: the user's time zone; None is the zone of this machine.
        width: the width of the screen in cells. Lines are longer only if it is narrower than `NARROWEST`.
        plain: draw with ASCII characters only; names are not changed.

    Returns:
        The lines. Their styles carry no information of their own.
    """
    width = max(width, NARROWEST)
    drawn = [_Picture(in_utc(rota), now, LocalTime(tz), width) for rota in rotas]
    longest = max((cell_len(lane.name) for each in drawn for lane in each.lanes), default=0)
    label = min(longest, width // 5 if width < 100 else width // 4)  # so that a month at 80 cells has two cells per day
    colour = {user: COLOURS[index] for user, index in colours(rotas, len(COLOURS)).items()}
    lines: list[Text] = []
    for each in drawn:
        lines += [*([Text()] if lines else []), *each.lines(label, colour)]
    glyphs = {glyph for each in drawn for glyph in each.glyphs}
    if meanings := [Text(f"{glyph} {said}", "dim") for glyph, said in MEANINGS.items() if glyph in glyphs]:
        lines += [Text(), *flow(Text(), meanings, width)]
    for line in lines:
        line.rstrip()
        if plain:
            line.plain = line.plain.translate(ASCII)
    return lines


class _Picture:
    """Drawing of one rota, with times in UTC.

    Attributes:
        glyphs: the glyphs in use, once the lines have been drawn.
    """

    def __init__(self, rota: Rota, now: datetime, local: LocalTime, width: int) -> None:
        self.rota = rota
        self.now = now if rota.span.start <= now < rota.span.end else None
        self.local = local
        self.width = width
        self.lanes = lanes(rota, now)
        self.glyphs: set[str] = set()
        first, last = local.at(rota.span.start), local.at(rota.span.end)
        self.month = (first.year, first.month) != (last.year, last.month)

    def lines(self, label: int, colour: Mapping[str, str]) -> Iterator[Text]:
        """Yield the lines; `label` is the width of the names in cells, `colour` maps user IDs to colors."""
        yield from self._title()
        if not self.rota.shifts:
            yield Text(nobody_at_all(self.rota), RED)
            return
        axis = Axis(Grid.within(self.rota.span, self.width - label - 2), self.local)
        for line in axis.lines(self.now, ARROW):
            yield Text(" " * (label + 2)).append_text(line)
        for lane in self.lanes:
            style = colour[lane.user] if lane.user is not None else RED
            yield (
                Text()
                .append(f"{set_cell_size(shortened(lane.name, label), label)}  ", style)
                .append_text(self._lane(lane, axis, style))
            )
        yield from self._lists()
        for sentence in self.local.odd_days(self.rota.span):
            yield Text(f"  {sentence}", "dim")

    def _title(self) -> Iterator[Text]:
        name = Text().append(caption(self.rota.schedule.name), "bold")
        days = Text().append(self.local.title(self.rota.span), "dim")
        if name.cell_len + 2 + days.cell_len <= self.width:
            yield name.append(" " * (self.width - name.cell_len - days.cell_len)).append_text(days)
        else:
            yield from chopped(name, self.width)
            yield from chopped(days, self.width)

    def _lane(self, lane: Lane, axis: Axis, style: str) -> Text:
        row = Text()
        at = axis.grid.cell(self.now) if self.now else None
        held = lane.holds(self.now) if self.now else None
        for cell, halves in enumerate(axis.grid.fill(lane.bars)):
            if held and cell == at:
                glyph, look = STAND_IN_NOW if held.override else ON_CALL_NOW, f"bold {style}"
            elif halves != (FREE, FREE):
                glyph, look = GAP if lane.user is None else _glyph(*halves), style
            elif cell == at:
                glyph, look = NOW, "bold"
            else:
                glyph, look = (MIDNIGHT, "dim") if cell in axis.marks else (" ", "")
            self.glyphs.add(glyph)
            row.append(glyph, look)
        return row

    def _lists(self) -> Iterator[Text]:
        """Yield the gaps, and the handovers of each day."""
        gaps = self.rota.gaps()
        changes = list(hand_overs(self.rota))
        days = groupby(changes[:MOST], lambda change: self.local.day(change.at, month=self.month))
        listed = [(day, [self._hand_over(change) for change in those]) for day, those in days]
        widest = max(len(lead) for lead in ("gaps", *(day for day, _ in listed)))
        if gaps:
            yield from flow(Text().append(f"  {'gaps':{widest}}  ", f"bold {RED}"), self._gaps(gaps), self.width)
        for day, pieces in listed:
            yield from flow(Text().append(f"  {day:{widest}}  ", "dim"), pieces, self.width)
        if len(changes) > MOST:
            yield from flow(Text("  "), [_left_out(len(changes) - MOST, "hand-overs")], self.width)
        if not changes:
            yield Text("  no hand-over", "dim")

    def _gaps(self, gaps: Sequence[Span]) -> Iterator[Text]:
        for gap in gaps[:MOST]:
            lasts = length(gap.length.total_seconds())
            yield Text(f"{self.local.from_until(gap, month=self.month)} ({lasts})", RED)
        if len(gaps) > MOST:
            yield _left_out(len(gaps) - MOST, "gaps")

    def _hand_over(self, change: HandOver) -> Text:
        past = self.now is not None and change.at <= self.now
        text = Text("", "dim" if past else "").append(self.local.clock(change.at), "" if past else "bold")
        text.append(f" {change.said}")
        if not change.before:
            text.stylize(RED, len(text) - len(change.said), len(text) - len(change.said) + len(NOBODY))
        elif not change.after:
            text.stylize(RED, len(text) - len(NOBODY))
        return text


def _left_out(count: int, what: str) -> Text:
    return Text(f"and {count} more {what}; with -o json all are there", RED)


def _glyph(left: int, right: int) -> str:
    if OVERRIDE in {left, right}:
        return STAND_IN
    return FULL if left and right else LEFT if left else RIGHT
