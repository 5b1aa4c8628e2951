"""`OnCall`: one server with its collections, in either dialect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from oncallctl.api.problems import API
from oncallctl.api.resources.alert_groups import AlertGroups
from oncallctl.api.resources.alerts import Alerts
from oncallctl.api.resources.base import Change, Model, NameObserver, UnexpectedShape
from oncallctl.api.resources.escalation import Escalation
from oncallctl.api.resources.escalation_chains import EscalationChains
from oncallctl.api.resources.escalation_policies import EscalationPolicies
from oncallctl.api.resources.integrations import Integrations
from oncallctl.api.resources.on_call_shifts import OnCallShifts
from oncallctl.api.resources.resolution_notes import ResolutionNotes
from oncallctl.api.resources.routes import Routes
from oncallctl.api.resources.schedules import Schedules
from oncallctl.api.resources.teams import Teams
from oncallctl.api.resources.user_groups import UserGroups
from oncallctl.api.resources.users import Users
from oncallctl.api.resources.webhooks import Webhooks
from oncallctl.api.transport import Transport

if TYPE_CHECKING:
    from oncallctl.config.profiles import Profile
from oncallctl.errors import AccessDenied, OutcomeUnknown, Unsupported


class Dialect(StrEnum):
    """Which of the two servers it is: Grafana Cloud IRM, or the self-hosted OnCall engine."""

    CLOUD = "cloud"
    OSS = "oss"


_ROLES = ("none", "viewer", "editor", "admin")


class OnCall:
    """One server, one token.

    Args:
        transport: already carries the authorization.
        dialect: which server it is.
        profile: whose server it is, for prompts.
        service_account: whether the token is a ``glsa_`` one.

    Attributes:
        keeper: who is told what the members of whole collections are called.
    """

    keeper: NameObserver | None = None

    def __init__(
        self, transport: Transport, dialect: Dialect, *, profile: Profile, service_account: bool = False
    ) -> None:
        self.transport = transport
        self.profile = profile
        self.dialect = dialect
        self.service_account = service_account
        self.integrations = Integrations(self)
        self.teams = Teams(self)
        self.users = Users(self)
        self.alert_groups = AlertGroups(self)
        self.alerts = Alerts(self)
        self.resolution_notes = ResolutionNotes(self)
        self.schedules = Schedules(self)
        self.on_call_shifts = OnCallShifts(self)
        self.routes = Routes(self)
        self.escalation_chains = EscalationChains(self)
        self.escalation_policies = EscalationPolicies(self)
        self.webhooks = Webhooks(self)
        self.user_groups = UserGroups(self)
        self.escalation = Escalation(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()

    def now(self) -> datetime:
        """Return the present instant by the server's clock, in UTC."""
        return self.transport.clock.now()

    @property
    def is_cloud(self) -> bool:
        """Whether it is Grafana Cloud IRM."""
        return self.dialect is Dialect.CLOUD

    def send(self, change: Change[Model]) -> Model:
        """Send a change, once, and read the object it answers with.

        Raises:
            OutcomeUnknown: also when the answer is a success that is not such an object.
        """
        with self._role_named(change):
            answer = self.transport.change(change.method, change.path, change.body)
        try:
            return change.model.read(answer.document)
        except (UnexpectedShape, MemoryError, RecursionError) as error:
            reason = str(error) or type(error).__name__
            raise OutcomeUnknown(
                f"{change.method} {API}{change.path} was answered {answer.status}, but not as it should be: {reason}",
                http_status=answer.status,
            ) from error

    def discard(self, change: Change[Model]) -> None:
        """Send a change whose answer holds nothing."""
        with self._role_named(change):
            self.transport.change(change.method, change.path, change.body)

    @contextmanager
    def _role_named(self, change: Change[Model]) -> Iterator[None]:
        """Name the role in a refusal that is due to it: the engine only says that a permission is missing."""
        try:
            yield
        except AccessDenied as error:
            role = self.users.own_role() if change.needs and not self.is_cloud else None
            if change.needs and role in _ROLES and _ROLES.index(role) < _ROLES.index(change.needs[1]):
                what, least = change.needs
                error.message = f"{what} needs the {least.capitalize()} role; this token's user is {role}"
                error.hint = f"log in with the API token of an {least}: oncallctl auth login"
            raise

    def described(self, change: Change[Model]) -> dict[str, Any]:
        """The request as `--dry-run` shows it; the authorization is not part of it."""
        body = change.body() if callable(change.body) else change.body
        return {"method": change.method, "url": self.transport.url(change.path), "body": body}

    def cloud_only(self, thing: str) -> None:
        """Refuse what an OSS server would silently ignore or does not have."""
        if not self.is_cloud:
            raise Unsupported(
                f"{thing}: Grafana Cloud IRM has this, a self-hosted OnCall engine does not",
                hint="if this server is Grafana Cloud's, set the profile's api, or ONCALLCTL_API, to cloud",
            )

    def person_only(self, thing: str) -> None:
        """Refuse what the OSS engine answers to a service account with 500 or 403 (auth recordings)."""
        if self.service_account and not self.is_cloud:
            raise AccessDenied(
                f"{thing} needs a user's API token: a self-hosted engine fails on service account tokens",
                hint="create a token in OnCall's settings and log in with it: oncallctl auth login",
            )

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Try everything once and wait for nothing: for checks that must not hold up a page."""
        self.transport.retries.patient = False
        try:
            yield
        finally:
            self.transport.retries.patient = True

    def within(self, seconds: float) -> OnCall:
        """Return this server for a check that must end in so many seconds: nothing is retried or waited for."""
        limited = OnCall(
            self.transport.within(seconds), self.dialect, profile=self.profile, service_account=self.service_account
        )
        limited.teams.adopt(self.teams)
        limited.users.adopt(self.users)
        return limited
