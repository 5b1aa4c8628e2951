"""Teams."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from oncallctl.api import nouns
from oncallctl.api.problems import API
from oncallctl.api.resources.base import Instant, Resource, ServerObject
from oncallctl.errors import Unavailable


class Team(ServerObject):
    """A team of the organization."""

    name: str


class TeamShift(BaseModel):
    """A shift in a response of Cloud's Teams API; `users` are IDs."""

    schedule_id: str | None = None
    schedule_name: str | None = None
    shift_start: Instant | None = None
    shift_end: Instant | None = None
    users: list[str] = []


class OnCallDocument(BaseModel):
    """The response of `current_oncall`, `next_oncall` and `previous_oncall`."""

    count: int
    users: list[dict[str, Any]]
    shifts: list[TeamShift]


class Teams(Resource[Team]):
    """Teams and, on Cloud, who is on call for them."""

    noun = nouns.TEAMS
    model = Team

    def on_call(self, ident: str, when: str, **params: str | int) -> tuple[OnCallDocument, dict[str, Any]]:
        """Fetch who is on call for a team; `when` is current, next or previous ("Teams HTTP API").

        Returns:
            The document as a model, and the complete document.

        Raises:
            Unsupported: a self-hosted engine has no such endpoint.
        """
        self.oncall.require_cloud("who is on call for a team")
        response = self.oncall.transport.read(f"{self._member(ident)}{when}_oncall/", params)
        document = response.document if isinstance(response.document, dict) else {}
        try:
            return OnCallDocument.model_validate(document), document
        except ValueError as error:
            raise Unavailable(f"the response of {API}teams/{ident}/{when}_oncall/ is not from OnCall") from error
