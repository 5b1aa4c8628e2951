"""Cards: one object on a terminal, with a title, labeled lines and sections."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oncallctl.config.settings import Format, Settings
from oncallctl.output import colors
from oncallctl.text import cut, visible
from oncallctl.times import relative, show

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_LONGEST_VALUE = 4096  # characters
_GAP = 2  # spaces between a label and its value
_NARROWEST = 20  # cells for values, however narrow the terminal is


@dataclass(frozen=True)
class Line:
    """A value with its label. Line breaks in the value are kept; an empty label makes it an item of a list."""

    label: str
    value: str
    style: str = ""


@dataclass
class Section:
    """Lines below a heading; without lines it is not shown."""

    title: str
    lines: list[Line] = field(default_factory=list)

    def add(self, label: str, value: object, style: str = "") -> None:
        """Add a line, unless the value is None or empty."""
        if value is not None and value != "":
            self.lines.append(Line(label, str(value), style))


@dataclass
class Card(Section):
    """An object: its name, a word for its state, lines and sections."""

    state: str = ""
    sections: list[Section] = field(default_factory=list)

    def section(self, title: str) -> Section:
        """Add a section."""
        self.sections.append(Section(title))
        return self.sections[-1]


def wanted(settings: Settings) -> bool:
    """True if a single object is shown as a card: as a table on a terminal, without --columns."""
    is_table = settings.format is Format.TABLE and settings.columns is None
    return is_table and not settings.quiet and sys.stdout.isatty()


def print_card(settings: Settings, card: Card) -> None:
    """Write a card to stdout."""
    from oncallctl.output.table import console

    screen = console(settings, stderr=False)
    for line in lines(screen, card):
        screen.print(line, soft_wrap=True)


def lines(screen: Console, card: Card) -> Iterator[Text]:
    """Yield the lines of a card for the width of a terminal. A line with a URL may be longer."""
    from rich.text import Text

    title = Text(visible(card.title), colors.HEADING)
    if card.state:
        title.append("  ").append(visible(card.state), colors.style_of(card.state) or colors.ATTENTION)
    yield title
    yield from _labeled(screen, card.lines, indent=0)
    for section in card.sections:
        if section.lines:
            yield Text()
            yield Text(visible(section.title), colors.HEADING)
            yield from _labeled(screen, section.lines, indent=2)


def moment(settings: Settings, time: str | datetime | None, at: datetime) -> str:
    """Return a time as "2h ago (2026-11-25 14:00 UTC)"; text that is not a time is returned unchanged."""
    if time is None:
        return ""
    try:
        instant = datetime.fromisoformat(time) if isinstance(time, str) else time
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return f"{relative(instant, at=at)} ({show(instant, settings.tz)})"
    except (ValueError, OverflowError):
        return str(time)


def _labeled(screen: Console, labeled: Sequence[Line], *, indent: int) -> Iterator[Text]:
    from rich.cells import cell_len
    from rich.text import Text

    widths = [cell_len(visible(line.label)) for line in labeled]
    widest = max(widths, default=0)
    for line, width in zip(labeled, widths, strict=True):
        before = " " * indent + visible(line.label) + " " * (widest - width + (_GAP if widest else 0))
        room = max(screen.width - indent - widest - _GAP, _NARROWEST)
        for part in _wrapped(screen, line.value, room):
            yield Text.assemble((before, colors.QUIET), (part, line.style))
            before = " " * len(before)


def _wrapped(screen: Console, value: str, room: int) -> Iterator[str]:
    """Yield the lines of a value, harmless for a terminal; those with a URL are not wrapped."""
    from rich.text import Text

    for given in cut(value, _LONGEST_VALUE).rstrip("\n").split("\n"):
        text = visible(given)
        if "://" in text:
            yield text
        else:
            yield from (part.plain.rstrip() for part in Text(text).wrap(screen, room) or [Text()])
