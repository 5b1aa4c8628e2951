"""A transport whose waits take no time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest

from oncallctl.api.client import Dialect, OnCall
from oncallctl.api.transport import Transport
from oncallctl.config.profiles import Profile
from tests.unit.api.clock import Clock, RecordingListener

TOKEN = "a-token-that-nobody-else-may-see"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("transport", "retry"):
        monkeypatch.setattr(f"oncallctl.api.{module}.time", clock)
    monkeypatch.setattr("oncallctl.api.retry.SLICE", math.inf)  # a wait is one wait
    return clock


@pytest.fixture
def listener() -> RecordingListener:
    return RecordingListener()


OpenTransport = Callable[..., Transport]
OpenOnCall = Callable[..., OnCall]


@pytest.fixture
def transport_to(clock: Clock, listener: RecordingListener) -> Iterator[OpenTransport]:
    """Return a function that opens a transport to a URL, with the clock of the test."""
    opened: list[Transport] = []

    def open_it(url: str, timeout: float = 20) -> Transport:
        opened.append(Transport(url, {"Authorization": TOKEN}, timeout=timeout, listener=listener))
        return opened[-1]

    yield open_it
    for transport in opened:
        transport.close()


@pytest.fixture
def oncall_at(transport_to: OpenTransport) -> OpenOnCall:
    """Return a function that opens a server of either dialect at a URL."""

    def open_it(url: str, dialect: Dialect = Dialect.OSS) -> OnCall:
        return OnCall(transport_to(url), dialect, profile=Profile(name="test", url=url))

    return open_it
