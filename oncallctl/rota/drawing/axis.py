"""The time axis above the lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from rich.text import Text

from oncallctl.rota.drawing.grid import Grid
from oncallctl.rota.drawing.local import DAY, LocalTime

MONDAY = 0
FEW = 21  # up to this many days, days are labeled, if need be only every second or third
FINE = 24  # cells per day that leave room for hours
WHOLE = "{weekday} {day} {month}"


@dataclass(frozen=True)
class Axis:
    """Days on a grid: labeled with weekday and date if there is room, else with the date, else by weeks."""

    grid: Grid
    local: LocalTime

    @cached_property
    def days(self) -> list[tuple[int, datetime]]:
        """The first cell and the start of each day. The first day may be cut off by the span."""
        span = self.grid.span
        begins = self.local.midnights(span)
        if not begins or begins[0] != span.start:
            begins = [span.start, *begins]
        return [(self.grid.cell(begin), begin) for begin in begins]

    @property
    def marks(self) -> frozenset[int]:
        """The cells with a vertical line through all lanes: the starts of days, or of weeks if days are too narrow."""
        return frozenset(cell for cell, begin in self.days if cell and (self._a_day >= 4 or self._monday(begin)))

    @property
    def _a_day(self) -> int:
        """The minimum number of cells per day."""
        return DAY * self.grid.per // self.grid.period

    @property
    def _by_days(self) -> bool:
        return self._a_day >= 3 or len(self.days) <= FEW

    def _monday(self, begin: datetime) -> bool:
        return self.local.at(begin).weekday() == MONDAY

    def lines(self, now: datetime | None, arrow: str) -> list[Text]:
        """Return the lines with the days, and one with an arrow at the current time if it is in the span."""
        rows = [self._row(form) for form in self._forms()]
        if self._a_day >= FINE:
            rows.append(self._hours())
        return rows if now is None else [*rows, self._now(now, arrow)]

    def _forms(self) -> tuple[str, ...]:
        """Return the format of each line above the lanes."""
        if not self._by_days:
            return (WHOLE,) if self._a_day > 1 else ("{day} {month}",)
        forms = ((WHOLE,), ("{weekday} {day}",), ("{weekday}", "{day}"), ("{weekday:.2}", "{day}"))
        return next((form for form, least in zip(forms, (11, 7, 4), strict=False) if self._a_day >= least), forms[-1])

    def _row(self, form: str) -> Text:
        """Return a line with a label at the start of each day, or of every second or third if there is no room."""
        shown = [(cell, begin) for cell, begin in self.days if self._by_days or self._monday(begin)]
        labels = [(cell, self._label(form, begin)) for cell, begin in shown]
        if self._by_days and not _apart(labels[:2]):
            labels = labels[1:]  # there is too little left of the day in which the span begins
        step = next(step for step in range(1, len(labels) + 2) if _apart(labels[::step]))
        return self._written(labels[::step])

    def _hours(self) -> Text:
        """Return a line with the local hours 06:00, 12:00 and 18:00."""
        labels = []
        for _, day in self.days:
            midnight = self.local.at(day).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
            for hour in (6, 12, 18):
                begin = self.local.instant(midnight.replace(hour=hour))
                if self.grid.span.start <= begin < self.grid.span.end:
                    labels.append((self.grid.cell(begin), f"{hour:02}:00"))
        return self._written(labels)

    def _written(self, labels: Sequence[tuple[int, str]]) -> Text:
        row = ""
        for cell, label in labels:
            if cell + len(label) <= self.grid.width:
                row = row.ljust(cell) + label
        return Text(row)

    def _label(self, form: str, begin: datetime) -> str:
        local = self.local.at(begin)
        return form.format(weekday=f"{local:%a}", day=local.day, month=f"{local:%b}")

    def _now(self, now: datetime, arrow: str) -> Text:
        cell, said = self.grid.cell(now), f"now {self.local.at(now):%a} {self.local.clock(now)}"
        before = cell + 2 + len(said) > self.grid.width and cell > len(said)
        row = f"{said} {arrow}".rjust(cell + 1) if before else f"{arrow} {said}".rjust(cell + 2 + len(said))
        return Text(row[: self.grid.width], "bold")


def _apart(labels: Sequence[tuple[int, str]]) -> bool:
    return all(cell + len(label) < after for (cell, label), (after, _) in pairwise(labels))
