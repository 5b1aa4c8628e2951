"""The card of a team."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from oncallctl.output.card import Card
from oncallctl.output.cards.lookups import Lookups
from oncallctl.output.columns import Row

if TYPE_CHECKING:
    from oncallctl.api.resources.teams import Team
    from oncallctl.rota.on_call import TeamOnCall


def card(lookups: Lookups, row: Row, found: Team) -> Card:
    """Return the card of a team."""
    oncall = lookups.oncall
    on_call = lookups.begin("who is on call", lambda: _on_call(lookups, found))
    users = lookups.begin("members", oncall.users.everything)
    schedules = lookups.begin("schedules", oncall.schedules.everything)
    chains = lookups.begin("escalation chains", oncall.escalation_chains.everything)
    made = Card(found.name)
    made.add("ID", found.id)
    made.add("Email", row.get("email"))
    made.add("Members", ", ".join(user.username for user in users() or () if found.id in (user.teams or ())))
    made.add("Schedules", _of_team(found, schedules() or ()))
    made.add("Escalation chains", _of_team(found, chains() or ()))
    section = made.section("On call")
    for each in on_call() or ():
        for person in each.people():
            end = lookups.moment(person["shift_end"])
            section.add(person["name"], f"{person['schedules']}{f', ends {end}' if end else ''}")
    return made


def _of_team(team: Team, members: Iterable[Any]) -> str:
    return ", ".join(each.name for each in members if each.team_id == team.id)


def _on_call(lookups: Lookups, team: Team) -> list[TeamOnCall]:
    from oncallctl.api.lookup import Named
    from oncallctl.rota.on_call import on_call

    return on_call(lookups.oncall, [Named(team.id, team.name)])
