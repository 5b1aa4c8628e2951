"""Live lists on a terminal (`--watch`)."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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

# Seconds between two updates: all tokens of a user share 300 requests a minute.
EVERY = 10.0
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
        raise InvalidInput("--watch shows a table", hint="leave out --output and --quiet, or --watch")
    if not sys.stdout.isatty() or console(settings, stderr=False).is_dumb_terminal:
        raise InvalidInput("--watch needs a terminal that can redraw, and stdout is not one", hint="leave out --watch")


def watch(
    settings: Settings,
    oncall: OnCall,
    read: Callable[[int], ListSnapshot],
    columns: Columns,
    *,
    limit: int | None = None,
) -> None:
    """Show a list and update it until Ctrl-C, which leaves the last rows on the screen.

    If an update fails, the rows stay and the error is shown below them; the next update may succeed.

    Args:
        settings: the settings of the table; see `check`.
        oncall: the server. Requests are not retried, since the next update follows soon.
        read: reads at most the given number of rows.
        columns: header -> dotted path.
        limit: the number of rows to show.

    Raises:
        OncallError: the first update failed.
        AccessDenied: the server no longer accepts the token.
    """
    from rich.live import Live

    most = limit or MOST

    def update() -> _View:
        at = now()
        snapshot = read(most + 1)
        rows = list(islice(snapshot.rows, most + 1))
        return _View(settings, columns, rows[:most], at, there_are_more=len(rows) > most, cut=snapshot.cut)

    try:
        view = update()
        table(settings, view.rows, columns)  # reports unknown columns before the screen is redrawn
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
                except AccessDenied:
                    raise
                except OncallError as error:
                    view = replace(view, failure=error.message)
    except Signal as ended:
        if ended.signum != signal.SIGINT:
            raise
        interrupts.settle()


@dataclass(frozen=True)
class _View:
    """The screen: the rows that fit, the number of hidden rows, and their age.

    Attributes:
        read_at: the time of the last successful update.
        there_are_more: whether the server has more rows than these.
        cut: whether the server has rows that were not read.
        failure: the error of the last update, or None.
    """

    settings: Settings
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

    def _left_out(self, hidden: int) -> str:
        if self.there_are_more:
            left_out = f"and more than {hidden} more" if hidden else "and there are more"
        else:
            left_out = f"and {hidden} more" if hidden else "and there may be more"
        return f"{left_out}; only the newest were read" if self.cut else left_out

    def _below(self) -> list[Text]:
        clock = f"{self.read_at.astimezone(self.settings.tz):%H:%M:%S}"
        if self.failure is None:
            nothing = "" if self.rows else "nothing matches; "
            return [_line(f"{nothing}as of {clock}; Ctrl-C ends it")]
        age = relative(self.read_at, at=now())
        return [_line(f"not updated since {clock} ({age}):", "bold red"), _line(self.failure, "bold red")]


def _line(text: str, style: str = "dim") -> Text:
    from rich.text import Text

    return Text(visible(text), style=style, no_wrap=True, overflow="ellipsis")
