"""The SQLite file: created once with the sample data, and shared by processes.

WAL lets readers continue while one process writes. Every change starts with BEGIN IMMEDIATE, so that two processes
which change the same row wait for each other and lose no change.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.sample_data import insert_sample_data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSION: Final = 12
"""The version of schema.sql and the sample data. A file of another version is recreated."""

LOCK_TIMEOUT: Final = 30.0
"""Seconds to wait for another process that writes."""


def prepare(path: Path, clock: Callable[[], float] | None = None) -> None:
    """Create the file with the sample data unless it exists: the folder with mode 0700, the file with 0600.

    Args:
        path: the SQLite file.
        clock: returns the time from which ages in the sample data are counted; the machine's clock by default.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite creates the -wal and -shm files with the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with closing(connect(path)) as db:
        _use_wal(db)
        # A second process waits here and then finds the version set.
        with transaction(db):
            if _version(db) != VERSION:
                _recreate(db, now=time.time() if clock is None else clock())


def restore(path: Path) -> None:
    """Restore the sample data in one transaction: other processes see either all of the old or all of the new data."""
    prepare(path)
    with closing(connect(path)) as db, transaction(db):
        _recreate(db, now=time.time())


def connect(path: Path) -> sqlite3.Connection:
    """Open the file; columns of rows can be read by name."""
    db = sqlite3.connect(path, timeout=LOCK_TIMEOUT, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = NORMAL")  # a power failure may lose the last change, never the file
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Run a block in a transaction that takes the write lock first."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _use_wal(db: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait for the lock here, so two processes that create the file need a retry."""
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _recreate(db: sqlite3.Connection, *, now: float) -> None:
    # Newest first, because a table refers to older ones.
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid DESC").fetchall():
        db.execute(f'DROP TABLE "{name}"')
    for statement in _statements(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")):
        db.execute(statement)
    insert_sample_data(db, now=now)
    db.execute(f"PRAGMA user_version = {VERSION:d}")


def _statements(script: str) -> Iterator[str]:
    """Split a script into statements; `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
