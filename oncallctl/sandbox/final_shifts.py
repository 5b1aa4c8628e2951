"""The shifts that a schedule comes to between two moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox import rows
from oncallctl.sandbox.answers import Answer, bad_request, not_found
from oncallctl.sandbox.fields import Checker, Invalid
from oncallctl.sandbox.moments import whole
from oncallctl.sandbox.rota import Shift, Span, shifts

if TYPE_CHECKING:
    import sqlite3

    from oncallctl.sandbox.calls import Call

LONGEST: Final = 365 * 86_400
DAY_FORMAT: Final = "%Y-%m-%d"
MINUTE_FORMAT: Final = "%Y-%m-%dT%H:%M"
REPORTED_SIZE: Final = 50


def final_shifts(call: Call) -> Answer:
    """Say who is on call between two moments: an entry for each user and shift, clipped, all in one page."""
    row = rows.by_id(call.db, "schedules", call.ids[0])
    if row is None:
        raise not_found()
    checker = Checker(dict(call.request.args))
    start = checker.read("start_date", _moment, required=True)
    end = checker.read("end_date", _moment, required=True)
    checker.done()
    assert start is not None  # noqa: S101 - both are required
    assert end is not None  # noqa: S101
    if start > end:
        raise bad_request({"non_field_errors": ["start_date must be less than or equal to end_date"]})
    if end - start > LONGEST:
        problem = "The difference between start_date and end_date must be less than one year (365 days)"
        raise bad_request({"non_field_errors": [problem]})
    span = Span(start, end)
    entries = [
        _entry(call.db, user_id, shift, span)
        for shift in shifts(call.db, row["id"], span, call.dialect)
        for user_id in shift.users
    ]
    return Answer(
        {
            "count": len(entries),
            "next": None,
            "previous": None,
            "results": entries,
            "current_page_number": 1,
            "page_size": REPORTED_SIZE,
            "total_pages": 1,
        }
    )


def _moment(value: object) -> float:
    text = str(value)
    for form in (DAY_FORMAT, MINUTE_FORMAT):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    raise Invalid("Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm, YYYY-MM-DD.")


def _entry(db: sqlite3.Connection, user_id: str, shift: Shift, span: Span) -> dict[str, object]:
    user = db.execute("SELECT username, email FROM users WHERE id = ?", (user_id,)).fetchone()
    return {
        "user_pk": user_id,
        "user_email": user["email"],
        "user_username": user["username"],
        "shift_start": whole(max(shift.span.start, span.start)),
        "shift_end": whole(min(shift.span.end, span.end)),
    }
