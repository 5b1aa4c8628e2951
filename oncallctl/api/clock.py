"""The server's clock, read from the `Date` header of its responses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from oncallctl.times import now, show_duration

WARN_FROM = timedelta(minutes=1)
RESOLUTION = timedelta(seconds=1)  # the header has whole seconds, truncated (RFC 9110, 5.6.7)
# Dates outside these years are wrong, and arithmetic with them may overflow.
FIRST_YEAR, LAST_YEAR = 1980, 2200


class ServerClock:
    """The best estimate of the server's time; the local time until a response has a date.

    Every response bounds the difference between the clocks: its date was set after the request was sent and before
    the headers arrived. The bounds of several responses are intersected. Thread-safe.

    Args:
        warn: receives one message if the clocks differ by a minute or more.
        is_local: True if the server runs in this process, and so uses this machine's clock.
    """

    def __init__(self, warn: Callable[[str], None], *, is_local: bool = False) -> None:
        self._warn = warn
        self._is_local = is_local
        self._bounds: tuple[timedelta, timedelta] | None = None
        self._warned = False
        self._lock = threading.Lock()

    @property
    def is_known(self) -> bool:
        """True if `now` is the server's time and not an assumption."""
        return self._is_local or self._bounds is not None

    @property
    def skew(self) -> timedelta:
        """How far the server's clock is ahead of this machine's; negative if behind, zero if not known."""
        if self._bounds is None:
            return timedelta()
        low, high = self._bounds
        # Assume no difference unless the bounds prove one, so that clocks set by NTP agree exactly.
        return timedelta() if low <= timedelta() <= high else (low + high) / 2

    def now(self) -> datetime:
        """Return the present instant by the server's clock, in UTC."""
        return now() + self.skew

    def observe(self, headers: Mapping[str, str], sent: datetime, received: datetime) -> None:
        """Update the estimate from the `Date` header of a response.

        Args:
            headers: response headers, with names in lower case.
            sent: when the request was sent, by this machine's clock.
            received: when the headers arrived, by this machine's clock.
        """
        date = _date(headers)
        if date is None or received < sent:  # the local clock was set back meanwhile
            return
        with self._lock:
            self._bounds = _narrowed(self._bounds, date - received, date + RESOLUTION - sent)
            skew, self._warned, warned = self.skew, self._warned or abs(self.skew) >= WARN_FROM, self._warned
        if self._warned and not warned:
            how = "behind" if skew > timedelta() else "ahead of"
            self._warn(
                f"this machine's clock is {show_duration(abs(skew).total_seconds())} {how} the server's;"
                " using the server's clock"
            )


def _narrowed(
    known: tuple[timedelta, timedelta] | None, low: timedelta, high: timedelta
) -> tuple[timedelta, timedelta]:
    """Intersect two bounds. If they contradict each other, a clock was set meanwhile, and the newer bounds win."""
    if known is None or known[1] < low or high < known[0]:
        return low, high
    return max(low, known[0]), min(high, known[1])


def _date(headers: Mapping[str, str]) -> datetime | None:
    """Return the time of a response by the server's clock, or None if it is not known."""
    if headers.get("age", "0").strip() != "0":  # the response is from a cache, so its date is old
        return None
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None
