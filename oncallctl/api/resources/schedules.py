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
    """A schedule; `type` is web, calendar or ical. `time_zone` is None if the calendars set it."""

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
        day = {"start_date": start, "end_date": end}
        params = {name: f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}" for name, moment in day.items()}
        document = self.oncall.transport.read(f"{self._member(ident)}final_shifts", params).document
        problem = f"the answer of {API}schedules/{ident}/final_shifts is not OnCall's"
        if not isinstance(document, dict) or not isinstance(document.get("results"), list):
            raise Unavailable(problem)
        try:
            if document.get("next") or document.get("count", 0) > len(document["results"]):  # more than one page
                raise ValueError  # noqa: TRY301  # an unknown kind of response
            return [FinalShift.model_validate(entry) for entry in document["results"]]
        except (TypeError, ValueError) as error:
            raise Unavailable(problem) from error
