"""Timestamps: stored as seconds since 1970, shown in ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import tzinfo

EARLIEST: Final = datetime.min.replace(tzinfo=UTC).timestamp()
LATEST: Final = datetime.max.replace(tzinfo=UTC).timestamp()


def is_representable(timestamp: float, seconds: int) -> bool:
    """True if a timestamp plus some seconds lies between the years 1 and 9999."""
    try:
        return EARLIEST < timestamp + seconds < LATEST
    except OverflowError:
        return False


def to_iso(timestamp: float | None) -> str | None:
    """Return the format of alert groups: `2026-11-21T05:59:05.906079Z`, without a fraction if that is zero."""
    return None if timestamp is None else datetime.fromtimestamp(timestamp, UTC).isoformat().replace("+00:00", "Z")


def to_iso_microseconds(timestamp: float) -> str:
    """Return the format of shift swaps: `2026-11-21T05:59:05.000000Z`."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_iso_seconds(timestamp: float | None) -> str | None:
    """Return the format of maintenance windows and shifts: `2026-11-21T05:59:05Z`."""
    return None if timestamp is None else to_iso(timestamp // 1)


def to_iso_offset(timestamp: float) -> str:
    """Return the format of the shifts of Cloud's teams: `2026-11-21T05:59:05+00:00`."""
    return datetime.fromtimestamp(timestamp // 1, UTC).isoformat()


def time_of_day(timestamp: float) -> str:
    """Return the time of day in UTC in the format of escalation steps: `09:00:00Z`."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%H:%M:%SZ")


def next_time_of_day(timestamp: float, clock: str) -> float:
    """Return the next timestamp with a time of day in UTC, given as `09:00:00Z`."""
    now = datetime.fromtimestamp(timestamp, UTC)
    then = datetime.combine(now.date(), time.fromisoformat(clock))
    return (then if then > now else then + timedelta(days=1)).timestamp()


def local_time(timestamp: float, zone: tzinfo) -> datetime:
    """Return the naive local time in a time zone."""
    return datetime.fromtimestamp(timestamp, zone).replace(tzinfo=None)


def local_timestamp(local: datetime, zone: tzinfo) -> float:
    """Return the timestamp of a naive local time; the first one if the clocks show it twice."""
    return local.replace(tzinfo=zone).timestamp()
