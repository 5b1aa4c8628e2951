"""Actions on many alert groups: planned from their current states, and sent concurrently."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from oncallctl import parallel
from oncallctl.alert_groups import State
from oncallctl.alert_groups.choosing import list_command
from oncallctl.api.client import OnCall
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.base import Change
from oncallctl.batch import Outcome, Report, Target, for_each
from oncallctl.errors import OncallError


@dataclass(frozen=True)
class GroupChange:
    """The plan for one target: a request, an error, or neither if the target is already in the wanted state."""

    target: Target[AlertGroup]
    request: Change[Any] | None = None
    error: OncallError | None = None


class GroupAction(ABC):
    """An action on an alert group.

    Attributes:
        verb: the name of the command.
        states: the states of the groups that a filter selects.
        ends_windows: True if the action, applied to the group of a `group_alerts` window, ends the window.
    """

    verb: str
    states: Sequence[State]
    ends_windows: bool = False

    @abstractmethod
    def plan(self, oncall: OnCall, target: Target[AlertGroup]) -> GroupChange:
        """Return the plan for a target without changing anything."""

    @abstractmethod
    def send(self, oncall: OnCall, target: Target[AlertGroup], request: Change[Any]) -> Outcome[AlertGroup]:
        """Send the request of a target once.

        Raises:
            Conflict: the current state of the group does not allow it.
            Unavailable: the request certainly did not arrive; it is safe to retry.
            OutcomeUnknown: the response was lost, and reading back did not show the change.
        """


def plan(oncall: OnCall, action: GroupAction, targets: Sequence[Target[AlertGroup]]) -> list[GroupChange]:
    """Plan an action for all targets concurrently."""
    return list(parallel.in_order(lambda target: action.plan(oncall, target), targets))


def of_unlisted_integrations(oncall: OnCall, targets: Sequence[Target[AlertGroup]]) -> list[Target[AlertGroup]]:
    """Return the targets whose integration the server does not list, such as the own groups of windows.

    Groups of deleted integrations are among them too. Nothing distinguishes the two for certain, since a title can be
    changed by a template or wiped (inbound recordings).
    """
    idents = {target.found.integration_id for target in targets}
    listed = oncall.integrations.several([ident for ident in idents if ident])
    return [target for target in targets if target.found.integration_id not in listed]


def rehearse(oncall: OnCall, action: GroupAction, steps: Sequence[GroupChange]) -> Report[AlertGroup]:
    """Return the requests that `carry_out` would send."""
    return Report([_rehearsed(oncall, action, step) for step in steps], list_command(oncall))


def _rehearsed(oncall: OnCall, action: GroupAction, step: GroupChange) -> Outcome[AlertGroup]:
    requests = [oncall.dry_run_document(step.request)] if step.request else []
    status = f"would-{action.verb}" if requests else "failed" if step.error else "unchanged"
    return Outcome(step.target, status, error=step.error, requests=requests)


def carry_out(
    oncall: OnCall, action: GroupAction, steps: Sequence[GroupChange], finished: Callable[[], None]
) -> Report[AlertGroup]:
    """Send the planned requests concurrently; see `oncallctl.batch.for_each`."""

    def send(step: GroupChange) -> Outcome[AlertGroup]:
        if step.error:
            raise step.error
        return action.send(oncall, step.target, step.request) if step.request else Outcome(step.target, "unchanged")

    return for_each(steps, lambda step: step.target, send, finished, list_command(oncall))
