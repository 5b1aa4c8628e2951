"""Short windows that are renewed while they are needed: after a power cut, paging is back within one of them."""

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
# A wait may be longer than it was meant to be, as on a machine that sleeps; so often the clock is looked at.
LONGEST_WAIT = 30.0


@dataclass(frozen=True)
class LeasePolicy:
    """What a run needs of its windows.

    Attributes:
        mode: in Cloud's words.
        until: when it needs them no longer.
        lease: how long one lasts at most; None where the first is to last until then.
    """

    mode: str
    until: datetime
    lease: timedelta | None = None

    def __post_init__(self) -> None:
        if self.lease is not None and self.lease < SHORTEST:
            raise InvalidInput(f"a lease of {self.lease.total_seconds():.0f} s", hint="it is at least 60 s")

    def wanted(self, at: datetime) -> WindowRequest:
        """The window to open at this moment."""
        rest = max(self.until - at, timedelta(seconds=1))
        length = min(self.lease, rest) if self.lease else rest
        return WindowRequest(self.mode, duration=timedelta(seconds=-(-length // timedelta(seconds=1))))

    def due(self, ends_at: datetime) -> datetime | None:
        """When a window that ends then has to be renewed, early enough to try again; None for never."""
        if self.lease is None or ends_at >= self.until:
            return None
        return ends_at - max(self.lease / 3, min(self.lease / 2, CLOSE_ENOUGH))

    def is_met(self, ends_at: datetime, at: datetime) -> bool:
        """Whether a window that ends then will do for now."""
        if self.lease is None:
            return ends_at >= self.until - min(CLOSE_ENOUGH, (self.until - at) / 20)
        due = self.due(ends_at)
        return due is None or due > at


def keep(
    due: Callable[[], datetime | None],
    renew: Callable[[], None],
    stopped: Callable[[float], bool],
    now: Callable[[], datetime],
) -> None:
    """Renew due leases until none is left or `stopped` returns True.

    Args:
        due: returns when something is to be renewed next.
        renew: renews what is due.
        stopped: waits so many seconds, or less if it is stopped; returns True if it is.
        now: the server's clock.
    """
    while (moment := due()) is not None:
        rest = (moment - now()).total_seconds()
        if stopped(min(max(rest, 0.0), LONGEST_WAIT)):
            return
        if now() >= moment:
            renew()


class Renewals:
    """Renews in the background, so that the command's signals and end are not kept waiting; a context manager."""

    def __init__(
        self, due: Callable[[], datetime | None], renew: Callable[[], None], now: Callable[[], datetime]
    ) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(due, renew, now), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self, due: Callable[[], datetime | None], renew: Callable[[], None], now: Callable[[], datetime]) -> None:
        # Signals are for the main thread: taken here, they would not wake that up.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        keep(due, renew, self._stop.wait, now)
