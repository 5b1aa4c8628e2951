"""The limits on requests: so many a minute for each user over all views; `info` counts apart (throttle.jsonl)."""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from typing import Final

from oncallctl.sandbox.answers import Refusal

WINDOW: Final = 60.0
INFO_LIMIT: Final = 100


class Throttled(Refusal):
    """429 with the seconds after which the next request passes."""

    def __init__(self, seconds: int) -> None:
        unit = "second" if seconds == 1 else "seconds"
        super().__init__(429, {"detail": f"Request was throttled. Expected available in {seconds} {unit}."})
        self.seconds = seconds


class Throttle:
    """Counts the requests of the last minute, in memory: each server counts for itself."""

    def __init__(self, limit: int) -> None:
        self._limits = {"user": limit, "info": INFO_LIMIT}
        self._passed: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def check(self, bucket: str, caller: str, *, now: float) -> None:
        """Count one request.

        Args:
            bucket: "user" or "info".
            caller: whose request it is.
            now: seconds of any clock that only goes forward.

        Raises:
            Throttled: the limit is reached; the request is not counted.
        """
        with self._lock:
            passed = self._passed[bucket, caller]
            while passed and passed[0] <= now - WINDOW:
                passed.popleft()
            if len(passed) >= self._limits[bucket]:
                # A limit of 0 has no request that could leave the window.
                oldest = passed[0] if passed else now
                raise Throttled(math.ceil(oldest + WINDOW - now))
            passed.append(now)
