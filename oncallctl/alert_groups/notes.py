"""Writing down what was found out about alert groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oncallctl.alert_groups import OPEN, State
from oncallctl.alert_groups.actions import GroupAction, GroupChange
from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import look_again, may_still_come
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.base import Change
from oncallctl.batch import Outcome, Target
from oncallctl.errors import InvalidInput, OutcomeUnknown

LOOK = "the same command with --dry-run looks whether the note is there"


@dataclass(frozen=True)
class Note(GroupAction):
    """A resolution note with this text; one that is there, whoever wrote it, is not written again."""

    text: str
    verb: str = "note"
    states: Sequence[State] = OPEN

    @classmethod
    def of(cls, text: str) -> Note:
        """Make a note of a text, without the white space around it, which servers cut off.

        Raises:
            InvalidInput: nothing is left.
        """
        if not text.strip():
            raise InvalidInput("a note needs a text", hint="--text TEXT, --text @FILE, or --text - for stdin")
        return cls(text.strip())

    def judge(self, oncall: OnCall, target: Target[AlertGroup]) -> GroupChange:
        """Read the notes of the group: it may be there."""
        if self._is_there(oncall, target.found.id):
            return GroupChange(target)
        return GroupChange(target, oncall.resolution_notes.create(target.found.id, self.text))

    def send(self, oncall: OnCall, target: Target[AlertGroup], request: Change[Any]) -> Outcome[AlertGroup]:
        """Write it; an answer that was lost is settled by reading the notes again."""
        ident = target.found.id
        try:
            oncall.send(request)
        except OutcomeUnknown as lost:
            if not look_again(lost, lambda: self._is_there(oncall, ident), bool, LOOK):
                raise may_still_come(lost, f"alert group {ident} has no such note", LOOK) from lost
        return Outcome(target, "noted")

    def _is_there(self, oncall: OnCall, ident: str) -> bool:
        notes = oncall.resolution_notes.list(alert_group_id=ident)
        return any(note.text == self.text for note in notes)
