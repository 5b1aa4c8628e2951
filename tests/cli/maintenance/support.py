"""Helpers of the tests of maintenance windows."""

import json
from collections.abc import Callable

from werkzeug.wrappers import Response

from tests.serving import Fault, Serving

ONE = "C5BPMMTY9FMXJ"  # service-010, of data infra
START = f"POST /api/v1/integrations/{ONE}/maintenance_start"
STOP = f"POST /api/v1/integrations/{ONE}/maintenance_stop"
DIRECT_PAGING = "'Direct paging (platform team)'"


def silent(serving: Serving) -> bool:
    return serving.call("GET", f"integrations/{ONE}/")["maintenance_mode"] is not None


def pasted(hint: str) -> str:
    """Return the command line in a hint, without the program's name."""
    return hint.partition("oncallctl ")[2]


def age(serving: Serving) -> None:
    """Move the start of the window some seconds back, because the server truncates it to seconds."""
    import sqlite3

    with sqlite3.connect(serving.database) as database:
        database.execute("UPDATE integrations SET maintenance_started_at = maintenance_started_at - 9")


def expire(serving: Serving, integration: str = ONE) -> None:
    """Move a window back, so that it is past its end."""
    import sqlite3

    with sqlite3.connect(serving.database) as database:
        database.execute(
            "UPDATE integrations SET maintenance_started_at = maintenance_started_at - 36000,"
            " maintenance_end_at = maintenance_end_at - 36000 WHERE id = ?",
            (integration,),
        )


def responding_with(fields: dict[str, object]) -> Fault:
    """Carry out the request, and change fields of the response."""

    def changed(_request: object, answer: Callable[[], Response]) -> Response:
        return Response(json.dumps({**answer().json, **fields}), content_type="application/json")

    return changed
