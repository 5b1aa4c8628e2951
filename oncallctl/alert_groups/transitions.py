"""Actions that change the state of an alert group.

The states in which the server refuses them are in the alert_groups recordings ("Can't silence an acknowledged alert
group").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from oncallctl.alert_groups import OPEN, State
from oncallctl.alert_groups.actions import GroupAction, GroupChange
from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command_line, not_yet_visible, read_back
from oncallctl.api.problems import API
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.base import Change
from oncallctl.batch import Outcome, Target
from oncallctl.errors import Conflict, OncallError, OutcomeUnknown, ServerRefused

_WRONG_STATE = {400, 409}
_WAY_BACK = {State.RESOLVED: "unresolve", State.ACKNOWLEDGED: "unacknowledge"}


@dataclass(frozen=True)
class Transition(GroupAction):
    """An action that changes the state of an alert group.

    Attributes:
        done: the status in the output.
        becomes: the wanted state; None if every state except `leaves` is wanted.
        leaves: the only state in which the action has an effect; None if there are several.
        refused: the states in which the server refuses the action.
        body: the body of the request.
        ends_windows: see `GroupAction`.
    """

    verb: str
    done: str
    states: Sequence[State]
    becomes: State | None = None
    leaves: State | None = None
    refused: Sequence[State] = ()
    body: dict[str, Any] | None = None
    ends_windows: bool = False

    def plan(self, oncall: OnCall, target: Target[AlertGroup]) -> GroupChange:
        """Plan a request, unless the group is in the wanted state. A request with a body is always sent."""
        group = target.found
        for state in self.refused:
            if group.state == state:
                message = f"alert group {group.id} is {state}, so the server would refuse to {self.verb} it"
                return GroupChange(target, error=Conflict(message, hint=_way_back(oncall, group.id, state)))
        if self._is_in_wanted_state(group) and self.body is None:
            return GroupChange(target)
        return GroupChange(target, oncall.alert_groups.act(group.id, self.verb, self.body))

    def send(self, oncall: OnCall, target: Target[AlertGroup], request: Change[Any]) -> Outcome[AlertGroup]:
        """Send the request and read the group back, even if the response is lost.

        A success response has no content, so that only the group shows the change.
        """
        ident = target.found.id
        check = command_line(oncall, ["alert-groups", "get", ident])

        def send() -> AlertGroup | None:
            oncall.send_without_result(request)
            after = _state_of(oncall, ident)
            if after and not self._is_in_wanted_state(after):
                raise OutcomeUnknown(f"{request.method} {API}{request.path} was sent, but the group is {after.state}")
            return after

        try:
            after = send()
        except OutcomeUnknown as lost:
            found = read_back(
                lost, lambda: oncall.alert_groups.get(ident), lambda after: self._is_visible(target, after), check
            )
            if found is None:
                raise not_yet_visible(lost, f"alert group {ident} is unchanged", check) from lost
            return Outcome(target, self.done, found)
        except (ServerRefused, Conflict) as refused:
            if refused.http_status not in _WRONG_STATE:
                raise
            return Outcome(target, "unchanged", self._group_if_already_changed(oncall, ident, refused))
        return Outcome(target, self.done, after, not_read_back=after is None)

    def _is_in_wanted_state(self, group: AlertGroup) -> bool:
        """True if the group is in the wanted state."""
        return group.state == self.becomes if self.becomes else group.state != self.leaves

    def _is_visible(self, target: Target[AlertGroup], after: AlertGroup) -> bool:
        """True if the group shows the change. A renewed silence has a new start."""
        changed = not self._is_in_wanted_state(target.found) or after.raw.get("silenced_at") != target.found.raw.get(
            "silenced_at"
        )
        return changed and self._is_in_wanted_state(after)

    def _group_if_already_changed(self, oncall: OnCall, ident: str, refused: OncallError) -> AlertGroup:
        """Return the group if the change was refused because somebody else has already made it; otherwise raise."""
        conflict = Conflict(refused.message, hint=command_line(oncall, ["alert-groups", "get", ident]))
        conflict.http_status = refused.http_status
        try:
            group = oncall.alert_groups.get(ident)
        except OncallError:
            raise conflict from refused
        if self.body is not None or not self._is_in_wanted_state(group):
            raise conflict from refused
        return group


def _state_of(oncall: OnCall, ident: str) -> AlertGroup | None:
    """Fetch a group after a change; return None if only that fails: the change succeeded."""
    try:
        return oncall.alert_groups.get(ident)
    except OncallError:
        return None


def _way_back(oncall: OnCall, ident: str, state: State) -> str:
    return command_line(oncall, ["alert-groups", _WAY_BACK[state], ident])


ACKNOWLEDGE = Transition(
    "acknowledge",
    "acknowledged",
    (State.FIRING,),
    becomes=State.ACKNOWLEDGED,
    refused=(State.RESOLVED,),
)
UNACKNOWLEDGE = Transition("unacknowledge", "unacknowledged", (State.ACKNOWLEDGED,), leaves=State.ACKNOWLEDGED)
RESOLVE = Transition(
    "resolve",
    "resolved",
    OPEN,
    becomes=State.RESOLVED,
    ends_windows=True,
)
UNRESOLVE = Transition("unresolve", "unresolved", (State.RESOLVED,), leaves=State.RESOLVED)
UNSILENCE = Transition("unsilence", "unsilenced", (State.SILENCED,), leaves=State.SILENCED)


def silence(length: timedelta) -> Transition:
    """Silence a group for a time from now, even if it is silenced: the API does not show when a silence ends."""
    return Transition(
        "silence",
        "silenced",
        (State.FIRING,),
        becomes=State.SILENCED,
        refused=(State.ACKNOWLEDGED, State.RESOLVED),
        body={"delay": int(length.total_seconds())},
    )
