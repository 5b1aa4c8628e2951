"""Resolution notes on alert groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oncallctl.alert_groups import OPEN, State
from oncallctl.alert_groups.actions import GroupAction, GroupChange
from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import not_yet_visible, read_back
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.base import Change
from oncallctl.batch import Outcome, Target
from oncallctl.errors import InvalidInput, OutcomeUnknown

CHECK = "repeat the command with --dry-run to check whether the note exists"


@dataclass(frozen=True)
class Note(GroupAction):
    """Adds a resolution note with a text, unless the group already has a note with that text."""

    text: str
    verb: str = "note"
    states: Sequence[State] = OPEN

    @classmethod
    def of(cls, text: str) -> Note:
        """Return a note without surrounding white space, which servers strip.

        Raises:
            InvalidInput: the text is blank.
        """
        if not text.strip():
            raise InvalidInput("the note is blank", hint="give --text TEXT, --text @FILE, or --text - for stdin")
        return cls(text.strip())

    def plan(self, oncall: OnCall, target: Target[AlertGroup]) -> GroupChange:
        """Plan to create the note, unless it exists."""
        if self._exists(oncall, target.found.id):
            return GroupChange(target)
        return GroupChange(
            target, oncall.resolution_notes.create({"alert_group_id": target.found.id, "text": self.text})
        )

    def send(self, oncall: OnCall, target: Target[AlertGroup], request: Change[Any]) -> Outcome[AlertGroup]:
        """Create the note. If the response is lost, read the notes back."""
        ident = target.found.id

        def send() -> None:
            made = oncall.send(request)
            if (made.alert_group_id, made.text) != (ident, self.text):
                raise OutcomeUnknown(f"the response to the note on alert group {ident} shows another one: {made.id}")

        try:
            send()
        except OutcomeUnknown as lost:
            if not read_back(lost, lambda: self._exists(oncall, ident), bool, CHECK):
                raise not_yet_visible(lost, f"alert group {ident} has no such note", CHECK) from lost
        return Outcome(target, "noted")

    def _exists(self, oncall: OnCall, ident: str) -> bool:
        notes = oncall.resolution_notes.list(alert_group_id=ident)
        return any(note.text == self.text for note in notes)
