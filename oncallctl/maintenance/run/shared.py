"""Which runs of this host need a window: a lock for each, which the system takes back however its run ends.

Below the state folder there is one folder for each integration of each server. It has a `mutex`, under which runs come
and go; `holds/RUN`, locked by that run while it lives; and `window.json`, the window that runs opened.
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
from oncallctl.config.private_files import make_folder, open_private, replace_private, usable
from oncallctl.errors import Interrupted, InvalidInput, NotFound
from oncallctl.maintenance.windows.model import Window
from oncallctl.times import LONGEST

FOLDER = "runs"
BETWEEN_LOOKS = 0.02  # seconds, while another run has the mutex
# How long after it was sent a window begins at most, if only the time tells whose it is.
APART = timedelta(minutes=2)

Seconds = Annotated[int, Field(ge=0, le=int(LONGEST.total_seconds()))]


@dataclass(frozen=True)
class WindowRecord:
    """A window that a run opens, or opened.

    Attributes:
        server, id, name: the integration.
        mode: in Cloud's words.
        seconds: how long it is.
        asked_at, ends_at: by the server's clock, as far as it is known.
        started_at: as the server says it; None before it has said so, also when that never came.
        run: the id of the run that opened it.
        reason: why, or None.
        changing: whether a run is about to replace it: that it is gone does not mean that somebody ended it.
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
        """When it ends by itself, a moment early at most."""
        return self.asked_at + timedelta(seconds=self.seconds)

    def matches(self, window: Window | None) -> bool:
        """Whether it is the window that is open now, and not somebody else's."""
        if window is None or window.started_at is None:
            return False
        if self.started_at is not None:
            return window.started_at.replace(microsecond=0) == self.started_at.replace(microsecond=0)
        if window.mode != self.mode or window.ends_at is None:
            return False
        length = (window.ends_at - window.started_at).total_seconds()
        return abs(length - self.seconds) <= 1 and abs(window.started_at - self.asked_at) <= APART


@functools.cache
def _schema() -> TypeAdapter[WindowRecord]:
    """Return what checks a `window.json`; building it takes time, so only the commands about runs do."""
    return TypeAdapter(WindowRecord)


class RunLock:
    """One run's need of a window, as long as the run lives or until it lets go."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = open_private(path, os.O_RDWR)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def let_go(self) -> None:
        """Need it no longer. Only under the mutex."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


class SharedWindow:
    """What the runs of this host have in common: the window of one integration."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._holds = folder / "holds"
        self._window = folder / "window.json"

    @classmethod
    def of(cls, state: Path, server: str, ident: str, former: str | None = None) -> SharedWindow:
        """That of an integration; makes its folder.

        Args:
            state: the state folder.
            server: host and port.
            ident: the integration.
            former: the server in another spelling, under which runs of an older version may still go on.

        Raises:
            InvalidInput: it cannot be made.
        """
        if former and former != server:
            shared = cls._at(state, former, ident)
            if shared.opened() or shared.is_held():
                return shared
        shared = cls._at(state, server, ident)
        shared._make()
        return shared

    @classmethod
    def _at(cls, state: Path, server: str, ident: str) -> SharedWindow:
        return cls(state / FOLDER / f"{ident}-{hashlib.sha256(server.encode()).hexdigest()[:12]}")

    def _make(self) -> None:
        with usable(self._holds):
            make_folder(self._holds)

    @classmethod
    def everything(cls, state: Path) -> list[SharedWindow]:
        """Those of all integrations that runs have ever been about."""
        folder = state / FOLDER
        return [cls(each) for each in sorted(folder.iterdir())] if folder.is_dir() else []

    @contextlib.contextmanager
    def mutex(self, given_up: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Keep the other runs of this host from coming and going meanwhile.

        Raises:
            Interrupted: given up waiting for them.
        """
        descriptor = open_private(self._folder / "mutex", os.O_RDWR)
        try:
            while not _taken(descriptor):
                if given_up():
                    raise Interrupted(0, "given up waiting for another run on this machine")
                time.sleep(BETWEEN_LOOKS)
            yield
        finally:
            os.close(descriptor)

    def hold(self, run: str) -> RunLock:
        """Say that a run needs the window. Only under the mutex."""
        return RunLock(self._holds / run)

    def is_held(self, besides: str | None = None) -> bool:
        """Whether another run that lives needs the window; forgets those that died. Only under the mutex."""
        with usable(self._holds):
            holds = list(self._holds.iterdir()) if self._holds.is_dir() else []
        return any(self._lives(path) for path in holds if path.name != besides)

    def opened(self, warn: Callable[[str], None] = lambda _: None) -> WindowRecord | None:
        """Return the window that runs opened, if one did and nobody has ended it since.

        Args:
            warn: receives a message if the file is spoilt, as by a crash or an editor.

        Raises:
            InvalidInput: the file is not this user's.
        """
        try:
            with os.fdopen(open_private(self._window, os.O_RDONLY), "rb") as file:
                return _schema().validate_python(json.load(file))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            warn(f"{self._window} is spoilt: the window that it was about is not known any more")
            return None

    def remember(self, opened: WindowRecord) -> None:
        """Write down the window, so that a power cut leaves it known. Only under the mutex.

        Raises:
            InvalidInput: it cannot be written; what was written before stays.
        """
        # Unlike json, pydantic cannot write half of a surrogate pair, which a server can send in a name.
        data = json.dumps(_schema().dump_python(opened, mode="json")).encode()
        with usable(self._window):
            replace_private(self._window, data)

    def forget(self) -> None:
        """Forget the window: it is no longer there. Only under the mutex."""
        self._window.unlink(missing_ok=True)

    @staticmethod
    def _lives(path: Path) -> bool:
        descriptor = open_private(path, os.O_RDWR)
        try:
            if not _taken(descriptor):
                return True
            path.unlink()
            return False
        finally:
            os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def orphaned(oncall: OnCall, state: Path, warn: Callable[[str], None]) -> Iterator[tuple[WindowRecord, Integration]]:
    """Find the active windows that runs of this host started, and that no living run needs any more.

    Args:
        oncall: the server.
        state: the folder in which runs find each other.
        warn: receives a message for each window whose file cannot be used; it is skipped.

    Raises:
        OncallError: an integration cannot be read. One that is no longer there has no window.
    """
    for shared in SharedWindow.everything(state):
        try:
            opened = _left_behind(oncall, shared, warn)
        except InvalidInput as error:
            warn(f"{error.message}; it is skipped")
            continue
        if opened is None:
            continue
        with contextlib.suppress(NotFound):
            integration = oncall.integrations.get(opened.id)
            if opened.matches(Window.of(integration)):
                yield opened, integration


def _left_behind(oncall: OnCall, shared: SharedWindow, warn: Callable[[str], None]) -> WindowRecord | None:
    """Return the window that runs started on this server, unless one of them lives.

    Raises:
        InvalidInput: a file that cannot be used.
    """
    opened = shared.opened(warn)
    if opened is None or not oncall.profile.is_at(opened.server):
        return None
    with shared.mutex():
        opened = shared.opened()  # a run may have left meanwhile
        return None if opened is None or shared.is_held() else opened
