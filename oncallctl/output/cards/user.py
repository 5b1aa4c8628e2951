"""The card of a user."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from oncallctl.api import nouns
from oncallctl.escalation.describe import length
from oncallctl.output.card import Card
from oncallctl.output.cards.lookups import Lookups
from oncallctl.output.columns import Row, field
from oncallctl.times import Span, show

if TYPE_CHECKING:
    from oncallctl.api.resources.base import ServerObject
    from oncallctl.api.resources.users import User
    from oncallctl.rota.user_shifts import UserShift

_AHEAD = timedelta(days=14)  # how far to look for shifts
_MANY_SCHEDULES = 10  # a request each is too much beyond
_MOST_SHIFTS = 3


def card(lookups: Lookups, row: Row, found: User) -> Card:
    """Return the card of a user."""
    read_rules = lookups.begin("notification rules", lambda: _rules(lookups, found.id))
    read_shifts = lookups.begin("shifts", lambda: _shifts(lookups, found))
    made = Card(found.username)
    made.add("ID", found.id)
    made.add("Email", found.email)
    made.add("Phone", _phone(row))
    made.add("Slack", field(row, "slack.user_id"))
    made.add("Role", found.role)
    made.add("Time zone", row.get("timezone"))
    made.add("Teams", row.get("team_names"))
    section = made.section("On call")
    for shift in (read_shifts() or [])[:_MOST_SHIFTS]:
        begun = shift.span.start <= lookups.at
        start = "now" if begun else lookups.moment(shift.span.start)
        section.add(shift.schedule.name, f"{start}, until {show(shift.span.end, lookups.settings.tz)}")
    rules = read_rules() or []
    for title, important in (("Notified", False), ("Notified of important pages", True)):
        section = made.section(title)
        for number, rule in enumerate((each for each in rules if bool(each.raw.get("important")) is important), 1):
            section.add(str(number), _rule(rule))
    return made


def _phone(row: Row) -> str:
    number = row.get("phone_number")
    if not number:
        return ""
    return str(number) if row.get("is_phone_number_verified") else f"{number} (not verified)"


def _rules(lookups: Lookups, user: str) -> Sequence[ServerObject]:
    rules = lookups.oncall.collection(nouns.PERSONAL_NOTIFICATION_RULES).list(user_id=user)
    return sorted(rules, key=lambda rule: position if isinstance(position := rule.raw.get("position"), int) else 0)


def _rule(rule: ServerObject) -> str:
    kind, duration = str(rule.raw.get("type") or ""), rule.raw.get("duration")
    if kind == "wait" and isinstance(duration, int | float):
        return f"wait {length(duration)}"
    return kind.removeprefix("notify_").replace("_", " ")


def _shifts(lookups: Lookups, user: User) -> list[UserShift]:
    from oncallctl.rota import user_shifts

    if len(lookups.oncall.schedules.everything()) > _MANY_SCHEDULES:
        return []
    return user_shifts.read(lookups.oncall, [user], Span(lookups.at, lookups.at + _AHEAD))
