"""Links to alert groups in the web interface."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.config.profiles import Profile
from oncallctl.errors import NotFound, OncallError

# Characters that a browser, a shell and a terminal take as part of an address.
_SAFE = re.compile(r"https://[\w.-]+(?::\d+)?/[\w:/.?=&%#~+,;-]*", re.ASCII)


def web_link(group: AlertGroup, profile: Profile) -> str:
    """Return the link of an alert group, from the response of the server.

    Raises:
        NotFound: there is no link.
        OncallError: the link is not https, or its host is not the Grafana of the profile.
    """
    links = group.raw.get("permalinks")
    link = links.get("web") if isinstance(links, dict) else None
    if not isinstance(link, str) or not link:
        raise NotFound(f"alert group {group.id} has no web link")
    host = urlsplit(profile.grafana_url).hostname if profile.grafana_url else None
    if not _SAFE.fullmatch(link) or host not in {None, urlsplit(link).hostname}:
        expected = f"an https link to {host}" if host else "an https link"
        raise OncallError(f"the web link of alert group {group.id} is not {expected}, so it is not opened: {link!r}")
    return link
