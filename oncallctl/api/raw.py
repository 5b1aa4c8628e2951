"""Any request below the API's root, for whatever has no command of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import PrivateAttr

from oncallctl.api import pagination
from oncallctl.api.client import OnCall
from oncallctl.api.pagination import ResultPage
from oncallctl.api.problems import API
from oncallctl.api.resources.base import Change, ServerObject
from oncallctl.api.strict_json import TooLarge, parse
from oncallctl.errors import InvalidInput, NotFound, NotOnCall
from oncallctl.text import masked

# No segment begins with a dot, none is empty, and nothing is percent-encoded: such a path cannot leave the root.
_PATH = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")
_NEVER = re.compile(r"[\x00-\x20\x7f\\#]")


class AnyResponse(ServerObject):
    """An answer of any shape, or an empty one."""

    id: str = ""
    _document: Any = PrivateAttr(default=None)

    @classmethod
    def read(cls, document: object, id_field: str = "id") -> Self:  # noqa: ARG003  # there is no ID
        """Take anything."""
        made = cls()
        made._document = document
        return made

    @property
    def document(self) -> Any:  # noqa: ANN401  # a JSON value
        """What was answered; None for an empty answer."""
        return self._document


@dataclass(frozen=True)
class Request:
    """A request that was asked for in its own words.

    Attributes:
        path: below the API's root.
        query: name -> values, not encoded.
        body: the JSON object, or None for no body.
    """

    method: str
    path: str
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: dict[str, Any] | None = None

    @property
    def change(self) -> Change[AnyResponse]:
        """The request as one that is sent once."""
        query = f"?{urlencode(self.query, doseq=True)}" if self.query else ""
        return Change(self.method, f"{self.path}{query}", self.body, AnyResponse)

    @property
    def is_page(self) -> bool:
        """Whether it wakes people."""
        return self.path.strip("/") == "escalation"

    def where_to_look(self) -> list[str]:
        """The words of the command that shows what became of it; an action of an object shows in the object."""
        if self.is_page:
            return ["alert-groups", "list", "--state", "firing", "--limit", "5"]
        return ["api", "GET", "/".join(self.path.strip("/").split("/")[:2]) + "/"]

    def described(self, oncall: OnCall) -> dict[str, Any]:
        """The request as `--dry-run` shows it."""
        return oncall.described(self.change)

    def read(self, oncall: OnCall) -> Any:  # noqa: ANN401  # a JSON value
        """Send it as a read, with retries.

        Raises:
            NotFound: what the path names is not there.
            NotOnCall: the server has no such path.
        """
        with self.refused():
            return oncall.transport.read(self.path, self.query).document

    def rows(self, oncall: OnCall) -> Iterator[object]:
        """Read all pages of a listing, and go through their rows.

        Raises:
            InvalidInput: it is no listing.
        """
        asked = self.query.get("perpage", [""])[-1]
        perpage = int(asked) if re.fullmatch(r"[1-9][0-9]{0,5}", asked) else None
        with self.refused():
            yield from pagination.rows(partial(self._page, oncall), perpage=perpage)

    def _page(self, oncall: OnCall, number: int, perpage: int, memory: int) -> ResultPage:
        query = {**self.query, "perpage": str(perpage), "page": str(number)}
        answer = oncall.transport.read(self.path, query, memory=memory)
        document = answer.document
        if isinstance(document, list):
            document = {"results": document}
        if not isinstance(document, dict) or not isinstance(document.get("results"), list):
            raise InvalidInput(f"the answer of {API}{self.path} has no pages", hint="leave out --paginate")
        return ResultPage(document, answer.memory)

    @contextmanager
    def refused(self) -> Iterator[None]:
        """Let a refusal speak of the path that was asked for."""
        try:
            yield
        except (NotFound, NotOnCall) as error:
            if isinstance(error, NotFound):
                error.hint = f"oncallctl api GET {self.path.partition('/')[0]}/ --paginate"
            elif error.http_status == 404:
                error.message = f"the server has no path {API}{self.path}"
                error.hint = "is it spelt right? If every path is unknown, the profile's url is not that of an OnCall"
            raise


def request(method: str, path: str, fields: Sequence[tuple[str, Any]]) -> Request:
    """Make a request.

    Args:
        method: GET, or one that changes something.
        path: with or without ``/api/v1/`` before it and a query behind it; its last slash stays as it is.
        fields: names and values: texts for the query of a GET, where a name may come again; else JSON values.

    Raises:
        InvalidInput: the path could lead out of the API, the query cannot be encoded, or a field of the body is named
            twice.
    """
    below, query = _split(path)
    if method == "GET":
        for name, text in fields:
            query.setdefault(name, []).append(text)
    try:
        urlencode(query, doseq=True)
    except UnicodeEncodeError as error:  # half of a surrogate pair: bytes of an argument that are no UTF-8
        raise InvalidInput(f"this cannot be sent as a query: {error}") from error
    if method == "GET":
        return Request(method, below, query)
    body = dict(fields)
    if len(body) < len(fields):
        raise InvalidInput(
            "--field names a field of the body twice", hint='a list is written as --field name=["a","b"]'
        )
    return Request(method, below, query, body or None)


def _split(text: str) -> tuple[str, dict[str, list[str]]]:
    path, _, query = text.partition("?")
    below = path.removeprefix("/").removeprefix(API.removeprefix("/"))
    if _NEVER.search(text) or not _PATH.fullmatch(below):
        raise InvalidInput(f"not a path of the API: {text!r}", hint=f"it is what follows {API}, such as integrations/")
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return below, found


def value(text: str) -> Any:  # noqa: ANN401  # a JSON value
    """Read a value: true, false, null, a number, an object, an array or a quoted text as JSON; else the text itself.

    Raises:
        InvalidInput: a number that is too large for any reader.
    """
    try:
        return parse(text)
    except TooLarge as error:
        raise InvalidInput(f"{text[:40]}: {error}") from error
    except (ValueError, RecursionError):
        return text


def listed(document: object) -> list[object]:
    """The rows of an answer: those of a page, of an array, or the one object that it is."""
    if isinstance(document, dict) and isinstance(document.get("results"), list):
        return list(document["results"])
    return list(document) if isinstance(document, list) else [document]


def without_secrets(document: object) -> object:
    """Hide what lets anyone raise alerts, in an object, an array or a page."""
    if isinstance(document, list):
        return [without_secrets(each) for each in document]
    if not isinstance(document, dict):
        return document
    hidden = masked(document)
    return {**hidden, "results": without_secrets(document["results"])} if "results" in document else hidden
