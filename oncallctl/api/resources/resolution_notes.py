"""Resolution notes."""

from __future__ import annotations

from oncallctl.api.resources.base import Change, Resource, ServerObject


class ResolutionNote(ServerObject):
    """What somebody wrote about an alert group; `author` is a user's id."""

    alert_group_id: str | None = None
    author: str | None = None
    text: str | None = None


class ResolutionNotes(Resource[ResolutionNote]):
    """What people wrote down about alert groups."""

    path = "resolution_notes"
    model = ResolutionNote

    def create(self, alert_group: str, text: str) -> Change[ResolutionNote]:
        """Write a note; the engine refuses a blank one (resolution_notes recordings)."""
        return Change("POST", "resolution_notes/", {"alert_group_id": alert_group, "text": text}, ResolutionNote)
