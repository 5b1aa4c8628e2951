"""Lists in result pages, from older and newer servers."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from oncallctl.api import raw
from oncallctl.api.client import OnCall
from oncallctl.errors import Unavailable
from tests.unit.api.conftest import TOKEN, OpenOnCall
from tests.unit.api.pages import Pages, either, rows
from tests.unit.api.wire import Arrived, Wire, answer

BASE = "https://oncall.test"


@pytest.fixture
def oncall(oncall_at: OpenOnCall) -> OnCall:
    return oncall_at(BASE)


def serve(httpx_mock: HTTPXMock, pages: Pages) -> Pages:
    httpx_mock.add_callback(pages, is_reusable=True)
    return pages


def names(count: int) -> list[str]:
    return [row["name"] for row in rows(count)]


@either
def test_list_of_any_length_is_read_completely_and_in_order(
    counts: object, oncall: OnCall, httpx_mock: HTTPXMock
) -> None:
    for count in (0, 1, 49, 50, 51, 100, 101, 730):
        httpx_mock.reset()
        pages = serve(httpx_mock, Pages(rows(count), most=50, counts=bool(counts)))
        assert [team.name for team in oncall.teams.list()] == names(count)
        assert sorted(pages.asked) == list(range(1, max(1, -(-count // 50)) + 1))
        assert pages.sizes == {"100"}


def test_list_of_a_server_without_a_page_limit_takes_fewer_requests(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    pages = serve(httpx_mock, Pages(rows(250), most=1000))
    assert [team.name for team in oncall.teams.list()] == names(250)
    assert sorted(pages.asked) == [1, 2, 3]


def test_list_whose_pages_arrive_out_of_order_is_in_order(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    later_ones = threading.Semaphore(0)

    def hold_back(number: int) -> None:
        if number == 2:
            for _ in range(4):
                assert later_ones.acquire(timeout=10)
        elif number > 2:
            later_ones.release()

    serve(httpx_mock, Pages(rows(300), before=hold_back))
    assert [team.name for team in oncall.teams.list()] == names(300)


@either
def test_limit_fetches_only_the_pages_it_needs(counts: object, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    for limit, size, count in ((1, 1, 1), (10, 10, 1), (50, 50, 1), (51, 51, 2), (100, 100, 2), (120, 100, 3)):
        httpx_mock.reset()
        pages = serve(httpx_mock, Pages(rows(730), counts=bool(counts)))
        assert [team.name for team in oncall.teams.list(limit)] == names(limit)
        assert sorted(pages.asked) == list(range(1, count + 1))
        assert pages.sizes == {str(size)}


def test_limit_beyond_the_end_yields_all_rows(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    pages = serve(httpx_mock, Pages(rows(60)))
    assert [team.name for team in oncall.teams.list(500)] == names(60)
    assert sorted(pages.asked) == [1, 2]


def test_list_that_is_read_partly_sends_no_further_requests(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    pages = serve(httpx_mock, Pages(rows(730)))
    assert next(oncall.teams.list()).name == "team 1"
    assert pages.asked == [1]


@either
def test_rows_moved_to_the_next_page_of_a_growing_list_appear_once(
    counts: object, oncall: OnCall, httpx_mock: HTTPXMock
) -> None:
    newest = [{"id": f"TNEW{number}", "name": f"new {number}"} for number in range(7)]
    grown = threading.Event()

    def grow(number: int) -> None:
        if number > 1 and not grown.is_set():
            grown.set()
            pages.found[:0] = newest

    # One page follows the first, so the list grows before all pages that are read in parallel.
    pages = serve(httpx_mock, Pages(rows(100), counts=bool(counts), before=grow))
    assert [team.name for team in oncall.teams.list()] == names(100)
    assert pages.asked == [1, 2, 3]  # the total of the first page did not include the third


def test_shrinking_list_ends_although_pages_past_the_end_repeat_the_last(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    def shrink(number: int) -> None:
        if number > 1:
            del pages.found[60:]

    pages = serve(httpx_mock, Pages(rows(400), before=shrink))
    assert [team.name for team in oncall.teams.list()] == names(60)
    assert len(pages.asked) == len(set(pages.asked))
    assert set(pages.asked) <= set(range(1, 9))


def test_filters_are_sent_with_every_page(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    serve(httpx_mock, Pages(rows(130)))
    assert len(list(oncall.teams.list(name="a & b=ü"))) == 130
    assert [request.url.params["name"] for request in httpx_mock.get_requests()] == ["a & b=ü"] * 3


@pytest.mark.promise("goes-to-profiles-own-origin")
@either
def test_next_with_another_host_is_used_for_its_page_number_only(counts: object, oncall_at: OpenOnCall) -> None:
    with Wire(answer(200, {"results": rows(1, 900), "next": None})) as elsewhere:
        pages = Pages(rows(120), counts=bool(counts))

        def page(arrived: Arrived) -> bytes:
            made = pages.page(arrived.query)
            made["next"] = made["next"] and f"{elsewhere.url}/api/v1/teams/?{made['next'].partition('?')[2]}"
            return answer(200, made)

        with Wire(decide=page) as wire:
            assert [team.name for team in oncall_at(wire.url).teams.list()] == names(120)
        assert elsewhere.arrived == []
    assert sorted(each.query["page"] for each in wire.arrived) == ["1", "2", "3"]
    assert {each.path for each in wire.arrived} == {"/api/v1/teams/"}
    assert {each.headers["authorization"] for each in wire.arrived} == {TOKEN}


def test_repeated_server_error_fails_the_list(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    pages = Pages(rows(200))
    httpx_mock.add_callback(
        lambda request: httpx.Response(500) if request.url.params["page"] == "3" else pages(request), is_reusable=True
    )
    with pytest.raises(Unavailable, match="500"):
        list(oncall.teams.list())


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "teams",
        {},
        {"results": None},
        {"results": {}},
        {"results": [None]},
        {"results": ["T1"]},
        {"results": [{"name": "no id"}]},
        {"results": [{"id": 7, "name": "an id that is a number"}]},
        {"results": [{"id": "T1", "name": None}]},
    ],
    ids=json.dumps,
)
def test_json_other_than_a_result_page_is_unavailable(document: object, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=document)
    with pytest.raises(Unavailable, match=r"result page|from OnCall") as caught:
        list(oncall.teams.list())
    assert len(caught.value.message.splitlines()) == 1


@pytest.mark.parametrize("total", [None, "3", 0, -4, 1.5])
def test_invalid_total_is_ignored(total: object, oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"results": rows(2), "next": None, "total_pages": total})
    assert [team.name for team in oncall.teams.list()] == names(2)


def test_everything_is_fetched_once_for_several_threads(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    pages = serve(httpx_mock, Pages(rows(60)))
    got: list[int] = []
    askers = [threading.Thread(target=lambda: got.append(len(oncall.teams.everything()))) for _ in range(5)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(20)
    assert got == [60] * 5
    assert sorted(pages.asked) == [1, 2]


def promising(total: int, page: dict[str, Any]) -> dict[str, Any]:
    return page | {"total_pages": total}


@pytest.mark.parametrize("total", [10_001, 10**9, 10**30])
def test_list_that_claims_too_many_pages_is_refused_after_the_first(
    total: int, oncall: OnCall, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(json={"results": rows(2), "next": "?page=2", "total_pages": total})
    with pytest.raises(Unavailable, match=f"at least {total} result pages"):
        list(oncall.teams.list())
    assert len(httpx_mock.get_requests()) == 1


def test_limit_is_read_from_a_list_that_claims_too_many_pages(oncall: OnCall, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={"results": rows(2), "next": "?page=2", "total_pages": 10**9})
    assert [team.name for team in oncall.teams.list(2)] == names(2)


@pytest.mark.promise("response-cannot-fill-memory-or")
def test_endless_list_is_unavailable(oncall: OnCall, httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oncallctl.api.pagination.MOST_PAGES", 30)

    def more(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        return httpx.Response(200, json={"results": rows(2, 2 * number), "next": f"?page={number + 1}"})

    httpx_mock.add_callback(more, is_reusable=True)
    with pytest.raises(Unavailable, match="at least 31 result pages"):
        list(oncall.teams.list())
    assert len(httpx_mock.get_requests()) == 30


@either
@pytest.mark.parametrize("period", [1, 2], ids=["the same page", "two pages in turn"])
def test_list_that_repeats_its_pages_is_unavailable(
    period: int, counts: object, oncall: OnCall, httpx_mock: HTTPXMock
) -> None:
    def round_and_round(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        page = {"results": rows(2, 2 * (number % period)), "next": f"?page={number + 1}"}
        return httpx.Response(200, json=promising(5000, page) if counts else page)

    httpx_mock.add_callback(round_and_round, is_reusable=True)
    with pytest.raises(Unavailable, match="endless"):
        list(oncall.teams.list())
    assert len(httpx_mock.get_requests()) < 30


def test_list_that_repeats_rows_without_ids_is_unavailable(httpx_mock: HTTPXMock, oncall: OnCall) -> None:
    def same(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"results": [{"a": 1}], "next": f"?page={int(request.url.params['page']) + 1}"})

    httpx_mock.add_callback(same, is_reusable=True)
    with pytest.raises(Unavailable, match="endless"):
        list(raw.request("GET", "things/", []).rows(oncall))
