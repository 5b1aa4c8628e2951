"""Which alert groups a command means: by id, or by state, team, integration, time and whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from oncallctl import parallel
from oncallctl.alert_groups import State
from oncallctl.api import names
from oncallctl.api.client import OnCall
from oncallctl.api.models import AlertGroup, User
from oncallctl.errors import InvalidInput, NotFound
from oncallctl.lost_answers import command
from oncallctl.outcomes import Target
from oncallctl.times import now, parse_duration, parse_past

# The filter wants an end too. It lies this far ahead: the server's clock may be, and a list that stays live goes on.
AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Filter:
    """Conditions on alert groups, as they are typed; all must hold, and what is None or False is none.

    Attributes:
        team: name or id.
        integration: name or id.
        since: a duration, counted back from each reading, or a time that is past; groups that began later.
        mine: of a team that the user is in, or acknowledged or resolved by the user.
    """

    state: State | None = None
    team: str | None = None
    integration: str | None = None
    since: str | None = None
    mine: bool = False

    def resolve(self, oncall: OnCall, tz: ZoneInfo | None) -> Query:
        """Look up what is named.

        Raises:
            InvalidInput: a time that is none.
            NotFound, Ambiguous: the team or the integration.
            AccessDenied: a token that is nobody's asks for what is mine.
        """
        begin = _begin(self.since, tz) if self.since else None
        if self.mine:
            oncall.person_only("--mine")
        params = {}
        if self.team:
            params["team_id"] = names.team(oncall, self.team).id
        if self.integration:
            params["integration_id"] = names.integration(oncall, self.integration).id
        return Query(oncall, params, (self.state,), begin, oncall.users.current() if self.mine else None)


@dataclass(frozen=True)
class Query:
    """A filter with its names looked up: it can be asked again and again.

    Attributes:
        params: what the server filters by, always the same.
        states: any of these; None is all.
        begin: the earliest beginning, or how long it is before a reading.
        me: whose the groups are; filtered here, for the server cannot.
    """

    oncall: OnCall
    params: Mapping[str, str]
    states: Sequence[State | None]
    begin: datetime | timedelta | None = None
    me: User | None = None

    def read(self, limit: int | None = None) -> Iterator[AlertGroup]:
        """Read the groups, at most so many, the newest first; several states at the same time."""
        if len(self.states) == 1:
            yield from self._read(self.states[0], limit)
            return
        lists = parallel.in_order(lambda state: list(self._read(state, limit)), self.states)
        once = {group.id: group for groups in lists for group in groups}  # one may have moved on between two lists
        oldest = datetime.min.replace(tzinfo=UTC)
        newest_first = sorted(once.values(), key=lambda group: group.created_at or oldest, reverse=True)
        yield from newest_first[:limit]

    def _read(self, state: State | None, limit: int | None) -> Iterator[AlertGroup]:
        filters = dict(self.params)
        if state:
            filters["state"] = state.in_filter
        if self.begin:
            at = now()
            begin = at - self.begin if isinstance(self.begin, timedelta) else self.begin
            filters["started_at"] = self.oncall.alert_groups.between(begin, at + AHEAD)
        found = 0
        for group in self.oncall.alert_groups.list(None if self.me else limit, **filters):
            if self.me is None or _is_of(group, self.me):
                yield group
                found += 1
                if found == limit:
                    return


def _begin(text: str, tz: ZoneInfo | None) -> datetime | timedelta:
    """Read a duration, or a time that is past.

    Raises:
        InvalidInput: it is neither.
    """
    try:
        return parse_duration(text)
    except InvalidInput:
        return parse_past(text, tz, before=now())


def _is_of(group: AlertGroup, person: User) -> bool:
    """Whether a group is somebody's: of one of their teams, or acknowledged or resolved by them."""
    teams = person.raw.get("teams") or ()
    return group.team_id in teams or person.id in {group.raw.get("acknowledged_by"), group.raw.get("resolved_by")}


@dataclass(frozen=True)
class Selector:
    """What a command line says about its targets: ids, or a filter."""

    given: Sequence[str] = ()
    filter: Filter = field(default_factory=Filter)

    @property
    def is_wide(self) -> bool:
        """Whether it reaches over the whole organisation."""
        return not (self.given or self.filter.team or self.filter.integration or self.filter.mine)

    def check(self) -> None:
        """Refuse a command line that says it in no way, or in both.

        Raises:
            InvalidInput: it does.
        """
        chosen = self.filter != Filter()
        if not self.given and not chosen:
            raise InvalidInput(
                "no alert group named", hint="give ids, or use --state, --team, --integration, --since or --mine"
            )
        if self.given and chosen:
            raise InvalidInput("alert groups are named by their ids, or chosen by filters; not both")


def select(
    oncall: OnCall, selector: Selector, states: Sequence[State], tz: ZoneInfo | None
) -> list[Target[AlertGroup]]:
    """Read all targets before anything is changed.

    Args:
        oncall: the server.
        selector: what the command line says.
        states: where the filter names no state, groups in any of these.
        tz: the zone that times are typed in.

    Raises:
        InvalidInput: no targets, two ways of saying which, or what cannot be an id.
        NotFound: an id that is no alert group's, or a filter that nothing matches.
    """
    selector.check()
    if selector.given:
        idents = {ident(oncall, text): text for text in reversed(selector.given)}
        found = parallel.in_order(lambda each: (idents[each], get(oncall, each)), list(reversed(idents)))
        return [Target(text, group) for text, group in found]
    query = selector.filter.resolve(oncall, tz)
    if selector.filter.state is None:
        query = replace(query, states=states)
    targets = [Target(group.id, group) for group in query.read()]
    if not targets:
        asked = selector.filter.state or " or ".join(states)
        raise NotFound(f"no alert group matches (state: {asked})", hint=look(oncall))
    return targets


def look(oncall: OnCall) -> str:
    """The command that shows which alert groups there are."""
    return command(oncall, ["alert-groups", "list"])


def ident(oncall: OnCall, text: str) -> str:
    """The id of an alert group, with or without ``id:``; titles are anybody's text, and no names.

    Raises:
        InvalidInput: it cannot be one.
    """
    word = text.removeprefix("id:")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", word):
        raise InvalidInput(f"not the id of an alert group: {text!r}", hint=f"titles are no names; ids: {look(oncall)}")
    return word


def get(oncall: OnCall, text: str) -> AlertGroup:
    """Read an alert group by its id.

    Raises:
        NotFound: there is none.
        InvalidInput: it cannot be an id.
    """
    try:
        return oncall.alert_groups.get(ident(oncall, text))
    except NotFound as error:
        error.hint = look(oncall)
        raise
