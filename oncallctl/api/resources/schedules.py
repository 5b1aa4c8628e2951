"""Schedules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from oncallctl.api import nouns
from oncallctl.api.problems import API
from oncallctl.api.resources.base import Instant, Resource, ServerObject
from oncallctl.errors import Unavailable


class Schedule(ServerObject):
    """A schedule; `type` is web, calendar or ical. `time_zone` is None if its iCalendar files set the zone."""

    name: str
    team_id: str | None = None
    type: str | None = None
    time_zone: str | None = None
    on_call_now: list[str] = Field(default_factory=list)


class FinalShift(BaseModel):
    """A user and a time on call, after overrides and swaps have been applied."""

    user_pk: str
    user_username: str | None = None
    user_email: str | None = None
    shift_start: Instant
    shift_end: Instant


class _FinalShifts(BaseModel):
    """The response of `final_shifts`, which has a single result page."""

    count: int = Field(default=0, strict=True)
    next: str | None = None
    results: list[FinalShift]


class Schedules(Resource[Schedule]):
    """Schedules and their final shifts."""

    noun = nouns.SCHEDULES
    model = Schedule

    def final_shifts(self, ident: str, start: datetime, end: datetime) -> Sequence[FinalShift]:
        """Fetch the shifts between two moments, in whole minutes; the server clips them (schedules recordings).

        Args:
            ident: the ID of the schedule.
            start: at most 365 days before the end.
            end: exclusive.

        Returns:
            An entry for each user and shift; the server returns all of them in one result page.
        """
        bounds = {"start_date": start, "end_date": end}
        params = {name: f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}" for name, moment in bounds.items()}
        document = self.oncall.transport.read(f"{self._member(ident)}final_shifts", params).document
        try:
            found = _FinalShifts.model_validate(document)
        except ValueError:
            found = None
        if found is None or found.next or found.count > len(found.results):  # there must be only one result page
            raise Unavailable(f"the response of {API}schedules/{ident}/final_shifts is not from OnCall")
        return found.results
