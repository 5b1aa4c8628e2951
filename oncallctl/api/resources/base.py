"""Base classes of resources: server objects, and collections that are read one result page at a time."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, Protocol, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PrivateAttr, ValidationError

from oncallctl import parallel
from oncallctl.api import pagination
from oncallctl.api.noun import Noun
from oncallctl.api.pagination import ResultPage
from oncallctl.api.problems import API
from oncallctl.errors import InvalidInput, NotFound, OncallError, OutcomeUnknown, Unavailable, Unsupported

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall

FIRST, LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)

ID = re.compile(r"[A-Za-z0-9_-]+")  # characters that are safe in a path

OWN = "current"  # a path segment that returns the caller's own object


def _instant(moment: datetime) -> datetime:
    return min(max(moment if moment.tzinfo else moment.replace(tzinfo=UTC), FIRST), LAST)


def _ident(text: str) -> str:
    if not ID.fullmatch(text):
        raise ValueError("not an ID")
    return text


# A time without a zone is UTC, which both servers use. Extreme dates (year 1, year 9999) are clamped, so that they can
# be converted to any time zone without overflow.
Instant = Annotated[datetime, AfterValidator(_instant)]

# An ID that is used in the path of other requests.
Ident = Annotated[str, AfterValidator(_ident)]


class UnexpectedShape(ValueError):
    """The server's JSON is not the expected object; the message names the field."""


class ServerObject(BaseModel):
    """An object of the API with an ID."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    id: Ident
    _raw: dict[str, Any] = PrivateAttr(default_factory=dict)

    @classmethod
    def read(cls, document: object, id_field: str = "id") -> Self:
        """Validate a JSON document.

        Raises:
            UnexpectedShape: the document is not such an object.
        """
        fields = document
        if id_field != "id" and isinstance(document, dict):
            fields = {**document, "id": document.get(id_field)}
        try:
            made = cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the response"
            raise UnexpectedShape(f"{where}: {first['msg'].lower()}") from error
        if isinstance(document, dict):
            made._raw = document  # noqa: SLF001  # an alternative constructor of the same class
        return made

    @property
    def raw(self) -> dict[str, Any]:
        """The server's object, complete."""
        return self._raw


FEW = 8  # up to this number of objects are fetched by ID, in parallel; for more, the complete list is fetched

Model = TypeVar("Model", bound=ServerObject)


class RequiredRole(NamedTuple):
    """A role that a self-hosted engine requires for an action, such as ("deleting routes", "admin")."""

    action: str
    role: str


@dataclass(frozen=True)
class Change(Generic[Model]):
    """A request that changes something, not yet sent.

    Attributes:
        body: the JSON object, a function that returns it at the moment of sending, or None.
        model: the object in the response.
        required_role: the role that a self-hosted engine requires, for the error message; None if not known.
        id_field: the field of the response that holds the ID.
    """

    method: str
    path: str
    body: dict[str, Any] | Callable[[], dict[str, Any]] | None
    model: type[Model]
    required_role: RequiredRole | None = None
    id_field: str = "id"


@dataclass(frozen=True)
class TeamFilter:
    """A condition on the team of an object: the team with this ID, or no team (None)."""

    id: str | None
    field: str = "team_id"

    @property
    def param(self) -> str:
        """The value for the server's own filter, if the collection has one (alert_groups recordings)."""
        return self.id or "null"

    def includes(self, member: ServerObject) -> bool:
        """True if the object belongs to the team."""
        return member.raw.get(self.field) == self.id


class NameObserver(Protocol):
    """Receives member names after a collection has been read in full."""

    def keep(self, noun: Noun, names: Collection[str]) -> None:
        """Store the names of all members; does not raise."""

    def keep_alert_groups(self, titles: Mapping[str, str]) -> None:
        """Store the IDs and titles of alert groups that were printed; does not raise."""


