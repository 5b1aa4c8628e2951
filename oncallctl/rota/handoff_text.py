"""The handoff of a team as text for a chat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.integrations import Integration
from oncallctl.api.resources.shift_swaps import ShiftSwap
from oncallctl.rota.handoff import AHEAD, Handoff
from oncallctl.rota.handovers import NOBODY
from oncallctl.rota.lookback import NIGHT_BEGINS, NIGHT_ENDS, Reactions
from oncallctl.rota.markup import Markup
from oncallctl.rota.shifts import Rota
from oncallctl.times import relative, show_duration

MOST = 30  # alert groups that are listed


def text(handoff: Handoff, markup: Markup, tz: tzinfo | None) -> str:
    """Return the handoff with text from the server escaped; `tz` None is the zone of this machine."""
    return "\n".join(_Writer(handoff, markup, tz).lines()) + "\n"


class _Writer:
    def __init__(self, handoff: Handoff, markup: Markup, tz: tzinfo | None) -> None:
        self.handoff = handoff
        self.markup = markup
        self.tz = tz

    def lines(self) -> Iterator[str]:
        yield self.markup.bold(f"On call: {self.markup.plain(self.handoff.team.name or self.handoff.team.id)}")
        handovers = [f"{self.markup.plain(rota.schedule.name)}: {self._turn(rota)}" for rota in self.handoff.rotas]
        yield from self._list(handovers or ["no schedule"])
        yield ""
        yield from self._ending()
        yield ""
        yield self.markup.bold(f"Still open: {len(self.handoff.open) or 'nothing'}")
        yield from self._list([self._group(group) for group in self._by_integration()[:MOST]])
        if len(self.handoff.open) > MOST:
            team = self.handoff.team.name or self.handoff.team.id
            yield from self._list([f"and {len(self.handoff.open) - MOST} more of team {self.markup.plain(team)}"])
        if self.handoff.windows:
            yield ""
            yield self.markup.bold(f"Maintenance windows: {len(self.handoff.windows)}")
            yield from self._list([self._window(each) for each in self.handoff.windows])
        if self.handoff.swap_requests:
            yield ""
            yield self.markup.bold(f"Open swap requests: {len(self.handoff.swap_requests)}")
            yield from self._list([self._swap_request(swap) for swap in self.handoff.swap_requests])

    def _list(self, items: Sequence[str]) -> Iterator[str]:
        return (f"{self.markup.bullet}{item}" for item in items)

    def _turn(self, rota: Rota) -> str:
        """Return who is on call, and who takes over from them."""
        names = {user: self.markup.plain(name) for user, name in rota.usernames.items()}
        following = self.handoff.next_of(rota)
        if following is None:
            people = " + ".join(names.get(user, user) for user in self.handoff.on_call(rota)) or NOBODY
            return f"{people}, and no handover in {AHEAD.days} days"
        change = following.with_names(names)
        staying = [name for name in change.before if name in change.after and name not in change.changed[1]]
        stays = f" ({' + '.join(staying)} stays)" if staying else ""
        return f"{change.text}{stays}, {self._when(following.at)}"

    def _when(self, instant: datetime) -> str:
        return f"{instant.astimezone(self.tz):%a %d %b %H:%M %Z} ({relative(instant, at=self.handoff.at)})"

    def _ending(self) -> Iterator[str]:
        """Yield the alert groups of the ending shift."""
        ending = self.handoff.ending
        count = len(ending.groups)
        alert_groups = f"{count} alert group{'' if count == 1 else 's'}" if count else "no alert groups"
        night = ending.night(self.tz)
        at_night = f", {night} at night ({NIGHT_BEGINS}:00 to {NIGHT_ENDS:02}:00)" if night else ""
        yield self.markup.bold(f"Since {self._when(ending.since)}: {alert_groups}{at_night}")
        if not count:
            return
        integrations = [f"{self._integration(ident)} {number}" for ident, number in ending.by_integration]
        facts = [f"by integration: {', '.join(integrations)}"]
        if ending.acknowledged.count:
            facts.append(f"acknowledged: {self._reactions(ending.acknowledged)}")
        if ending.resolved.count:
            facts.append(f"resolved: {self._reactions(ending.resolved)}")
        if ending.never_acknowledged:
            facts.append(f"neither acknowledged nor resolved by anybody: {ending.never_acknowledged}")
        yield from self._list(facts)

    def _reactions(self, reactions: Reactions) -> str:
        names = self.handoff.ending.usernames
        by = [
            f"{'without a person' if user is None else self.markup.plain(names.get(user, user))} {count}"
            for user, count in reactions.by.items()
        ]
        after = (
            f", median after {show_duration(reactions.median.total_seconds())}" if reactions.median is not None else ""
        )
        return f"{reactions.count} ({', '.join(by)}){after}"

    def _integration(self, ident: str | None) -> str:
        return self.markup.plain(self.handoff.integrations.get(ident or "", ident or "unknown integration"))

    def _by_integration(self) -> list[AlertGroup]:
        """Return the open groups, grouped by integration."""
        first: dict[str | None, int] = {}
        for position, group in enumerate(self.handoff.open):
            first.setdefault(group.integration_id, position)
        return sorted(self.handoff.open, key=lambda group: first[group.integration_id])

    def _group(self, group: AlertGroup) -> str:
        at = self.handoff.at
        open_for = f", open for {show_duration((at - group.created_at).total_seconds())}" if group.created_at else ""
        silenced = ""
        if group.state == "silenced" and group.silenced_at:
            # The API does not report the end of a silence.
            silenced = f", silenced {relative(group.silenced_at, at=at)}, end not known"
        links = group.raw.get("permalinks")
        link = self.markup.link(group.id, links.get("web") if isinstance(links, dict) else None)
        state = f"{self._integration(group.integration_id)}: {self.markup.plain(group.state)}{open_for}{silenced}"
        return f"{state}: {self.markup.code(group.title or 'no title')} {link}"

    def _window(self, integration: Integration) -> str:
        name, mode = self.markup.plain(integration.name), self.markup.code(str(integration.maintenance_mode))
        ends = integration.maintenance_end_at
        if ends is None:
            return f"{name}: {mode}, end not known"
        return (
            f"{name}: {mode} {'overdue since' if self.handoff.is_overdue(integration) else 'until'} {self._when(ends)}"
        )

    def _swap_request(self, swap: ShiftSwap) -> str:
        schedules = {rota.schedule.id: rota.schedule.name for rota in self.handoff.rotas}
        names = {user: name for rota in self.handoff.rotas for user, name in rota.usernames.items()}
        schedule = self.markup.plain(schedules.get(swap.schedule, swap.schedule))
        name = self.markup.plain(names.get(swap.beneficiary, swap.beneficiary))
        end = f"{swap.swap_end.astimezone(self.tz):%a %d %b %H:%M %Z}"
        times = f"{self._when(swap.swap_start)} until {end}"
        return f"{schedule}: {name} asks to be relieved, {times}: {self.markup.plain(swap.id)}"
