"""Steps of an escalation chain that notify somebody after a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from oncallctl.api.resources.escalation_policies import EscalationPolicy
from oncallctl.escalation import describe
from oncallctl.rota.reachable_steps import ALERT_COUNT, reachable

IN_TURN = "notify_person_next_each_time"
_USERS = frozenset({IN_TURN, "notify_persons", "notify_on_call_from_schedule", "notify_team_members"})
# Steps that notify people through another system, and the field without which they notify nobody.
_ELSEWHERE = {
    "notify_user_group": ("a Slack user group", "group_to_notify"),
    "notify_whole_channel": ("a Slack channel", None),
    "trigger_webhook": ("a webhook", "action_to_trigger"),
    "declare_incident": ("an incident", None),
}


@dataclass(frozen=True)
class Notice:
    """A step that notifies users.

    Attributes:
        when: the delay, such as "after 30 minutes"; empty if the step runs at once.
    """

    step: EscalationPolicy
    when: str


@dataclass(frozen=True)
class Walk:
    """The notifications that a chain sends for a page.

    Attributes:
        notices: the steps that notify users, in order.
        elsewhere: other recipients, such as "a Slack channel", whose members the API does not show.
        ends_early: True if the last steps never run.
    """

    notices: tuple[Notice, ...]
    elsewhere: tuple[str, ...]
    ends_early: bool


def walk(steps: Iterable[EscalationPolicy]) -> Walk:
    """Walk the steps of a chain as the engine does for a page (escalation_policy_snapshot.py of the engine)."""
    notices: list[Notice] = []
    elsewhere: list[str] = []
    waited, hours = 0.0, ""
    steps = tuple(steps)
    running = reachable(steps)
    for step in running:
        match step.type:
            case "wait":
                waited += step.duration or describe.WAIT_UNSET
            case "repeat_escalation":  # later steps run after the last repetition
                waited *= describe.MOST_REPEATS + 1
            case "notify_if_time_from_to":
                hours = describe.hours(step) or hours
            case kind if kind in _USERS:
                after = f"after {describe.length(waited)}" if waited else ""
                notices.append(Notice(step, ", ".join(part for part in (after, hours) if part)))
            case _:
                elsewhere += _notified_elsewhere(step)
    return Walk(tuple(notices), tuple(dict.fromkeys(elsewhere)), len(running) < len(steps))


def _notified_elsewhere(step: EscalationPolicy) -> Iterator[str]:
    if step.type in {None, ALERT_COUNT}:  # not configured: the engine skips it
        return
    recipient, field = _ELSEWHERE.get(str(step.type), (f"a step of type {step.type}", None))
    if field is None or getattr(step, field):
        yield recipient
