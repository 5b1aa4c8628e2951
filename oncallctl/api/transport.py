"""HTTP requests, and which failures are retried. The only module that imports httpx.

A read may be retried. A change is retried only if it certainly did not arrive: the connection failed, or the server
responded with 429. Any other failure of a change is an `OutcomeUnknown`, because a second page wakes people twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import httpx

from oncallctl.api.body import BadBody, BodyTooLarge, read_body
from oncallctl.api.clock import ServerClock
from oncallctl.api.masking import TokenMask
from oncallctl.api.memory import LARGEST_RESPONSE, ResponseTooLarge, refuse_too_large
from oncallctl.api.problems import API, error_from_response, retry_after
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
PAGE_RATE_RETRIES = 3  # a page must not be sent a quarter of an hour later: it is urgent

_NEVER_ARRIVED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
# 301, 307, 308: the server did not execute the request, but asks to resend it elsewhere. After other redirects, such as
# 302 and 303, the change may have been executed.
_MOVED = {301, 307, 308}

Params = Mapping[str, str | int | Sequence[str]]


class TransportListener(Protocol):
    """Receives notes and debug messages."""

    def note(self, message: str) -> None:
        """Show a message about a wait."""

    def warn(self, message: str) -> None:
        """Show a warning; the command continues."""

    def debug(self, message: str) -> None:
        """Log a request, if --verbose is given."""


@dataclass(frozen=True)
class Response:
    """A successful response.

    Attributes:
        document: the JSON value; None if the body is empty.
        memory: bytes that the body and the document take at most.
    """

    status: int
    document: object
    memory: int = 0


class Transport:
    """Requests to one OnCall server, with its authorization.

    Args:
        base_url: the URL without ``/api/v1/``.
        headers: sent with every request, including the authorization; never to another origin.
        timeout: seconds for one request.
        listener: receives messages about waits, and logs requests.
        application: a WSGI application that replaces the network.

    Attributes:
        retries: repeats failed operations, and waits for rate limits.
        last_headers: the headers of the last response of any status, with names in lower case.
        clock: the server's clock, estimated from its responses.
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
        self.last_headers: Mapping[str, str] = {}
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
                f"the proxy in the environment cannot be used: {error}",
                hint="check HTTPS_PROXY and ALL_PROXY",
            ) from error

    def _open(self, base_url: str, headers: Mapping[str, str], application: WSGIApplication | None) -> httpx.Client:
        local = is_loopback(urlsplit(base_url).hostname or "")
        # Accept only gzip, because its decompression can be bounded.
        defaults = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "oncallctl"}
        client = httpx.Client(
            headers={**defaults, **headers},
            timeout=self._timeout,
            cookies=_NoCookies(),
            transport=httpx.WSGITransport(app=application) if application else None,
            verify=system_trust() if base_url.startswith("https:") else False,
            trust_env=not local,  # no proxy from the environment for this machine: it must not see the token
        )
        if application is None:
            self._deadline = _set_deadline(client)
        return client

    def with_deadline(self, seconds: float) -> Transport:
        """Return a transport with the same connections, for requests that must all end within some seconds."""
        limited = copy(self)
        limited.retries = self.retries.with_deadline(seconds)
        return limited

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def url(self, path: str) -> str:
        """Return the complete URL of a path below the API's root."""
        return f"{self.base_url}{API}{path}"

    def read(self, path: str, params: Params | None = None, memory: int = LARGEST_RESPONSE) -> Response:
        """GET a path below the API's root, with retries.

        Args:
            path: below the API's root.
            params: the query, not encoded.
            memory: bytes that the response may take.

        Raises:
            ResponseTooLarge: the response takes more than `memory`.
            Unavailable: the last retry failed too.
            OncallError: the server refused the request; see `oncallctl.api.problems`.
        """
        with self._token_masked():
            return self.retries.run(lambda timeout: self._read_once(path, params, memory, timeout), is_read=True)

    def change(self, method: str, path: str, body: object = None) -> Response:
        """Send a change; never resend it once it may have arrived.

        Args:
            method: POST, PUT, PATCH or DELETE.
            path: below the API's root.
            body: a JSON value, or a function that returns it at the moment of sending.

        Raises:
            Unavailable: the change certainly did not arrive.
            OutcomeUnknown: the change was sent, and the response does not show the outcome.
            OncallError: the server refused the change.
        """
        with self._token_masked():
            return self.retries.run(
                lambda timeout: self._change_once(method, path, body, timeout),
                rate_retries=PAGE_RATE_RETRIES if path == PAGING else None,
            )

    @contextmanager
    def _token_masked(self) -> Iterator[None]:
        """Mask the token in every error, because a server or a proxy may echo the request."""
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
            url = httpx.URL(self.url(path), **({"params": dict(params)} if params else {}))  # None removes a query
        except (httpx.InvalidURL, UnicodeError) as error:
            raise InvalidInput(f"cannot build the request: {error}", hint="use a shorter name, or an ID") from error
        for _ in range(REDIRECTS + 1):
            try:
                request = self._client.build_request("GET", url, timeout=timeout)
                response, body = self._exchange(request, timeout, memory)
            except BodyTooLarge as error:
                raise ResponseTooLarge(f"the response to GET {API}{path} is too large: {error}") from error
            except (httpx.HTTPError, httpx.InvalidURL, BadBody) as error:
                kind = TimedOut if isinstance(error, httpx.TimeoutException) else Unavailable
                raise kind(f"no response from {self._host}: {_reason(error)}", hint=_network_hint(error)) from error
            if not response.has_redirect_location:
                return self._success("GET", path, response, body, memory)
            url = self._same_origin(response, url)
        raise NotOnCall(f"redirect loop: GET {API}{path}", hint="check the profile's url")

    def _same_origin(self, response: httpx.Response, url: httpx.URL) -> httpx.URL:
        try:
            target = url.join(response.headers["location"])
        except (httpx.InvalidURL, ValueError) as error:
            raise NotOnCall(
                f"the server redirects to an invalid URL: {error}",
                hint="check the profile's url",
                http_status=response.status_code,
            ) from error
        if _origin(target) != self._origin:
            raise NotOnCall(
                f"the server redirects to another host, {target.host}: not followed, and the token was not sent to it",
                hint="set the profile's url to the address of the API",
                http_status=response.status_code,
            )
        return target

    def _change_once(self, method: str, path: str, body: object, timeout: float) -> Response:
        try:
            content = body() if callable(body) else body
            request = self._client.build_request(method, self.url(path), json=content, timeout=timeout)
        except ValueError as error:  # half of a surrogate pair, or a number that is not JSON
            raise InvalidInput(f"cannot encode the request as JSON: {error}") from error
        sent = sent_changes.record(f"{method} {API}{path}")
        try:
            response = self._send_change(method, path, request, timeout)
        except OutcomeUnknown:
            raise
        except (OncallError, Throttled):  # it did not arrive, or the server refused it
            sent.withdraw()
            raise
        sent.record_response(response.status, response.document)
        return response

    def _send_change(self, method: str, path: str, request: httpx.Request, timeout: float) -> Response:
        try:
            response, content = self._exchange(request, timeout)
            return self._success(method, path, response, content)
        except _NEVER_ARRIVED as error:
            raise Unavailable(f"cannot reach {self._host}: {_reason(error)}", hint=_network_hint(error)) from error
        except (httpx.HTTPError, BadBody) as error:
            raise OutcomeUnknown(
                f"{method} {API}{path} was sent, and the response was lost: {_reason(error)}"
            ) from error
        except Unavailable as error:  # a response that does not show the outcome of the change
            lost = OutcomeUnknown(
                f"{method} {API}{path} was sent, and the response does not show its outcome: {error.message}",
                http_status=error.http_status,
            )
            lost.is_engine_crash = error.is_engine_crash
            raise lost from error
        except NotOnCall as error:
            if 300 <= (error.http_status or 0) < 400 and error.http_status not in _MOVED:
                raise OutcomeUnknown(
                    f"{method} {API}{path} was sent and may have been executed: {error.message}",
                    hint=error.hint,
                    http_status=error.http_status,
                ) from error
            raise
        except (OncallError, Throttled):
            raise
        except Exception as error:  # after any other failure, the request may have been executed
            raise OutcomeUnknown(
                f"{method} {API}{path} was sent, and its response could not be handled: {_reason(error)}"
            ) from error

    def _exchange(
        self, request: httpx.Request, timeout: float, memory: int = LARGEST_RESPONSE
    ) -> tuple[httpx.Response, bytes]:
        """Send one request and read the response, within the limits on time and memory."""
        started, sent = time.monotonic(), now()

        def check_time() -> None:
            if time.monotonic() - started > timeout:
                raise httpx.ReadTimeout("the response takes too long", request=request)

        with self._deadline.within(timeout) if self._deadline else nullcontext():
            response = self._client.send(request, stream=True)
            self.last_headers = headers = {
                name.lower(): self._mask.hide(value) for name, value in response.headers.items()
            }
            self.clock.observe(headers, sent, now())
            if self._deadline:
                self._deadline.close_if_unread(response.extensions.get("network_stream"), response.stream)
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
            problem = error_from_response(response.status_code, content_type, body, request=f"{method} {API}{path}")
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
                f"the response to {method} {API}{path} is not from OnCall ({content_type or 'no content type'})",
                hint="check the profile's url, and whether a proxy requires a login",
                http_status=response.status_code,
            ) from error

    @property
    def _host(self) -> str:
        return str(self._origin[1])


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _set_deadline(client: httpx.Client) -> Deadline:
    """Enforce a deadline on complete exchanges.

    httpx has no option for a network backend, so this sets private attributes, and then checks the effect.

    Raises:
        Bug: this version of httpx ignores the attributes.
    """
    from oncallctl.api.deadline import Deadline

    deadline = Deadline()
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001  # see above
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = deadline  # noqa: SLF001  # see above
            if not deadline.is_observed_by(transport._pool):  # noqa: SLF001  # see above
                raise Bug(
                    f"cannot set a deadline for requests with httpx {httpx.__version__}",
                    hint="install oncallctl with the versions of its lock file; this is a bug in oncallctl",
                )
    return deadline


class _NoCookies(CookieJar):
    """Ignores Set-Cookie: the API uses no cookies, and Python prints a traceback for some."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Ignore the cookies."""


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "the request took too long"
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _network_hint(error: Exception) -> str | None:
    if "CERTIFICATE_VERIFY_FAILED" in str(error) or "certificate" in str(error).lower():
        return "this machine does not trust the certificate: add your company's CA to the system, or set SSL_CERT_FILE"
    if isinstance(error, httpx.TimeoutException):
        return "increase --timeout if the server is slow"
    return "check the url and the network"
