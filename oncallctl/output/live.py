"""Live lists on a terminal (`--watch`)."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from oncallctl.config.settings import Format, Settings
from oncallctl.errors import AccessDenied, InvalidInput, OncallError, Signal
from oncallctl.output.columns import Columns, Row
from oncallctl.output.table import console, table
from oncallctl.process import interrupts
from oncallctl.text import visible
from oncallctl.times import now, relative

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

    from oncallctl.api.client import OnCall
    from oncallctl.api.noun import Noun

# Seconds between two updates: all tokens of a user share 300 requests a minute.
EVERY = 10.0
MARKED = timedelta(minutes=5)  # how long a new row is marked
NEW = "new"
MOST = 500  # rows that each update reads, for the same reason


@dataclass(frozen=True)
class ListSnapshot:
    """Rows of one update; `cut` is True if there may be more that were not read."""

    rows: Iterable[Row]
    cut: bool = False


def check(settings: Settings) -> None:
    """Refuse --watch without a terminal.

    Raises:
        InvalidInput: stdout is not a terminal that can redraw, or the output is not a table.
    """
    if settings.format is not Format.TABLE or settings.quiet:
        raise InvalidInput("--watch shows a table", hint="omit --watch, or --output and --quiet")
    if not sys.stdout.isatty() or console(settings, stderr=False).is_dumb_terminal:
        raise InvalidInput("--watch needs a terminal that can redraw, and stdout is not one", hint="omit --watch")


def watch(
    settings: Settings,
    oncall: OnCall,
    read: Callable[[int], ListSnapshot],
    noun: Noun,
    *,
    limit: int | None = None,
    bell: bool = False,
) -> None:
    """Show a list and update it until Ctrl-C, which leaves the last rows on the screen.

    New rows are marked for some minutes.

    If an update fails, the rows stay and the error is shown below them; the next update may succeed.

    Args:
        settings: the settings of the table; see `check`.
        oncall: the server. Requests are not retried, since the next update follows soon.
        read: reads at most the given number of rows.
        noun: the kind of the objects in the rows, with their columns.
        limit: the number of rows to show.
        bell: whether to ring the terminal bell for new rows.

    Raises:
        OncallError: the first update failed.
        AccessDenied: the server no longer accepts the token.
    """
    from rich.live import Live

    most = limit or MOST
    arrivals = _Arrivals(noun.id_field)

    def update() -> _View:
        at = now()
        snapshot = read(most + 1)
        rows = list(islice(snapshot.rows, most + 1))
        there_are_more = len(rows) > most
        shown = arrivals.mark(rows[:most], at, is_complete=not there_are_more and not snapshot.cut)
        return _View(
            settings, noun, {"NEW": "new", **noun.columns}, shown, at, there_are_more=there_are_more, cut=snapshot.cut
        )

    try:
        view = update()
        table(settings, view.rows, view.columns)  # reports unknown columns before the screen is redrawn
        live = Live(view, console=console(settings, stderr=False), auto_refresh=False)
        with oncall.without_retries(), contextlib.ExitStack() as at_the_end:
            # Before start(): on a Ctrl-C during it, the cursor must be shown again.
            at_the_end.callback(live.stop)
            live.start()
            while True:
                live.update(view, refresh=True)
                time.sleep(EVERY)
                try:
                    view = update()
                    if bell and arrivals.latest == view.read_at:
                        live.console.bell()
                except AccessDenied:
                    raise
                except OncallError as error:
                    view = replace(view, failure=error.message)
    except Signal as ended:
        if ended.signum != signal.SIGINT:
            raise
        interrupts.settle()


class _Arrivals:
    """Rows that were not in the list before.

    Attributes:
        latest: the time of the last update with new rows, or None.
    """

    def __init__(self, id_field: str) -> None:
        self.latest: datetime | None = None
        self._id_field = id_field
        self._known: dict[str, datetime | None] = {}  # ID -> when the row arrived; None if it was there at first
        self._updates = 0
        self._was_complete = True

    def mark(self, rows: Sequence[Row], at: datetime, *, is_complete: bool) -> list[Row]:
        """Return the rows, newest first, with the field `new`.

        If older rows were omitted before, an unknown row is new only if it is above a known one. Others moved up.
        """
        idents = [str(row.get(self._id_field)) for row in rows]
        last_known = max((index for index, ident in enumerate(idents) if ident in self._known), default=-1)
        known = {}
        for index, ident in enumerate(idents):
            is_new = self._updates > 0 and (self._was_complete or index < last_known)
            known[ident] = self._known.get(ident, at if is_new else None)
        if at in known.values():
            self.latest = at
        self._known, self._was_complete = known, is_complete
        self._updates += 1
        recent = [(arrived := known[ident]) is not None and at - arrived < MARKED for ident in idents]
        return [{**row, "new": NEW if is_new else ""} for row, is_new in zip(rows, recent, strict=True)]


@dataclass(frozen=True)
class _View:
    """The screen: the rows that fit, the number of hidden rows, and their age.

    Attributes:
        columns: the columns of the table; that of the marks is hidden while no row is new.
        read_at: the time of the last successful update.
        there_are_more: whether the server has more rows than these.
        cut: whether the server has rows that were not read.
        failure: the error of the last update, or None.
    """

    settings: Settings
    noun: Noun
    columns: Columns
    rows: Sequence[Row]
    read_at: datetime
    there_are_more: bool = False
    cut: bool = False
    failure: str | None = None

    def __rich_console__(self, screen: Console, _options: ConsoleOptions) -> RenderResult:
        below = self._below()
        # Below the rows: the line of the cursor. If rows are hidden, one more line says so.
        room = max(screen.size.height - 1 - self.settings.header - len(below), 0)
        shown = len(self.rows)
        more = self.there_are_more or self.cut
        if shown > room or more:
            shown = min(shown, max(room - 1, 0))
        yield table(self.settings, self.rows[:shown], self.columns)
        if shown < len(self.rows) or more:
            yield _line(self._left_out(len(self.rows) - shown))
        yield from below

    def _count(self) -> str:
        count = len(self.rows)
        new = sum(1 for row in self.rows if row["new"])
        more = "more than " if self.there_are_more or self.cut else ""
        text = (
            f"{more}{count} {self.noun.singular if count == 1 else self.noun.plural}"
            if self.rows
            else "nothing matches"
        )
        return f"{text}, {new} new" if new else text

    def _left_out(self, hidden: int) -> str:
        if self.there_are_more:
            left_out = f"and more than {hidden} more" if hidden else "and there are more"
        else:
            left_out = f"and {hidden} more" if hidden else "and there may be more"
        return f"{left_out}; only the newest were read" if self.cut else left_out

    def _below(self) -> list[Text]:
        clock = f"{self.read_at.astimezone(self.settings.tz):%H:%M:%S}"
        if self.failure is None:
            return [_line(f"{self._count()}; as of {clock}; Ctrl-C to stop")]
        age = relative(self.read_at, at=now())
        return [_line(f"not updated since {clock} ({age}):", "bold red"), _line(self.failure, "bold red")]


def _line(text: str, style: str = "dim") -> Text:
    from rich.text import Text

    return Text(visible(text), style=style, no_wrap=True, overflow="ellipsis")
