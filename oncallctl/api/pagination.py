"""Pagination: reading a list one result page after the other, several at a time, within a memory limit."""

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
MOST_PAGES = 10_000  # a million rows, and half an hour at the usual rate limit: no list of OnCall's is as long
STANDSTILL = 8  # pages in a row that bring nothing new; a list may grow by a page while one is read, not for ever

LARGEST_PAGE = LARGEST_RESPONSE // 4  # bytes, for a result page of more than one row
IN_FLIGHT = LARGEST_RESPONSE  # bytes, for all pages that are requested and not yet yielded
MOST_AHEAD = 16


@dataclass(frozen=True)
class ResultPage:
    """A result page: the server's object, and the memory in bytes that reading it took."""

    document: Mapping[str, Any]
    memory: int

    @property
    def results(self) -> list[Any]:
        """The rows."""
        rows: list[Any] = self.document["results"]
        return rows

    @property
    def total(self) -> int | None:
        """The number of pages, if the server gives it."""
        total = self.document.get("total_pages")
        return total if isinstance(total, int) else None

    def repeats(self, before: ResultPage, number: int) -> bool:
        """True if this page is the one before it again: beyond its end, a list answers with its last page.

        It is a new one after all if it leads on: then exactly as many rows were added as fit on a page.
        """
        leads_on = re.search(rf"[?&]page={number + 1}(?!\d)", str(self.document.get("next")))
        return self.results == before.results and not leads_on


# Fetches the result page with this number, of so many rows, and refuses a response that takes more memory than this.
Fetch = Callable[[int, int, int], ResultPage]


def rows(
    fetch: Fetch, limit: int | None = None, perpage: int | None = None, *, id_field: str = "id"
) -> Iterator[object]:
    """Yield the rows of a list, in order and each once.

    Args:
        fetch: raises `ResponseTooLarge` for a page that takes too much memory.
        limit: how many rows are enough.
        perpage: how many rows to ask for at a time.
        id_field: the field that tells rows apart.

    Raises:
        Unavailable: the list has no end, more pages than OnCall's lists have, or a row that is too large.
    """
    seen: set[str] = set()
    before: list[Any] | None = None
    count = still = 0
    for results in _Pages(fetch, perpage or min(limit or PER_PAGE, PER_PAGE), limit):
        new = [
            row for row in results if _is_new(row, id_field, seen)
        ]  # a list that grows while it is read repeats rows
        still = 0 if new and results != before else still + 1
        before = results
        if still == STANDSTILL:
            raise Unavailable(f"the list has no end: {STANDSTILL} pages in a row bring nothing new")
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

    A page is fetched alone first. Its size tells how many of the following ones may be in flight. When one of those
    takes more than its share of the memory, the others are dropped, and it is fetched alone.
    """

    def __init__(self, fetch: Fetch, perpage: int, limit: int | None) -> None:
        self._fetch = fetch
        self._perpage = perpage
        self._size = perpage  # rows that the server puts on a page: it may allow fewer than it is asked for
        self._limit = limit
        self._number = 1  # of the next page
        self._count = 0  # of the rows yielded
        self._page: ResultPage | None = None  # the last one yielded
        self._largest = 0  # bytes that a page took

    def __iter__(self) -> Iterator[list[Any]]:
        """Go to `total_pages` or a null `next`; of `next` only the page number is used."""
        while True:
            page = self._fetch_alone()
            if self._page and page.repeats(self._page, self._number):
                return
            yield self._take(page)
            last = self._last(page)
            _must_end(last)
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
                _must_end(self._number)  # the list has grown meanwhile, or the server gives no total

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
        """Return what fetches a page within its share of the memory; None stands for a page that takes more."""

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
                        f"a row of the list is too large: {error.message}", hint="leave it out with a filter"
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
        """Ask for fewer rows at a time, so many that the next page begins where the one that was too large did."""
        smaller = next(rows for rows in range(max(self._size // 4, 1), 0, -1) if self._size % rows == 0)
        self._number = (self._number - 1) * (self._size // smaller) + 1
        self._perpage = self._size = smaller


def _must_end(pages: int) -> None:
    if pages > MOST_PAGES:
        raise Unavailable(f"the list has {pages} pages or more, which none of OnCall's has")
