"""What all resources share: server objects, and collections that are read one result page at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from oncallctl import parallel
from oncallctl.api import pagination
from oncallctl.api.pagination import ResultPage
from oncallctl.api.problems import API
from oncallctl.errors import InvalidInput, NotFound, Unavailable

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall

import re
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, PrivateAttr, ValidationError

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


FEW = 8  # members that are read one by one, at the same time, rather than with the whole list

Model = TypeVar("Model", bound=ServerObject)


@dataclass(frozen=True)
class Change(Generic[Model]):
    """A request that changes something, not yet sent.

    Attributes:
        body: the JSON object, what makes it at the moment of sending, or None.
        model: what the answer holds.
        needs: what it does, and the role that a self-hosted engine wants for it.
    """

    method: str
    path: str
    body: dict[str, Any] | Callable[[], dict[str, Any]] | None
    model: type[Model]
    needs: tuple[str, str] | None = None


@dataclass(frozen=True)
class TeamFilter:
    """A condition on whose members are: those of the team with this ID, or of no team (None)."""

    id: str | None

    @property
    def param(self) -> str:
        """The word that the server's own filter takes, where it has one (alert_groups recordings)."""
        return self.id or "null"

    def takes(self, member: ServerObject) -> bool:
        """Return True if the member belongs to the team, or to none if that is asked for."""
        return getattr(member, "team_id", None) == self.id


class NameObserver(Protocol):
    """Who wants to know what the members of whole collections are called.

    Attributes:
        named_by: the path of a collection -> the attribute that names its members.
    """

    named_by: Mapping[str, str]

    def keep(self, collection: str, names: Collection[str]) -> None:
        """Take the names of all members; does not fail."""


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
        """Read all members, or at most so many, in the server's order."""
        keeper = None if limit or filters else self.oncall.keeper
        attribute = keeper.named_by.get(self.path) if keeper else None
        names = []
        for document in pagination.rows(partial(self._page, filters), limit):
            member = self._read(document)
            if attribute:
                names.append(getattr(member, attribute))
            yield member
        if keeper and attribute:
            keeper.keep(self.path, names)

    def of_team(self, team: TeamFilter | None, limit: int | None = None) -> Iterator[Model]:
        """Yield members, optionally of one team or of none.

        Filters here because the self-hosted engine returns 500 for ``team_id``.
        """
        if team is None:
            yield from self.list(limit)
            return
        yield from islice(filter(team.takes, self.list()), limit)

    def everything(self) -> Sequence[Model]:
        """All members, read once however often this is asked."""
        with self._lock:
            if self._everything is None:
                self._everything = list(self.list())
            return self._everything

    def adopt(self, other: Resource[Model]) -> None:
        """Take over the members that were read through another connection to the same server."""
        self._everything = other._everything

    @property
    def is_complete(self) -> bool:
        """True if all members have been read already."""
        return self._everything is not None

    def several(self, idents: Collection[str]) -> dict[str, Model]:
        """Read members by id: a few one by one and at the same time, more with one reading of all.

        Returns:
            Id -> member, in the order asked for; one that there is not (any more) is left out.
        """
        wanted = list(dict.fromkeys(idents))
        if self._everything is not None or len(wanted) > FEW:
            known = {member.id: member for member in self.everything()}
            return {ident: known[ident] for ident in wanted if ident in known}
        found = parallel.in_order(self._get_if_there, wanted)
        return {ident: member for ident, member in zip(wanted, found, strict=True) if member is not None}

    def _get_if_there(self, ident: str) -> Model | None:
        try:
            return self.get(ident) if ID.fullmatch(ident) else None
        except NotFound:
            return None

    def _member(self, ident: str) -> str:
        if not ID.fullmatch(ident):
            raise InvalidInput(f"not an id: {ident!r}", hint="write name:… for a name that starts with id:")
        return f"{self.path}/{ident}/"

    def _read(self, document: object) -> Model:
        try:
            return self.model.read(document)
        except UnexpectedShape as error:
            raise Unavailable(f"an answer below {API}{self.path}/ is not OnCall's: {error}") from error

    def _page(self, filters: Mapping[str, str], number: int, perpage: int, memory: int) -> ResultPage:
        params: dict[str, str | int] = {**filters, "perpage": perpage, "page": number}
        answer = self.oncall.transport.read(f"{self.path}/", params, memory=memory)
        if not isinstance(answer.document, dict) or not isinstance(answer.document.get("results"), list):
            raise Unavailable(f"the answer of {API}{self.path}/ is not a page of OnCall's")
        return ResultPage(answer.document, answer.memory)
