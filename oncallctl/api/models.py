"""What the server says, as far as this program looks at it.

Each model keeps the server's object whole in `raw`, with fields this program does not know: that is what scripts are
given. Field names and shapes: "Integrations HTTP API", "Teams HTTP API" and "Escalation HTTP API" of the documents, and
the recordings of the OSS engine.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

DIRECT_PAGING = "direct_paging"

# Cloud's words are the ones shown; OSS has words of its own for two of them, and nothing like the third.
SILENCE, GROUP, DISABLE = "silence_escalations", "group_alerts", "disable_alerts"
OSS_MODES = {SILENCE: "debug", GROUP: "maintenance"}
CLOUD_MODES = {oss: cloud for cloud, oss in OSS_MODES.items()}


FIRST, LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)
ID = re.compile(r"[A-Za-z0-9_-]+")  # what can be part of a path


def _instant(moment: datetime) -> datetime:
    return min(max(moment if moment.tzinfo else moment.replace(tzinfo=UTC), FIRST), LAST)


def _ident(text: str) -> str:
    if not ID.fullmatch(text):
        raise ValueError("not an id")
    return text


# A time that comes without a zone is taken as UTC, which is what both servers speak. What stands for ever is brought
# in so far that every zone's calendar has it.
Instant = Annotated[datetime, AfterValidator(_instant)]
# An id that other requests are made of.
Ident = Annotated[str, AfterValidator(_ident)]


class UnexpectedShape(ValueError):
    """The server's JSON is not the object that was expected; the message names the field."""


class ServerObject(BaseModel):
    """An object of the API that has an id."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    id: Ident
    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)

    @classmethod
    def read(cls, document: object) -> Self:
        """Check a JSON document and take what is needed of it.

        Raises:
            UnexpectedShape: it is not such an object.
        """
        try:
            made = cls.model_validate(document)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole answer"
            raise UnexpectedShape(f"{where}: {first['msg'].lower()}") from error
        if isinstance(document, dict):
            made._raw = document  # noqa: SLF001  # its own
        return made

    @property
    def raw(self) -> dict[str, Any]:
        """The server's object, whole."""
        return self._raw


class DefaultRoute(BaseModel):
    """Where an integration's alerts go when no other route takes them."""

    id: str | None = None
    escalation_chain_id: str | None = None


class Integration(ServerObject):
    """A source of alerts; `maintenance_mode` is None or Cloud's word, whatever the dialect."""

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
        """The mode of the window that is open, in Cloud's words, or None."""
        return CLOUD_MODES.get(self.server_mode, self.server_mode) if self.server_mode else None

    @property
    def is_direct_paging(self) -> bool:
        """Whether people are paged by hand through it."""
        return self.type == DIRECT_PAGING

    def has_label(self, key: str, value: str) -> bool:
        """Whether it carries this label."""
        return label_pairs(self.labels).get(key) == value


class Team(ServerObject):
    """A team of the organisation."""

    name: str


class User(ServerObject):
    """A person; `teams` are ids."""

    username: str
    email: str | None = None
    teams: list[str] | None = None

    @property
    def role(self) -> str | None:
        """The role in the organization: admin, editor, viewer or none; None if the server does not tell."""
        role = self.raw.get("role")
        return role if isinstance(role, str) else None


class AlertGroup(ServerObject):
    """Alerts that belong together; `state` is firing, acknowledged, resolved or silenced, `…_by` a user's id.

    The title of `raw` is escaped for HTML, as the engine escapes every title (escalation recordings).
    """

    state: str
    title: Annotated[str, AfterValidator(unescape)] | None = None
    integration_id: str | None = None
    team_id: str | None = None
    created_at: Instant | None = None
    acknowledged_by: str | None = None
    resolved_at: Instant | None = None
    resolved_by: str | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The server's object with the title as people read it, for a table."""
        return {**self.raw, "title": self.title}

    @property
    def route_id(self) -> str | None:
        """The route that it took; None if the server does not tell."""
        ident = self.raw.get("route_id")
        return ident if isinstance(ident, str) and ID.fullmatch(ident) else None


