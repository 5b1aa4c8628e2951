"""Reading a list page by page while it changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from oncallctl.api import pagination
from oncallctl.api.memory import ResponseTooLarge
from oncallctl.errors import Unavailable
from tests.unit.api.pages import Pages, either, rows


def read(served: Pages, limit: int | None = None, size: int = 2) -> list[Any]:
    return list(pagination.rows(fetching(served.page), limit, size))


def fetching(page: Callable[[dict[str, str]], dict[str, Any]]) -> pagination.Fetch:
    """Return pages like a server's that take no memory."""
    return lambda number, perpage, _: pagination.ResultPage(page({"page": str(number), "perpage": str(perpage)}), 0)


def once(change: Callable[[], object], *, at: int) -> Callable[[int], object]:
    """Call a function once, before a page with this number or a later one."""
    left, lock = [change], threading.Lock()

    def before(number: int) -> None:
        with lock:
            if number >= at and left:
                left.pop()()

    return before


@either
@pytest.mark.parametrize("size", [1, 2, 5])
def test_growing_list_loses_no_row(size: int, counts: object) -> None:
    def grow() -> None:
        served.found[:0] = added

    for new in (1, 2, 3, 4, 5, 7, 10):
        added = rows(new, 900)
        served = Pages(rows(11), counts=bool(counts), before=once(grow, at=2))
        found = read(served, size=size)
        assert [row for row in found if row in rows(11)] == rows(11)
        assert len({row["id"] for row in found}) == len(found)


@either
def test_rows_added_at_the_end_meanwhile_are_read(counts: object) -> None:
    def grow() -> None:
        served.found += rows(5, 6)

    served = Pages(rows(5), counts=bool(counts), before=once(grow, at=2))
    assert read(served) == rows(10)


@either
def test_shrinking_list_ends_and_repeats_nothing(counts: object) -> None:
    def shrink() -> None:
        del served.found[left:]

    for left in range(7):
        served = Pages(rows(9), counts=bool(counts), before=once(shrink, at=2))
        assert read(served) == rows(max(left, 2))  # the first page was read before
        assert len(served.asked) <= 5


def test_limit_counts_a_repeated_row_once() -> None:
    def grow() -> None:
        served.found[:0] = rows(1, 900)

    served = Pages(rows(9), before=once(grow, at=2))
    assert read(served, limit=4) == rows(4)


@either
def test_equal_rows_without_ids_are_all_yielded(counts: object) -> None:
    anonymous: list[Any] = [{"name": "a"}, {"name": "a"}, 1, None, "x", [], {"id": 7}, {"id": 7}, {"id": None}]
    served = Pages(anonymous, counts=bool(counts))
    assert read(served) == anonymous
    assert read(served, limit=7) == anonymous[:7]


def test_list_without_next_and_total_is_one_page() -> None:
    asked: list[int] = []

    def page(query: dict[str, str]) -> dict[str, Any]:
        asked.append(int(query["page"]))
        return {"results": rows(3)}

    assert list(pagination.rows(fetching(page))) == rows(3)
    assert asked == [1]


@pytest.mark.parametrize("onward", ["http://x/?page=2", "http://x/?page=no", "http://x/", "?perpage=3", 7, {"page": 3}])
def test_next_without_progress_ends_at_a_repeated_page(onward: object) -> None:
    asked: list[int] = []

    def page(query: dict[str, str]) -> dict[str, Any]:
        asked.append(int(query["page"]))
        assert len(asked) < 20, "endless reading"
        return {"results": [1, 2], "next": onward, **pages}

    for total in (None, 1, 5):
        asked.clear()
        pages = {"total_pages": total}
        assert list(pagination.rows(fetching(page))) == [1, 2]


def test_limit_that_is_reached_sends_no_further_requests() -> None:
    served = Pages(rows(40))
    found = pagination.rows(fetching(served.page), 3, 2)
    assert next(found) == rows(1)[0]
    assert served.asked == [1]
    assert list(found) == rows(2, 2)
    assert served.asked == [1, 2]


def too_large_from(served: Pages, most: int, first: int = 0) -> pagination.Fetch:
    """Refuse pages of more than `most` rows that contain a row from `first` on."""
    fetch = fetching(served.page)

    def refuse(number: int, perpage: int, memory: int) -> pagination.ResultPage:
        page = fetch(number, perpage, memory)
        if len(page.results) > most and any(row in served.found[first:] for row in page.results):
            raise ResponseTooLarge("too large")
        return page

    return refuse


@either
@pytest.mark.parametrize("capped", [50, 100])
def test_too_large_page_is_fetched_as_smaller_pages(capped: int, counts: object) -> None:
    anonymous = [{"name": f"row {number}"} for number in range(300)]
    for most, first in product((1, 6, 40), (0, 99, 120, 299)):
        served = Pages(anonymous, most=capped, counts=bool(counts))
        assert list(pagination.rows(too_large_from(served, most, first))) == anonymous, (most, first)


def test_limit_holds_if_pages_are_too_large() -> None:
    for limit in (1, 60, 150):
        served = Pages(rows(300), most=100)
        assert list(pagination.rows(too_large_from(served, 30), limit)) == rows(300)[:limit]


def test_too_large_row_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="a row of the list is too large"):
        list(pagination.rows(too_large_from(Pages(rows(300), most=100), 0, 150)))


def test_server_that_ignores_perpage_is_unavailable_before_rows_are_lost() -> None:
    served = Pages(rows(170))
    fetch = too_large_from(served, 49, 60)
    with pytest.raises(Unavailable, match="ignores perpage"):
        list(pagination.rows(lambda number, _, memory: fetch(number, 50, memory)))


def test_large_pages_are_fetched_fewer_at_a_time() -> None:
    running = most = 0
    lock = threading.Lock()

    def fetch(number: int, _: int, memory: int) -> pagination.ResultPage:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        assert number == 1 or size <= memory
        with lock:
            running -= 1
        return pagination.ResultPage({"results": rows(2, 2 * number), "total_pages": 40}, size)

    size = pagination.IN_FLIGHT // 9
    assert len(list(pagination.rows(fetch))) == 80
    assert most <= 2
