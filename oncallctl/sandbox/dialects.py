"""What tells the two servers apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Name = Literal["cloud", "oss"]

OSS_TYPES: Final = frozenset(
    [
        "grafana_alerting",
        "webhook",
        "alertmanager",
        "formatted_webhook",
        "kapacitor",
        "elastalert",
        "inbound_email",
        "manual",
        "zabbix",
        "grafana",
    ]
)
CLOUD_TYPES: Final = OSS_TYPES | frozenset(
    [
        "amazon_sns",
        "appdynamics",
        "curler",
        "datadog",
        "fabric",
        "heartbeat",
        "jira",
        "new_relic",
        "pagerduty",
        "pingdom",
        "prometheus",
        "sentry_platform",
        "servicenow",
        "stackdriver",
        "uptimerobot",
        "zendesk",
    ]
)


@dataclass(frozen=True)
class Dialect:
    """One of the two servers.

    Attributes:
        name: "cloud" or "oss".
        modes: the maintenance modes in this server's words, each with Cloud's word, which is what is stored.
        types: the types of integration that it knows; direct_paging is known besides.
        bearer: whether `Authorization: Bearer` is understood.
        page_cap: the most rows of one page; None where there is no cap.
        chat: the name of the last group of templates.
        app: the plug-in that alert groups are shown by.
    """

    name: Name
    modes: dict[str, str]
    types: frozenset[str]
    bearer: bool
    page_cap: int | None
    chat: str
    app: str

    @property
    def is_cloud(self) -> bool:
        """Whether this is Grafana Cloud IRM."""
        return self.name == "cloud"

    def notifies(self, role: str) -> bool:
        """True if users of a role are notified: on OSS editors and admins only.

        On Cloud permissions decide; in the sandbox all users have them.
        """
        return self.is_cloud or role in {"admin", "editor"}

    def mode(self, stored: str | None) -> str | None:
        """Say a stored mode in this server's words; disable_alerts, which OSS lacks, as its nearest: `debug`."""
        if stored is None:
            return None
        return next((word for word, mode in self.modes.items() if mode == stored), "debug")


CLOUD: Final = Dialect(
    name="cloud",
    modes={mode: mode for mode in ("silence_escalations", "group_alerts", "disable_alerts")},
    types=CLOUD_TYPES,
    bearer=True,
    page_cap=100,
    chat="msteams",
    app="grafana-irm-app",
)
OSS: Final = Dialect(
    name="oss",
    modes={"debug": "silence_escalations", "maintenance": "group_alerts"},
    types=OSS_TYPES,
    bearer=False,
    page_cap=None,
    chat="webhook",
    app="grafana-oncall-app",
)
DIALECTS: Final[dict[Name, Dialect]] = {"cloud": CLOUD, "oss": OSS}
