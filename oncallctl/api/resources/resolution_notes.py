"""Resolution notes."""

from __future__ import annotations

from oncallctl.api import nouns
from oncallctl.api.resources.base import Resource, ServerObject


class ResolutionNote(ServerObject):
    """A note about an alert group; `author` is the ID of a user."""

    alert_group_id: str | None = None
    author: str | None = None
    text: str | None = None


class ResolutionNotes(Resource[ResolutionNote]):
    """Notes about alert groups."""

    noun = nouns.RESOLUTION_NOTES
    model = ResolutionNote
