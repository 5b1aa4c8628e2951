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
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from oncallctl.errors import InvalidInput
from oncallctl.times import now

# Writing under a lock takes milliseconds: a process that holds one for longer hangs or is stopped.
LOCK_SECONDS = 10.0
POLL_SECONDS = 0.02

_HINT = "check its owner, its mode and the free disk space, or set XDG_STATE_HOME to another folder"


def state_folder() -> Path:
    """Return the folder for state files. Create it if it is missing, with mode 0700.

    Raises:
        InvalidInput: the folder belongs to another user, or cannot be read or created.
    """
    import platformdirs

    folder = platformdirs.user_state_path("oncallctl")
    with naming_file(folder):
        make_folder(folder)
        status = folder.stat()
        if is_foreign(status):
            raise _unusable(folder, "belongs to another user")
        if not os.access(folder, os.R_OK | os.X_OK):
            raise _unusable(folder, "permission denied")
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
        OSError: the folder cannot be created.
    """
    for each in [*reversed([above for above in folder.parents if not above.exists()]), folder]:
        each.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Turn an OSError into InvalidInput with the path and a hint.

    Raises:
        InvalidInput: an OSError was raised in the context.
    """
    try:
        yield
    except OSError as error:
        raise _unusable(path, error.strerror) from error


def _unusable(path: Path, why: str | None) -> InvalidInput:
    return InvalidInput(f"{path}: {why}", hint=_HINT)


def open_private(path: Path, flags: int) -> int:
    """Open a state file. If it is opened for writing, create it with mode 0600.

    Returns:
        The file descriptor.

    Raises:
        InvalidInput: the file belongs to another user, is not a regular one, or cannot be opened.
        FileNotFoundError: the file is to be read and does not exist.
    """
    # Do not follow links, and do not wait for the other end of a named pipe.
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
    """Append a line to a file atomically, after completing a line that a crash cut short. Requires a lock.

    Raises:
        InvalidInput: the file cannot be used or written.
    """
    descriptor = open_private(path, os.O_RDWR | os.O_APPEND)
    try:
        with naming_file(path):
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
        OSError: the new file cannot be written; the old one stays.
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
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename survive a power failure, if the file system supports it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock, after waiting for other processes. The kernel releases it when the process ends.

    Raises:
        InvalidInput: the lock file cannot be used, or another process holds the lock for too long.
    """
    descriptor = open_private(path, os.O_RDWR)
    until = time.monotonic() + LOCK_SECONDS
    try:
        while not _taken(descriptor, path):
            if time.monotonic() >= until:
                raise _unusable(path, f"another process has locked it for more than {LOCK_SECONDS:g} s")
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


class Holder(NamedTuple):
    """The process that holds a lock."""

    pid: int
    since: datetime


class Held(Exception):
    """Another process holds the lock; `holder` is None if that process is not known."""

    def __init__(self, holder: Holder | None) -> None:
        super().__init__("another process holds the lock")
        self.holder = holder


@contextmanager
def locked_at_once(path: Path) -> Iterator[None]:
    """Hold a lock like `locked`, but without waiting. The lock file names the holder.

    Raises:
        Held: another process holds the lock.
        InvalidInput: the lock file cannot be used.
    """
    descriptor = open_private(path, os.O_RDWR)
    try:
        if not _taken(descriptor, path):
            raise Held(_holder(os.pread(descriptor, 100, 0)))
        with contextlib.suppress(OSError):  # the disk is full: the holder stays unknown
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
    """Take a lock if it is free; return False if it is not."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise _unusable(path, error.strerror) from error
    return True
