"""An active maintenance window, and the request for one.

A window consists of three fields of an integration: `maintenance_mode`, `maintenance_started_at`, `maintenance_end_at`.
The server has no ID for it, does not know who started it, and cannot extend it: that takes a stop and a start.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from oncallctl.api.resources.integrations import Integration
from oncallctl.errors import InvalidInput

# A window may end this much earlier than requested and still counts as the same: cron does not start on the second.
CLOSE_ENOUGH = timedelta(seconds=60)


def utc(instant: datetime) -> str:
    """Format an instant to the second, as in the journal and on command lines: `2026-11-21T01:00:00Z`."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Window:
    """An active window, from the fields of the integration; `ends_at` is None if the server gives no end."""

    mode: str
    started_at: datetime | None
    ends_at: datetime | None

    @classmethod
    def of(cls, integration: Integration) -> Window | None:
        """Return the active window of an integration, or None."""
        if integration.maintenance_mode is None:
            return None
        return cls(integration.maintenance_mode, integration.maintenance_started_at, integration.maintenance_end_at)

    def remaining(self, at: datetime) -> int | None:
        """Return the number of seconds until its end; negative after it."""
        return None if self.ends_at is None else math.floor((self.ends_at - at).total_seconds())

    def is_overdue(self, at: datetime) -> bool:
        """True if its end has passed and the server has not closed it; it still suppresses pages."""
        return self.ends_at is not None and self.ends_at <= at


@dataclass(frozen=True)
class WindowRequest:
    """A requested window: its mode in Cloud's words, and either its duration or its end."""

    mode: str
    duration: timedelta | None = None
    until: datetime | None = None

    def seconds(self, at: datetime) -> int:
        """Return the length in whole seconds of a window that starts at this moment."""
        if self.duration is not None:
            return int(self.duration.total_seconds())
        if self.until is None:
            raise InvalidInput("missing duration", hint="give --for or --until")
        return math.ceil((self.until - at).total_seconds())

    def ends_at(self, at: datetime) -> datetime:
        """Return when a window that starts at this moment ends."""
        return self.until or at + timedelta(seconds=self.seconds(at))
