"""A list that stays live at a terminal."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from oncallctl.config.settings import Format, Settings
from oncallctl.errors import AccessDenied, InvalidInput, OncallError, Signal
from oncallctl.output.table import Columns, Row, console, table
from oncallctl.process import interrupts
from oncallctl.text import visible
from oncallctl.times import now, relative

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from oncallctl.api.client import OnCall

# Seconds from one reading to the next: all tokens of a user share 300 requests a minute.
EVERY = 10.0
MOST = 500  # rows that are read each time, for the same reason


@dataclass(frozen=True)
class ListSnapshot:
    """Rows as they were read; `cut` says that there may be some that were not."""

    rows: Iterable[Row]
    cut: bool = False


def check(settings: Settings) -> None:
    """Refuse to keep a list live where there is nobody to look at it.

    Raises:
        InvalidInput: stdout is no terminal, or the output is not for people.
    """
    if settings.format is not Format.TABLE or settings.quiet:
        raise InvalidInput("--watch shows a table", hint="leave out --output and --quiet, or --watch")
    if not sys.stdout.isatty() or console(settings, stderr=False).is_dumb_terminal:
        raise InvalidInput("--watch needs a terminal that can redraw, and stdout is none", hint="leave out --watch")


def watch(
    settings: Settings,
    oncall: OnCall,
    read: Callable[[int], ListSnapshot],
    columns: Columns,
    *,
    limit: int | None = None,
) -> None:
    """Show a list and keep it up to date until Ctrl-C, which leaves the last one on the screen.

    A reading that fails leaves the list as it is and is said below it; the next one may succeed.

    Args:
        settings: for the table; see `check`.
        oncall: what is read from; it is not patient meanwhile, the next reading comes soon enough.
        read: reads the rows, at most so many.
        columns: header -> dotted path.
        limit: show at most so many.

    Raises:
        OncallError: the first reading failed.
        AccessDenied: the server no longer takes the token.
    """
    from rich.live import Live

    most = limit or MOST

    def look() -> _View:
        at = now()
        reading = read(most + 1)
        rows = list(islice(reading.rows, most + 1))
        return _View(settings, columns, rows[:most], at, there_are_more=len(rows) > most, cut=reading.cut)

    try:
        view = look()
        table(settings, view.rows, columns)  # complains of columns while it can be read
        live = Live(view, console=console(settings, stderr=False), auto_refresh=False)
        with oncall.impatient(), contextlib.ExitStack() as at_the_end:
            # Before it starts: Ctrl-C may come while it does, and the cursor has to be shown again.
            at_the_end.callback(live.stop)
            live.start()
            while True:
                live.update(view, refresh=True)
                time.sleep(EVERY)
                try:
                    view = look()
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
    """What is on the screen: as many rows as fit, how many do not, and how old it is.

    Attributes:
        read_at: when these rows were read.
        there_are_more: whether the server has more than these.
        cut: whether not all that the server has was read.
        failure: why they could not be read again.
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
        # The cursor's own line, the header, and where rows are left out a line that says so.
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

    def _below(self) -> list[Any]:
        clock = f"{self.read_at.astimezone(self.settings.tz):%H:%M:%S}"
        if self.failure is None:
            nothing = "" if self.rows else "nothing matches; "
            return [_line(f"{nothing}as of {clock}; Ctrl-C ends it")]
        age = relative(self.read_at, at=now())
        return [_line(f"not updated since {clock} ({age}):", "bold red"), _line(self.failure, "bold red")]


def _line(text: str, style: str = "dim") -> Any:  # noqa: ANN401  # rich is imported only here
    from rich.text import Text

    return Text(visible(text), style=style, no_wrap=True, overflow="ellipsis")
