"""The requests of the collections, and their handling of unexpected responses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from oncallctl.api.client import Dialect, OnCall
from oncallctl.api.nouns import COLLECTIONS
from oncallctl.api.resources.base import FEW, TeamFilter
from oncallctl.errors import AccessDenied, InvalidInput, NotOnCall, Unavailable
from tests.unit.api.conftest import OpenOnCall
from tests.unit.api.pages import Pages

BASE = "https://oncall.test"
GROUP, SCHEDULE = "IZMRNNY8RFS94", "SBM7DV7BKFUYU"
TEAM, OTHER = "TI73TDU19W48J", "TAAM1K1NNEHAG"
START, END = datetime(2026, 3, 24, 9, tzinfo=UTC), datetime(2026, 3, 25, 9, tzinfo=UTC)
HOSTILE = [
    "",
    ".",
    "..",
    "../users/current",
    "a/b",
    "a%2Fb",
    "%2e%2e",
    "a?b=c",
    "a#b",
    "a b",
    "a\n",
    "a\\b",
    "ä",
    "a\x00",
]


@pytest.fixture
def oncall(oncall_at: OpenOnCall) -> OnCall:
    return oncall_at(BASE)


class Schedules:
    """A server with some schedules, every third of which belongs to `TEAM`; records the requests."""

    def __init__(self, count: int, *, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.idents = [f"S{number:03}" for number in range(count)]
        self.seen: list[str] = []
        self._rows = {
            ident: {"id": ident, "name": f"rota {ident}", "team_id": OTHER if number % 3 else TEAM}
            for number, ident in enumerate(self.idents)
        }
        self._pages = Pages(list(self._rows.values()), most=100)
        self._meanwhile = meanwhile

    def __call__(self, request: httpx.Request) -> httpx.Response:
        ident = request.url.path.removeprefix("/api/v1/schedules/").rstrip("/")
        self.seen.append(ident or f"page {request.url.params['page']}")
        self._meanwhile()
        if not ident:
            return self._pages(request)
        if ident not in self._rows:
            return httpx.Response(404, json={"detail": "Not found."})
        return httpx.Response(200, json=self._rows[ident])


def serve(httpx_mock: HTTPXMock, server: Schedules) -> Schedules:
    httpx_mock.add_callback(server, is_reusable=True, is_optional=True)
    return server


class TestSeveral:
    def test_few_members_are_fetched_by_id_in_parallel(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        all_there = threading.Barrier(FEW, timeout=10)
        server = serve(httpx_mock, Schedules(40, meanwhile=all_there.wait))
        wanted = server.idents[:FEW]
        assert list(oncall.schedules.several(wanted)) == wanted
        assert sorted(server.seen) == wanted

    def test_more_members_are_fetched_with_one_list(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        server = serve(httpx_mock, Schedules(40))
        wanted = server.idents[: FEW + 1]
        assert list(oncall.schedules.several(wanted)) == wanted
        assert list(oncall.schedules.several(server.idents)) == server.idents
        assert server.seen == ["page 1"]

    @pytest.mark.parametrize("count", [3, FEW, FEW + 1, 30])
    def test_members_are_returned_in_the_given_order_once_without_missing_ones(
        self, count: int, oncall: OnCall, httpx_mock: HTTPXMock
    ) -> None:
        server = serve(httpx_mock, Schedules(40))
        there = server.idents[count - 2 :: -1]
        wanted = [there[0], "SGONE", *there[1:], there[0], "SGONE"]
        found = oncall.schedules.several(wanted)
        assert list(found) == there
        assert {ident: member.id for ident, member in found.items()} == {ident: ident for ident in there}
        assert len(server.seen) == len(set(server.seen))

    def test_members_are_not_fetched_again_after_everything(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        server = serve(httpx_mock, Schedules(5))
        oncall.schedules.everything()
        assert list(oncall.schedules.several(["S004", "SGONE", "S001"])) == ["S004", "S001"]
        assert server.seen == ["page 1"]

    @pytest.mark.parametrize("read_before", [True, False])
    def test_empty_request_for_members_sends_nothing(
        self, read_before: object, oncall: OnCall, httpx_mock: HTTPXMock
    ) -> None:
        server = serve(httpx_mock, Schedules(0))
        if read_before:
            oncall.schedules.everything()
        assert oncall.schedules.several([]) == {}
        assert server.seen == (["page 1"] if read_before else [])

    @pytest.mark.parametrize("count", [2, FEW + 1])
    def test_forbidden_member_is_access_denied_instead_of_missing(
        self, count: int, oncall: OnCall, httpx_mock: HTTPXMock
    ) -> None:
        httpx_mock.add_response(403, json={"detail": "no"}, is_reusable=True)
        with pytest.raises(AccessDenied):
            oncall.schedules.several([f"S{number}" for number in range(count)])

    def test_unknown_path_is_not_oncall_instead_of_missing_members(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        httpx_mock.add_response(404, html="<h1>Not Found</h1>", is_reusable=True)
        with pytest.raises(NotOnCall):
            oncall.user_groups.several(["G1", "G2"])


class TestOfTeam:
    def test_team_members_are_filtered_client_side(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        server = serve(httpx_mock, Schedules(250))
        assert [each.id for each in oncall.schedules.of_team(TeamFilter(TEAM))] == server.idents[::3]
        assert sorted(server.seen) == ["page 1", "page 2", "page 3"]
        assert not any("team_id" in request.url.params for request in httpx_mock.get_requests())

    @pytest.mark.parametrize("limit", [1, 2, 34])
    def test_limit_counts_members_of_the_team_and_reads_no_further_page(
        self, limit: int, oncall: OnCall, httpx_mock: HTTPXMock
    ) -> None:
        server = serve(httpx_mock, Schedules(250))
        assert [each.id for each in oncall.schedules.of_team(TeamFilter(TEAM), limit)] == server.idents[::3][:limit]
        assert server.seen == ["page 1"]

    def test_limit_beyond_the_first_page_reads_the_next(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        server = serve(httpx_mock, Schedules(250))
        assert [each.id for each in oncall.schedules.of_team(TeamFilter(TEAM), 40)] == server.idents[::3][:40]

    def test_list_without_a_team_sends_the_limit(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        server = serve(httpx_mock, Schedules(250))
        assert [each.id for each in oncall.schedules.of_team(None, 7)] == server.idents[:7]
        assert httpx_mock.get_request().url.params["perpage"] == "7"

    def test_object_without_a_team_matches_no_team(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        httpx_mock.add_response(
            json={"results": [{"id": "S1", "name": "a", "team_id": None}, {"id": "S2", "name": "b"}]},
            is_reusable=True,
        )
        assert list(oncall.schedules.of_team(TeamFilter(TEAM))) == []
        assert [each.id for each in oncall.schedules.of_team(TeamFilter(None))] == ["S1", "S2"]


def entry(**fields: Any) -> dict[str, Any]:
    return {
        "user_pk": "U4DNY931HHJS5",
        "user_email": "alice@example.com",
        "user_username": "alice",
        "shift_start": "2026-03-24T09:00:00Z",
        "shift_end": "2026-03-24T17:00:00Z",
    } | fields


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in entry().items() if key != name}


class TestFinalShifts:
    def test_time_range_is_sent_in_utc_and_whole_minutes(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        httpx_mock.add_response(json={"results": []})
        ahead, behind = timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-8))
        start = datetime(2026, 3, 24, 1, 0, 59, 999, tzinfo=ahead)
        assert list(oncall.schedules.final_shifts(SCHEDULE, start, datetime(2026, 3, 24, 18, 5, tzinfo=behind))) == []
        request = httpx_mock.get_request()
        assert request.url.path == f"/api/v1/schedules/{SCHEDULE}/final_shifts"
        assert dict(request.url.params) == {"start_date": "2026-03-23T19:15", "end_date": "2026-03-25T02:05"}

    def test_every_entry_of_the_page_is_a_shift(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        nameless = entry(user_pk="U5AKCVNDEDUE7", user_email=None, user_username=None)
        answer = {"count": 2, "results": [entry(), nameless], "next": None, "total_pages": 1}
        httpx_mock.add_response(json=answer)
        first, second = oncall.schedules.final_shifts(SCHEDULE, START, END)
        assert (first.user_pk, first.user_username, first.user_email) == ("U4DNY931HHJS5", "alice", "alice@example.com")
        assert (first.shift_start, first.shift_end) == (START, START + timedelta(hours=8))
        assert (second.user_pk, second.user_username, second.user_email) == ("U5AKCVNDEDUE7", None, None)

    @pytest.mark.parametrize(
        "document",
        [
            None,
            7,
            "shifts",
            [],
            [entry()],
            {},
            {"count": 0},
            {"result": []},
            {"results": None},
            {"results": 3},
            {"results": [entry()], "next": f"{BASE}/api/v1/x/?page=2"},
            {"results": [entry()], "count": "1"},
            {"results": ""},
            {"results": "shifts"},
            {"results": {}},
            {"results": entry()},
            {"results": [None]},
            {"results": ["alice"]},
            {"results": [[]]},
            {"results": [{}]},
            {"results": [entry(), without("user_pk")]},
            {"results": [entry(), without("shift_start")]},
            {"results": [entry(), without("shift_end")]},
            {"results": [entry(user_pk=None)]},
            {"results": [entry(shift_end=None)]},
            {"results": [entry(shift_start="soon")]},
        ],
        ids=lambda document: json.dumps(document)[-60:],
    )
    def test_response_of_another_shape_is_unavailable(
        self, document: object, oncall: OnCall, httpx_mock: HTTPXMock
    ) -> None:
        httpx_mock.add_response(json=document)
        with pytest.raises(Unavailable) as caught:
            oncall.schedules.final_shifts(SCHEDULE, START, END)
        assert f"/api/v1/schedules/{SCHEDULE}/final_shifts " in caught.value.message
        assert len(caught.value.message.splitlines()) == 1


class TestSteps:
    def test_steps_of_a_chain_are_in_order(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        steps = [{"id": "E2", "position": 7}, {"id": "E3"}, {"id": "E1", "position": 2}, {"id": "E4", "position": None}]
        httpx_mock.add_response(json={"results": steps})
        assert [step.id for step in oncall.escalation_policies.of_chain("FGD4PM64AR6BA")] == ["E3", "E4", "E1", "E2"]
        assert httpx_mock.get_request().url.params["escalation_chain_id"] == "FGD4PM64AR6BA"


class TestActing:
    @pytest.mark.parametrize(
        ("verb", "body"),
        [
            ("acknowledge", None),
            ("unacknowledge", None),
            ("resolve", None),
            ("unresolve", None),
            ("silence", {"delay": 3600}),
            ("unsilence", None),
        ],
    )
    def test_action_is_one_post_below_its_alert_group(
        self, verb: str, body: dict[str, Any] | None, oncall: OnCall, httpx_mock: HTTPXMock
    ) -> None:
        httpx_mock.add_response(200)
        change = oncall.alert_groups.act(GROUP, verb, body)
        url = f"{BASE}/api/v1/alert_groups/{GROUP}/{verb}/"
        assert oncall.dry_run_document(change) == {"method": "POST", "url": url, "body": body}
        assert httpx_mock.get_requests() == []
        oncall.send_without_result(change)
        request = httpx_mock.get_request()
        assert (request.method, str(request.url)) == ("POST", url)
        assert request.content == (b"" if body is None else b'{"delay":3600}')

    def test_note_is_posted_with_its_alert_group(self, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
        httpx_mock.add_response(201, json={"id": "M1", "alert_group_id": GROUP, "text": "rolled back ✓"})
        written = oncall.send(oncall.resolution_notes.create({"alert_group_id": GROUP, "text": "rolled back ✓"}))
        assert (written.id, written.text) == ("M1", "rolled back ✓")
        request = httpx_mock.get_request()
        assert (request.method, request.url.path) == ("POST", "/api/v1/resolution_notes/")
        assert json.loads(request.content) == {"alert_group_id": GROUP, "text": "rolled back ✓"}


BY_ID: dict[str, Callable[[OnCall, str], object]] = {
    "delete": lambda oncall, ident: oncall.integrations.delete(ident),
    "update": lambda oncall, ident: oncall.integrations.update(ident, {}),
    "start": lambda oncall, ident: oncall.integrations.start_maintenance(ident, "group_alerts", 60),
    "stop": lambda oncall, ident: oncall.integrations.stop_maintenance(ident),
    "on_call": lambda oncall, ident: oncall.teams.on_call(ident, "current"),
    "act": lambda oncall, ident: oncall.alert_groups.act(ident, "resolve"),
    "final_shifts": lambda oncall, ident: oncall.schedules.final_shifts(ident, START, END),
    **{
        f"get of {noun.path}": lambda oncall, ident, noun=noun: oncall.collection(noun).get(ident)
        for noun in COLLECTIONS.values()
        if noun.has_get
    },
}


@pytest.mark.parametrize("call", BY_ID.values(), ids=BY_ID)
def test_id_that_could_be_a_path_is_refused_unsent(
    call: Callable[[OnCall, str], object], oncall_at: OpenOnCall, httpx_mock: HTTPXMock
) -> None:
    oncall = oncall_at(BASE, Dialect.CLOUD)
    for ident in HOSTILE:
        with pytest.raises(InvalidInput, match="not an ID"):
            call(oncall, ident)
    assert httpx_mock.get_requests() == []


def test_id_in_a_response_that_could_be_a_path_is_not_fetched(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    for ident in HOSTILE:
        assert oncall.users.several([ident]) == {}
    assert httpx_mock.get_requests() == []


def test_filter_value_that_could_be_a_path_is_a_query_parameter(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"results": []})
    oncall.escalation_policies.of_chain("../users/?a=b#c")
    url = httpx_mock.get_request().url
    assert (url.path, url.params["escalation_chain_id"]) == ("/api/v1/escalation_policies/", "../users/?a=b#c")


def test_ids_that_could_be_paths_are_dropped_from_a_long_list(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    server = serve(httpx_mock, Schedules(3))
    assert list(oncall.schedules.several([*HOSTILE, "S001"])) == ["S001"]
    assert server.seen == ["page 1"]
