"""Descriptions of routes and escalation steps, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from oncallctl.api import nouns
from oncallctl.api.noun import Noun
from oncallctl.api.resources.escalation_policies import EscalationPolicy
from oncallctl.api.resources.routes import Route
from oncallctl.text import counted

Names = Mapping[str, str]

MOST_REPEATS = 5  # MAX_TIMES_REPEAT of the engine
WAIT_UNSET = 300  # seconds; DEFAULT_WAIT_DELAY of the engine
_FROM_LABEL = "set-from-label"  # SEVERITY_SET_FROM_LABEL of the engine


def condition(route: Route) -> str:
    """Return the condition of a route."""
    if route.is_default:
        return "everything else"
    return " ".join(part for part in (route.routing_type, route.routing_regex) if part)


def pointed_to(policies: Iterable[EscalationPolicy]) -> dict[Noun, list[str]]:
    """Return the IDs of the objects that steps refer to, by collection."""
    idents: dict[Noun, list[str]] = {}
    for step in policies:
        for kind, ident in (
            (nouns.SCHEDULES, step.schedule_id),
            (nouns.TEAMS, step.team_to_notify),
            (nouns.USER_GROUPS, step.group_to_notify),
            (nouns.WEBHOOKS, step.action_to_trigger),
            *((nouns.USERS, each) for each in step.persons_to_notify or ()),
            *((nouns.USERS, each) for each in step.persons_to_notify_next_each_time or ()),
        ):
            if ident:
                idents.setdefault(kind, []).append(ident)
    return idents


def sentence(step: EscalationPolicy, names: Names) -> str:
    """Describe a step in words. Unknown types are returned unchanged.

    Args:
        step: the step.
        names: ID -> name of the objects that it refers to. An ID without a name is shown as it is.
    """
    describe_step = _SENTENCES.get(step.type or "")
    if describe_step is None:
        return step.type or "a step without a type"
    return describe_step(step, names) + (" (important)" if step.important else "")


def _wait(step: EscalationPolicy, _: Names) -> str:
    return f"wait {length(step.duration or WAIT_UNSET)}" + ("" if step.duration else " (no time is set)")


def _persons(step: EscalationPolicy, names: Names) -> str:
    people = _named(step.persons_to_notify, names)
    return f"notify {_listed(people, 'and')}" if people else "notify people (none is set)"


def _next_person(step: EscalationPolicy, names: Names) -> str:
    people = _named(step.persons_to_notify_next_each_time, names)
    return f"notify {_listed(people, 'or')}, the next one each time" if people else "notify one person (none is set)"


def _schedule(step: EscalationPolicy, names: Names) -> str:
    return f"notify who is on call in {_one(step.schedule_id, names, 'a schedule')}"


def _team(step: EscalationPolicy, names: Names) -> str:
    return f"notify everybody in team {_one(step.team_to_notify, names)}"


def _group(step: EscalationPolicy, names: Names) -> str:
    return f"notify everybody in Slack group {_one(step.group_to_notify, names)}"


def _webhook(step: EscalationPolicy, names: Names) -> str:
    return f"trigger webhook {_one(step.action_to_trigger, names)}"


def _time_of_day(step: EscalationPolicy, _: Names) -> str:
    between = hours(step)
    return f"wait until it is {between}" if between else "go on (no times are set)"


def hours(step: EscalationPolicy) -> str:
    """Return the hours that a step waits for as "between 09:00 and 17:00 UTC", or an empty string."""
    begin, end = (_clock(each) for each in (step.notify_if_time_from, step.notify_if_time_to))
    return f"between {begin} and {end} UTC" if begin and end else ""


def _many_alerts(step: EscalationPolicy, _: Names) -> str:
    count, minutes = step.num_alerts_in_window, step.num_minutes_in_window
    if count is None or minutes is None:
        return "go on (no number of alerts is set)"
    return f"wait until more than {counted(count, 'alert')} have come within {counted(minutes, 'minute')}"


def _incident(step: EscalationPolicy, _: Names) -> str:
    of = "the severity set by a label" if step.severity == _FROM_LABEL else f"severity {_one(step.severity, {})}"
    return f"declare an incident of {of}; not on a default route"


_SENTENCES: Mapping[str, Callable[[EscalationPolicy, Names], str]] = {
    "wait": _wait,
    "notify_persons": _persons,
    "notify_person_next_each_time": _next_person,
    "notify_on_call_from_schedule": _schedule,
    "notify_team_members": _team,
    "notify_user_group": _group,
    "notify_whole_channel": lambda *_: "notify everybody in the Slack channel",
    "notify_if_time_from_to": _time_of_day,
    "notify_if_num_alerts_in_window": _many_alerts,
    "trigger_webhook": _webhook,
    "declare_incident": _incident,
    "repeat_escalation": lambda *_: f"start over (up to {MOST_REPEATS} times)",
    "resolve": lambda *_: "resolve the alert group",
}


def _named(idents: Iterable[str] | None, names: Names) -> list[str]:
    return [names.get(ident, ident) for ident in idents or ()]


def _one(ident: str | None, names: Names, kind: str = "") -> str:
    return names.get(ident, ident) if ident else f"{kind} (none is set)".lstrip()


def _listed(words: Sequence[str], last: str) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def length(seconds: float) -> str:
    """Return a duration in words, such as "5 minutes" or "1 hour 30 minutes"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "hour"), (minutes, "minute"), (rest, "second"))
    return " ".join(counted(count, unit) for count, unit in parts if count)


def _clock(time: str | None) -> str | None:
    """Shorten ``09:00:00Z`` to ``09:00``."""
    return time.removesuffix("Z").removesuffix(":00") if time else None
