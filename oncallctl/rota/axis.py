"""The days above the lanes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from rich.text import Text

from oncallctl.rota.grid import Grid
from oncallctl.rota.local import Local

MONDAY = 0


@dataclass(frozen=True)
class Axis:
    """Days on a grid: their names where there is room, else their numbers, else weeks."""

    grid: Grid
    local: Local

    @cached_property
    def days(self) -> list[tuple[int, datetime]]:
        """The cell in which each day begins, and when; the first is that of the span, if only a part of it."""
        span = self.grid.span
        begins = self.local.midnights(span)
        if not begins or begins[0] != span.start:
            begins = [span.start, *begins]
        return [(self.grid.cell(begin), begin) for begin in begins]

    @property
    def marks(self) -> frozenset[int]:
        """The cells with a mark through all lanes: where a day begins, or a week where days are too narrow."""
        return frozenset(cell for cell, begin in self.days[1:] if self._by_days or self._monday(begin))

    @property
    def _by_days(self) -> bool:
        return self.grid.per > 2 or len(self.days) <= 3

    def _monday(self, begin: datetime) -> bool:
        return self.local.at(begin).weekday() == MONDAY

    def lines(self, now: datetime | None, arrow: str) -> list[Text]:
        """The days, and an arrow at now where that is in the span."""
        rows = [self._row(form) for form in self._forms()]
        if now is not None:
            rows.append(self._now(now, arrow))
        return rows

    def _forms(self) -> tuple[str, ...]:
        """What is written above the lanes, a row each; `strftime` has no day without a zero on every system."""
        if not self._by_days:
            return ("{0:%a} {0.day} {0:%b}",) if self.grid.per * 7 > 10 else ("{0.day} {0:%b}",)
        if self.grid.per >= 11:
            return ("{0:%a} {0.day} {0:%b}",)
        if self.grid.per >= 7:
            return ("{0:%a} {0.day}",)
        return ("{0:%a}", "{0.day}")

    def _row(self, form: str) -> Text:
        """Write each day where it begins, unless the next one would be run into."""
        shown = [(cell, begin) for cell, begin in self.days if self._by_days or self._monday(begin)]
        row = ""
        for index, (cell, begin) in enumerate(shown):
            end = shown[index + 1][0] - 1 if index + 1 < len(shown) else self.grid.width
            label = form.format(self.local.at(begin))
            if len(row) <= cell and cell + len(label) <= end:
                row = row.ljust(cell) + label
        return Text(row)

    def _now(self, now: datetime, arrow: str) -> Text:
        cell, said = self.grid.cell(now), f"now {self.local.at(now):%a} {self.local.clock(now)}"
        before = cell + 2 + len(said) > self.grid.width and cell > len(said)
        row = f"{said} {arrow}".rjust(cell + 1) if before else f"{arrow} {said}".rjust(cell + 2 + len(said))
        return Text(row[: self.grid.width], "bold")
