"""A collection served in result pages, like the engine's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

ELSEWHERE = "http://elsewhere.test/api/v1/teams/"


either = pytest.mark.parametrize("counts", [True, False], ids=["with total_pages", "older release"])
"""Marks tests of servers that give the number of pages, and of older releases that do not."""


def rows(count: int, start: int = 1) -> list[dict[str, Any]]:
    return [{"id": f"T{number:03}", "name": f"team {number}"} for number in range(start, start + count)]


class Pages:
    """Responds with result pages; beyond the end with the last one.

    Args:
        found: the rows; may be changed while they are served.
        most: the most rows on a page, even if more are requested.
        counts: True if the response has `total_pages`, which older releases lack.
        before: called with the page number before a page is made.
    """

    def __init__(
        self,
        found: Sequence[dict[str, Any]],
        *,
        most: int = 50,
        counts: bool = True,
        before: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.found = list(found)
        self.asked: list[int] = []
        self.sizes: set[str | None] = set()
        self._most = most
        self._counts = counts
        self._before = before
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=self.page(dict(request.url.params)))

    def page(self, query: dict[str, str]) -> dict[str, Any]:
        number = int(query.get("page", "1"))
        with self._lock:
            self.asked.append(number)
            self.sizes.add(query.get("perpage"))
        self._before(number)
        size = min(int(query.get("perpage", "50")), self._most)
        total = max(1, -(-len(self.found) // size))
        number = min(number, total)
        page = {
            "count": len(self.found),
            "next": f"{ELSEWHERE}?page={number + 1}&perpage={size}" if number < total else None,
            "previous": f"{ELSEWHERE}?page={number - 1}&perpage={size}" if number > 1 else None,
            "results": self.found[(number - 1) * size : number * size],
        }
        return page | {"current_page_number": number, "page_size": size, "total_pages": total} if self._counts else page
