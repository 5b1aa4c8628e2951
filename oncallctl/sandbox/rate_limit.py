"""The rate limit: requests per minute and user, over all endpoints; `info` counts separately (throttle.jsonl)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import storage
from oncallctl.sandbox.responses import HttpError

if TYPE_CHECKING:
    import sqlite3

WINDOW: Final = 60.0
INFO_LIMIT: Final = 100


class RateLimited(HttpError):
    """429 with the seconds until the next request is accepted."""

    def __init__(self, seconds: int) -> None:
        unit = "second" if seconds == 1 else "seconds"
        super().__init__(429, {"detail": f"Request was throttled. Expected available in {seconds} {unit}."})
        self.seconds = seconds


def count(db: sqlite3.Connection, bucket: str, caller: str, *, limit: int, now: float) -> None:
    """Count a request; all processes that share the file count together.

    Args:
        db: a connection outside of a transaction.
        bucket: "user", or "info", which has its own limit.
        caller: the name of the caller.
        limit: requests per minute for the bucket "user".
        now: the time of the request.

    Raises:
        RateLimited: the limit is reached; the request is not counted.
    """
    with storage.transaction(db):
        db.execute("DELETE FROM requests WHERE at <= ?", (now - WINDOW,))
        counted, oldest = db.execute(
            "SELECT count(*), min(at) FROM requests WHERE bucket = ? AND caller = ?", (bucket, caller)
        ).fetchone()
        if counted >= (INFO_LIMIT if bucket == "info" else limit):
            # With a limit of 0 there is no oldest request.
            raise RateLimited(math.ceil((now if oldest is None else oldest) + WINDOW - now))
        db.execute("INSERT INTO requests (bucket, caller, at) VALUES (?, ?, ?)", (bucket, caller, now))
