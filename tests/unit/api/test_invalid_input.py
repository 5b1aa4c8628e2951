"""Invalid input from both sides: texts that cannot be encoded, impossible hosts, overflowing dates, endless lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx
import pytest
from pytest_httpx import HTTPXMock

from oncallctl.api import raw
from oncallctl.api.transport import Transport
from oncallctl.api.urls import base_url
from oncallctl.errors import InvalidInput
from tests.unit.api.clock import Clock
from tests.unit.api.conftest import OpenOnCall, OpenTransport
from tests.unit.api.pages import rows
from tests.unit.api.wire import Wire, answer

OK = answer(200, {"id": "T1"})


ASKING = {
    "a name": lambda transport: transport.read("integrations/", {"name": "caf\udce9"}),
    "a text": lambda transport: transport.change("POST", "escalation/", {"title": "caf\udce9"}),
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING.keys())
def test_text_that_cannot_be_encoded_is_refused_unsent(
    ask: Callable[[Transport], object], transport_to: OpenTransport
) -> None:
    with Wire(OK) as wire, pytest.raises(InvalidInput):
        ask(transport_to(wire.url))
    assert wire.arrived == []


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("GET", "teams/?name=caf\udce9", []),
        ("GET", "teams/?caf\udce9=1", []),
        ("GET", "teams/", [("name", "caf\udce9")]),
        ("GET", "teams/", [("caf\udce9", "1")]),
        ("POST", "teams/?name=caf\udce9", [("name", "x")]),
    ],
)
def test_query_that_cannot_be_encoded_is_invalid_input(
    method: str, path: str, fields: Sequence[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidInput, match="query"):
        raw.request(method, path, fields)


def test_name_too_long_for_a_url_is_refused_unsent(transport_to: OpenTransport) -> None:
    with Wire(OK) as wire, pytest.raises(InvalidInput):
        transport_to(wire.url).read("integrations/", {"name": "n" * 70_000})
    assert wire.arrived == []


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
def test_impossible_host_is_not_a_url(host: str) -> None:
    with pytest.raises(InvalidInput, match="not a URL"):
        base_url(f"https://{host}/api/v1")


@pytest.mark.parametrize(
    "absurd",
    ["Mon, 01 Jan 2030 00:00:00 +99999999999999999999", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"],
)
def test_rate_limit_with_an_overflowing_date_is_retried(absurd: str, transport_to: OpenTransport) -> None:
    with Wire(answer(429, {"detail": "no"}, retry_after=absurd), OK) as wire:
        assert transport_to(wire.url).read("teams/").document == {"id": "T1"}


@pytest.mark.parametrize("total", [None, 1], ids=["without total_pages", "with total_pages"])
def test_list_that_always_has_a_next_page_ends(total: int | None, oncall_at: OpenOnCall, httpx_mock: HTTPXMock) -> None:
    def page(_: httpx.Request) -> httpx.Response:
        if len(httpx_mock.get_requests()) > 50:
            return httpx.Response(403, json={"detail": "endless"})
        return httpx.Response(200, json={"results": rows(2), "next": "http://x/?page=2", "total_pages": total})

    httpx_mock.add_callback(page, is_reusable=True)
    assert len(list(oncall_at("https://oncall.test").teams.list())) == 2


def test_rate_limit_extended_by_another_thread_is_waited_for(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(OK) as wire:
        transport = transport_to(wire.url)
        transport.retries.throttle(30)
        clock.meanwhile = lambda: len(clock.slept) == 1 and transport.retries.throttle(60)
        transport.read("teams/")
    assert clock.slept == [30, 60]


def test_check_without_retries_does_not_wait_for_an_earlier_rate_limit(oncall_at: OpenOnCall, clock: Clock) -> None:
    with Wire(OK) as wire:
        oncall = oncall_at(wire.url)
        oncall.transport.retries.throttle(200)
        with oncall.without_retries():
            assert oncall.transport.read("teams/T1/").document == {"id": "T1"}
    assert clock.slept == []
