"""Moments as they are stored (seconds since 1970) and as they are said (ISO 8601)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import tzinfo

EARLIEST: Final = datetime.min.replace(tzinfo=UTC).timestamp()
LATEST: Final = datetime.max.replace(tzinfo=UTC).timestamp()


def can_be_said(moment: float, plus: int) -> bool:
    """Tell whether a moment some seconds on lies between the years 1 and 9999."""
    try:
        return EARLIEST < moment + plus < LATEST
    except OverflowError:
        return False


def precise(moment: float | None) -> str | None:
    """Say a moment as alert groups do: `2026-11-21T05:59:05.906079Z`, without a fraction where there is none."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def whole(moment: float | None) -> str | None:
    """Say a moment to the second, as maintenance windows and shifts do: `2026-11-21T05:59:05Z`."""
    return None if moment is None else precise(moment // 1)


def offset(moment: float) -> str:
    """Say a moment as the shifts of Cloud's teams do: `2026-11-21T05:59:05+00:00`."""
    return datetime.fromtimestamp(moment // 1, UTC).isoformat()


def time_of_day(moment: float) -> str:
    """Return the time of day in UTC as escalation steps hold it: `09:00:00Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%SZ")


def next_time_of_day(moment: float, clock: str) -> float:
    """Return the next moment at which it is a time of day in UTC, said as `09:00:00Z`."""
    now = datetime.fromtimestamp(moment, UTC)
    then = datetime.combine(now.date(), time.fromisoformat(clock))
    return (then if then > now else then + timedelta(days=1)).timestamp()


def on_the_wall(moment: float, zone: tzinfo) -> datetime:
    """Say what the clocks of a zone show: a naive time."""
    return datetime.fromtimestamp(moment, zone).replace(tzinfo=None)


def from_the_wall(shown: datetime, zone: tzinfo) -> float:
    """Take what the clocks of a zone show; the first time where they show it twice."""
    return shown.replace(tzinfo=zone).timestamp()
