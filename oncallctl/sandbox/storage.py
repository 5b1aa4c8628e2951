"""The SQLite file: made once, filled with the sample data, shared by processes.

WAL lets readers go on while one process writes; every change starts with BEGIN IMMEDIATE, so that two processes that
change the same thing wait for one another instead of losing a change.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.sample import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERSION: Final = 8
"""Of schema.sql and the sample data. A file of another version is made anew: it holds nothing of value."""

PATIENCE: Final = 30.0
"""Seconds to wait for another process that writes."""


def prepare(path: Path, clock: Callable[[], float] | None = None) -> None:
    """Make the file with its sample data unless it is there: the folder 0700, the file 0600.

    Args:
        path: the SQLite file.
        clock: what the ages of the sample data are counted from; the machine's clock unless given.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives the -wal and -shm files beside it the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with closing(connect(path)) as db:
        _use_wal(db)
        # Whoever comes second waits here and finds the version set.
        with changing(db):
            if _version(db) != VERSION:
                _make_anew(db, now=time.time() if clock is None else clock())


def restore(path: Path) -> None:
    """Put the sample data back in one transaction: others see all of the old or all of the new."""
    prepare(path)
    with closing(connect(path)) as db, changing(db):
        _make_anew(db, now=time.time())


def connect(path: Path) -> sqlite3.Connection:
    """Open the file; rows can be read by column name."""
    db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = NORMAL")  # a crash of the machine may lose the last change, never the file
    return db


@contextmanager
def changing(db: sqlite3.Connection) -> Iterator[None]:
    """Make what is done inside one transaction, which starts by taking the write lock."""
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
    """Switch to WAL. SQLite waits for no lock here, which two processes that create the file at once need."""
    gives_up = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > gives_up:
                raise
            time.sleep(0.02)
        else:
            return


def _make_anew(db: sqlite3.Connection, *, now: float) -> None:
    # Newest first: a table goes before those it refers to.
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid DESC").fetchall():
        db.execute(f'DROP TABLE "{name}"')
    for statement in _statements(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")):
        db.execute(statement)
    fill(db, now=now)
    db.execute(f"PRAGMA user_version = {VERSION:d}")


def _statements(script: str) -> Iterator[str]:
    """Split a script; `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
