"""`OnCall`: the client of a server, with its collections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from oncallctl.api.noun import Noun
from oncallctl.api.nouns import COLLECTIONS
from oncallctl.api.problems import API
from oncallctl.api.resources.base import Change, GenericResource, Model, NameObserver, Resource, UnexpectedShape
from oncallctl.api.transport import Transport
from oncallctl.errors import AccessDenied, OutcomeUnknown, Unsupported

if TYPE_CHECKING:
    from oncallctl.api.resources.alert_groups import AlertGroups
    from oncallctl.api.resources.alerts import Alerts
    from oncallctl.api.resources.escalation import Escalation
    from oncallctl.api.resources.escalation_chains import EscalationChains
    from oncallctl.api.resources.escalation_policies import EscalationPolicies
    from oncallctl.api.resources.integrations import Integrations
    from oncallctl.api.resources.on_call_shifts import OnCallShifts
    from oncallctl.api.resources.resolution_notes import ResolutionNotes
    from oncallctl.api.resources.routes import Routes
    from oncallctl.api.resources.schedules import Schedules
    from oncallctl.api.resources.shift_swaps import ShiftSwaps
    from oncallctl.api.resources.teams import Teams
    from oncallctl.api.resources.users import Users
    from oncallctl.config.profiles import Profile


class Dialect(StrEnum):
    """The kind of server: Grafana Cloud IRM, or a self-hosted OnCall engine."""

    CLOUD = "cloud"
    OSS = "oss"


_ROLES = ("none", "viewer", "editor", "admin")


class OnCall:
    """A client of one server, with one token.

    Each collection is an attribute, named like its path: ``oncall.escalation_chains``. It is imported and built when
    it is first used.

    Args:
        transport: already carries the authorization.
        dialect: the kind of server.
        profile: the profile of the server, for prompts.
        service_account: True if the token is a ``glsa_`` token.

    Attributes:
        name_observer: receives member names after a collection has been read in full.
    """

    name_observer: NameObserver | None = None

    if TYPE_CHECKING:
        alert_groups: AlertGroups
        alerts: Alerts
        escalation: Escalation
        escalation_chains: EscalationChains
        escalation_policies: EscalationPolicies
        integrations: Integrations
        on_call_shifts: OnCallShifts
        resolution_notes: ResolutionNotes
        routes: Routes
        schedules: Schedules
        shift_swaps: ShiftSwaps
        teams: Teams
        users: Users
    else:  # hidden from type checkers, which would accept a mistyped attribute because of it

        def __getattr__(self, name: str) -> object:
            """Build a collection when it is first used."""
            return vars(self).setdefault(name, self._build(name))  # atomic, so that all threads get the same object

    def __init__(
        self, transport: Transport, dialect: Dialect, *, profile: Profile, service_account: bool = False
    ) -> None:
        self.transport = transport
        self.profile = profile
        self.dialect = dialect
        self.service_account = service_account

    def collection(self, noun: Noun) -> Resource[Any]:
        """Return the collection of a kind of object."""
        collection: Resource[Any] = getattr(self, noun.path)
        return collection

    def _build(self, name: str) -> object:
        noun = COLLECTIONS.get(name)
        if noun and not noun.typed:
            return GenericResource(self, noun)
        if noun or name == "escalation":  # paging, which has no list and so is not a noun
            module = import_module(f"oncallctl.api.resources.{name}")
            return getattr(module, "".join(word.capitalize() for word in name.split("_")))(self)
        raise AttributeError(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()

    def now(self) -> datetime:
        """Return the present instant by the server's clock, in UTC."""
        return self.transport.clock.now()

    @property
    def is_cloud(self) -> bool:
        """True for Grafana Cloud IRM."""
        return self.dialect is Dialect.CLOUD

    def send(self, change: Change[Model]) -> Model:
        """Send a change once, and return the object in the response.

        Raises:
            OutcomeUnknown: the response was lost, or it is a success with an unexpected body.
        """
        with self._naming_role(change):
            response = self.transport.change(change.method, change.path, change.body)
        try:
            return change.model.read(response.document, change.id_field)
        except (UnexpectedShape, MemoryError, RecursionError) as error:
            reason = str(error) or type(error).__name__
            raise OutcomeUnknown(
                f"{change.method} {API}{change.path} got response {response.status} with an unexpected body: {reason}",
                http_status=response.status,
            ) from error

    def send_without_result(self, change: Change[Model]) -> None:
        """Send a change whose response is empty."""
        with self._naming_role(change):
            self.transport.change(change.method, change.path, change.body)

    @contextmanager
    def _naming_role(self, change: Change[Model]) -> Iterator[None]:
        """Add the required role to an error, because the engine's message does not name it."""
        try:
            yield
        except AccessDenied as error:
            required = change.required_role
            role = self.users.own_role() if required and not self.is_cloud else None
            if required and role in _ROLES and _ROLES.index(role) < _ROLES.index(required.role):
                error.message = (
                    f"{required.action} needs the {required.role.capitalize()} role; this token's user is {role}"
                )
                error.hint = f"log in with the API token of an {required.role}: oncallctl auth login"
            raise

    def dry_run_document(self, change: Change[Model]) -> dict[str, Any]:
        """Return a request as `--dry-run` shows it, without the authorization."""
        body = change.body() if callable(change.body) else change.body
        return {"method": change.method, "url": self.transport.url(change.path), "body": body}

    def require_cloud(self, thing: str) -> None:
        """Raise Unsupported on a self-hosted engine, which would ignore `thing` or fail."""
        if not self.is_cloud:
            raise Unsupported(
                f"{thing}: not supported by self-hosted OnCall engines, only by Grafana Cloud IRM",
                hint="if this server is Grafana Cloud, set the profile's api, or ONCALLCTL_API, to cloud",
            )

    def require_user_token(self, thing: str) -> None:
        """Raise AccessDenied for a service account, for which a self-hosted engine fails (auth recordings)."""
        if self.service_account and not self.is_cloud:
            raise AccessDenied(
                f"{thing} needs a user's API token: a self-hosted engine fails on service account tokens",
                hint="create a token in OnCall's settings and log in with it: oncallctl auth login",
            )

    @contextmanager
    def without_retries(self) -> Iterator[None]:
        """Turn off retries and waiting, for checks that must not delay a page."""
        self.transport.retries.enabled = False
        try:
            yield
        finally:
            self.transport.retries.enabled = True

    def with_deadline(self, seconds: float) -> OnCall:
        """Return a client for a check on the same server that ends within some seconds, without retries or waits."""
        limited = OnCall(
            self.transport.with_deadline(seconds),
            self.dialect,
            profile=self.profile,
            service_account=self.service_account,
        )
        limited.teams.reuse_fetched(self.teams)
        limited.users.reuse_fetched(self.users)
        return limited
