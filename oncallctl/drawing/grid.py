"""Time on a row of cells of equal length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncallctl.drawing.chart import Kind, Segment
from oncallctl.drawing.local_time import DAY
from oncallctl.times import Span

Halves = tuple[Kind | None, Kind | None]


@dataclass(frozen=True)
class Grid:
    """Cells of equal length that cover a span. Each cell has two halves, which a terminal can draw separately.

    All calculations use integers, so that rounding never misses the first cell of a day.

    Attributes:
        cells_per_period: the resolution, as a number of cells per `period`.
        period: a day, or the complete span if less than one cell per day would fit.
    """

    span: Span
    cells_per_period: int
    period: timedelta

    @classmethod
    def finest(cls, span: Span, room: int) -> Grid:
        """Return the grid with the most cells per day, at most `room` in total.

        All days have the same number of cells. If there are more than 4, then 8 or 6 hours are complete cells.
        """
        for cells_per_day in range(room, 0, -1):
            if (
                cells_per_day > 4 and cells_per_day % 3 and cells_per_day % 4
            ):  # neither 8 nor 6 hours would be complete cells
                continue
            grid = cls(span, cells_per_day, DAY)
            if grid.width <= room:
                if cells_per_day <= 2 and grid.width < room * 3 // 4:  # too narrow: use all of the room instead
                    break
                return grid
        return cls(span, room, span.length)

    @property
    def width(self) -> int:
        """The number of cells."""
        return -(-self.span.length * self.cells_per_period // self.period)

    def cell(self, instant: datetime) -> int:
        """Return the index of the cell with an instant."""
        return (instant - self.span.start) * self.cells_per_period // self.period

    def halves(self, span: Span) -> range:
        """Return the half cells that a part of the span fills: at least one, with both ends rounded to the nearest."""
        start, end = self._nearest(span.start), self._nearest(span.end)
        if start == end:
            start = (span.start - self.span.start) * (2 * self.cells_per_period) // self.period
            end = start + 1
        return range(start, end)

    def fill(self, segments: Iterable[Segment]) -> list[Halves]:
        """Return the kind of segment in each half of each cell; None for an empty half."""
        halves: list[Kind | None] = [None] * (2 * self.width)
        for segment in sorted(segments, key=lambda segment: segment.kind):
            for half in self.halves(segment.span.within(self.span)):
                halves[half] = segment.kind
        return list(zip(halves[::2], halves[1::2], strict=True))

    def _nearest(self, instant: datetime) -> int:
        return ((instant - self.span.start) * (4 * self.cells_per_period) + self.period) // (2 * self.period)
