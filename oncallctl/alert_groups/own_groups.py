"""The alert groups that maintenance windows open for themselves.

A `group_alerts` window collects alerts below a group titled "Maintenance of <integration> for <duration>". That group
belongs to an integration that the API does not list, and for which it returns 404 (inbound recordings). Anybody who can
send an alert can write such a title, so it counts only on a group of such an integration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from oncallctl.api.client import OnCall
from oncallctl.api.resources.alert_groups import AlertGroup

_TITLE = re.compile(r"Maintenance of (.+) for .+", re.DOTALL)

Row = Mapping[str, Any]


def of_windows(oncall: OnCall, groups: Sequence[AlertGroup]) -> list[AlertGroup]:
    """Return the groups that maintenance windows opened for themselves."""
    titled = [group for group in groups if _integration_in_title(group.raw)]
    idents = {group.integration_id for group in titled}
    listed = oncall.integrations.several([ident for ident in idents if ident])
    return [group for group in titled if group.integration_id not in listed]


def with_integration(row: Row) -> Row:
    """Return a table row with the name of the integration in maintenance, if its own integration is not listed."""
    integration = row.get("integration")
    if not isinstance(integration, Mapping) or integration.get("name") != integration.get("id"):
        return row
    name = _integration_in_title(row)
    return {**row, "integration": {**integration, "name": name}} if name else row


def _integration_in_title(group: Row) -> str | None:
    """Return the name in the title of the window's alert, which is not escaped, or in the title of the group."""
    alert = group.get("last_alert")
    payload = alert.get("payload") if isinstance(alert, Mapping) else None
    for titled in (payload, group):
        title = titled.get("title") if isinstance(titled, Mapping) else None
        if isinstance(title, str) and (match := _TITLE.fullmatch(title)):
            return match[1]
    return None
