"""Resolution notes."""

from __future__ import annotations

from oncallctl.api import nouns
from oncallctl.api.resources.base import Resource, ServerObject


class ResolutionNote(ServerObject):
    """What somebody wrote about an alert group; `author` is a user's id."""

    alert_group_id: str | None = None
    author: str | None = None
    text: str | None = None


class ResolutionNotes(Resource[ResolutionNote]):
    """What people wrote down about alert groups."""

    noun = nouns.RESOLUTION_NOTES
    model = ResolutionNote
