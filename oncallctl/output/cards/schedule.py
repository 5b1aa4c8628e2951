"""The card of a schedule."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from oncallctl.api import nouns
from oncallctl.output.card import Card
from oncallctl.output.cards.lookups import Lookups, named
from oncallctl.output.columns import Row, field
from oncallctl.times import Span

if TYPE_CHECKING:
    from oncallctl.api.resources.schedules import Schedule
    from oncallctl.rota.shifts import Rota

_AHEAD = timedelta(days=7)
_MOST_SHIFTS = 5


def card(lookups: Lookups, row: Row, found: Schedule) -> Card:
    """Return the card of a schedule."""
    rota = lookups.begin("shifts", lambda: _rota(lookups, found))
    idents = row.get("shifts")
    shifts: list[str] = idents if isinstance(idents, list) else []
    names = lookups.names({nouns.ON_CALL_SHIFTS: shifts})
    made = Card(found.name)
    made.add("ID", found.id)
    made.add("Team", named(row.get("team")))
    made.add("Type", found.type)
    made.add("Time zone", found.time_zone)
    made.add("On call now", row.get("on_call_names") or "nobody")
    made.add("Shifts", ", ".join(names.get(each, each) for each in shifts))
    made.add("iCal URL", row.get("ical_url_primary"))
    made.add("Overrides URL", row.get("ical_url_overrides"))
    made.add("Slack channel", field(row, "slack.channel_id"))
    section = made.section("Next shifts")
    if read := rota():
        for shift in read.shifts[:_MOST_SHIFTS]:
            who = ", ".join(read.usernames.get(user, user) for user in shift.users)
            begun = shift.span.start <= lookups.at
            when = f"ends {lookups.moment(shift.span.end)}" if begun else f"starts {lookups.moment(shift.span.start)}"
            section.add(who, when)
    return made


def _rota(lookups: Lookups, schedule: Schedule) -> Rota | None:
    from oncallctl.rota import shifts

    return shifts.read(lookups.oncall, schedule.id, Span(lookups.at, lookups.at + _AHEAD))
