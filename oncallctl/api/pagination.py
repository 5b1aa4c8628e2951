"""Pagination: reads the result pages of a list in parallel, within a memory limit."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from oncallctl import parallel
from oncallctl.api.memory import LARGEST_RESPONSE, MIB, ResponseTooLarge
from oncallctl.errors import Unavailable

PER_PAGE = 100
MOST_PAGES = 10_000  # a million rows, which take half an hour at the usual rate limit; no list of OnCall is as long
STANDSTILL = 8  # consecutive pages without new rows; a list that grows while it is read has fewer

LARGEST_PAGE = LARGEST_RESPONSE // 4  # bytes, for a result page of more than one row
IN_FLIGHT = LARGEST_RESPONSE  # bytes, for all pages that are requested but not yet yielded
MOST_AHEAD = 16


@dataclass(frozen=True)
class ResultPage:
    """A result page: the JSON document, and the memory in bytes that reading it took."""

    document: Mapping[str, Any]
    memory: int

    @property
    def results(self) -> list[Any]:
        """The rows."""
        rows: list[Any] = self.document["results"]
        return rows

    @property
    def total(self) -> int | None:
        """The number of pages, or None if the response has none."""
        total = self.document.get("total_pages")
        return total if isinstance(total, int) else None

    def repeats(self, before: ResultPage, number: int) -> bool:
        """True if this page repeats the previous one: beyond the end of a list, the server returns its last page.

        A page with a `next` link is new in spite of equal rows: exactly a page of rows has been added.
        """
        has_next = re.search(rf"[?&]page={number + 1}(?!\d)", str(self.document.get("next")))
        return self.results == before.results and not has_next


Fetch = Callable[[int, int, int], ResultPage]
"""Fetches a result page; takes its number, the rows per page, and the bytes of memory that it may take."""


def rows(
    fetch: Fetch, limit: int | None = None, perpage: int | None = None, *, id_field: str = "id"
) -> Iterator[object]:
    """Yield the rows of a list in order, each once.

    Args:
        fetch: raises `ResponseTooLarge` for a page that takes too much memory.
        limit: the maximum number of rows.
        perpage: rows per result page.
        id_field: the field that identifies a row.

    Raises:
        Unavailable: the list is endless, or has more than `MOST_PAGES` pages or a row that is too large.
    """
    seen: set[str] = set()
    before: list[Any] | None = None
    count = still = 0
    for results in _Pages(fetch, perpage or min(limit or PER_PAGE, PER_PAGE), limit):
        # A list that grows while it is read repeats rows.
        new = [row for row in results if _is_new(row, id_field, seen)]
        still = 0 if new and results != before else still + 1
        before = results
        if still == STANDSTILL:
            raise Unavailable(f"the list is endless: {STANDSTILL} consecutive result pages contain nothing new")
        for row in new:
            yield row
            count += 1
            if count == limit:
                return


def _is_new(row: object, id_field: str, seen: set[str]) -> bool:
    ident = row.get(id_field) if isinstance(row, dict) else None
    if not isinstance(ident, str):
        return True
    if ident in seen:
        return False
    seen.add(ident)
    return True


class _Pages:
    """The rows of each result page of a list.

    The first page is fetched alone. Its size decides how many of the next ones may be in flight. If one of those takes
    more than its share of the memory, it is fetched again alone, and the others are dropped.
    """

    def __init__(self, fetch: Fetch, perpage: int, limit: int | None) -> None:
        self._fetch = fetch
        self._perpage = perpage
        self._size = perpage  # rows on a page of the server, which may be fewer than requested
        self._limit = limit
        self._number = 1  # the number of the next page
        self._count = 0  # rows yielded so far
        self._page: ResultPage | None = None  # the last page yielded
        self._largest = 0  # memory of the largest page, in bytes

    def __iter__(self) -> Iterator[list[Any]]:
        """Iterate until `total_pages` or a null `next`, of which only the page number is used."""
        while True:
            page = self._fetch_alone()
            if self._page and page.repeats(self._page, self._number):
                return
            yield self._take(page)
            last = self._last(page)
            _check_page_count(last)
            ahead = min(max(IN_FLIGHT // (4 * self._largest), 1), MOST_AHEAD) if self._largest else MOST_AHEAD
            for later in parallel.in_order(self._fetcher(IN_FLIGHT // ahead), range(self._number, last + 1), ahead):
                if later is None:
                    break
                if later.repeats(page, self._number):
                    return
                page = later
                yield self._take(page)
            else:
                if not page.document.get("next"):
                    return
                _check_page_count(self._number)  # the list has grown meanwhile, or the response has no total

    def _take(self, page: ResultPage) -> list[Any]:
        self._page = page
        self._number += 1
        self._count += len(page.results)
        self._size = len(page.results) or self._size
        self._largest = max(self._largest, page.memory)
        return page.results

    def _last(self, page: ResultPage) -> int:
        """Return the number of the last page that is needed."""
        last = page.total or 1
        if self._limit and page.results:
            last = min(last, self._number - 1 + math.ceil((self._limit - self._count) / len(page.results)))
        return last

    def _fetcher(self, share: int) -> Callable[[int], ResultPage | None]:
        """Return a function that fetches a page, or returns None if it takes more than its share of the memory."""

        def fetch(number: int) -> ResultPage | None:
            try:
                return self._fetch(number, self._perpage, min(share, self._largest_allowed))
            except ResponseTooLarge:
                return None

        return fetch

    @property
    def _largest_allowed(self) -> int:
        return LARGEST_RESPONSE if self._perpage == 1 else LARGEST_PAGE

    def _fetch_alone(self) -> ResultPage:
        """Fetch the next page, with fewer rows on it if it is too large."""
        shrunk = False
        while True:
            try:
                page = self._fetch(self._number, self._perpage, self._largest_allowed)
            except ResponseTooLarge as error:
                if self._perpage == 1:
                    raise ResponseTooLarge(
                        f"a row of the list is too large: {error.message}", hint="exclude it with a filter"
                    ) from None
                self._shrink()
                shrunk = True
                continue
            if shrunk and (len(page.results) > self._perpage or (page.total or self._number) < self._number):
                raise Unavailable(
                    f"a result page takes more than {LARGEST_PAGE // MIB} MiB of memory, and the server ignores perpage"
                )
            return page

    def _shrink(self) -> None:
        """Reduce the rows per page to a number with which the next page begins at the same row."""
        smaller = next(rows for rows in range(max(self._size // 4, 1), 0, -1) if self._size % rows == 0)
        self._number = (self._number - 1) * (self._size // smaller) + 1
        self._perpage = self._size = smaller


def _check_page_count(pages: int) -> None:
    if pages > MOST_PAGES:
        raise Unavailable(f"the list has at least {pages} result pages, more than any list of OnCall's")
