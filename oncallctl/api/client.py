"""`OnCall`: the server's integrations, teams, users, alert groups and escalation, in either dialect."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar

from oncallctl import parallel
from oncallctl.api.models import (
    DISABLE,
    OSS_MODES,
    AlertGroup,
    Integration,
    OnCallDocument,
    ServerObject,
    Team,
    UnexpectedShape,
    User,
)
from oncallctl.api.problems import API
from oncallctl.api.transport import Transport
from oncallctl.errors import AccessDenied, InvalidInput, NotFound, OncallError, OutcomeUnknown, Unavailable, Unsupported
from oncallctl.profiles import Profile

PER_PAGE = 100

Model = TypeVar("Model", bound=ServerObject)


class Dialect(StrEnum):
    """Which of the two servers it is: Grafana Cloud IRM, or the self-hosted OnCall engine."""

    CLOUD = "cloud"
    OSS = "oss"


@dataclass(frozen=True)
class Change(Generic[Model]):
    """A request that changes something, not yet sent.

    Attributes:
        body: the JSON object, what makes it at the moment of sending, or None.
        model: what the answer holds.
    """

    method: str
    path: str
    body: dict[str, Any] | Callable[[], dict[str, Any]] | None
    model: type[Model]


class OnCall:
    """One server, one token.

    Args:
        transport: already carries the authorization.
        dialect: which server it is.
        profile: whose server it is, for prompts.
        service_account: whether the token is a ``glsa_`` one.
    """

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
        self.escalation = Escalation(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()

    @property
    def is_cloud(self) -> bool:
        """Whether it is Grafana Cloud IRM."""
        return self.dialect is Dialect.CLOUD

    def send(self, change: Change[Model]) -> Model:
        """Send a change, once, and read the object it answers with.

        Raises:
            OutcomeUnknown: also when the answer is a success that is not such an object.
        """
        answer = self.transport.change(change.method, change.path, change.body)
        try:
            return change.model.read(answer.document)
        except UnexpectedShape as error:
            raise OutcomeUnknown(
                f"{change.method} {API}{change.path} was answered {answer.status}, but not as it should be: {error}",
                http_status=answer.status,
            ) from error

    def discard(self, change: Change[Model]) -> None:
        """Send a change whose answer holds nothing."""
        self.transport.change(change.method, change.path, change.body)

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
        self.transport.patient = False
        try:
            yield
        finally:
            self.transport.patient = True


class Resource(Generic[Model]):
    """A collection of the API: its path below the root, and what its members are."""

    path: str
    model: type[Model]

    def __init__(self, oncall: OnCall) -> None:
        self.oncall = oncall
        self._everything: Sequence[Model] | None = None
        self._lock = threading.Lock()

    def get(self, ident: str) -> Model:
        """Read one member by id.

        Raises:
            NotFound: there is none.
        """
        answer = self.oncall.transport.read(self._member(ident))
        return self._read(answer.document)

    def list(self, limit: int | None = None, **filters: str) -> Iterator[Model]:
        """Read all members, or at most so many; later pages eight at a time, in order, and each member once."""
        seen: set[str] = set()
        for document in self._documents(filters, limit):
            member = self._read(document)
            if member.id not in seen:  # a list that grows while it is read repeats rows
                seen.add(member.id)
                yield member
                if len(seen) == limit:
                    return

    def everything(self) -> Sequence[Model]:
        """All members, read once however often this is asked."""
        with self._lock:
            if self._everything is None:
                self._everything = list(self.list())
            return self._everything

    def _member(self, ident: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", ident):
            raise InvalidInput(f"not an id: {ident!r}", hint="write name:… for a name that starts with id:")
        return f"{self.path}/{ident}/"

    def _read(self, document: object) -> Model:
        try:
            return self.model.read(document)
        except UnexpectedShape as error:
            raise Unavailable(f"an answer below {API}{self.path}/ is not OnCall's: {error}") from error

    def _documents(self, filters: Mapping[str, str], limit: int | None) -> Iterator[object]:
        """Page through the collection, to `total_pages` or a null `next`: beyond it the last page comes again."""
        params = {**filters, "perpage": str(min(limit or PER_PAGE, PER_PAGE))}
        page = self._page(1, params)
        yield from page["results"]
        last = page["total_pages"] if isinstance(page.get("total_pages"), int) else 1
        if limit and page["results"]:
            last = min(last, math.ceil(limit / len(page["results"])))
        for later in parallel.in_order(lambda number: self._page(number, params), range(2, last + 1)):
            if later["results"] == page["results"]:  # past the end, where the last page comes again
                return
            page = later
            yield from page["results"]
        while page.get("next"):  # grown meanwhile, or a server without total_pages; only the number is taken from it
            last += 1
            before, page = page, self._page(last, params)
            if page["results"] == before["results"]:
                return
            yield from page["results"]

    def _page(self, number: int, params: Mapping[str, str]) -> dict[str, Any]:
        document = self.oncall.transport.read(f"{self.path}/", {**params, "page": number}).document
        if not isinstance(document, dict) or not isinstance(document.get("results"), list):
            raise Unavailable(f"the answer of {API}{self.path}/ is not a page of OnCall's")
        return document


class Integrations(Resource[Integration]):
    """Sources of alerts, and their maintenance windows."""

    path = "integrations"
    model = Integration

    def create(self, body: dict[str, Any]) -> Change[Integration]:
        """Create one; body as in "Create an integration" of the documents."""
        return Change("POST", "integrations/", self._checked(body), Integration)

    def update(self, ident: str, body: dict[str, Any]) -> Change[Integration]:
        """Change the fields given; the server treats PUT as PATCH."""
        return Change("PUT", self._member(ident), self._checked(body), Integration)

    def delete(self, ident: str) -> Change[Integration]:
        """Delete one; its alert groups stay."""
        return Change("DELETE", self._member(ident), None, Integration)

    def remove(self, integration: Integration) -> None:
        """Delete one; a lost answer is settled by looking for it.

        Raises:
            OutcomeUnknown: it is still there, or looking failed.
        """
        try:
            self.oncall.discard(self.delete(integration.id))
        except OutcomeUnknown as lost:
            try:
                self.get(integration.id)
            except NotFound:
                return
            except OncallError as error:
                raise OutcomeUnknown(f"{lost.message}; and looking for it failed: {error.message}") from error
            raise

    def start_maintenance(self, ident: str, mode: str, seconds: int | Callable[[], int]) -> Change[Integration]:
        """Open a window.

        Args:
            ident: the integration's id.
            mode: in Cloud's words.
            seconds: positive, for the engine would accept anything (maintenance recordings); or what tells the length
                when it is sent.

        Raises:
            Unsupported: this server does not know the mode.
            AccessDenied: this server answers 500 to such a token.
        """
        self.oncall.person_only("maintenance")
        if mode == DISABLE:
            self.oncall.cloud_only(f"maintenance mode {DISABLE}")
        word = mode if self.oncall.is_cloud else OSS_MODES.get(mode, mode)
        path = f"{self._member(ident)}maintenance_start"
        if isinstance(seconds, int):
            return Change("POST", path, {"mode": word, "duration": seconds}, Integration)
        return Change("POST", path, lambda: {"mode": word, "duration": seconds()}, Integration)

    def stop_maintenance(self, ident: str) -> Change[Integration]:
        """End the window. Look first: where none is open an engine with Slack answers 500."""
        self.oncall.person_only("maintenance")
        return Change("POST", f"{self._member(ident)}maintenance_stop", None, Integration)

    def _checked(self, body: dict[str, Any]) -> dict[str, Any]:
        for field in ("labels", "dynamic_labels"):
            if body.get(field):
                self.oncall.cloud_only(field.replace("_", " "))
        return body


class Teams(Resource[Team]):
    """Teams, and on Cloud who is on call for them."""

    path = "teams"
    model = Team

    def on_call(self, ident: str, when: str, **params: str | int) -> tuple[OnCallDocument, dict[str, Any]]:
        """Who is on call for a team; `when` is current, next or previous ("Teams HTTP API").

        Returns:
            The document as a model and whole.

        Raises:
            Unsupported: a self-hosted engine has no such endpoint.
        """
        self.oncall.cloud_only("who is on call, asked of the server")
        document = self.oncall.transport.read(f"{self._member(ident)}{when}_oncall/", params).document
        try:
            return OnCallDocument.model_validate(document), document
        except ValueError as error:
            raise Unavailable(f"the answer of {API}teams/{ident}/{when}_oncall/ is not OnCall's") from error


class Users(Resource[User]):
    """People."""

    path = "users"
    model = User

    def current(self) -> User:
        """Whose token it is."""
        self.oncall.person_only("whoami")
        return self.get("current")


class AlertGroups(Resource[AlertGroup]):
    """Alert groups; the filter says ``state=new`` where the body says ``firing``."""

    path = "alert_groups"
    model = AlertGroup


class Escalation:
    """Paging people by hand."""

    def __init__(self, oncall: OnCall) -> None:
        self.oncall = oncall

    def page(self, body: dict[str, Any]) -> Change[AlertGroup]:
        """Page a team or users; body as in "Escalation HTTP API"."""
        self.oncall.person_only("paging people")
        return Change("POST", "escalation/", body, AlertGroup)
