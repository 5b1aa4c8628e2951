"""What a handler can answer, and the refusals that end one early."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final


class Nothing:
    """The type of `NOTHING`."""


NOTHING: Final = Nothing()
"""An empty body, which is not the same as `null`."""


@dataclass(frozen=True)
class Answer:
    """A status with a JSON body, or an empty one."""

    body: object = NOTHING
    status: int = HTTPStatus.OK


class Refusal(Exception):
    """An answer that ends the handler.

    Attributes:
        status: the HTTP status.
        body: the JSON body; the shapes differ from one refusal to the next, as recorded.
    """

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Crash(Exception):
    """The place where the real server fails: 500 with a page of HTML."""


def bad_request(body: object) -> Refusal:
    """Refuse with 400 and the given JSON."""
    return Refusal(HTTPStatus.BAD_REQUEST, body)


def detail(message: str) -> Refusal:
    """Refuse with 400 and `{"detail": message}`."""
    return bad_request({"detail": message})


def not_found() -> Refusal:
    """Refuse with 404: the path is known, the object is not."""
    return Refusal(HTTPStatus.NOT_FOUND, {"detail": "Not found."})


def invalid_token() -> Refusal:
    """Refuse with 403, which is what the servers answer to every kind of bad token; never 401 (auth.jsonl)."""
    return Refusal(HTTPStatus.FORBIDDEN, {"detail": "Invalid token."})


def not_permitted() -> Refusal:
    """Refuse with 403: the token is good, its user may not."""
    return Refusal(HTTPStatus.FORBIDDEN, {"detail": "You do not have permission to perform this action."})


def page(title: str, text: str = "") -> str:
    """Write the page of HTML that stands for an error outside of the API."""
    return (
        f'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n'
        f"<body>\n  <h1>{title}</h1><p>{text}</p>\n</body>\n</html>\n"
    )


NOT_FOUND_PAGE: Final = page("Not Found", "The requested resource was not found on this server.")
CRASH_PAGE: Final = page("Server Error (500)")
BAD_REQUEST_PAGE: Final = page("Bad Request (400)")
