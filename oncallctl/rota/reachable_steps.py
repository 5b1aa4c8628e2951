"""Steps of an escalation chain that can run after a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

from oncallctl.api.resources.escalation_policies import EscalationPolicy

ALERT_COUNT = "notify_if_num_alerts_in_window"


def reachable(steps: Iterable[EscalationPolicy]) -> Sequence[EscalationPolicy]:
    """Return the steps before the first one that ends the chain for a page."""
    return tuple(takewhile(lambda step: not _ends_chain(step), steps))


def _ends_chain(step: EscalationPolicy) -> bool:
    """True if no later step runs: the group is resolved, or waits for more alerts, of which a page has only one."""
    if step.type == ALERT_COUNT:
        return bool(step.num_alerts_in_window) and step.num_minutes_in_window is not None
    return step.type == "resolve"
