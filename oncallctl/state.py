"""Files that this program keeps for itself: in a folder of its owner's alone, and safe with many writers."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oncallctl.errors import InvalidInput


def state_folder() -> Path:
    """The folder for state, made when it is not there.

    Raises:
        InvalidInput: it belongs to somebody else, or cannot be made.
    """
    import platformdirs

    folder = platformdirs.user_state_path("oncallctl")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid not in {os.getuid(), 0}:
            raise InvalidInput(f"{folder} belongs to another user", hint="name another place with XDG_STATE_HOME")
    except OSError as error:
        raise InvalidInput(
            f"{folder} cannot be made: {error.strerror}", hint="name another place with XDG_STATE_HOME"
        ) from error
    return folder


def open_private(path: Path, flags: int) -> int:
    """Open a file that only its owner can read, making it when it is not there; returns the descriptor."""
    return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system takes back when the process ends, however it ends; waits for others."""
    descriptor = open_private(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
