"""Time spans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, order=True)
class Span:
    """A time span. The end is exclusive.

    Both ends are converted to UTC, since Python compares and subtracts two times in one zone by their wall clocks. That
    is wrong across a change of the clocks.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    @property
    def length(self) -> timedelta:
        """The duration."""
        return self.end - self.start

    def touches(self, other: Span) -> bool:
        """True if the two spans overlap."""
        return self.start < other.end and other.start < self.end

    def contains(self, instant: datetime) -> bool:
        """True if an instant is within the span."""
        return self.start <= instant < self.end

    def within(self, other: Span) -> Span:
        """Return the part that is within another span, which must overlap this one."""
        return Span(max(self.start, other.start), min(self.end, other.end))
