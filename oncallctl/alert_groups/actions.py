"""What is done to many alert groups: judged from what was just read, and carried out several at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from oncallctl import parallel
from oncallctl.alert_groups import State
from oncallctl.alert_groups.choosing import look
from oncallctl.api.client import OnCall
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.base import Change
from oncallctl.batch import Outcome, Report, Target, for_each
from oncallctl.errors import OncallError


@dataclass(frozen=True)
class GroupChange:
    """What will be done to one target: the request, or nothing where all is as wanted, or why it cannot be done."""

    target: Target[AlertGroup]
    request: Change[Any] | None = None
    error: OncallError | None = None


class GroupAction(ABC):
    """Something that people do to an alert group.

    Attributes:
        verb: what it is called.
        states: the states in which a filter looks for groups to do it to.
        ends_windows: whether a `group_alerts` window ends when it is done to the window's own group.
    """

    verb: str
    states: Sequence[State]
    ends_windows: bool = False

    @abstractmethod
    def judge(self, oncall: OnCall, target: Target[AlertGroup]) -> GroupChange:
        """Say what doing it to a target means; nothing is changed."""

    @abstractmethod
    def send(self, oncall: OnCall, target: Target[AlertGroup], request: Change[Any]) -> Outcome[AlertGroup]:
        """Do it to a target, once.

        Raises:
            Conflict: the group's present state does not allow it.
            Unavailable: it certainly did not arrive; it is safe to try again.
            OutcomeUnknown: reading back did not settle what became of it.
        """


def plan(oncall: OnCall, action: GroupAction, targets: Sequence[Target[AlertGroup]]) -> list[GroupChange]:
    """Judge all targets, several at a time."""
    return list(parallel.in_order(lambda target: action.judge(oncall, target), targets))


def unlisted(oncall: OnCall, targets: Sequence[Target[AlertGroup]]) -> list[Target[AlertGroup]]:
    """Choose those whose integration the server does not list: the own groups of windows are among them.

    The other ones are of integrations that were deleted, and nothing tells the two apart for certain: a title is made
    anew from a template, or wiped (inbound recordings).
    """
    idents = {target.found.integration_id for target in targets}
    listed = oncall.integrations.several([ident for ident in idents if ident])
    return [target for target in targets if target.found.integration_id not in listed]


def rehearse(oncall: OnCall, action: GroupAction, steps: Sequence[GroupChange]) -> Report[AlertGroup]:
    """Say what `carry_out` would send."""
    return Report([_rehearsed(oncall, action, step) for step in steps], look(oncall))


def _rehearsed(oncall: OnCall, action: GroupAction, step: GroupChange) -> Outcome[AlertGroup]:
    requests = [oncall.described(step.request)] if step.request else []
    status = f"would-{action.verb}" if requests else "failed" if step.error else "unchanged"
    return Outcome(step.target, status, error=step.error, requests=requests)


def carry_out(
    oncall: OnCall, action: GroupAction, steps: Sequence[GroupChange], finished: Callable[[], None]
) -> Report[AlertGroup]:
    """Do what was planned, several at a time; see `oncallctl.batch.for_each`."""

    def one(step: GroupChange) -> Outcome[AlertGroup]:
        if step.error:
            raise step.error
        return action.send(oncall, step.target, step.request) if step.request else Outcome(step.target, "unchanged")

    return for_each(steps, lambda step: step.target, one, finished, look(oncall))
