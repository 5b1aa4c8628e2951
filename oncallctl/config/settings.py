"""What one run of the program was asked for, whatever its command."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from oncallctl.text import dump_json, sentence, visible
from oncallctl.times import zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


LONGEST_TIMEOUT = 3600


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    ID = "id"


@dataclass
class Settings:
    """The options that every command has, after flags, environment and profile have had their say.

    Attributes:
        profile: the name given with --profile, or None.
        output: None while neither a flag, the environment nor the profile has named a format.
        timeout: seconds for one request, or None for the default.
        tz: the zone to show times in and to read them in; None is that of this machine.
    """

    profile: str | None = None
    output: Format | None = None
    columns: list[str] | None = None
    header: bool = True
    tz: ZoneInfo | None = None
    timeout: float | None = None
    quiet: bool = False
    verbose: int = 0
    color: bool = True

    @property
    def format(self) -> Format:
        """How results are written."""
        return self.output or Format.TABLE

    @property
    def as_json(self) -> bool:
        """Whether a program reads the output."""
        return self.format in {Format.JSON, Format.JSONL}

    def adopt(self, *, output: str | None, tz: str | None, timeout: float | None) -> None:
        """Take a profile's defaults where nothing nearer has spoken."""
        if self.output is None and output:
            self.output = Format(output)
        if self.tz is None and tz:
            self.tz = zone(tz)
        if self.timeout is None:
            self.timeout = timeout

    def warn(self, message: str) -> None:
        """Say on stderr what a person should know although the command goes on."""
        self._say("warning", message)

    def note(self, message: str) -> None:
        """Say on stderr what is going on."""
        self._say("note", message)

    def debug(self, message: str) -> None:
        """Say on stderr, with -v only, what is sent and answered; never a token."""
        if self.verbose:
            _tell(visible(message))

    def _say(self, kind: str, message: str) -> None:
        if self.quiet:
            return
        told = {kind: {"message": message}}
        _tell(dump_json(told, to=sys.stderr) if self.as_json else f"{kind}: {sentence(message)}")


def _tell(line: str) -> None:
    with contextlib.suppress(OSError):  # that nobody can be told must not stop what is being done
        print(line, file=sys.stderr, flush=True)
