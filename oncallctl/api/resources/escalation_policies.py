"""Escalation policies: the steps of escalation chains."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from oncallctl.api import nouns
from oncallctl.api.resources.base import Ident, Resource, ServerObject


class EscalationPolicy(ServerObject):
    """A step of a chain; its type decides which fields it has.

    Attributes:
        duration: seconds.
        notify_if_time_from: such as ``09:00:00Z``, as is `notify_if_time_to`.
    """

    type: str | None = None
    escalation_chain_id: str | None = None
    position: int | None = None
    duration: float | None = None
    important: bool | None = None
    persons_to_notify: list[str] | None = None
    persons_to_notify_next_each_time: list[str] | None = None
    team_to_notify: str | None = None
    group_to_notify: str | None = None
    action_to_trigger: str | None = None
    notify_if_time_from: str | None = None
    notify_if_time_to: str | None = None
    num_alerts_in_window: int | None = None
    num_minutes_in_window: int | None = None
    severity: str | None = None
    schedule_id: Ident | None = Field(default=None, alias="notify_on_call_from_schedule")


class EscalationPolicies(Resource[EscalationPolicy]):
    """The steps of escalation chains."""

    noun = nouns.ESCALATION_POLICIES
    model = EscalationPolicy

    def of_chain(self, chain: str) -> Sequence[EscalationPolicy]:
        """Return the steps of a chain in order; an empty list for an unknown chain (escalation_policies recordings)."""
        return sorted(self.list(escalation_chain_id=chain), key=lambda step: step.position or 0)
