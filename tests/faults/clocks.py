"""A fake clock for retries and time limits: one per thread, because the fault tests run operations in parallel."""

from __future__ import annotations

import math
import threading

import pytest

from tests.unit.api.clock import Clock


class Clocks:
    """Replacement for the module `time`."""

    def __init__(self) -> None:
        self._local = threading.local()

    @property
    def mine(self) -> Clock:
        """The clock of the current thread."""
        if not hasattr(self._local, "clock"):
            self._local.clock = Clock()
        return self._local.clock

    def monotonic(self) -> float:
        return self.mine.monotonic()

    def sleep(self, seconds: float) -> None:
        self.mine.sleep(seconds)


def use_clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """Replace the clock of the transport and of its retries, so that waiting takes no time."""
    clocks = Clocks()
    for module in ("transport", "retry"):
        monkeypatch.setattr(f"oncallctl.api.{module}.time", clocks)
    monkeypatch.setattr("oncallctl.api.retry.SLICE", math.inf)  # one wait is one call of `sleep`
    return clocks
