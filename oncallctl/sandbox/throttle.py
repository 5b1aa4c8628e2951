"""The limits on requests: so many a minute for each user over all views; `info` counts apart (throttle.jsonl)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import storage
from oncallctl.sandbox.answers import Refusal

if TYPE_CHECKING:
    import sqlite3

WINDOW: Final = 60.0
INFO_LIMIT: Final = 100


class Throttled(Refusal):
    """429 with the seconds after which the next request passes."""

    def __init__(self, seconds: int) -> None:
        unit = "second" if seconds == 1 else "seconds"
        super().__init__(429, {"detail": f"Request was throttled. Expected available in {seconds} {unit}."})
        self.seconds = seconds


def count(db: sqlite3.Connection, bucket: str, caller: str, *, limit: int, now: float) -> None:
    """Count one request among those of the last minute, of all processes that share the file.

    Args:
        db: a connection outside a transaction.
        bucket: "user" or "info", which has a limit of its own.
        caller: whose request it is.
        limit: requests a minute of the bucket "user".
        now: seconds since 1970.

    Raises:
        Throttled: the limit is reached; the request is not counted.
    """
    with storage.changing(db):
        db.execute("DELETE FROM requests WHERE at <= ?", (now - WINDOW,))
        passed, oldest = db.execute(
            "SELECT count(*), min(at) FROM requests WHERE bucket = ? AND caller = ?", (bucket, caller)
        ).fetchone()
        if passed >= (INFO_LIMIT if bucket == "info" else limit):
            # A limit of 0 has no request that could leave the window.
            raise Throttled(math.ceil((now if oldest is None else oldest) + WINDOW - now))
        db.execute("INSERT INTO requests (bucket, caller, at) VALUES (?, ?, ?)", (bucket, caller, now))
