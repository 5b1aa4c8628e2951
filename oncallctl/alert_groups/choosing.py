"""Selection of alert groups: by ID, or by state, team, integration, time and person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from oncallctl import parallel
from oncallctl.alert_groups import OPEN, State
from oncallctl.alert_groups.own_groups import of_windows
from oncallctl.api import lookup
from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command_line
from oncallctl.api.nouns import ALERT_GROUPS
from oncallctl.api.pagination import PER_PAGE
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.users import User
from oncallctl.batch import Target
from oncallctl.errors import InvalidInput, NotFound
from oncallctl.times import now

# The filter needs an end, too. It is in the future, for servers whose clock is ahead and for --watch.
AHEAD = timedelta(days=1)
RESOLUTION = timedelta(seconds=1)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # the filter needs a start, too

# In one of these states, a group may belong to the user who acknowledged or resolved it, even without a common team.
TAKEN_CARE_OF = (State.ACKNOWLEDGED, State.RESOLVED)


@dataclass(frozen=True)
class GroupFilter:
    """Conditions on alert groups, as the user typed them. All must hold; empty, None and False mean no condition.

    Attributes:
        states: the group has one of these states.
        team: name or ID, or ``none`` for groups without a team.
        integration: name or ID.
        since: matches groups that began after a time; a duration counts back from each request.
        mine: matches groups of the user's teams, and groups that the user acknowledged or resolved.
        chain: name or ID of an escalation chain; matches groups whose route leads to it.
        labels: keys and values.
        until: matches groups that began before this time; a duration counts back from each request.
        search: a part of the title, in any case.
    """

    states: Sequence[State] = ()
    team: str | None = None
    integration: str | None = None
    since: datetime | timedelta | None = None
    mine: bool = False
    chain: str | None = None
    labels: Sequence[tuple[str, str]] = ()
    until: datetime | timedelta | None = None
    search: str | None = None

    def resolve(self, oncall: OnCall, default: Sequence[State] = OPEN) -> Query:
        """Look up the names of the filter.

        Args:
            oncall: the server.
            default: the states if the filter has none.

        Raises:
            NotFound, Ambiguous: the team, the integration or the chain.
            AccessDenied: `mine` with the token of a service account.
        """
        if self.mine:
            oncall.require_user_token("--mine")
        params = {}
        if team := lookup.team_filter(oncall, self.team):
            params["team_id"] = team.param
        if self.integration:
            params["integration_id"] = lookup.find(oncall.integrations, self.integration).id
        if self.labels:  # the server takes several, but one is enough to shorten the list
            params["label"] = ":".join(self.labels[0])
        conditions = Conditions(self._routes(oncall), tuple(self.labels), (self.search or "").casefold())
        states = {state.in_filter: state for state in self.states or default}
        me = oncall.users.current() if self.mine else None
        return Query(oncall, params, tuple(states.values()), self.since, me, self.until, conditions)

    def _routes(self, oncall: OnCall) -> frozenset[str] | None:
        """Return the IDs of the routes that lead to the chain; None without a chain."""
        if self.chain is None:
            return None
        chain = lookup.existing_chain(oncall, self.chain).id
        return frozenset(route.id for route in oncall.routes.everything() if route.escalation_chain_id == chain)


@dataclass(frozen=True)
class Conditions:
    """Conditions that are checked client-side.

    Attributes:
        routes: the group took one of these routes; None for any.
        labels: the group has all of these.
        search: a part of the title, case-folded.
    """

    routes: frozenset[str] | None = None
    labels: tuple[tuple[str, str], ...] = ()
    search: str = ""

    @property
    def filters_rows(self) -> bool:
        """True if rows of the server may be left out."""
        return bool(self.routes is not None or self.labels[1:] or self.search)

    def hold(self, group: AlertGroup) -> bool:
        """True if all conditions hold. The server has checked the first label."""
        return (
            (self.routes is None or group.route_id in self.routes)
            and self.search in (group.title or "").casefold()
            and (len(self.labels) <= 1 or set(self.labels) <= group.labels)
        )


@dataclass(frozen=True)
class Query:
    """A filter with its names looked up, which can be used repeatedly.

    Attributes:
        params: the query parameters that never change.
        states: one of these states. Each is a separate request, since the server filters by one.
        begin: the earliest start, as a time or as a duration before each request.
        me: the user to whom the groups must belong, or None.
        end: the latest start, as a time or as a duration before each request.
        conditions: checked client-side.
    """

    oncall: OnCall
    params: Mapping[str, str]
    states: Sequence[State]
    begin: datetime | timedelta | None = None
    me: User | None = None
    end: datetime | timedelta | None = None
    conditions: Conditions = field(default_factory=Conditions)

    def read(self, limit: int | None = None) -> Iterator[AlertGroup]:
        """Yield at most `limit` groups, the newest first. Reads several lists concurrently."""
        lists = self._lists()
        if len(lists) == 1:
            yield from lists[0].read(limit)
            return
        found = parallel.in_order(lambda each: list(each.read(limit)), lists)
        yield from _merged(found)[:limit]

    def read_newest(self, limit: int) -> PartialListing:
        """Return at most `limit` groups. Reads about as many rows, rather than all rows of each list."""
        lists = self._lists()
        rows_per_list = max(limit // max(len(lists), 1), PER_PAGE)
        rows = list(parallel.in_order(lambda each: list(each.rows(limit, rows_per_list)), lists))
        matching = ([group for group in found if each.matches(group)] for each, found in zip(lists, rows, strict=True))
        return PartialListing(_merged(matching)[:limit], cut=any(len(found) == rows_per_list for found in rows))

    def _lists(self) -> list[_List]:
        """Return the lists that contain the groups. The server filters by one state and one team, not by people."""
        lists = []
        for state in self.states:
            params = {**self.params, **self._times(), "state": state.in_filter}
            if self.me is None:
                lists.append(_List(self.oncall, params, self.conditions))
                continue
            my_teams, filter_team = self.me.teams or [], params.get("team_id")
            teams = [team for team in my_teams if filter_team in {None, team}]
            lists += [_List(self.oncall, {**params, "team_id": team}, self.conditions) for team in teams]
            if state in TAKEN_CARE_OF and filter_team not in my_teams:
                lists.append(_List(self.oncall, params, self.conditions, self.me))
        return lists

    def _times(self) -> dict[str, str]:
        if self.begin is None and self.end is None:
            return {}
        at = now()
        begin = at - self.begin if isinstance(self.begin, timedelta) else self.begin or EARLIEST
        end = at - self.end if isinstance(self.end, timedelta) else self.end
        end = at + AHEAD if end is None else end - RESOLUTION  # `between` includes the second of the end
        return {"started_at": self.oncall.alert_groups.between(begin, end)}


@dataclass(frozen=True)
class PartialListing:
    """The newest groups of several lists, the newest first.

    Attributes:
        cut: True if groups may be missing, because not all rows of a list were read.
    """

    groups: Sequence[AlertGroup]
    cut: bool


@dataclass(frozen=True)
class _List:
    """A list of the server.

    Attributes:
        filters: the query parameters.
        conditions: checked client-side.
        by: the user who acknowledged or resolved the groups; filtered client-side.
    """

    oncall: OnCall
    filters: Mapping[str, str]
    conditions: Conditions
    by: User | None = None

    def matches(self, group: AlertGroup) -> bool:
        """True if a row of the list passes the client-side filter."""
        is_own = self.by is None or self.by.id in {group.acknowledged_by, group.resolved_by}
        return is_own and self.conditions.hold(group)

    @property
    def _filters_rows(self) -> bool:
        return self.by is not None or self.conditions.filters_rows

    def rows(self, limit: int | None, max_rows: int | None = None) -> Iterator[AlertGroup]:
        """Yield the rows of the list: enough for `limit` groups, and at most `max_rows`."""
        bounds = [each for each in (max_rows, None if self._filters_rows else limit) if each is not None]
        return self.oncall.alert_groups.list(min(bounds, default=None), **self.filters)

    def read(self, limit: int | None) -> Iterator[AlertGroup]:
        """Yield at most `limit` groups."""
        return islice(filter(self.matches, self.rows(limit)), limit)


def _merged(lists: Iterable[Iterable[AlertGroup]]) -> list[AlertGroup]:
    """Return the groups without duplicates, the newest first. A group may be in two lists."""
    by_id = {group.id: group for groups in lists for group in groups}
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(by_id.values(), key=lambda group: group.created_at or oldest, reverse=True)


@dataclass(frozen=True)
class GroupSelector:
    """Targets on the command line: IDs, or a filter."""

    given: Sequence[str] = ()
    filter: GroupFilter = field(default_factory=GroupFilter)

    def check(self) -> None:
        """Require either IDs or a filter.

        Raises:
            InvalidInput: neither or both are given.
        """
        chosen = self.filter != GroupFilter()
        if not self.given and not chosen:
            raise InvalidInput(
                "no alert group given", hint="give IDs, or use --state, --team, --integration, --since or --mine"
            )
        if self.given and chosen:
            raise InvalidInput("IDs and filters exclude each other")


@dataclass(frozen=True)
class Selection:
    """The alert groups that a selector matches.

    Attributes:
        own_groups: matching groups that maintenance windows opened for themselves. No filter selects these.
    """

    targets: Sequence[Target[AlertGroup]]
    own_groups: Sequence[AlertGroup] = ()


def select(oncall: OnCall, selector: GroupSelector, states: Sequence[State]) -> Selection:
    """Fetch all targets before anything is changed.

    Args:
        oncall: the server.
        selector: the targets on the command line.
        states: the states if the filter has none.

    Raises:
        InvalidInput: no targets, both IDs and filters, or an invalid ID.
        NotFound: there is no alert group with an ID.
    """
    selector.check()
    if selector.given:
        idents = {ident(oncall, text): text for text in reversed(selector.given)}
        found = parallel.in_order(lambda each: (idents[each], get(oncall, each)), list(reversed(idents)))
        return Selection([Target(text, group, ALERT_GROUPS) for text, group in found])
    groups = list(selector.filter.resolve(oncall, states).read())
    own = of_windows(oncall, groups)
    left_out = {group.id for group in own}
    return Selection([Target(group.id, group, ALERT_GROUPS) for group in groups if group.id not in left_out], own)


def list_command(oncall: OnCall) -> str:
    """Return the command that lists alert groups, for hints."""
    return command_line(oncall, ["alert-groups", "list"])


def ident(oncall: OnCall, text: str) -> str:
    """Return the ID of an alert group without ``id:``. Anybody can choose a title, so titles do not identify groups.

    Raises:
        InvalidInput: the text cannot be an ID.
    """
    word = text.removeprefix("id:")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", word):
        raise InvalidInput(
            f"not the ID of an alert group: {text!r}",
            hint=f"alert groups are identified by ID; list them with {list_command(oncall)}",
        )
    return word


def get(oncall: OnCall, text: str) -> AlertGroup:
    """Fetch an alert group by its ID.

    Raises:
        NotFound: there is no such alert group.
        InvalidInput: the text cannot be an ID.
    """
    try:
        return oncall.alert_groups.get(ident(oncall, text))
    except NotFound as error:
        error.hint = list_command(oncall)
        raise
