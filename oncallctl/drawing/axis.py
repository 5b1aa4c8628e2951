"""Time axis above the lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from rich.text import Text

from oncallctl.drawing.grid import Grid
from oncallctl.drawing.local_time import DAY, LocalTime

MONDAY, SATURDAY = 0, 5
FEW = 21  # up to this many days, days are labeled, or only every second or third if there is little room
FINE = 24  # cells per day that leave room for hours
COMPLETE = "{weekday} {day} {month}"


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

    @cached_property
    def marks(self) -> frozenset[int]:
        """The cells with a vertical line through all lanes: the starts of days, or of weeks if days are too narrow."""
        return frozenset(cell for cell, begin in self.days if cell and (self._per_day >= 4 or self._is_monday(begin)))

    @cached_property
    def weekend(self) -> frozenset[int]:
        """The cells of Saturdays and Sundays; empty if a day has no cell of its own."""
        if not self._per_day:
            return frozenset()
        ends = [*(cell for cell, _ in self.days[1:]), self.grid.width]
        return frozenset(
            cell
            for (first, begin), end in zip(self.days, ends, strict=True)
            if self.local.at(begin).weekday() >= SATURDAY
            for cell in range(first, end)
        )

    @property
    def _per_day(self) -> int:
        """The minimum number of cells per day."""
        return DAY * self.grid.cells_per_period // self.grid.period

    @property
    def _labels_days(self) -> bool:
        return self._per_day >= 3 or len(self.days) <= FEW

    def _is_monday(self, begin: datetime) -> bool:
        return self.local.at(begin).weekday() == MONDAY

    def lines(self, now: datetime | None, arrow: str) -> list[Text]:
        """Return the lines with the days, and one with an arrow at the current time if that is in the span."""
        rows = [self._row(form) for form in self._forms()]
        if self._per_day >= FINE:
            rows.append(self._hours())
        return rows if now is None else [*rows, self._now(now, arrow)]

    def _forms(self) -> tuple[str, ...]:
        """Return the format of each line above the lanes."""
        if not self._labels_days:
            return (COMPLETE,) if self._per_day > 1 else ("{day} {month}",)
        forms = ((COMPLETE,), ("{weekday} {day}",), ("{weekday}", "{day}"), ("{weekday:.2}", "{day}"))
        return next(
            (form for form, minimum in zip(forms, (11, 7, 4), strict=False) if self._per_day >= minimum), forms[-1]
        )

    def _row(self, form: str) -> Text:
        """Return a line with a label per day, at its start. Without room for all, label every second or third day."""
        shown = [(cell, begin) for cell, begin in self.days if self._labels_days or self._is_monday(begin)]
        labels = [(cell, self._label(form, begin)) for cell, begin in shown]
        if self._labels_days and not _fit(labels[:2]):
            labels = labels[1:]  # too little is left of the first day
        step = next(step for step in range(1, len(labels) + 2) if _fit(labels[::step]))
        return self._placed(labels[::step])

    def _hours(self) -> Text:
        """Return a line with the local hours 06:00, 12:00 and 18:00."""
        labels = []
        for _, day in self.days:
            midnight = self.local.at(day).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
            for hour in (6, 12, 18):
                begin = self.local.instant(midnight.replace(hour=hour))
                if self.grid.span.start <= begin < self.grid.span.end:
                    labels.append((self.grid.cell(begin), f"{hour:02}:00"))
        return self._placed(labels)

    def _placed(self, labels: Sequence[tuple[int, str]]) -> Text:
        row = ""
        for cell, label in labels:
            if cell + len(label) <= self.grid.width:
                row = row.ljust(cell) + label
        return Text(row)

    def _label(self, form: str, begin: datetime) -> str:
        local = self.local.at(begin)
        return form.format(weekday=f"{local:%a}", day=local.day, month=f"{local:%b}")

    def _now(self, now: datetime, arrow: str) -> Text:
        cell, label = self.grid.cell(now), f"now {self.local.at(now):%a} {self.local.clock(now)}"
        before = cell + 2 + len(label) > self.grid.width and cell > len(label)
        row = f"{label} {arrow}".rjust(cell + 1) if before else f"{arrow} {label}".rjust(cell + 2 + len(label))
        return Text(row[: self.grid.width], "bold")


def _fit(labels: Sequence[tuple[int, str]]) -> bool:
    return all(cell + len(label) < after for (cell, label), (after, _) in pairwise(labels))
