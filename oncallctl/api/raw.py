"""Requests to any endpoint of the API, for the command `api`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Self
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

# Segments are not empty and do not begin with a dot, and nothing is percent-encoded, so a path cannot leave the API.
_PATH = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\#]")


class AnyResponse(ServerObject):
    """A response of any shape, possibly empty."""

    id: str = ""
    _document: object = PrivateAttr(default=None)

    @classmethod
    def read(cls, document: object, id_field: str = "id") -> Self:  # noqa: ARG003  # the response needs no ID
        """Accept any JSON value."""
        made = cls()
        made._document = document
        return made

    @property
    def document(self) -> object:
        """The JSON value; None if the response is empty."""
        return self._document


@dataclass(frozen=True)
class Request:
    """A request to an endpoint.

    Attributes:
        path: the path below the API's root.
        query: name -> values, not encoded.
        body: the JSON object, or None for no body.
    """

    method: str
    path: str
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: dict[str, object] | None = None

    @property
    def change(self) -> Change[AnyResponse]:
        """The request as a change."""
        query = f"?{urlencode(self.query, doseq=True)}" if self.query else ""
        return Change(self.method, f"{self.path}{query}", self.body, AnyResponse)

    @property
    def pages_people(self) -> bool:
        """True if the request is a page, which wakes people."""
        return self.path.strip("/") == "escalation"

    def check_arguments(self) -> list[str]:
        """Return the arguments of the command that shows if the request took effect. An action shows in its object."""
        if self.pages_people:
            return ["alert-groups", "list", "--state", "firing", "--limit", "5"]
        return ["api", "GET", "/".join(self.path.strip("/").split("/")[:2]) + "/"]

    def read(self, oncall: OnCall) -> object:
        """Send the request as a read, with retries.

        Raises:
            NotFound: there is no such object.
            NotOnCall: the server has no such path.
        """
        with self.naming_path():
            return oncall.transport.read(self.path, self.query).document

    def rows(self, oncall: OnCall) -> Iterator[object]:
        """Yield the rows of all result pages.

        Raises:
            InvalidInput: the response is not a list.
        """
        given = self.query.get("perpage", [""])[-1]
        perpage = int(given) if re.fullmatch(r"[1-9][0-9]{0,5}", given) else None
        with self.naming_path():
            yield from pagination.rows(partial(self._result_page, oncall), perpage=perpage)

    def _result_page(self, oncall: OnCall, number: int, perpage: int, memory: int) -> ResultPage:
        query = {**self.query, "perpage": str(perpage), "page": str(number)}
        response = oncall.transport.read(self.path, query, memory=memory)
        document = response.document
        if isinstance(document, list):
            document = {"results": document}
        if not isinstance(document, dict) or not isinstance(document.get("results"), list):
            raise InvalidInput(f"the response of {API}{self.path} is not a list", hint="omit --paginate")
        return ResultPage(document, response.memory)

    @contextmanager
    def naming_path(self) -> Iterator[None]:
        """Name the given path in errors about unknown paths and objects."""
        try:
            yield
        except (NotFound, NotOnCall) as error:
            if isinstance(error, NotFound):
                error.hint = f"oncallctl api GET {self.path.partition('/')[0]}/ --paginate"
            elif error.http_status == 404:
                error.message = f"the server has no path {API}{self.path}"
                error.hint = "check the spelling; if all paths are unknown, the profile's url is not an OnCall API"
            raise


def request(method: str, path: str, fields: Sequence[tuple[str, object]]) -> Request:
    """Return a request.

    Args:
        method: the HTTP method.
        path: with or without a leading ``/api/v1/`` and a query; a trailing slash is kept.
        fields: names and values. For GET, texts for the query, in which a name may be repeated; otherwise JSON values
            for the body.

    Raises:
        InvalidInput: the path could leave the API, the query cannot be encoded, or a field of the body is repeated.
    """
    relative, query = _split(path)
    if method == "GET":
        for name, text in fields:
            query.setdefault(name, []).append(str(text))
    try:
        urlencode(query, doseq=True)
    except UnicodeEncodeError as error:  # half of a surrogate pair: bytes of an argument that are not UTF-8
        raise InvalidInput(f"cannot encode the query: {error}") from error
    if method == "GET":
        return Request(method, relative, query)
    body = dict(fields)
    if len(body) < len(fields):
        raise InvalidInput("--field repeats a field of the body", hint='for a list, use --field name=["a","b"]')
    return Request(method, relative, query, body or None)


def _split(text: str) -> tuple[str, dict[str, list[str]]]:
    path, _, query = text.partition("?")
    relative = path.removeprefix("/").removeprefix(API.removeprefix("/"))
    if _FORBIDDEN.search(text) or not _PATH.fullmatch(relative):
        raise InvalidInput(f"not a path of the API: {text!r}", hint=f"use the part after {API}, such as integrations/")
    values: dict[str, list[str]] = {}
    for name, text_value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(text_value)
    return relative, values


def value(text: str) -> object:
    """Parse a value as JSON; return the text itself if it is not JSON.

    Raises:
        InvalidInput: the value has a number that overflows a float.
    """
    try:
        return parse(text)
    except TooLarge as error:
        raise InvalidInput(f"{text[:40]}: {error}") from error
    except (ValueError, RecursionError):
        return text


def rows_of(document: object) -> list[object]:
    """Return the rows of a response: of a result page, of an array, or the single object."""
    if isinstance(document, dict) and isinstance(document.get("results"), list):
        return list(document["results"])
    return list(document) if isinstance(document, list) else [document]


def mask_secrets(document: object) -> object:
    """Mask the secrets in an object, an array or a result page."""
    if isinstance(document, list):
        return [mask_secrets(each) for each in document]
    if not isinstance(document, dict):
        return document
    hidden = masked(document)
    return {**hidden, "results": mask_secrets(document["results"])} if "results" in document else hidden
