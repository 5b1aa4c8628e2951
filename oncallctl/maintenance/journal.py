"""The journal of windows: who started, renewed or stopped which window, and why. The server does not store this.

One JSON line per event, in the state folder. The journal belongs to one user on one machine; windows that were started
elsewhere are foreign. Times are the server's (`OnCall.now`).
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, PrivateAttr, ValidationError

from oncallctl.api.resources.integrations import Integration
from oncallctl.config.private_files import append_line, locked, naming_file, open_private, state_folder
from oncallctl.config.profiles import Profile

NAME = "journal.jsonl"
LARGEST = 4 * 1024 * 1024
KEPT = 3  # older files

# The outcome of a change. SENT is written before a stop is sent, so that a program that is killed then leaves a trace;
# the others replace it. FAILED is never shown, because nothing was changed.
SENT, DONE, UNKNOWN, FAILED = "sent", "done", "unknown", "failed"


class Event(StrEnum):
    """An event in the life of a window."""

    STARTED = "started"
    RENEWED = "renewed"
    STOPPED = "stopped"


class Cause(StrEnum):
    """The cause of a stop."""

    STOP = "stop"  # somebody stopped it: `maintenance stop`
    REPLACE = "replace"  # another window replaced it
    RUN = "run"  # the last `maintenance run` that needed it ended


@dataclass(frozen=True)
class Author:
    """The author of changes: one run of this program.

    Attributes:
        reason: the user's reason, or None.
        run: the ID of this run of the program.
        window: the occurrence of a window in a file of windows, or None.
    """

    reason: str | None = None
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    window: str | None = None


class Subject(BaseModel):
    """The integration that an entry is about."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    name: str


