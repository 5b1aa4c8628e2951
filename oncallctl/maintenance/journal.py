"""What the server does not remember: who opened, renewed or ended which window, when and why.

One JSON line an event, in the state folder. The lines are this machine's and this user's alone: windows that were
opened elsewhere are foreign here.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from oncallctl.api.models import Integration
from oncallctl.profiles import Profile
from oncallctl.state import append_line, locked, open_private, state_folder, usable
from oncallctl.times import now

NAME = "journal.jsonl"
LARGEST = 4 * 1024 * 1024
KEPT = 3  # older files


class Event(StrEnum):
    """What happened to a window."""

    OPENED = "opened"
    RENEWED = "renewed"
    ENDED = "ended"


@dataclass(frozen=True)
class Author:
    """On whose behalf windows are opened and ended: one run of this program.

    Attributes:
        reason: why, in a person's words, or None.
        run: one id for all that this run does.
        window: the name of the window in a file of windows, and the start of its occurrence, or None.
    """

    reason: str | None = None
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    window: str | None = None


class Journal:
    """The journal of this user on this machine.

    Raises:
        InvalidInput: it cannot be used, which is said before anything is changed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or state_folder()
        self._path = self._folder / NAME
        with contextlib.suppress(FileNotFoundError):
            os.close(open_private(self._path, os.O_RDONLY))

    def record(
        self, event: Event, place: Profile, integration: Integration, author: Author, *, outcome: str = "done"
    ) -> None:
        """Write one event.

        Args:
            event: what happened.
            place: the server.
            integration: with the window; for one that was ended, as it was before.
            author: on whose behalf.
            outcome: done, or unknown where the answer was lost and not settled.

        Raises:
            InvalidInput: the file cannot be written.
        """
        line = {
            "time": now().isoformat(),
            "event": event.value,
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
        with locked(self._folder / f"{NAME}.lock"), usable(self._path):
            if self._path.exists() and self._path.stat().st_size + len(data) > LARGEST:
                self._rotate()
            append_line(self._path, data)

    def entries(self, since: datetime | None = None) -> Iterator[dict[str, Any]]:
        """The events, the oldest first; a line that a crash cut short is passed over."""
        for content in self._contents():
            for text in content.decode("utf-8", "replace").splitlines():
                try:
                    entry = json.loads(text)
                    moment = datetime.fromisoformat(entry["time"])
                except (ValueError, KeyError, TypeError):
                    continue
                if since is None or moment >= since:
                    yield entry

    def openers(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Who opened which window: (server, integration, started_at) -> the event that opened or renewed it."""
        return {
            key(entry["server"], entry["integration"]["id"], datetime.fromisoformat(entry["started_at"])): entry
            for entry in self.entries()
            if entry["event"] in {Event.OPENED, Event.RENEWED} and entry["started_at"]
        }

    def _contents(self) -> list[bytes]:
        """The files, the oldest first.

        Read the other way round, without the lock that a read-only folder has not: what is turned over meanwhile shows
        twice, and is told by its inode, where it would be missed.
        """
        contents: dict[int, bytes] = {}
        for path in [self._path, *(self._folder / f"{NAME}.{number}" for number in range(1, KEPT + 1))]:
            with contextlib.suppress(FileNotFoundError), os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                if inode not in contents:
                    contents[inode] = file.read()
        return list(reversed(contents.values()))

    def _rotate(self) -> None:
        for number in range(KEPT, 0, -1):
            newer = self._path if number == 1 else self._folder / f"{NAME}.{number - 1}"
            if newer.exists():
                newer.replace(self._folder / f"{NAME}.{number}")


def key(server: str, ident: str, started_at: datetime) -> tuple[str, str, str]:
    """What tells a window from all others: the server's host, the integration and the second it began."""
    return server, ident, started_at.astimezone(UTC).replace(microsecond=0).isoformat()


def _text(moment: datetime | None) -> str | None:
    """An instant as servers write it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def authorship(
    openers: Mapping[tuple[str, str, str], dict[str, Any]], place: Profile, integration: Integration
) -> dict[str, Any]:
    """Who opened the window of an integration, and why; `foreign` where this journal does not know."""
    started_at = integration.maintenance_started_at
    if integration.maintenance_mode is None or started_at is None:
        return {"opened_by": None, "reason": None}
    entry = openers.get(key(place.host, integration.id, started_at))
    if entry is None:
        return {"opened_by": "foreign", "reason": None}
    return {"opened_by": f"{entry['user']}@{entry['host']}", "reason": entry["reason"]}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a name, as in containers
        return str(os.getuid())
