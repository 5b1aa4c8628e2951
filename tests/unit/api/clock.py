"""A clock for the transport: waiting takes no time, and is written down."""

from __future__ import annotations

from collections.abc import Callable


class Clock:
    """Stands in for the module `time` within the transport.

    Attributes:
        now: what `monotonic` says.
        slept: the seconds of every wait, in order.
        meanwhile: called in each wait, for what the world does in it.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert len(self.slept) < 1000, "it waits without end"
        self.slept.append(seconds)
        self.now += seconds
        self.meanwhile()


class Ears:
    """A listener that remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.debugs: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def debug(self, message: str) -> None:
        self.debugs.append(message)
