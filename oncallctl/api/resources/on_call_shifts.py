"""On-call shifts, which make up schedules."""

from __future__ import annotations

from datetime import datetime

from oncallctl.api import nouns
from oncallctl.api.resources.base import Resource, ServerObject


class OnCallShift(ServerObject):
    """A rotation, event or override; `start` is local time, `duration` is in seconds, users are IDs."""

    type: str
    name: str | None = None
    schedule: str | None = None
    time_zone: str | None = None
    start: datetime | None = None
    duration: int | None = None
    users: list[str] | None = None
    rolling_users: list[list[str]] | None = None


class OnCallShifts(Resource[OnCallShift]):
    """The on-call shifts of all schedules."""

    noun = nouns.ON_CALL_SHIFTS
    model = OnCallShift
