"""Requests over HTTP, the only module that knows httpx: which failures may be retried, and which never are.

A read may be repeated. A change is repeated only when it certainly did not arrive: the connection was never made, or
the server answered 429. Whatever else happens to it is an `OutcomeUnknown`, because a second page wakes people twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import httpx

from oncallctl.api.body import BadBody, BodyTooLarge, read_body
from oncallctl.api.clock import ServerClock
from oncallctl.api.masking import TokenMask
from oncallctl.api.memory import LARGEST_RESPONSE, ResponseTooLarge, refuse_too_large
from oncallctl.api.problems import API, from_answer, retry_after
from oncallctl.api.retry import Retries, Throttled, TimedOut
from oncallctl.api.strict_json import parse
from oncallctl.api.trust import system_trust
from oncallctl.api.urls import is_loopback
from oncallctl.errors import Bug, InvalidInput, NotOnCall, OncallError, OutcomeUnknown, Unavailable
from oncallctl.process import sent_changes
from oncallctl.times import now

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from oncallctl.api.deadline import Deadline


REDIRECTS = 3
PAGING = "escalation/"
PAGE_RATE_RETRIES = 3  # a page answered 429 is for a person who waits; nobody should learn of it a quarter hour later

_NEVER_ARRIVED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
# These say to send the same request elsewhere: nobody has carried it out. 302 and 303 are also how servers lead on to
# the result of what they have done, and the other ones say nothing about it.
_MOVED = {301, 307, 308}

Params = Mapping[str, str | int | Sequence[str]]


class TransportListener(Protocol):
    """Receives notes and debug messages."""

    def note(self, message: str) -> None:
        """Tell a person about a wait."""

    def warn(self, message: str) -> None:
        """Tell a person about a problem that does not end the command."""

    def debug(self, message: str) -> None:
        """Log a request, if that was asked for."""


@dataclass(frozen=True)
class Response:
    """A success.

    Attributes:
        document: its JSON value; None if the body is empty.
        memory: bytes that the body and the document take at most.
    """

    status: int
    document: Any
    memory: int = 0


class Transport:
    """Requests to one OnCall server, with its authorization.

    Args:
        base_url: up to but without ``/api/v1/``.
        headers: sent with every request, the authorization among them. They never go to another origin.
        timeout: seconds for one request.
        listener: told about waits and, on demand, requests.
        application: the WSGI application that answers instead of the network.

    Attributes:
        retries: repeats what fails, and waits for rate limits.
        heard: the headers of the last answer, whatever its status, their names in lower case.
        clock: the server's clock, as its responses tell it.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        timeout: float,
        listener: TransportListener,
        application: WSGIApplication | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.retries = Retries(timeout, listener.note, self._debug)
        self.heard: Mapping[str, str] = {}
        self.clock = ServerClock(listener.warn, is_local=application is not None)
        self._origin = _origin(httpx.URL(self.base_url))
        self._mask = TokenMask(headers["Authorization"].removeprefix("Bearer "))
        self._timeout = timeout
        self._listener = listener
        self._deadline: Deadline | None = None
        try:
            self._client = self._open(base_url, headers, application)
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise InvalidInput(
                f"the proxy that the environment names cannot be used: {error}",
                hint="look at HTTPS_PROXY and ALL_PROXY",
            ) from error

    def _open(self, base_url: str, headers: Mapping[str, str], application: WSGIApplication | None) -> httpx.Client:
        local = is_loopback(urlsplit(base_url).hostname or "")
        # Only gzip is asked for: how much of it is unpacked at a time can be limited.
        own = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "oncallctl"}
        client = httpx.Client(
            headers={**own, **headers},
            timeout=self._timeout,
            cookies=_NoCookies(),
            transport=httpx.WSGITransport(app=application) if application else None,
            verify=system_trust() if base_url.startswith("https:") else False,
            trust_env=not local,  # a proxy from the environment is not for this machine, and must not see its token
        )
        if application is None:
            self._deadline = _bounded(client)
        return client

    def within(self, seconds: float) -> Transport:
        """Return this transport, with the same connections, for requests that must end in so many seconds in all."""
        limited = copy(self)
        limited.retries = self.retries.within(seconds)
        return limited

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def url(self, path: str) -> str:
        """The whole URL of a path below the API's root."""
        return f"{self.base_url}{API}{path}"

    def read(self, path: str, params: Params | None = None, memory: int = LARGEST_RESPONSE) -> Response:
        """GET a path below the API's root, with retries.

        Args:
            path: below the API's root.
            params: the query, not encoded.
            memory: bytes that the response may take.

        Raises:
            ResponseTooLarge: the response takes more.
            Unavailable: no usable answer came, after the retries.
            OncallError: the answer is a refusal; see `oncallctl.api.problems`.
        """
        with self._token_kept():
            return self.retries.run(lambda timeout: self._read_once(path, params, memory, timeout), is_read=True)

    def change(self, method: str, path: str, body: object = None) -> Response:
        """Send a change; never again once it may have arrived.

        Args:
            method: POST, PUT, PATCH or DELETE.
            path: below the API's root.
            body: a JSON value, or what makes one at the moment of sending.

        Raises:
            Unavailable: it certainly did not arrive.
            OutcomeUnknown: it was sent, and what became of it could not be read.
            OncallError: the server refused it.
        """
        with self._token_kept():
            return self.retries.run(
                lambda timeout: self._change_once(method, path, body, timeout),
                rate_retries=PAGE_RATE_RETRIES if path == PAGING else None,
            )

    @contextmanager
    def _token_kept(self) -> Iterator[None]:
        """Keep the token out of every error: a server, or a proxy, may say back what it was sent."""
        try:
            yield
        except OncallError as error:
            error.message = self._mask.hide(error.message)
            error.args = (error.message,)
            error.hint = error.hint and self._mask.hide(error.hint)
            raise

    def _debug(self, message: str) -> None:
        self._listener.debug(self._mask.hide(message))

    def _read_once(self, path: str, params: Params | None, memory: int, timeout: float) -> Response:
        try:
            url = httpx.URL(self.url(path), params=dict(params) if params else None)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise InvalidInput(f"no server can be asked this: {error}", hint="give a shorter name, or an id") from error
        for _ in range(REDIRECTS + 1):
            try:
                request = self._client.build_request("GET", url, timeout=timeout)
                response, body = self._exchange(request, timeout, memory)
            except BodyTooLarge as error:
                raise ResponseTooLarge(f"the response to GET {API}{path} is too large: {error}") from error
            except (httpx.HTTPError, httpx.InvalidURL, BadBody) as error:
                kind = TimedOut if isinstance(error, httpx.TimeoutException) else Unavailable
                raise kind(f"no answer from {self._host}: {_reason(error)}", hint=_network_hint(error)) from error
            if not response.has_redirect_location:
                return self._success("GET", path, response, body, memory)
            url = self._same_origin(response, url)
        raise NotOnCall(f"GET {API}{path} is redirected round and round", hint="check the profile's url")

    def _same_origin(self, response: httpx.Response, url: httpx.URL) -> httpx.URL:
        try:
            target = url.join(response.headers["location"])
        except (httpx.InvalidURL, ValueError) as error:
            raise NotOnCall(
                f"the server redirects to what is not a URL: {error}",
                hint="check the profile's url",
                http_status=response.status_code,
            ) from error
        if _origin(target) != self._origin:
            raise NotOnCall(
                f"the server redirects to another host, {target.host}; it is not followed, and was not shown the token",
                hint="set the profile's url to the API's own address",
                http_status=response.status_code,
            )
        return target

    def _change_once(self, method: str, path: str, body: object, timeout: float) -> Response:
        try:
            content = body() if callable(body) else body
            request = self._client.build_request(method, self.url(path), json=content, timeout=timeout)
        except ValueError as error:  # half of a surrogate pair, or a number that JSON has not
            raise InvalidInput(f"this cannot be sent as JSON: {error}") from error
        sent = sent_changes.record(f"{method} {API}{path}")
        try:
            answer = self._send_change(method, path, request, timeout)
        except OutcomeUnknown:
            raise
        except (OncallError, Throttled):  # it did not arrive, or the server refused it
            sent.withdraw()
            raise
        sent.answer(answer.status, answer.document)
        return answer

    def _send_change(self, method: str, path: str, request: httpx.Request, timeout: float) -> Response:
        try:
            response, answered = self._exchange(request, timeout)
            return self._success(method, path, response, answered)
        except _NEVER_ARRIVED as error:
            raise Unavailable(f"cannot reach {self._host}: {_reason(error)}", hint=_network_hint(error)) from error
        except (httpx.HTTPError, BadBody) as error:
            raise OutcomeUnknown(f"{method} {API}{path} was sent, and its answer was lost: {_reason(error)}") from error
        except Unavailable as error:  # an answer, and not one that says what became of the change
            lost = OutcomeUnknown(
                f"{method} {API}{path} was sent, and the answer does not say what became of it: {error.message}",
                http_status=error.http_status,
            )
            lost.is_engine_crash = error.is_engine_crash
            raise lost from error
        except NotOnCall as error:
            if 300 <= (error.http_status or 0) < 400 and error.http_status not in _MOVED:
                raise OutcomeUnknown(
                    f"{method} {API}{path} was sent, and the server leads elsewhere, done or not: {error.message}",
                    hint=error.hint,
                    http_status=error.http_status,
                ) from error
            raise
        except (OncallError, Throttled):
            raise
        except Exception as error:  # whatever it is, the request may have been carried out
            raise OutcomeUnknown(
                f"{method} {API}{path} was sent, and its response could not be handled: {_reason(error)}"
            ) from error

    def _exchange(
        self, request: httpx.Request, timeout: float, memory: int = LARGEST_RESPONSE
    ) -> tuple[httpx.Response, bytes]:
        """Send one request and read its answer, within the time and size that one may have."""
        started, sent = time.monotonic(), now()

        def check_time() -> None:
            if time.monotonic() - started > timeout:
                raise httpx.ReadTimeout("the answer takes too long", request=request)

        with self._deadline.within(timeout) if self._deadline else nullcontext():
            response = self._client.send(request, stream=True)
            self.heard = heard = {name.lower(): self._mask.hide(value) for name, value in response.headers.items()}
            self.clock.observe(heard, sent, now())
            if self._deadline:
                self._deadline.watch(response.extensions.get("network_stream"), _unread_after(response))
            try:
                body = read_body(response.iter_raw(), response.headers.get("content-encoding", ""), check_time, memory)
            finally:
                response.close()
        took = (time.monotonic() - started) * 1000
        target = request.url.raw_path.decode("ascii", "replace")
        self._debug(f"{request.method} {target} -> {response.status_code} ({took:.0f} ms)")
        return response, body

    def _success(
        self, method: str, path: str, response: httpx.Response, body: bytes, memory: int = LARGEST_RESPONSE
    ) -> Response:
        content_type = response.headers.get("content-type", "")
        if not response.is_success:
            problem = from_answer(response.status_code, content_type, body, what=f"{method} {API}{path}")
            if response.status_code == 429:
                raise Throttled(problem.message, retry_after(response.headers.get("retry-after")))
            raise problem
        if not body.strip():
            return Response(response.status_code, None)
        needed = refuse_too_large(body, memory, f"{method} {API}{path}")
        try:
            return Response(response.status_code, self._mask.hide_in(parse(body), body), needed)
        except (ValueError, RecursionError) as error:
            raise Unavailable(
                f"the answer to {method} {API}{path} is not OnCall's ({content_type or 'no content type'})",
                hint="is the url right, and is there a proxy that wants a login?",
                http_status=response.status_code,
            ) from error

    @property
    def _host(self) -> str:
        return str(self._origin[1])


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _bounded(client: httpx.Client) -> Deadline:
    """Lay a limit on the time of a whole exchange below the client; httpx hands no backend on, so it is put in."""
    from oncallctl.api.deadline import Deadline

    deadline = Deadline()
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = deadline  # noqa: SLF001
            if not deadline.limits(transport._pool):  # noqa: SLF001
                raise Bug(
                    f"requests cannot be given a time limit with httpx {httpx.__version__}",
                    hint="install oncallctl with the versions of its lock file; this is a bug in oncallctl",
                )
    return deadline


def _unread_after(response: httpx.Response) -> Callable[[], bool]:
    """Return a function that is True if the connection holds data after the end of a response.

    Such data would be taken for the response to the next request. It is in the parser of httpcore, which has no public
    access to it; with a version that keeps it elsewhere, no connection is used twice.
    """
    try:
        stream: Any = response.stream
        parser = stream._stream._httpcore_stream._stream._connection._h11_state  # noqa: SLF001
    except AttributeError:
        return lambda: True
    return lambda: bool(parser.trailing_data[0])


class _NoCookies(CookieJar):
    """Ignores Set-Cookie: the API needs none, and Python prints a traceback for some of them."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Take no cookie."""


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _network_hint(error: Exception) -> str | None:
    if "CERTIFICATE_VERIFY_FAILED" in str(error) or "certificate" in str(error).lower():
        return "this machine does not trust the certificate; add your company's to the system's, or set SSL_CERT_FILE"
    if isinstance(error, httpx.TimeoutException):
        return "a slow server may need a longer --timeout"
    return "check the url and the network"