class Entry(BaseModel):
    """One line of the journal.

    Attributes:
        time: of the event, by the server's clock.
        server: host and port; older versions wrote them as in the profile's URL.
        cause: of a stop; None for other events, and in lines of older versions.
        run: the ID of the run of the program.
        window: the occurrence of a window in a file, or None.
        mode, started_at, ends_at: the window.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    time: AwareDatetime
    event: str
    cause: str | None = None
    profile: str
    server: str
    host: str
    user: str
    run: str
    window: str | None
    integration: Subject
    mode: str | None
    started_at: AwareDatetime | None
    ends_at: AwareDatetime | None
    reason: str | None
    outcome: str
    _line: str = PrivateAttr(default="{}")

    @classmethod
    def read(cls, line: str) -> Self:
        """Parse a line.

        Raises:
            ValueError: it is incomplete; the message has the reason.
        """
        try:
            entry = cls._parse(line)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            messages = {"json_invalid": "not JSON", "model_type": "not an object", "missing": f"no {where}"}
            raise ValueError(messages.get(first["type"], f"{where}: {first['msg']}")) from error
        entry._line = line  # noqa: SLF001  # its own
        return entry

    @classmethod
    def _parse(cls, line: str) -> Self:
        try:
            return cls.model_validate_json(line)
        except ValidationError as error:
            # A server can send half of a surrogate pair in a name; unlike json, pydantic's parser refuses it.
            if r"\ud" not in line:
                raise
            try:
                return cls.model_validate(json.loads(line))
            except json.JSONDecodeError:
                raise error from None

    @property
    def is_start(self) -> bool:
        """True if a window was started or renewed."""
        return self.event in {Event.STARTED, Event.RENEWED}

    @property
    def raw(self) -> dict[str, Any]:
        """The line for structured output, including fields of other versions."""
        outcome = UNKNOWN if self.outcome == SENT else self.outcome
        time = _text(self.time.replace(microsecond=0))
        return {"cause": None, **json.loads(self._line), "time": time, "outcome": outcome}


class Journal:
    """The journal of this user on this machine.

    Raises:
        InvalidInput: it cannot be used. This is raised before anything is changed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or state_folder()
        self._path = self._folder / NAME
        with contextlib.suppress(FileNotFoundError):
            os.close(open_private(self._path, os.O_RDONLY))

    def record(  # noqa: PLR0913  # the fields of an event
        self,
        event: Event,
        place: Profile,
        integration: Integration,
        author: Author,
        *,
        at: datetime,
        cause: Cause | None = None,
        outcome: str = DONE,
    ) -> None:
        """Write one event.

        Args:
            event: the event.
            place: the profile of the server.
            integration: the integration with the window; after a stop, its former state.
            author: the author.
            at: the time, by the server's clock.
            cause: of a stop.
            outcome: of the change.

        Raises:
            InvalidInput: the file cannot be written.
        """
        line = {
            "time": at.isoformat(),
            "event": event.value,
            "cause": cause,
            "profile": place.name,
            "server": place.host,
            "host": socket.gethostname(),
            "user": _user(),
            "run": author.run,
            "window": author.window,
            "integration": {"id": integration.id, "name": integration.name},
            "mode": integration.maintenance_mode,
            "started_at": _text(integration.maintenance_started_at),
            "ends_at": _text(integration.maintenance_end_at),
            "reason": author.reason,
            "outcome": outcome,
        }
        data = (json.dumps(line) + "\n").encode()
        with locked(self._folder / f"{NAME}.lock"), naming_file(self._path):
            if self._path.exists() and self._path.stat().st_size + len(data) > LARGEST:
                self._rotate()
            append_line(self._path, data)

    def entries(self, warn: Callable[[str], None], since: datetime | None = None) -> list[Entry]:
        """Return the events, oldest first, without failed changes.

        Args:
            warn: receives one message if lines are skipped because they are incomplete.
            since: return only events from then on.
        """
        found, skipped = [], []
        for path, content in self._contents():
            for number, text in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
                try:
                    found.append(Entry.read(text))
                except ValueError as error:
                    skipped.append(f"{path}: line {number} is skipped: {error}")
        if skipped:
            warn(skipped[0] if len(skipped) == 1 else f"{skipped[0]} ({len(skipped)} such lines)")
        return [entry for entry in _settled(found) if since is None or entry.time >= since]

    def at(self, place: Profile, warn: Callable[[str], None]) -> Iterator[Entry]:
        """Yield the events on one server, oldest first; see `entries`."""
        is_there: dict[str, bool] = {}
        for entry in self.entries(warn):
            if entry.server not in is_there:
                is_there[entry.server] = place.is_at(entry.server)
            if is_there[entry.server]:
                yield entry

    def starts(self, place: Profile, warn: Callable[[str], None]) -> dict[tuple[str, datetime], Entry]:
        """Return the authors of windows: (integration, start to the second) -> the event that started or renewed it."""
        return {
            (entry.integration.id, entry.started_at.replace(microsecond=0)): entry
            for entry in self.at(place, warn)
            if entry.is_start and entry.started_at
        }

    def _contents(self) -> list[tuple[Path, bytes]]:
        """Return the files with their contents, oldest first.

        They are read newest first and without the lock, which a read-only folder does not have. A file that is rotated
        meanwhile is seen twice, and recognized by its inode; in the other order it could be missed.
        """
        contents: dict[int, tuple[Path, bytes]] = {}
        for path in [self._path, *(self._folder / f"{NAME}.{number}" for number in range(1, KEPT + 1))]:
            with contextlib.suppress(FileNotFoundError), os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                if inode not in contents:
                    contents[inode] = path, file.read()
        return list(reversed(contents.values()))

    def _rotate(self) -> None:
        for number in range(KEPT, 0, -1):
            newer = self._path if number == 1 else self._folder / f"{NAME}.{number - 1}"
            if newer.exists():
                newer.replace(self._folder / f"{NAME}.{number}")


def _settled(entries: list[Entry]) -> list[Entry]:
    """Replace each line that announces a change by the line with its outcome."""
    settled: dict[int, Entry] = {}
    announced: dict[tuple[str, str, str, str, datetime | None], int] = {}
    for number, entry in enumerate(entries):
        change = (entry.run, entry.event, entry.server, entry.integration.id, entry.started_at)
        if entry.outcome == SENT:
            announced[change] = number
        elif change in announced:
            del settled[announced.pop(change)]
        if entry.outcome != FAILED:
            settled[number] = entry
    return list(settled.values())


def _text(moment: datetime | None) -> str | None:
    """Format an instant as servers do."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def authorship(starts: Mapping[tuple[str, datetime], Entry], integration: Integration) -> dict[str, Any]:
    """Return the author of the window of an integration, and the reason; `foreign` if the journal does not know it."""
    started_at = integration.maintenance_started_at
    if integration.maintenance_mode is None or started_at is None:
        return {"started_by": None, "reason": None}
    entry = starts.get((integration.id, started_at.replace(microsecond=0)))
    if entry is None:
        return {"started_by": "foreign", "reason": None}
    return {"started_by": f"{entry.user}@{entry.host}", "reason": entry.reason}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user ID without a name, as in containers
        return str(os.getuid())
