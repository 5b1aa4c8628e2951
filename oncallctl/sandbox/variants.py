"""The differences between Cloud and the self-hosted engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

VariantName = Literal["cloud", "oss"]

OSS_TYPES: Final = frozenset(
    [
        "alertmanager",
        "elastalert",
        "formatted_webhook",
        "grafana",
        "grafana_alerting",
        "inbound_email",
        "kapacitor",
        "manual",
        "webhook",
        "zabbix",
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
class Variant:
    """A server that the sandbox imitates.

    Attributes:
        name: "cloud" or "oss".
        modes: the maintenance modes of this server, each with Cloud's name of it, which is stored.
        types: the types of integration, besides direct_paging.
        accepts_bearer: True if `Authorization: Bearer` is accepted.
        max_page_size: the largest page size; None if there is no limit.
        chat: the name of the last group of templates.
        app: the Grafana plugin that shows alert groups.
    """

    name: VariantName
    modes: dict[str, str]
    types: frozenset[str]
    accepts_bearer: bool
    max_page_size: int | None
    chat: str
    app: str

    @property
    def is_cloud(self) -> bool:
        """True for Grafana Cloud IRM."""
        return self.name == "cloud"

    def notifies(self, role: str) -> bool:
        """True if users of a role are notified: on OSS only editors and admins.

        On Cloud, permissions decide; in the sandbox all users have them.
        """
        return self.is_cloud or role in {"admin", "editor"}

    def mode(self, stored: str | None) -> str | None:
        """Return this server's name of a stored mode. OSS lacks disable_alerts, which is shown as `debug`."""
        if stored is None:
            return None
        return next((name for name, mode in self.modes.items() if mode == stored), "debug")


CLOUD: Final = Variant(
    name="cloud",
    modes={mode: mode for mode in ("silence_escalations", "group_alerts", "disable_alerts")},
    types=CLOUD_TYPES,
    accepts_bearer=True,
    max_page_size=100,
    chat="msteams",
    app="grafana-irm-app",
)
OSS: Final = Variant(
    name="oss",
    modes={"debug": "silence_escalations", "maintenance": "group_alerts"},
    types=OSS_TYPES,
    accepts_bearer=False,
    max_page_size=None,
    chat="webhook",
    app="grafana-oncall-app",
)
VARIANTS: Final[dict[VariantName, Variant]] = {"cloud": CLOUD, "oss": OSS}
