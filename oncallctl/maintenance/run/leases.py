"""Leases: short windows that are renewed while they are needed, so that paging resumes soon after a power cut."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from oncallctl.errors import InvalidInput
from oncallctl.maintenance.windows.model import CLOSE_ENOUGH, WindowRequest

SHORTEST = timedelta(seconds=60)
RETRY = timedelta(seconds=15)
# Longest single wait, in seconds. After a suspend a wait may overrun, so the clock is checked at least this often.
LONGEST_WAIT = 30.0


@dataclass(frozen=True)
class LeasePolicy:
    """The windows that a run needs, and when they are renewed.

    Attributes:
        mode: in Cloud's words.
        until: the time until which the run needs windows.
        lease: the maximum length of one window; None if the first window lasts until `until`.
    """

    mode: str
    until: datetime
    lease: timedelta | None = None

    def __post_init__(self) -> None:
        if self.lease is not None and self.lease < SHORTEST:
            raise InvalidInput(f"the lease is too short: {self.lease.total_seconds():.0f} s", hint="give at least 60 s")

    def request(self, at: datetime) -> WindowRequest:
        """Return the window to start at this moment."""
        rest = max(self.until - at, timedelta(seconds=1))
        length = min(self.lease, rest) if self.lease else rest
        return WindowRequest(self.mode, duration=timedelta(seconds=-(-length // timedelta(seconds=1))))

    def renewal(self, ends_at: datetime) -> datetime | None:
        """Return when to renew a window that ends then, early enough for a retry; None if no renewal is needed."""
        if self.lease is None or ends_at >= self.until:
            return None
        return ends_at - max(self.lease / 3, min(self.lease / 2, CLOSE_ENOUGH))

    def is_met(self, ends_at: datetime, at: datetime) -> bool:
        """True if a window that ends then is long enough for now."""
        if self.lease is None:
            return ends_at >= self.until - min(CLOSE_ENOUGH, (self.until - at) / 20)
        renewal = self.renewal(ends_at)
        return renewal is None or renewal > at


def renew_until_stopped(
    next_renewal: Callable[[], datetime | None],
    renew: Callable[[], None],
    stopped: Callable[[float], bool],
    now: Callable[[], datetime],
) -> None:
    """Renew due leases until none is left or `stopped` returns True.

    Args:
        next_renewal: returns when the next lease is due, or None.
        renew: renews all due leases.
        stopped: waits for up to this many seconds; returns True once renewals are to stop.
        now: the server's clock.
    """
    while (moment := next_renewal()) is not None:
        rest = (moment - now()).total_seconds()
        if stopped(min(max(rest, 0.0), LONGEST_WAIT)):
            return
        if now() >= moment:
            renew()


class Renewals:
    """A background thread that renews leases, so that signals and the command's exit are handled without delay."""

    def __init__(
        self, next_renewal: Callable[[], datetime | None], renew: Callable[[], None], now: Callable[[], datetime]
    ) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(next_renewal, renew, now), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(
        self, next_renewal: Callable[[], datetime | None], renew: Callable[[], None], now: Callable[[], datetime]
    ) -> None:
        # The main thread handles signals; a signal delivered to this thread would not wake it up.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        renew_until_stopped(next_renewal, renew, self._stop.wait, now)
