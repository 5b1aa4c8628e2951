"""Reading a listing page by page."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from oncallctl import parallel
from oncallctl.errors import Unavailable

PER_PAGE = 100
MOST_PAGES = 10_000  # a million rows, and half an hour at the usual rate limit: no list of OnCall's is as long
STANDSTILL = 8  # pages in a row that bring nothing new; a list may grow by a page while one is read, not for ever


def rows(read: Callable[[int], dict[str, Any]], limit: int | None = None) -> Iterator[object]:
    """Read all rows of a listing, or at most so many; later pages eight at a time, in order, and each row once.

    Args:
        read: reads the page with this number, a mapping with a list of `results`.
        limit: how many rows are enough.

    Raises:
        Unavailable: the list has no end, or one that is beyond all reason.
    """
    seen: set[str] = set()
    before: list[Any] | None = None
    count = still = 0
    for results in _pages(read, limit):
        new = [row for row in results if _is_new(row, seen)]  # a list that grows while it is read repeats rows
        still = 0 if new and results != before else still + 1
        before = results
        if still == STANDSTILL:
            raise Unavailable(f"the list has no end: {STANDSTILL} pages in a row bring nothing new")
        for row in new:
            yield row
            count += 1
            if count == limit:
                return


def _is_new(row: object, seen: set[str]) -> bool:
    ident = row.get("id") if isinstance(row, dict) else None
    if not isinstance(ident, str):
        return True
    if ident in seen:
        return False
    seen.add(ident)
    return True


def _pages(read: Callable[[int], dict[str, Any]], limit: int | None) -> Iterator[list[Any]]:
    """Go to `total_pages` or a null `next`: beyond it the last page comes again."""
    page = read(1)
    yield page["results"]
    last = page["total_pages"] if isinstance(page.get("total_pages"), int) else 1
    if limit and page["results"]:
        last = min(last, math.ceil(limit / len(page["results"])))
    _must_end(last)
    for number, later in enumerate(parallel.in_order(read, range(2, last + 1)), start=2):
        if later["results"] == page["results"] and not _leads_on(later, number):
            return
        page = later
        yield page["results"]
    while page.get("next"):  # grown meanwhile, or a server without total_pages; only the number is taken from it
        last += 1
        _must_end(last)
        before, page = page, read(last)
        if page["results"] == before["results"] and not _leads_on(page, last):
            return
        yield page["results"]


def _must_end(pages: int) -> None:
    if pages > MOST_PAGES:
        raise Unavailable(f"the list has {pages} pages or more, which none of OnCall's has")


def _leads_on(page: Mapping[str, Any], number: int) -> bool:
    """Whether a page like the one before it is a new one after all: as many rows were added as fit on a page."""
    return re.search(rf"[?&]page={number + 1}(?!\d)", str(page.get("next"))) is not None
