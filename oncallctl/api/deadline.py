"""A deadline for a complete exchange: connecting, TLS, every read and every write together.

The timeouts of httpx apply to each read, so a server that sends single bytes could keep a request waiting forever. The
deadline sits below httpx, in the network backend of its connection pool. The backend performs every wait for the
network, and limits it to the remaining time. (A watchdog that closes the connection would need a thread for each
request, and could not reach a connection that is still being made.)
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

from oncallctl import parallel

# A copy, because the type is private in httpcore.
SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class Deadline(httpcore.NetworkBackend):
    """A network backend with a deadline per thread, because each thread has one exchange at a time."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Limit all waits in the context to some seconds in total."""
        self._local.until = time.monotonic() + seconds
        try:
            yield
        finally:
            del self._local.until

    def remaining(self, error: type[httpcore.TimeoutException], timeout: float | None) -> float | None:
        """Return the remaining seconds, at most `timeout`; raise `error` if the deadline has passed."""
        until: float | None = getattr(self._local, "until", None)
        if until is None:
            return timeout
        seconds = until - time.monotonic()
        if seconds <= 0:
            raise error("the request took too long")
        return seconds if timeout is None else min(seconds, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the addresses of a host in turn. The remaining time is shared, because one address may not respond."""
        options = list(socket_options or ())
        addresses = _addresses(host, port, self.remaining(httpcore.ConnectTimeout, timeout))
        for index, address in enumerate(addresses, start=1):
            remaining = self.remaining(httpcore.ConnectTimeout, timeout)
            share = remaining and remaining / (len(addresses) - index + 1)
            try:
                return _Stream(self._inner.connect_tcp(address, port, share, local_address, options), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if index == len(addresses):
                    raise
        raise httpcore.ConnectError(f"{host} has no address")

    def is_observed_by(self, pool: httpcore.ConnectionPool) -> bool:
        """True if a connection pool observes this deadline. Tries a request with no time left, so nothing is sent."""
        with self.within(0):
            try:
                pool.handle_request(httpcore.Request("GET", "http://deadline.invalid/"))
            except httpcore.ConnectTimeout:
                return True
            except Exception:  # noqa: BLE001  # any other failure means that the pool used the network
                return False
        return False

    def close_if_unread(self, stream: object, response: object) -> None:
        """Do not reuse the connection if data follows the response, which is a stream of httpx."""
        if isinstance(stream, _Stream):
            stream.has_unread = _unread_after(response)


def _unread_after(response: Any) -> Callable[[], bool]:  # noqa: ANN401  # see below
    """Return a function that is True if the connection holds data after the end of a response.

    Such data would be read as the response to the next request. Its place is a private attribute of httpcore. With a
    version that has no such attribute, no connection is reused.
    """
    try:
        parser = response._stream._httpcore_stream._stream._connection._h11_state  # noqa: SLF001  # see above
    except AttributeError:
        return lambda: True
    return lambda: bool(parser.trailing_data[0])


def _addresses(host: str, port: int, seconds: float | None) -> list[str]:
    """Resolve a host in a thread: `getaddrinfo` has no timeout, and a signal does not interrupt it."""
    resolve = parallel.begin(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    try:
        found = resolve(seconds)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout("the name lookup took too long") from error
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(socket.getnameinfo(address, socket.NI_NUMERICHOST)[0] for *_, address in found))


class _Stream(httpcore.NetworkStream):
    """A connection whose waits end at the deadline.

    Attributes:
        has_unread: returns True if data follows the last response; True until `close_if_unread` is called.
    """

    has_unread: Callable[[], bool] = staticmethod(lambda: True)

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.remaining(httpcore.ReadTimeout, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.remaining(httpcore.WriteTimeout, timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        remaining = self._deadline.remaining(httpcore.ConnectTimeout, timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, remaining), self._deadline)

    def get_extra_info(self, info: str) -> object:
        if info == "is_readable" and self.has_unread():  # httpcore closes an idle connection that is readable
            return True
        return self._inner.get_extra_info(info)
