"""Reading back after a page failed with a 500 response, to see whether the server created an alert group."""

from __future__ import annotations

import html
from http import HTTPStatus

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import read_back
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.errors import OutcomeUnknown, Unavailable
from oncallctl.escalation.page import Page
from oncallctl.escalation.reach import CHECK_SECONDS
from oncallctl.rota.paging_path import direct_paging

NEWEST = 20  # alert groups of one direct paging integration, each of which is a page


def settle(oncall: OnCall, page: Page, lost: OutcomeUnknown) -> None:
    """Read back whether a self-hosted engine created the alert group of a page, and add that to the error.

    The engine creates the alert group in one transaction. On SQLite, the transaction fails at once if another one has
    the lock. If the engine fails after the transaction, the group exists.

    Only the engine's own error page proves that the engine has ended the request: a proxy may send any 5xx response,
    even 500, while the engine is still working. The API does not show whom an existing alert group has notified.

    Raises:
        Unavailable: the engine failed and created no alert group.
        OutcomeUnknown: the alert groups cannot be read.
    """
    if oncall.is_cloud or page.alert_group or lost.http_status != HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    limited = oncall.with_deadline(CHECK_SECONDS)
    groups = read_back(lost, lambda: _matches(limited, page), bool, lost.hint or "")
    if groups:
        lost.message = f"{lost.message}; alert group {groups[0].id} may be this page"
        return
    if not lost.is_engine_crash:
        lost.message = f"{lost.message}; reading back found no new alert group"
        return
    raise Unavailable(
        f"the page to {page} failed with a 500 response, and no alert group was created: nobody was paged",
        hint="run the command again",
        http_status=lost.http_status,
    )


def _matches(oncall: OnCall, page: Page) -> list[AlertGroup]:
    """Return recent alert groups that this page may have created. An older page with the same texts matches, too."""
    integration = direct_paging(oncall, page.team)
    if integration is None:
        return []
    newest = oncall.alert_groups.list(NEWEST, integration_id=integration.id)
    return [group for group in newest if _may_be(group, page)]


def _may_be(group: AlertGroup, page: Page) -> bool:
    try:
        payload = group.raw["last_alert"]["payload"]["oncall"]
        stored = {name: payload[name] for name in ("title", "message", "permalink", "important")}
    except (KeyError, TypeError):  # not the engine's format, so any page may have created the group
        return True
    expected = {
        "title": stored["title"] if page.title is None else _escaped(page.title),
        "message": _escaped(page.message),
        "permalink": page.source_url,
        "important": page.team is not None and page.important,
    }
    return stored == expected


def _escaped(text: str | None) -> str | None:
    """Return a text as the engine stores it: trimmed and escaped."""
    return None if text is None else html.escape(text.strip(), quote=False)
