"""Private state files: mode 0600, written atomically, locked against concurrent writers."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from oncallctl.errors import InvalidInput
from oncallctl.times import now

# Writing under a lock takes milliseconds: who holds one for longer hangs, or is stopped.
LOCK_SECONDS = 10.0
BETWEEN_LOOKS = 0.02  # seconds

_HINT = "look at its owner, its mode and the room on its disk, or name another place with XDG_STATE_HOME"


def state_folder() -> Path:
    """The folder for state, made when it is not there, and closed to others.

    Raises:
        InvalidInput: it belongs to somebody else, cannot be looked into, or cannot be made.
    """
    import platformdirs

    folder = platformdirs.user_state_path("oncallctl")
    with usable(folder):
        make_folder(folder)
        status = folder.stat()
        if is_foreign(status):
            raise _unusable(folder, "belongs to another user")
        if not os.access(folder, os.R_OK | os.X_OK):
            raise _unusable(folder, "this user may not look into it")
        if status.st_mode & 0o077 and status.st_uid == os.geteuid():
            with contextlib.suppress(OSError):  # a file system without modes
                folder.chmod(0o700)
    return folder


def is_foreign(status: os.stat_result) -> bool:
    """True if a file or folder belongs to neither this user nor root."""
    return status.st_uid not in {os.geteuid(), 0}


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, each with mode 0700 regardless of the umask.

    Raises:
        OSError: it cannot be made.
    """
    for each in [*reversed([above for above in folder.parents if not above.exists()]), folder]:
        each.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def usable(path: Path) -> Iterator[None]:
    """Turn OSErrors into InvalidInput that names the file, with a hint.

    Raises:
        InvalidInput: in place of any OSError.
    """
    try:
        yield
    except OSError as error:
        raise _unusable(path, error.strerror) from error


def _unusable(path: Path, why: str | None) -> InvalidInput:
    return InvalidInput(f"{path}: {why}", hint=_HINT)


def open_private(path: Path, flags: int) -> int:
    """Open a file of the state folder, made for its owner alone when it is to be written and not there.

    Returns:
        Its descriptor.

    Raises:
        InvalidInput: it belongs to somebody else, is a link or no file, or cannot be opened.
        FileNotFoundError: it is to be read, and there is none.
    """
    # A link would lead elsewhere, and opening a named pipe would wait for its other end.
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    if flags & (os.O_WRONLY | os.O_RDWR):
        flags |= os.O_CREAT
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, "is a link" if error.errno == errno.ELOOP else error.strerror) from error
    status = os.fstat(descriptor)
    try:
        if not stat.S_ISREG(status.st_mode):
            raise _unusable(path, "is not a regular file")
        if is_foreign(status):
            raise _unusable(path, "belongs to another user")
    except InvalidInput:
        os.close(descriptor)
        raise
    if status.st_mode & 0o077 and status.st_uid == os.geteuid():
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, 0o600)
    return descriptor


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file, whole or not at all; one that a crash cut short before it is ended first.

    Only under a lock.

    Raises:
        InvalidInput: the file cannot be used or written.
    """
    descriptor = open_private(path, os.O_RDWR | os.O_APPEND)
    try:
        with usable(path):
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line
            try:
                _write(descriptor, line)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def replace_private(path: Path, data: bytes) -> None:
    """Replace a file atomically with one of mode 0600.

    Raises:
        OSError: it cannot be written; the old one stays.
    """
    import tempfile

    descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        try:
            _write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        Path(fresh).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(fresh).unlink()
        raise
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """Make the rename survive a power cut, if the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock, waiting for other processes for a while; the kernel releases it when the process ends.

    Raises:
        InvalidInput: its file cannot be used, or another process does not let go of it.
    """
    descriptor = open_private(path, os.O_RDWR)
    until = time.monotonic() + LOCK_SECONDS
    try:
        while not _taken(descriptor, path):
            if time.monotonic() >= until:
                raise _unusable(path, f"another process has locked it for more than {LOCK_SECONDS:g} s")
            time.sleep(BETWEEN_LOOKS)
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock."""

    pid: int
    since: datetime


class Held(Exception):
    """Another process holds the lock; `holder` is None if it has not said who it is."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__("another process holds the lock")
        self.holder = holder


@contextmanager
def locked_at_once(path: Path) -> Iterator[None]:
    """Hold a lock like `locked`, but never wait for it; its file says who holds it.

    Raises:
        Held: another process has it.
        InvalidInput: its file cannot be used.
    """
    descriptor = open_private(path, os.O_RDWR)
    try:
        if not _taken(descriptor, path):
            raise Held(_holder(os.pread(descriptor, 100, 0)))
        with contextlib.suppress(OSError):  # a full disk: then it is held by nobody in particular
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {now().isoformat()}\n".encode(), 0)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _holder(data: bytes) -> Holder | None:
    try:
        pid, since = data.decode().split()
        return Holder(int(pid), datetime.fromisoformat(since))
    except ValueError:
        return None


def _taken(descriptor: int, path: Path) -> bool:
    """Take a lock if it is free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise _unusable(path, error.strerror) from error
    return True
