"""Integrations: sources of alerts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field

from oncallctl.api import nouns
from oncallctl.api.resources.base import Change, Instant, RequiredRole, Resource, ServerObject

DIRECT_PAGING = "direct_paging"

# oncallctl shows Cloud's names. Self-hosted engines have other names for two modes, and lack the third one.
SILENCE, GROUP, DISABLE = "silence_escalations", "group_alerts", "disable_alerts"

OSS_MODES = {SILENCE: "debug", GROUP: "maintenance"}

CLOUD_MODES = {oss: cloud for cloud, oss in OSS_MODES.items()}


class DefaultRoute(BaseModel):
    """The route for alerts that match no other route."""

    id: str | None = None
    escalation_chain_id: str | None = None


class Integration(ServerObject):
    """A source of alerts; `maintenance_mode` is Cloud's name of the mode on both servers, or None."""

    name: str
    type: str
    team_id: str | None = None
    default_route: DefaultRoute | None = None
    templates: dict[str, Any] | None = None
    labels: list[dict[str, Any]] | None = None
    dynamic_labels: list[dict[str, Any]] | None = None
    server_mode: str | None = Field(default=None, alias="maintenance_mode")
    maintenance_started_at: Instant | None = None
    maintenance_end_at: Instant | None = None

    @property
    def maintenance_mode(self) -> str | None:
        """The mode of the active window, by Cloud's name, or None."""
        return CLOUD_MODES.get(self.server_mode, self.server_mode) if self.server_mode else None

    @property
    def is_direct_paging(self) -> bool:
        """True if the integration is for paging people directly."""
        return self.type == DIRECT_PAGING

    def has_label(self, key: str, value: str) -> bool:
        """True if the integration has the label."""
        return label_pairs(self.labels).get(key) == value


def label_pairs(labels: list[dict[str, Any]] | None) -> dict[str, str]:
    """Turn the API's label list, `[{"key": {"name"}, "value": {"name"}}]`, into a plain mapping."""
    pairs = {}
    for label in labels or []:
        key, value = label.get("key"), label.get("value")
        if isinstance(key, dict) and isinstance(value, dict):
            pairs[str(key.get("name"))] = str(value.get("name"))
    return pairs


ADMIN = RequiredRole("maintenance", "admin")


class Integrations(Resource[Integration]):
    """Sources of alerts, and their maintenance windows."""

    noun = nouns.INTEGRATIONS
    model = Integration

    def start_maintenance(self, ident: str, mode: str, seconds: int | Callable[[], int]) -> Change[Integration]:
        """Return the request that starts a window.

        Args:
            ident: the ID of the integration.
            mode: Cloud's name of the mode.
            seconds: the duration, or a function that returns it at the moment of sending. Must be positive: the engine
                accepts anything (maintenance recordings).

        Raises:
            Unsupported: this server does not know the mode.
            AccessDenied: this server returns 500 for service account tokens.
        """
        self.oncall.require_user_token("maintenance")
        if mode == DISABLE:
            self.oncall.require_cloud(f"maintenance mode {DISABLE}")
        word = mode if self.oncall.is_cloud else OSS_MODES.get(mode, mode)
        path = f"{self._member(ident)}maintenance_start"
        if isinstance(seconds, int):
            return Change("POST", path, {"mode": word, "duration": seconds}, Integration, ADMIN)
        return Change("POST", path, lambda: {"mode": word, "duration": seconds()}, Integration, ADMIN)

    def stop_maintenance(self, ident: str) -> Change[Integration]:
        """Return the request that stops a window. If none is active, an engine with Slack returns 500."""
        self.oncall.require_user_token("maintenance")
        return Change("POST", f"{self._member(ident)}maintenance_stop", None, Integration, ADMIN)

    def _checked(self, body: dict[str, Any]) -> dict[str, Any]:
        for field in ("labels", "dynamic_labels"):
            if body.get(field):
                self.oncall.require_cloud(field.replace("_", " "))
        return body
