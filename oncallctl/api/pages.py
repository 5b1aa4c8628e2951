"""Reading a listing page by page."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from oncallctl import parallel

PER_PAGE = 100


def rows(read: Callable[[int], dict[str, Any]], limit: int | None = None) -> Iterator[object]:
    """Read all rows of a listing, or at most so many; later pages eight at a time, in order, and each row once.

    Args:
        read: reads the page with this number, a mapping with a list of `results`.
        limit: how many rows are enough.
    """
    seen: set[str] = set()
    count = 0
    for row in _with_repetitions(read, limit):
        ident = row.get("id") if isinstance(row, dict) else None
        if isinstance(ident, str):
            if ident in seen:  # a list that grows while it is read repeats rows
                continue
            seen.add(ident)
        yield row
        count += 1
        if count == limit:
            return


def _with_repetitions(read: Callable[[int], dict[str, Any]], limit: int | None) -> Iterator[object]:
    """Go to `total_pages` or a null `next`: beyond it the last page comes again."""
    page = read(1)
    yield from page["results"]
    last = page["total_pages"] if isinstance(page.get("total_pages"), int) else 1
    if limit and page["results"]:
        last = min(last, math.ceil(limit / len(page["results"])))
    for number, later in enumerate(parallel.in_order(read, range(2, last + 1)), start=2):
        if later["results"] == page["results"] and not _leads_on(later, number):
            return
        page = later
        yield from page["results"]
    while page.get("next"):  # grown meanwhile, or a server without total_pages; only the number is taken from it
        last += 1
        before, page = page, read(last)
        if page["results"] == before["results"] and not _leads_on(page, last):
            return
        yield from page["results"]


def _leads_on(page: Mapping[str, Any], number: int) -> bool:
    """Whether a page like the one before it is a new one after all: as many rows were added as fit on a page."""
    return re.search(rf"[?&]page={number + 1}(?!\d)", str(page.get("next"))) is not None
