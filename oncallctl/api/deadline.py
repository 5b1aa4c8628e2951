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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

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
        addresses = _addresses(host, port)
        for index, address in enumerate(addresses, start=1):
            left = self.left(httpcore.ConnectTimeout, timeout)
            share = left and left / (len(addresses) - index + 1)
            try:
                return _Stream(self._inner.connect_tcp(address, port, share, local_address, options), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if index == len(addresses):
                    raise
        raise httpcore.ConnectError(f"{host} has no address")


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(socket.getnameinfo(address, socket.NI_NUMERICHOST)[0] for *_, address in found))


class _Stream(httpcore.NetworkStream):
    """A connection every wait of which ends with the deadline."""

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
        return self._inner.get_extra_info(info)
