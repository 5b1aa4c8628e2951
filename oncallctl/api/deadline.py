"""A time limit on the whole of an exchange: connecting, TLS, every read and every write together.

httpx's time-outs are for each read: a server that sends a byte of a header now and then is waited for without end. The
limit is laid below httpx, on the network backend of its connection pool: whatever waits for the network waits there,
and is given what is left of the time. (A watchdog that closes the connection would need a thread for each request, and
could not reach a connection that is not made yet.)
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

SocketOption = Any  # httpcore's own name for it is private


class Deadline(httpcore.NetworkBackend):
    """A network backend; each thread has one exchange at a time, and the limit is that thread's."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give what happens inside so many seconds in all."""
        self._local.until = time.monotonic() + seconds
        try:
            yield
        finally:
            del self._local.until

    def left(self, error: type[httpcore.TimeoutException], timeout: float | None) -> float | None:
        """The seconds that are left, at most `timeout`; raises `error` when there are none."""
        until: float | None = getattr(self._local, "until", None)
        if until is None:
            return timeout
        seconds = until - time.monotonic()
        if seconds <= 0:
            raise error("it took too long")
        return seconds if timeout is None else min(seconds, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        """Try the addresses of a host in turn, each with its share of what is left: one may be dead."""
        options = list(socket_options or ())
        addresses = _addresses(host, port, self.left(httpcore.ConnectTimeout, timeout))
        for index, address in enumerate(addresses, start=1):
            left = self.left(httpcore.ConnectTimeout, timeout)
            share = left and left / (len(addresses) - index + 1)
            try:
                return _Stream(self._inner.connect_tcp(address, port, share, local_address, options), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if index == len(addresses):
                    raise
        raise httpcore.ConnectError(f"{host} has no address")

    def limits(self, pool: httpcore.ConnectionPool) -> bool:
        """True if a pool of connections keeps to this limit. Nothing is sent: the time for it is over before."""
        with self.within(0):
            try:
                pool.handle_request(httpcore.Request("GET", "http://deadline.invalid/"))
            except httpcore.ConnectTimeout:
                return True
            except Exception:  # noqa: BLE001  # the pool went to the network
                return False
        return False

    def watch(self, stream: object, has_unread: Callable[[], bool]) -> None:
        """Use a connection again only while `has_unread` returns False."""
        if isinstance(stream, _Stream):
            stream.has_unread = has_unread


def _addresses(host: str, port: int, seconds: float | None) -> list[str]:
    """Look a host up, in a thread: the lookup itself has no time limit, and a signal does not end it."""
    look_up = parallel.begin(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    try:
        found = look_up(seconds)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout("the name lookup took too long") from error
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(socket.getnameinfo(address, socket.NI_NUMERICHOST)[0] for *_, address in found))


class _Stream(httpcore.NetworkStream):
    """A connection every wait of which ends with the deadline.

    Attributes:
        has_unread: whether data is left after the last response; until that is known, it is taken to be.
    """

    has_unread: Callable[[], bool] = staticmethod(lambda: True)

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(httpcore.ReadTimeout, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(httpcore.WriteTimeout, timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(httpcore.ConnectTimeout, timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # as httpcore has it
        if info == "is_readable" and self.has_unread():  # httpcore closes an idle connection that is readable
            return True
        return self._inner.get_extra_info(info)
