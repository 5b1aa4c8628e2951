"""What a maintenance window is, and one that is asked for.

A window is what an integration says of itself: `maintenance_mode`, `maintenance_started_at`, `maintenance_end_at`. The
server has no name for it, does not know who opened it, and cannot extend it: a longer one is a stop and a start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from oncallctl.api.resources.integrations import Integration
from oncallctl.errors import InvalidInput

# A window that ends at most so much earlier than asked is the one asked for: cron does not start on the second.
CLOSE_ENOUGH = timedelta(seconds=60)


@dataclass(frozen=True)
class Window:
    """A window as the integration says it. `ends_at` is None where the server names no end."""

    mode: str
    started_at: datetime | None
    ends_at: datetime | None

    @classmethod
    def of(cls, integration: Integration) -> Window | None:
        """The window that is open on an integration, or None."""
        if integration.maintenance_mode is None:
            return None
        return cls(integration.maintenance_mode, integration.maintenance_started_at, integration.maintenance_end_at)

    def remaining(self, at: datetime) -> int | None:
        """Whole seconds to its end, negative after it."""
        return None if self.ends_at is None else math.floor((self.ends_at - at).total_seconds())

    def is_overdue(self, at: datetime) -> bool:
        """Whether it is past its end and the server has not ended it: it still silences."""
        return self.ends_at is not None and self.ends_at <= at


@dataclass(frozen=True)
class WindowRequest:
    """The window that is asked for: its mode in Cloud's words, and how long it is or when it ends."""

    mode: str
    duration: timedelta | None = None
    until: datetime | None = None

    def seconds(self, at: datetime) -> int:
        """How long a window opened at this moment has to be, in whole seconds."""
        if self.duration is not None:
            return int(self.duration.total_seconds())
        if self.until is None:
            raise InvalidInput("a window has a length or an end", hint="give --for or --until")
        return math.ceil((self.until - at).total_seconds())

    def ends_at(self, at: datetime) -> datetime:
        """When a window opened at this moment ends."""
        return self.until or at + timedelta(seconds=self.seconds(at))
