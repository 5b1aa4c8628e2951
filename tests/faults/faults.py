"""Table of faults between the program and a server, with the errors and numbers of requests that must follow.

`tests.unit.api.wire.Wire` plays a fault over a real socket, for every request.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from oncallctl.api.memory import ResponseTooLarge
from oncallctl.api.retry import ATTEMPTS, TimedOut
from oncallctl.api.transport import REDIRECTS
from oncallctl.errors import (
    AccessDenied,
    Conflict,
    NotFound,
    NotOnCall,
    OncallError,
    OutcomeUnknown,
    ServerRefused,
    Unavailable,
)
from tests import certificates
from tests.unit.api.wire import MOMENT, RESET, SILENCE, Reaction, Step, answer

ENOUGH = 2**20  # bytes; the tests of operations lower the limit for responses to this
ELSEWHERE = "{elsewhere}"  # placeholder for the URL of another server in a Location

Error = type[OncallError]


@dataclass(frozen=True)
class Fault:
    """A fault that every request meets.

    Attributes:
        reaction: sent instead of a response.
        read: error of a read.
        change: error of a change.
        reads: number of requests of a read that reach the server.
        changes: number of requests of a change that reach the server.
        listening: True if the server accepts connections.
        hangs: True if the timeout ends the request.
        certificate: certificate of a TLS server; "none" for a server without TLS behind an https URL.
        shape: True if the response is valid JSON, which some operations accept.
    """

    reaction: Reaction
    read: Error = Unavailable
    change: Error = OutcomeUnknown
    reads: int = ATTEMPTS
    changes: int = 1
    listening: bool = True
    hangs: bool = False
    certificate: str | None = None
    shape: bool = False


class Again(Iterable[Step]):
    """A reaction of several steps that can be played repeatedly. The steps in `forever` are repeated `LONG` times."""

    def __init__(self, *first: Step, forever: tuple[Step, ...] = ()) -> None:
        self._first, self._forever = first, forever

    def __iter__(self) -> Iterator[Step]:
        yield from self._first
        for _ in range(LONG if self._forever else 0):
            yield from self._forever


def refused(error: Error, reaction: bytes) -> Fault:
    return Fault(reaction, error, error, reads=1)


def throttled(reads: int, **headers: str) -> Fault:
    made = answer(429, {"detail": "Request was throttled."}, **headers)
    return Fault(made, Unavailable, Unavailable, reads, reads)


def hanging(*first: Step, forever: tuple[Step, ...] = ()) -> Fault:
    return Fault(Again(*first, forever=forever) if forever else Again(*first, SILENCE), TimedOut, hangs=True)


def unsafe(certificate: str) -> Fault:
    return Fault(answer(200, {"id": "X"}), Unavailable, Unavailable, 0, 0, certificate=certificate)


def moved(status: int, to: str, *, change: Error, reads: int = 1) -> Fault:
    return Fault(answer(status, text="moved", location=to), NotOnCall, change, reads)


def too_large(reaction: Reaction) -> Fault:
    return Fault(reaction, ResponseTooLarge, reads=1)


def good_json(document: object) -> Fault:
    return Fault(answer(200, document), reads=1, shape=True)


def bomb(size: int) -> bytes:
    """Return a response that is small, and large when it is decompressed."""
    return answer(200, text=gzip.compress(b"[" + b" " * size + b"]"), content_encoding="gzip")


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
LOGIN = "<!doctype html><title>Log in</title><form method=post>"
PIECE = b" " * 65536
LONG = 200  # repetitions that stand for an endless response; finite, so that a test fails instead of hanging

FAULTS: dict[str, Fault] = {
    "connections are refused": Fault(b"", Unavailable, Unavailable, 0, 0, listening=False),
    # Time
    "it hangs before the status": hanging(),
    "it hangs in the headers": hanging(HEAD),
    "it hangs in the body": hanging(HEAD + b"content-length: 4000\r\n\r\n{"),
    "the headers drip in": hanging(HEAD, forever=(MOMENT, b"x", MOMENT, b"-", MOMENT, b"y")),
    "the body drips in": hanging(HEAD + b"content-length: 40000\r\n\r\n", forever=(MOMENT, b" ")),
    "it goes on saying that it goes on": hanging(forever=(b"HTTP/1.1 100 Continue\r\n\r\n", MOMENT)),
    # Connections lost
    "a reset after the request was read": Fault(RESET),
    "a reset within the headers": Fault(Again(HEAD, RESET)),
    "a reset within the body": Fault(Again(HEAD + b"content-length: 4000\r\n\r\n{", RESET)),
    "the end instead of an answer": Fault(b""),
    "the end within the headers": Fault(HEAD),
    "the end within the body": Fault(answer(200, {"id": "X"}, content_length="4000")),
    "the end within a chunk": Fault(HEAD + b"transfer-encoding: chunked\r\n\r\nff\r\n{"),
    # No HTTP
    "another protocol": Fault(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "headers without end": Fault(Again(HEAD, forever=(b"x-more: " + b"y" * 8192 + b"\r\n",))),
    # Statuses
    "429 that asks to wait": throttled(4, retry_after="300"),
    "429 without a wait": throttled(ATTEMPTS),
    "429 with a wait that makes no sense": throttled(ATTEMPTS, retry_after="soon"),
    "429 with an absurd wait": throttled(1, retry_after="86400"),
    "500 with HTML": Fault(answer(500, text="<h1>Server Error (500)</h1>")),
    "500 with JSON": Fault(answer(500, {"detail": "oops"})),
    "502": Fault(answer(502, text="<h1>Bad Gateway</h1>")),
    "503": Fault(answer(503, text="")),
    "504": Fault(answer(504, text="<h1>Gateway Time-out</h1>")),
    "400": refused(ServerRefused, answer(400, {"name": ["This field is wrong."]})),
    "400 in a shape of its own": refused(ServerRefused, answer(400, [[["no"]], {"a": {"b": ["c"]}}, None, 7])),
    "401": refused(AccessDenied, answer(401, {"detail": "no"})),
    "403": refused(AccessDenied, answer(403, {"detail": "Invalid token."})),
    "404": refused(NotFound, answer(404, {"detail": "Not found."})),
    "404 with HTML": refused(NotOnCall, answer(404, text="<h1>Not Found</h1>")),
    "409": refused(Conflict, answer(409, {"detail": "no"})),
    # Nonsense
    "200 with a login page": Fault(answer(200, text=LOGIN)),
    "200 with a login page that says it is JSON": Fault(answer(200, text=LOGIN, content_type="application/json")),
    "half the JSON": Fault(answer(200, text='{"id": "X', content_type="application/json")),
    "JSON and more": Fault(answer(200, text='{"id": "X"} {"id": "Y"}', content_type="application/json")),
    "JSON that is no UTF-8": Fault(answer(200, text=b'{"id": "\xff\xfe"}', content_type="application/json")),
    "a number that is none": Fault(answer(200, text='{"id": "X", "name": NaN}', content_type="application/json")),
    "a number beyond all": Fault(answer(200, text='{"id": "X", "name": 1e400}', content_type="application/json")),
    "an integer with thousands of digits": Fault(answer(200, text="1" * 9999, content_type="application/json")),
    "JSON nested without end": Fault(answer(200, text="[" * 99_999, content_type="application/json")),
    "a compression that was not requested": Fault(answer(200, {"id": "X"}, content_encoding="br")),
    "a gzip that is none": Fault(answer(200, {"id": "X"}, content_encoding="gzip")),
    "half a gzip": Fault(answer(200, text=gzip.compress(b'{"id": "X"}')[:-9], content_encoding="gzip")),
    "an object of another kind": good_json({"unexpected": True, "results": {"id": "X"}}),
    "an id that is a number": good_json({"id": 7, "results": [{"id": 7}], "users": 1, "shifts": 1, "count": "x"}),
    "an array": good_json([{"id": "X"}]),
    "a text": good_json("fine"),
    "nothing at all": Fault(answer(200, text=""), reads=1, shape=True),
    # Size
    "a body without end": too_large(Again(HEAD + b"\r\n[", forever=(PIECE,))),
    "more than it takes": too_large(answer(200, text=b"[" + b" " * 2 * ENOUGH + b"]", content_type="application/json")),
    "a gzip bomb": too_large(bomb(64 * ENOUGH)),
    # Redirects
    "a redirect that goes round": moved(307, "/round/", change=NotOnCall, reads=REDIRECTS + 1),
    "a redirect to another host": moved(302, ELSEWHERE, change=OutcomeUnknown),
    "a redirect for good to another host": moved(308, ELSEWHERE, change=NotOnCall),
    "a redirect to see the result": moved(303, "http://elsewhere.invalid/login", change=OutcomeUnknown),
    # TLS
    "no TLS": unsafe("none"),
    **{f"a certificate that is {how}": unsafe(how) for how in certificates.WRONG},
}
