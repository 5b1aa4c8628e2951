"""Which alert groups a command means: by id, or by state, team, integration, time and whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from oncallctl import parallel
from oncallctl.alert_groups import OPEN, State
from oncallctl.alert_groups.own_groups import of_windows
from oncallctl.api import lookup
from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command
from oncallctl.api.pagination import PER_PAGE
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.users import User
from oncallctl.batch import Target
from oncallctl.errors import InvalidInput, NotFound
from oncallctl.times import now, parse_duration, parse_past

# The filter wants an end too. It lies this far ahead: the server's clock may be, and a list that stays live goes on.
AHEAD = timedelta(days=1)

# Whatever its team, a group in one of these may be somebody's who took care of it.
TAKEN_CARE_OF = (State.ACKNOWLEDGED, State.RESOLVED)


@dataclass(frozen=True)
class GroupFilter:
    """Conditions on alert groups, as they are typed; all must hold, and what is empty, None or False is none.

    Attributes:
        states: any of these.
        team: name or ID, or ``none`` for those of no team.
        integration: name or ID.
        since: a duration, counted back from each reading, or a time that is past; groups that began later.
        mine: of a team that the user is in, or acknowledged or resolved by the user.
    """

    states: Sequence[State] = ()
    team: str | None = None
    integration: str | None = None
    since: str | None = None
    mine: bool = False

    def resolve(self, oncall: OnCall, tz: ZoneInfo | None, default: Sequence[State] = OPEN) -> Query:
        """Look up what is named.

        Args:
            oncall: the server.
            tz: the zone that times are typed in.
            default: the states to look for if the filter names none.

        Raises:
            InvalidInput: a time that is none.
            NotFound, Ambiguous: the team or the integration.
            AccessDenied: a token that is nobody's asks for what is mine.
        """
        begin = _begin(self.since, tz) if self.since else None
        if self.mine:
            oncall.person_only("--mine")
        params = {}
        if team := lookup.team_filter(oncall, self.team):
            params["team_id"] = team.param
        if self.integration:
            params["integration_id"] = lookup.integration(oncall, self.integration).id
        states = {state.in_filter: state for state in self.states or default}
        me = oncall.users.current() if self.mine else None
        return Query(oncall, params, tuple(states.values()), begin, me)


@dataclass(frozen=True)
class Query:
    """A filter with its names looked up: it can be asked again and again.

    Attributes:
        params: what the server filters by, always the same.
        states: any of these; each is a request, since the server filters by one.
        begin: the earliest beginning, or how long it is before a reading.
        me: whose the groups are.
    """

    oncall: OnCall
    params: Mapping[str, str]
    states: Sequence[State]
    begin: datetime | timedelta | None = None
    me: User | None = None

    def read(self, limit: int | None = None) -> Iterator[AlertGroup]:
        """Read the groups, at most so many, the newest first; several lists at the same time."""
        lists = self._lists()
        if len(lists) == 1:
            yield from lists[0].read(limit)
            return
        found = parallel.in_order(lambda each: list(each.read(limit)), lists)
        yield from _merged(found)[:limit]

    def look(self, limit: int) -> PartialListing:
        """Read the groups as `read` does, but no more of the server's lists than about so many rows in all."""
        lists = self._lists()
        share = max(limit // max(len(lists), 1), PER_PAGE)
        rows = list(parallel.in_order(lambda each: list(each.rows(limit, share)), lists))
        chosen = ([group for group in found if each.has(group)] for each, found in zip(lists, rows, strict=True))
        return PartialListing(_merged(chosen)[:limit], cut=any(len(found) == share for found in rows))

    def _lists(self) -> list[_List]:
        """The server's lists that have the groups: it filters by one state and by one team, and not by people."""
        lists = []
        for state in self.states:
            asked = {**self.params, **self._since(), "state": state.in_filter}
            if self.me is None:
                lists.append(_List(self.oncall, asked))
                continue
            mine, only = self.me.teams or [], asked.get("team_id")
            lists += [_List(self.oncall, {**asked, "team_id": team}) for team in mine if only in {None, team}]
            if state in TAKEN_CARE_OF and only not in mine:
                lists.append(_List(self.oncall, asked, self.me))
        return lists

    def _since(self) -> dict[str, str]:
        if self.begin is None:
            return {}
        at = now()
        begin = at - self.begin if isinstance(self.begin, timedelta) else self.begin
        return {"started_at": self.oncall.alert_groups.between(begin, at + AHEAD)}


@dataclass(frozen=True)
class PartialListing:
    """What one look at the server showed, the newest first.

    Attributes:
        cut: whether a list may be longer than what was read of it, so that groups may be missing.
    """

    groups: Sequence[AlertGroup]
    cut: bool


@dataclass(frozen=True)
class _List:
    """One of the server's lists.

    Attributes:
        filters: what the server filters by.
        by: who acknowledged or resolved the groups; filtered here.
    """

    oncall: OnCall
    filters: Mapping[str, str]
    by: User | None = None

    def has(self, group: AlertGroup) -> bool:
        """Whether a group of the server's list is one."""
        return self.by is None or self.by.id in {group.acknowledged_by, group.resolved_by}

    def rows(self, limit: int | None, most: int | None = None) -> Iterator[AlertGroup]:
        """Read what the server lists: as much as makes so many groups, and at most so many rows."""
        enough = [each for each in (most, limit if self.by is None else None) if each is not None]
        return self.oncall.alert_groups.list(min(enough, default=None), **self.filters)

    def read(self, limit: int | None) -> Iterator[AlertGroup]:
        """Read the groups, at most so many."""
        return islice(filter(self.has, self.rows(limit)), limit)


def _merged(lists: Iterable[Iterable[AlertGroup]]) -> list[AlertGroup]:
    """Each group once, the newest first: one may be in two lists, or have moved on between them."""
    once = {group.id: group for groups in lists for group in groups}
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(once.values(), key=lambda group: group.created_at or oldest, reverse=True)


def _begin(text: str, tz: ZoneInfo | None) -> datetime | timedelta:
    """Read a duration, or a time that is past.

    Raises:
        InvalidInput: it is neither.
    """
    try:
        return parse_duration(text)
    except InvalidInput:
        return parse_past(text, tz, before=now())


@dataclass(frozen=True)
class GroupSelector:
    """What a command line says about its targets: ids, or a filter."""

    given: Sequence[str] = ()
    filter: GroupFilter = field(default_factory=GroupFilter)

    def check(self) -> None:
        """Refuse a command line that says it in no way, or in both.

        Raises:
            InvalidInput: it does.
        """
        chosen = self.filter != GroupFilter()
        if not self.given and not chosen:
            raise InvalidInput(
                "no alert group named", hint="give ids, or use --state, --team, --integration, --since or --mine"
            )
        if self.given and chosen:
            raise InvalidInput("alert groups are named by their ids, or chosen by filters; not both")


@dataclass(frozen=True)
class Selection:
    """What a selector chose.

    Attributes:
        own_groups: the groups that matched and are maintenance windows' own: no filter chooses these.
    """

    targets: Sequence[Target[AlertGroup]]
    own_groups: Sequence[AlertGroup] = ()


def select(oncall: OnCall, selector: GroupSelector, states: Sequence[State], tz: ZoneInfo | None) -> Selection:
    """Read all targets before anything is changed.

    Args:
        oncall: the server.
        selector: what the command line says.
        states: where the filter names no state, groups in any of these.
        tz: the zone that times are typed in.

    Raises:
        InvalidInput: no targets, two ways of naming them, or what cannot be an ID.
        NotFound: an ID of no alert group.
    """
    selector.check()
    if selector.given:
        idents = {ident(oncall, text): text for text in reversed(selector.given)}
        found = parallel.in_order(lambda each: (idents[each], get(oncall, each)), list(reversed(idents)))
        return Selection([Target(text, group) for text, group in found])
    groups = list(selector.filter.resolve(oncall, tz, states).read())
    own = of_windows(oncall, groups)
    left_out = {group.id for group in own}
    return Selection([Target(group.id, group) for group in groups if group.id not in left_out], own)


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
