"""A progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from oncallctl.config.settings import Settings
from oncallctl.output import colors
from oncallctl.text import visible


@contextmanager
def progress(settings: Settings, label: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a progress bar on a terminal for several targets. Yield the function to call after each."""
    if total <= 1 or settings.quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from oncallctl.output.table import console

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(complete_style=colors.PENDING, finished_style=colors.GOOD),
        MofNCompleteColumn(),
        console=console(settings, stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(visible(label), total=total)
        yield lambda: bar.advance(task)
