"""The windows that runs on this machine share.

The state folder has a folder for each integration of each server, with `mutex`, a lock under which runs join and leave;
`holds/RUN`, a lock for each run, which the kernel releases however the run ends; and `window.json`, the record of the
window that runs started.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from oncallctl.api.client import OnCall
from oncallctl.api.resources.base import Ident, Instant
from oncallctl.api.resources.integrations import Integration
from oncallctl.config.private_files import make_folder, naming_file, open_private, replace_private
from oncallctl.errors import Interrupted, InvalidInput, NotFound
from oncallctl.maintenance.windows.model import Window
from oncallctl.times import LONGEST

FOLDER = "runs"
POLL_INTERVAL = 0.02  # seconds, while another run holds the mutex
# Maximum time from request to start if a window can only be identified by its start time.
MAX_START_DELAY = timedelta(minutes=2)

Seconds = Annotated[int, Field(ge=0, le=int(LONGEST.total_seconds()))]


@dataclass(frozen=True)
class WindowRecord:
    """A window that a run starts, or has started.

    Attributes:
        server, id, name: the integration.
        mode: in Cloud's words.
        seconds: its length.
        asked_at: when the start was sent, by the server's clock as far as that is known.
        started_at: the start in the server's response; None before the response, and if it was lost.
        run: the ID of the run that started it.
        reason: the reason given for it, or None.
        changing: True while a run replaces it: a missing window then does not mean that somebody stopped it.
    """

    server: str
    id: Ident
    name: str
    mode: str
    seconds: Seconds
    asked_at: Instant
    run: str
    reason: str | None
    started_at: Instant | None = None
    changing: bool = False

    @property
    def ends_at(self) -> datetime:
        """When the window expires; at worst a moment too early, never too late."""
        return self.asked_at + timedelta(seconds=self.seconds)

    def matches(self, window: Window | None) -> bool:
        """True if the active window is this one, and not somebody else's."""
        if window is None or window.started_at is None:
            return False
        if self.started_at is not None:
            return window.started_at.replace(microsecond=0) == self.started_at.replace(microsecond=0)
        if window.mode != self.mode or window.ends_at is None:
            return False
        length = (window.ends_at - window.started_at).total_seconds()
        return abs(length - self.seconds) <= 1 and abs(window.started_at - self.asked_at) <= MAX_START_DELAY


@functools.cache
def _schema() -> TypeAdapter[WindowRecord]:
    """Return the validator of `window.json`. Building it takes time, so only the commands about runs do."""
    return TypeAdapter(WindowRecord)


class RunLock:
    """A lock that shows that a run needs the window; held until it is released or the run's process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = open_private(path, os.O_RDWR)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        """Release the lock. Requires the mutex."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


class SharedWindow:
    """The window of one integration, shared by the runs on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._holds = folder / "holds"
        self._window = folder / "window.json"

    @classmethod
    def of(cls, state: Path, server: str, ident: str) -> SharedWindow:
        """Return the shared window of an integration; create its folder.

        Args:
            state: the state folder.
            server: host and port.
            ident: the integration's ID.

        Raises:
            InvalidInput: the folder cannot be created.
        """
        shared = cls(state / FOLDER / f"{ident}-{hashlib.sha256(server.encode()).hexdigest()[:12]}")
        with naming_file(shared._holds):
            make_folder(shared._holds)
        return shared

    @classmethod
    def all(cls, state: Path) -> list[SharedWindow]:
        """Return the shared windows of all integrations that any run has ever joined."""
        folder = state / FOLDER
        return [cls(each) for each in sorted(folder.iterdir())] if folder.is_dir() else []

    @contextlib.contextmanager
    def mutex(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Hold the lock under which runs join, renew and leave.

        Args:
            cancelled: returns True once waiting for the lock is to stop.

        Raises:
            Interrupted: it was cancelled.
        """
        descriptor = open_private(self._folder / "mutex", os.O_RDWR)
        try:
            while not _try_lock(descriptor):
                if cancelled():
                    raise Interrupted(0, "stopped waiting for another run on this machine")
                time.sleep(POLL_INTERVAL)
            yield
        finally:
            os.close(descriptor)

    def lock(self, run: str) -> RunLock:
        """Take the lock that shows that a run needs the window. Requires the mutex."""
        return RunLock(self._holds / run)

    def is_needed(self, besides: str | None = None) -> bool:
        """True if a living run, other than `besides`, needs the window. Requires the mutex.

        Locks of killed runs are deleted.
        """
        with naming_file(self._holds):
            holds = list(self._holds.iterdir()) if self._holds.is_dir() else []
        return any(self._is_alive(path) for path in holds if path.name != besides)

    def record(self, warn: Callable[[str], None] = lambda _: None) -> WindowRecord | None:
        """Return the saved record of the window that a run started, or None.

        Args:
            warn: receives a message if the file is damaged, as by a crash or an editor.

        Raises:
            InvalidInput: the file belongs to another user.
        """
        try:
            with os.fdopen(open_private(self._window, os.O_RDONLY), "rb") as file:
                return _schema().validate_python(json.load(file))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            warn(f"{self._window} is damaged and ignored: its window is not known any more")
            return None

    def save(self, record: WindowRecord) -> None:
        """Save the record, so that the window is known after a power cut. Requires the mutex.

        Raises:
            InvalidInput: the file cannot be written; the record saved before is kept.
        """
        # Unlike json, pydantic cannot write half of a surrogate pair, which a server can send in a name.
        data = json.dumps(_schema().dump_python(record, mode="json")).encode()
        with naming_file(self._window):
            replace_private(self._window, data)

    def forget(self) -> None:
        """Delete the record of a window that is no longer active. Requires the mutex."""
        self._window.unlink(missing_ok=True)

    @staticmethod
    def _is_alive(path: Path) -> bool:
        descriptor = open_private(path, os.O_RDWR)
        try:
            if not _try_lock(descriptor):
                return True
            path.unlink()
            return False
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def orphaned(oncall: OnCall, state: Path, warn: Callable[[str], None]) -> Iterator[tuple[WindowRecord, Integration]]:
    """Yield the active windows that runs on this machine started and that no living run needs.

    Args:
        oncall: the server.
        state: the state folder.
        warn: receives a message for each file that cannot be used; its window is skipped.

    Raises:
        OncallError: an integration could not be fetched. An integration that no longer exists has no window.
    """
    for shared in SharedWindow.all(state):
        try:
            record = _left_behind(oncall, shared, warn)
        except InvalidInput as error:
            warn(f"{error.message}; it is skipped")
            continue
        if record is None:
            continue
        with contextlib.suppress(NotFound):
            integration = oncall.integrations.get(record.id)
            if record.matches(Window.of(integration)):
                yield record, integration


def _left_behind(oncall: OnCall, shared: SharedWindow, warn: Callable[[str], None]) -> WindowRecord | None:
    """Return the record of a window on this server that no living run needs, or None.

    Raises:
        InvalidInput: a file cannot be used.
    """
    record = shared.record(warn)
    if record is None or not oncall.profile.is_at(record.server):
        return None
    with shared.mutex():
        record = shared.record()  # a run may have left meanwhile
        return None if record is None or shared.is_needed() else record
