"""Test doubles of the transport: a clock whose waits take no time, and a listener."""

from __future__ import annotations

from collections.abc import Callable


class Clock:
    """Replaces the module `time` in the transport.

    Attributes:
        now: the value of `monotonic`.
        slept: the seconds of every wait, in order.
        meanwhile: called in each wait.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert len(self.slept) < 1000, "endless waiting"
        self.slept.append(seconds)
        self.now += seconds
        self.meanwhile()


class RecordingListener:
    """A listener that records its messages."""

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