class Alert(ServerObject):
    """One alert of a group; `payload` is what the monitoring system sent."""

    alert_group_id: str | None = None
    created_at: Instant | None = None


class ResolutionNote(ServerObject):
    """What somebody wrote about an alert group; `author` is a user's id."""

    alert_group_id: str | None = None
    author: str | None = None
    text: str | None = None


class Schedule(ServerObject):
    """A rota; `type` is web, calendar or ical, and `time_zone` is None where the calendars decide."""

    name: str
    team_id: str | None = None
    type: str | None = None
    time_zone: str | None = None
    on_call_now: list[str] = []


class FinalShift(BaseModel):
    """A person and a time on call, after rotations and overrides have been laid over each other."""

    user_pk: str
    user_username: str | None = None
    user_email: str | None = None
    shift_start: Instant
    shift_end: Instant


class OnCallShift(ServerObject):
    """What a schedule is made of; `start` is a wall-clock time, `duration` is in seconds, users are ids."""

    type: str
    name: str | None = None
    schedule: str | None = None
    time_zone: str | None = None
    start: datetime | None = None
    duration: int | None = None
    users: list[str] | None = None
    rolling_users: list[list[str]] | None = None


class Route(ServerObject):
    """Which alerts of an integration go to which chain; the default route takes what is left."""

    integration_id: str | None = None
    escalation_chain_id: str | None = None
    routing_type: str | None = None
    routing_regex: str | None = None
    position: int | None = None
    is_default: bool = Field(default=False, alias="is_the_last_route")


class EscalationChain(ServerObject):
    """Whom to notify, in which order."""

    name: str
    team_id: str | None = None


class EscalationPolicy(ServerObject):
    """A step of a chain; which of the fields are there depends on its type.

    Attributes:
        duration: seconds.
        notify_if_time_from: such as ``09:00:00Z``, as is `notify_if_time_to`.
    """

    type: str | None = None
    escalation_chain_id: str | None = None
    position: int | None = None
    duration: float | None = None
    important: bool | None = None
    persons_to_notify: list[str] | None = None
    persons_to_notify_next_each_time: list[str] | None = None
    team_to_notify: str | None = None
    group_to_notify: str | None = None
    action_to_trigger: str | None = None
    notify_if_time_from: str | None = None
    notify_if_time_to: str | None = None
    num_alerts_in_window: int | None = None
    num_minutes_in_window: int | None = None
    severity: str | None = None
    schedule_id: Ident | None = Field(default=None, alias="notify_on_call_from_schedule")


class Webhook(ServerObject):
    """A request that OnCall sends out."""

    name: str | None = None


class UserGroup(ServerObject):
    """People whom Slack knows as a group."""

    slack: dict[str, Any] | None = None

    @property
    def name(self) -> str | None:
        """What Slack calls it."""
        return (self.slack or {}).get("name")


class Shift(BaseModel):
    """A time on call, as the Teams API of Cloud says it; `users` are ids."""

    schedule_id: str | None = None
    schedule_name: str | None = None
    shift_start: Instant | None = None
    shift_end: Instant | None = None
    users: list[str] = []


class OnCallDocument(BaseModel):
    """Who is on call for a team: the answer of `current_oncall`, `next_oncall` and `previous_oncall`."""

    count: int
    users: list[dict[str, Any]]
    shifts: list[Shift]


def label_pairs(labels: list[dict[str, Any]] | None) -> dict[str, str]:
    """Turn the API's label list, `[{"key": {"name"}, "value": {"name"}}]`, into a plain mapping."""
    pairs = {}
    for label in labels or []:
        key, value = label.get("key"), label.get("value")
        if isinstance(key, dict) and isinstance(value, dict):
            pairs[str(key.get("name"))] = str(value.get("name"))
    return pairs
