"""A progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from oncallctl.config.settings import Settings
from oncallctl.output.table import console
from oncallctl.text import visible


@contextmanager
def progress(settings: Settings, what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a progress bar on a terminal while several targets are worked on; yields what to call after each."""
    if total <= 1 or settings.quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=console(settings, stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(visible(what), total=total)
        yield lambda: bar.advance(task)
