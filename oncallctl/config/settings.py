"""The global options of one run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from oncallctl.text import dump_json, sentence, visible

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


LONGEST_TIMEOUT = 3600


class Format(StrEnum):
    """The output formats."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    ID = "id"


_JSON = frozenset({Format.JSON, Format.JSONL})


@dataclass
class Settings:
    """The global options, resolved from flags, environment and profile before a command runs.

    Attributes:
        profile: the value of --profile, or None.
        output: the format of the flag or the environment, or None.
        profile_output: the default format of the profile, or None.
        command_output: the format that the command sets in place of the profile's default, or None.
        timeout: seconds per request, or None for the default.
        tz: the zone to read and show times in; None is the local zone.
        prefix: returns the beginning of a message, such as ``warning:``; `oncallctl.output.colors` can color it.
        parsed: False until the command line has been parsed.
    """

    profile: str | None = None
    output: Format | None = None
    profile_output: Format | None = None
    command_output: Format | None = None
    columns: list[str] | None = None
    header: bool = True
    tz: ZoneInfo | None = None
    timeout: float | None = None
    quiet: bool = False
    verbose: int = 0
    color: bool = True
    prefix: Callable[[str], str] = "{}:".format
    parsed: bool = False

    @property
    def format(self) -> Format:
        """The output format."""
        return self.output or self.command_output or self.profile_output or Format.TABLE

    @property
    def has_structured_output(self) -> bool:
        """True if stdout is JSON, with complete objects instead of columns."""
        return self.format in _JSON

    @property
    def shows_links(self) -> bool:
        """True if the format may show an integration's link, with which anyone can send alerts."""
        return self.has_structured_output

    @property
    def has_json_messages(self) -> bool:
        """True if messages on stderr are JSON. The default format of a command does not change messages."""
        return (self.output or self.profile_output) in _JSON

    def warn(self, message: str) -> None:
        """Write a warning to stderr; the command continues."""
        self._write("warning", message)

    def note(self, message: str) -> None:
        """Write a note to stderr."""
        self._write("note", message)

    def debug(self, message: str) -> None:
        """Log to stderr if -v is given."""
        if self.verbose:
            _write_line(visible(message))

    def _write(self, kind: str, message: str) -> None:
        if self.quiet:
            return
        document = {kind: {"message": message}}
        _write_line(
            dump_json(document, to=sys.stderr) if self.has_json_messages else f"{self.prefix(kind)} {sentence(message)}"
        )


def _write_line(line: str) -> None:
    with contextlib.suppress(OSError):  # an unwritable stderr must not stop the command
        print(line, file=sys.stderr, flush=True)