class Resource(Generic[Model]):
    """A collection of the API. Methods that return a `Change` send nothing."""

    noun: Noun
    model: type[Model]

    def __init__(self, oncall: OnCall) -> None:
        self.oncall = oncall
        self._everything: Sequence[Model] | None = None
        self._lock = threading.Lock()

    @property
    def path(self) -> str:
        """The path below the root of the API."""
        return self.noun.path

    def get(self, ident: str) -> Model:
        """Fetch one object by ID.

        Raises:
            NotFound: there is no such object.
        """
        self._check_token()
        if not self.noun.has_get:
            found = next((each for each in self.everything() if each.id == ident), None)
        else:
            found = self._read(self.oncall.transport.read(self._member(ident)).document)
            if self.noun.own_only and ident not in {found.id, OWN}:
                found = None
        if found is None:
            raise NotFound(
                f"no {self.noun.singular} has the ID {ident!r}", hint=f"list them: oncallctl {self.noun.name} list"
            )
        return found

    def list(self, limit: int | None = None, **filters: str) -> Iterator[Model]:
        """Yield all objects, or at most `limit`, in the server's order."""
        self._check_token()
        if self.noun.cloud_list and not self.oncall.is_cloud:
            raise Unsupported(
                f"{self.noun.name} list: self-hosted OnCall engines fail on this request",
                hint=f"oncallctl {self.noun.name} get",
            )
        observer = None if limit or filters or not self.noun.cached else self.oncall.name_observer
        names = []
        for document in pagination.rows(partial(self._page, filters), limit, id_field=self.noun.id_field):
            member = self._read(document)
            if observer:
                names.extend(self.noun.names_of(member.raw)[:1])
            yield member
        if observer:
            observer.keep(self.noun, names)

    def of_team(self, team: TeamFilter | None, limit: int | None = None, **filters: str) -> Iterator[Model]:
        """Yield objects, optionally of one team or of no team.

        Filters client-side because the self-hosted engine returns 500 for ``team_id``.
        """
        if team is None:
            yield from self.list(limit, **filters)
            return
        yield from islice((each for each in self.list(None, **filters) if team.includes(each)), limit)

    def everything(self) -> Sequence[Model]:
        """Return all objects; they are fetched only once."""
        with self._lock:
            if self._everything is None:
                self._everything = list(self.list())
            return self._everything

    def reuse_fetched(self, other: Resource[Model]) -> None:
        """Take over the objects that were fetched through another connection to the same server."""
        self._everything = other._everything

    @property
    def is_complete(self) -> bool:
        """True if all objects have been fetched already."""
        return self._everything is not None

    def several(self, idents: Collection[str]) -> dict[str, Model]:
        """Fetch objects by ID: up to `FEW` in parallel, more from the complete list.

        Returns:
            ID -> object, in the order of `idents`; objects that do not exist (any more) are left out.
        """
        wanted = list(dict.fromkeys(idents))
        if self._everything is not None or len(wanted) > FEW or not self.noun.has_get:
            known = {member.id: member for member in self.everything()}
            return {ident: known[ident] for ident in wanted if ident in known}
        found = parallel.in_order(self._get_if_there, wanted)
        return {ident: member for ident, member in zip(wanted, found, strict=True) if member is not None}

    def create(self, body: dict[str, Any]) -> Change[Model]:
        """Return the request that creates an object."""
        return self._change("POST", f"{self.path}/", self._checked(body), "creating")

    def update(self, ident: str, body: dict[str, Any]) -> Change[Model]:
        """Return the request that updates the fields in `body`; servers treat PUT as PATCH (recordings)."""
        return self._change("PUT", self._member(ident), self._checked(body), "updating")

    def delete(self, ident: str) -> Change[Model]:
        """Return the request that deletes an object."""
        return self._change("DELETE", self._member(ident), None, "deleting")

    def remove(self, found: Model) -> None:
        """Send the deletion of an object; if the response is lost, check whether the object still exists.

        Raises:
            OutcomeUnknown: the object still exists, or the check failed.
        """
        try:
            self.oncall.send_without_result(self.delete(found.id))
        except OutcomeUnknown as lost:
            try:
                self.get(found.id)
            except NotFound:
                return
            except OncallError as error:
                raise OutcomeUnknown(f"{lost.message}; and the check failed: {error.message}") from error
            raise

    def _change(self, method: str, path: str, body: dict[str, Any] | None, verb: str) -> Change[Model]:
        self._check_token()
        required = RequiredRole(f"{verb} {self.noun.plural}", self.noun.write_role)
        return Change(method, path, body, self.model, required, self.noun.id_field)

    def _checked(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body of a change, or raise an error if this server would ignore a part of it."""
        return body

    def _check_token(self) -> None:
        if self.noun.needs_user_token:
            self.oncall.require_user_token(self.noun.plural)

    def _get_if_there(self, ident: str) -> Model | None:
        try:
            return self.get(ident) if ID.fullmatch(ident) else None
        except NotFound:
            return None

    def _member(self, ident: str) -> str:
        if not ID.fullmatch(ident):
            raise InvalidInput(f"not an ID: {ident!r}", hint="use name:… for a name that starts with id:")
        return f"{self.path}/{ident}/"

    def _read(self, document: object) -> Model:
        try:
            return self.model.read(document, self.noun.id_field)
        except UnexpectedShape as error:
            raise Unavailable(f"a response of {API}{self.path}/ is not from OnCall: {error}") from error

    def _page(self, filters: Mapping[str, str], number: int, perpage: int, memory: int) -> ResultPage:
        params: dict[str, str | int] = {**filters, "perpage": perpage, "page": number}
        response = self.oncall.transport.read(f"{self.path}/", params, memory=memory)
        if not isinstance(response.document, dict) or not isinstance(response.document.get("results"), list):
            raise Unavailable(f"the response of {API}{self.path}/ is not a result page")
        return ResultPage(response.document, response.memory)


class GenericResource(Resource[ServerObject]):
    """A collection whose objects need neither typed fields nor methods."""

    model = ServerObject

    def __init__(self, oncall: OnCall, noun: Noun) -> None:
        super().__init__(oncall)
        self.noun = noun
