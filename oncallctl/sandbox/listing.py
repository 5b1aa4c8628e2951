"""Lists in pages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from oncallctl.sandbox import BASE_URL
from oncallctl.sandbox.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from oncallctl.sandbox.calls import Call

T = TypeVar("T")

REPORTED_CAP: Final = 100
"""OSS hands out any number of rows and still reports no page_size above this."""


def listing(call: Call, rows: Sequence[T], view: Callable[[T], object], *, size: int = 50) -> Answer:
    """Answer with one page of rows.

    A page past the end is the last page, one before the first or unreadable the first; the same for an unreadable size
    (integrations.jsonl, list_page_* and list_perpage_*). Links are built from BASE_URL, whatever host was asked.

    Args:
        call: the request, with its `page` and `perpage`.
        rows: all rows that match, in order.
        view: turns one row into JSON.
        size: the rows of a page unless `perpage` says otherwise.
    """
    per_page = _positive(call.request.args.get("perpage"), size)
    if call.dialect.page_cap is not None:
        per_page = min(per_page, call.dialect.page_cap)
    pages = max(1, math.ceil(len(rows) / per_page))
    number = min(_positive(call.request.args.get("page"), 1), pages)
    first = (number - 1) * per_page
    return Answer(
        {
            "count": len(rows),
            "next": _link(call, number + 1) if number < pages else None,
            "previous": _link(call, number - 1) if number > 1 else None,
            "results": [view(row) for row in rows[first : first + per_page]],
            "page_size": min(per_page, REPORTED_CAP),
            "current_page_number": number,
            "total_pages": pages,
        }
    )


def _positive(text: str | None, otherwise: int) -> int:
    try:
        number = int(text or "")
    except ValueError:
        return otherwise
    return number if number > 0 else otherwise


def _link(call: Call, number: int) -> str:
    """Link to another page with the filters kept, sorted by name; the first page has no `page`."""
    pairs = [(name, value) for name, value in call.request.args.items(multi=True) if name != "page"]
    if number > 1:
        pairs.append(("page", str(number)))
    query = urlencode(sorted(pairs, key=lambda pair: pair[0]))
    return f"{BASE_URL}{call.request.path}" + (f"?{query}" if query else "")
