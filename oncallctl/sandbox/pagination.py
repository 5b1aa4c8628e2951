"""Result pages of lists."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from oncallctl.sandbox import BASE_URL
from oncallctl.sandbox.responses import SandboxResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from oncallctl.sandbox.requests import ApiRequest

T = TypeVar("T")

MAX_REPORTED_SIZE: Final = 100
"""OSS returns any number of rows and still reports a page_size of at most this."""


def page_of(request: ApiRequest, rows: Sequence[T], view: Callable[[T], object], *, size: int = 50) -> SandboxResponse:
    """Return one page of rows.

    A page number past the end yields the last page; an invalid page number the first page, an invalid page size the
    default size (integrations.jsonl, list_page_* and list_perpage_*). Links begin with BASE_URL; the Host
    header is ignored.

    Args:
        request: the request, with `page` and `perpage`.
        rows: all matching rows, in order.
        view: returns the JSON of a row.
        size: the default page size.
    """
    per_page = _positive(request.http.args.get("perpage"), size)
    if request.variant.max_page_size is not None:
        per_page = min(per_page, request.variant.max_page_size)
    pages = max(1, math.ceil(len(rows) / per_page))
    number = min(_positive(request.http.args.get("page"), 1), pages)
    start = (number - 1) * per_page
    return SandboxResponse(
        {
            "count": len(rows),
            "next": _link(request, number + 1) if number < pages else None,
            "previous": _link(request, number - 1) if number > 1 else None,
            "results": [view(row) for row in rows[start : start + per_page]],
            "page_size": min(per_page, MAX_REPORTED_SIZE),
            "current_page_number": number,
            "total_pages": pages,
        }
    )


def _positive(text: str | None, default: int) -> int:
    try:
        number = int(text or "")
    except ValueError:
        return default
    return number if number > 0 else default


def _link(request: ApiRequest, number: int) -> str:
    """Return the link to another page, with the filters sorted by name; the first page has no `page`."""
    pairs = [(name, value) for name, value in request.http.args.items(multi=True) if name != "page"]
    if number > 1:
        pairs.append(("page", str(number)))
    query = urlencode(sorted(pairs, key=lambda pair: pair[0]))
    return f"{BASE_URL}{request.http.path}" + (f"?{query}" if query else "")
