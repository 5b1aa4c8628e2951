"""Time on a row of cells of equal length."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncallctl.drawing.chart import Kind, Segment
from oncallctl.drawing.local_time import DAY
from oncallctl.spans import Span

Halves = tuple[Kind | None, Kind | None]


@dataclass(frozen=True)
class Grid:
    """Cells over a span: `per` cells per `period`; each has two halves.

    All calculations use integers, so that rounding never misses the first cell of a day.
    """

    span: Span
    per: int
    period: timedelta

    @classmethod
    def within(cls, span: Span, room: int) -> Grid:
        """Return the finest grid that fits. All days have the same cells, and 8, 12 and 24 hours are full halves."""
        for per in range(room, 0, -1):
            if per > 4 and per % 3 and per % 4:
                continue
            grid = cls(span, per, DAY)
            if grid.width <= room:
                if per <= 2 and grid.width < room * 3 // 4:
                    break
                return grid
        return cls(span, room, span.length)

    @property
    def width(self) -> int:
        """The number of cells."""
        return -(-self.span.length * self.per // self.period)

    def cell(self, instant: datetime) -> int:
        """Return the cell of an instant."""
        return (instant - self.span.start) * self.per // self.period

    def halves(self, span: Span) -> range:
        """Return the halves that a part of the span fills: rounded to the nearest, and at least one."""
        start, end = self._nearest(span.start), self._nearest(span.end)
        if start == end:
            start = (span.start - self.span.start) * (2 * self.per) // self.period
            end = start + 1
        return range(start, end)

    def fill(self, segments: Iterable[Segment]) -> list[Halves]:
        """Return the kinds of the segments in both halves of each cell; None is free."""
        halves: list[Kind | None] = [None] * (2 * self.width)
        for segment in sorted(segments, key=lambda segment: segment.kind):
            for half in self.halves(segment.span.within(self.span)):
                halves[half] = segment.kind
        return list(zip(halves[::2], halves[1::2], strict=True))

    def _nearest(self, instant: datetime) -> int:
        return ((instant - self.span.start) * (4 * self.per) + self.period) // (2 * self.period)
