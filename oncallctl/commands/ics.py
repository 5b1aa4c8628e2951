"""The option `--ics` of the commands that show shifts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.config.settings import Format
from oncallctl.errors import InvalidInput
from oncallctl.output.files import write_file
from oncallctl.times import now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oncallctl.config.settings import Settings
    from oncallctl.rota.calendars import CalendarEvent

IcsOption = Annotated[
    str | None, typer.Option("--ics", metavar="FILE|-", help="Write the shifts to an iCalendar file; - is stdout.")
]


def check_file_option(settings: Settings, option: str, file: str | None) -> None:
    """Raise InvalidInput if an option that writes a file of its own format is given together with `-o`."""
    if file and settings.output not in {None, Format.TABLE}:
        raise InvalidInput(f"{option} and -o {settings.output} exclude each other", hint="omit one of them")


def write_calendar(settings: Settings, file: str, events: Sequence[CalendarEvent], name: str) -> None:
    """Write shifts to the file that `--ics` names.

    Raises:
        InvalidInput: the file cannot be written.
    """
    from oncallctl.rota.calendars import calendar

    write_file(settings, file, "--ics", calendar(events, name, at=now()))
