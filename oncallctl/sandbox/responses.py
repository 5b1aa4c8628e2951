"""Responses of the API, and the errors that end a handler early."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final


class EmptyBody:
    """The type of `EMPTY_BODY`."""


EMPTY_BODY: Final = EmptyBody()
"""No body at all; None is the JSON value `null`."""


@dataclass(frozen=True)
class SandboxResponse:
    """A status with a JSON body, or with an empty one."""

    body: object = EMPTY_BODY
    status: int = HTTPStatus.OK


class HttpError(Exception):
    """An error response.

    Attributes:
        status: the HTTP status.
        body: the JSON body; its shape differs between errors, as recorded.
    """

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class ServerCrash(Exception):
    """A request on which the real server crashes: 500 with an HTML page."""


def bad_request(body: object) -> HttpError:
    """Return a 400 error with a JSON body."""
    return HttpError(HTTPStatus.BAD_REQUEST, body)


def detail(message: str) -> HttpError:
    """Return a 400 error with the body `{"detail": message}`."""
    return bad_request({"detail": message})


def not_found() -> HttpError:
    """Return a 404 error for an unknown object of a known path."""
    return HttpError(HTTPStatus.NOT_FOUND, {"detail": "Not found."})


def invalid_token() -> HttpError:
    """Return a 403 error, which is the servers' response to every bad token; they never send 401 (auth.jsonl)."""
    return HttpError(HTTPStatus.FORBIDDEN, {"detail": "Invalid token."})


def not_permitted() -> HttpError:
    """Return a 403 error for a valid token whose user lacks the permission."""
    return HttpError(HTTPStatus.FORBIDDEN, {"detail": "You do not have permission to perform this action."})


def html_page(title: str, text: str = "") -> str:
    """Return the HTML page of an error outside of the API."""
    return (
        f'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n'
        f"<body>\n  <h1>{title}</h1><p>{text}</p>\n</body>\n</html>\n"
    )


NOT_FOUND_PAGE: Final = html_page("Not Found", "The requested resource was not found on this server.")
CRASH_PAGE: Final = html_page("Server Error (500)")
BAD_REQUEST_PAGE: Final = html_page("Bad Request (400)")
