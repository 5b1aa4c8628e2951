"""Settling a page whose response was a 500: whether the server created an alert group."""

from __future__ import annotations

import html
from http import HTTPStatus

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import look_again
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.errors import OutcomeUnknown, Unavailable
from oncallctl.escalation.page import Page
from oncallctl.escalation.reach import CHECK_SECONDS
from oncallctl.rota.paging_path import direct_paging

NEWEST = 20  # alert groups of one direct paging integration, each of which is a page


def settle(oncall: OnCall, page: Page, lost: OutcomeUnknown) -> None:
    """Find out what became of a page whose response was not a success, if that can be known.

    A self-hosted engine creates the alert group in one transaction, which fails at once while another one locks its
    SQLite database. If it fails after the transaction, the group exists. Only a 500 shows that the engine has ended the
    request: a gateway sends 502, 503 or 504 while it may go on. The log of an existing alert group is not in the API.

    Raises:
        Unavailable: the server created no alert group.
        OutcomeUnknown: the alert groups cannot be read.
    """
    if oncall.is_cloud or page.alert_group or lost.http_status != HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    limited = oncall.within(CHECK_SECONDS)
    groups = look_again(lost, lambda: _matches(limited, page), bool, lost.hint or "")
    if groups:
        lost.message = f"{lost.message}; alert group {groups[0].id} looks like it"
        return
    raise Unavailable(
        f"the page to {page} failed with a 500 response, and no alert group was created: nobody was paged",
        hint="run the command again",
        http_status=lost.http_status,
    )


def _matches(oncall: OnCall, page: Page) -> list[AlertGroup]:
    """Return the newest alert groups that this page may have created; an older page with the same texts is one, too."""
    integration = direct_paging(oncall, page.team)
    if integration is None:
        return []
    newest = oncall.alert_groups.list(NEWEST, integration_id=integration.id)
    return [group for group in newest if _may_be(group, page)]


def _may_be(group: AlertGroup, page: Page) -> bool:
    try:
        payload = group.raw["last_alert"]["payload"]["oncall"]
        said = {name: payload[name] for name in ("title", "message", "permalink", "important")}
    except (KeyError, TypeError):  # not what the engine sends: nothing is ruled out
        return True
    wanted = {
        "title": said["title"] if page.title is None else _escaped(page.title),
        "message": _escaped(page.message),
        "permalink": page.source_url,
        "important": page.team is not None and page.important,
    }
    return said == wanted


def _escaped(text: str | None) -> str | None:
    """Return a text as the engine stores it: it trims and escapes what it is sent."""
    return None if text is None else html.escape(text.strip(), quote=False)
