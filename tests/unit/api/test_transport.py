"""HTTP requests: which are retried, which never are, and where the token is not sent."""

from __future__ import annotations

import contextlib
import gzip
import socket
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from pytest_httpx import HTTPXMock

from oncallctl import parallel
from oncallctl.api.deadline import Deadline
from oncallctl.api.retry import ATTEMPTS
from oncallctl.api.transport import REDIRECTS, Transport
from oncallctl.errors import Bug, NotFound, NotOnCall, OncallError, OutcomeUnknown, Unavailable
from tests import certificates
from tests.unit.api.clock import Clock, RecordingListener
from tests.unit.api.conftest import TOKEN, OpenOnCall, OpenTransport
from tests.unit.api.wire import RESET, SILENCE, Arrived, Reaction, Wire, answer

BASE = "https://oncall.test"
LOGIN_PAGE = "<!doctype html><title>Log in</title>"
OK = answer(200, {"id": "T1"})
BODY = {"title": "it burns", "users": [{"id": "U1", "important": False}]}

# Failures after which a request may have been executed.
LOST: dict[str, Reaction] = {
    "a reset": RESET,
    "no response in time": SILENCE,
    "a connection closed without a response": b"",
    "a response other than HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "half a body": answer(200, {"id": "T1"}, content_length="4000"),
    "500 with HTML": answer(500, text="<h1>Server Error (500)</h1>"),
    "500 with JSON": answer(500, {"detail": "oops"}),
    "502": answer(502, text="<h1>Bad Gateway</h1>"),
    "503": answer(503, text=""),
    "504": answer(504, text="<h1>Gateway Time-out</h1>"),
    "200 with HTML": answer(200, text=LOGIN_PAGE),
    "200 with half the JSON": answer(200, text='{"id": "T', content_type="application/json"),
    "a broken gzip body": answer(200, text=b"\x1f\x8bthis is none", content_encoding="gzip"),
    "half a gzip body": answer(200, text=gzip.compress(b'{"id": "T1"}' * 99)[:40], content_encoding="gzip"),
}
lost = pytest.mark.parametrize("reaction", LOST.values(), ids=LOST.keys())


def patience_for(reaction: Reaction) -> float:
    """Return the timeout of a request: short only if the test waits for it."""
    return 0.5 if reaction is SILENCE else 20


# Reads


@lost
def test_failed_read_is_retried(reaction: Reaction, transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(reaction, reaction, OK) as wire:
        got = transport_to(wire.url, patience_for(reaction)).read("teams/T1/")
    assert (got.status, got.document) == (200, {"id": "T1"})
    assert [(each.method, each.path) for each in wire.arrived] == [("GET", "/api/v1/teams/T1/")] * 3
    assert len(clock.slept) == 2


@lost
def test_repeated_failure_of_a_read_is_unavailable(
    reaction: Reaction, transport_to: OpenTransport, clock: Clock
) -> None:
    with Wire(reaction) as wire, pytest.raises(Unavailable) as caught:
        transport_to(wire.url, patience_for(reaction)).read("teams/T1/")
    assert len(wire.arrived) == ATTEMPTS
    assert len(clock.slept) == ATTEMPTS - 1
    assert caught.value.exit_code == 8
    assert len(caught.value.message.splitlines()) == 1


def test_read_waits_longer_before_each_retry(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(answer(503, text="")) as wire, pytest.raises(Unavailable):
        transport_to(wire.url).read("teams/")
    assert clock.slept == sorted(clock.slept)
    assert all(0 < seconds < 10 for seconds in clock.slept)


def test_refused_connection_of_a_read_is_retried(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(OK, listening=False) as wire:
        clock.meanwhile = wire.listen
        assert transport_to(wire.url).read("teams/T1/").document == {"id": "T1"}
    assert len(clock.slept) == len(wire.arrived) == 1


def test_read_from_a_server_that_is_down_is_unavailable(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(OK, listening=False) as wire, pytest.raises(Unavailable, match=r"127\.0\.0\.1") as caught:
        transport_to(wire.url).read("teams/")
    assert len(clock.slept) == ATTEMPTS - 1
    assert caught.value.hint == "check the url and the network"


def test_not_found_is_not_retried(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(answer(404, {"detail": "Not found."})) as wire, pytest.raises(NotFound):
        transport_to(wire.url).read("teams/T1/")
    assert len(wire.arrived) == 1
    assert clock.slept == []


def test_retries_of_a_read_end_within_two_minutes(
    transport_to: OpenTransport, clock: Clock, httpx_mock: HTTPXMock
) -> None:
    def time_out(request: httpx.Request) -> httpx.Response:
        clock.now += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("", request=request)

    httpx_mock.add_callback(time_out, is_reusable=True)
    with pytest.raises(Unavailable, match="too long") as caught:
        transport_to(BASE, timeout=50).read("teams/")
    assert len(httpx_mock.get_requests()) == 3  # the last one with what is left of the time
    assert clock.now <= 121
    assert "--timeout" in caught.value.hint


class Dripping(httpx.SyncByteStream):
    """A body that sends a byte every second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(1000):
            self._clock.now += 1
            yield b" "


@pytest.mark.promise("response-cannot-fill-memory-or")
def test_endless_slow_response_ends_at_the_timeout(
    transport_to: OpenTransport, clock: Clock, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_callback(lambda _: httpx.Response(200, stream=Dripping(clock)), is_reusable=True)
    transport = transport_to(BASE)
    with pytest.raises(OutcomeUnknown, match="too long"):
        transport.change("POST", "escalation/", BODY)
    assert clock.now == 21
    with pytest.raises(Unavailable, match="too long"):
        transport.read("teams/")
    assert clock.now <= 21 + 120


class Backlog:
    """An address that does not respond: its queue of connections is full."""

    def __init__(self, host: str, port: int) -> None:
        self._listening = socket.socket()
        self._listening.bind((host, port))
        self._listening.listen(0)
        self._waiting = [socket.socket() for _ in range(8)]
        for each in self._waiting:
            each.setblocking(False)
            each.connect_ex((host, port))

    def close(self) -> None:
        for each in (*self._waiting, self._listening):
            each.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only 127.0.0.1 is this machine")
def test_host_with_a_dead_address_is_reached_at_the_other(
    transport_to: OpenTransport, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    look_up = socket.getaddrinfo

    def two(host: str, port: int, *others: Any, **more: Any) -> list[Any]:
        if host != "localhost":
            return look_up(host, port, *others, **more)
        return [(2, 1, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    with Wire(OK) as wire, contextlib.closing(Backlog("127.0.0.2", wire.port)), monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", two)
        transport = transport_to(wire.url.replace("127.0.0.1", "localhost"), timeout=1)
        assert transport.change("POST", "escalation/", BODY).document == {"id": "T1"}
    assert clock.slept == []  # the dead address took only its share of the time


# Changes


@pytest.mark.promise("no-change-sent-twice-may")
@lost
def test_change_that_may_have_arrived_is_not_resent(
    reaction: Reaction, transport_to: OpenTransport, clock: Clock
) -> None:
    with Wire(reaction, OK) as wire, pytest.raises(OutcomeUnknown, match=r"POST /api/v1/escalation/") as caught:
        transport_to(wire.url, patience_for(reaction)).change("POST", "escalation/", BODY)
    assert len(wire.arrived) == 1
    assert clock.slept == []
    assert caught.value.exit_code == 9
    assert len(caught.value.message.splitlines()) == 1


@pytest.mark.promise("no-change-sent-twice-may")
@pytest.mark.parametrize(
    "failure", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError]
)
def test_change_interrupted_by_a_network_error_is_not_resent(
    failure: type[httpx.TransportError], transport_to: OpenTransport, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_exception(failure("half way"), is_reusable=True)
    with pytest.raises(OutcomeUnknown):
        transport_to(BASE).change("POST", "escalation/", BODY)
    assert len(httpx_mock.get_requests()) == 1


def test_change_after_a_refused_connection_is_retried(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(answer(200, {"id": "I1"}), listening=False) as wire:
        clock.meanwhile = wire.listen
        assert transport_to(wire.url).change("POST", "escalation/", BODY).document == {"id": "I1"}
    assert [(each.method, each.path) for each in wire.arrived] == [("POST", "/api/v1/escalation/")]
    assert len(clock.slept) == 1


def test_change_without_a_connection_is_unavailable(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(OK, listening=False) as wire, pytest.raises(Unavailable, match="cannot reach") as caught:
        transport_to(wire.url).change("POST", "escalation/", BODY)
    assert caught.value.exit_code == 8
    assert len(clock.slept) == ATTEMPTS - 1
    assert wire.arrived == []


def test_change_after_a_connect_timeout_is_retried(transport_to: OpenTransport, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(httpx.ConnectTimeout("slow"))
    httpx_mock.add_response(json={"id": "I1"})
    assert transport_to(BASE).change("POST", "escalation/", BODY).document == {"id": "I1"}
    assert len(httpx_mock.get_requests()) == 2


def test_change_after_a_failed_tls_handshake_is_unavailable(transport_to: OpenTransport) -> None:
    with Wire(OK) as wire, pytest.raises(Unavailable, match="cannot reach"):
        transport_to(wire.url.replace("http:", "https:")).change("POST", "escalation/", BODY)
    assert wire.hellos == ATTEMPTS
    assert wire.arrived == []


@pytest.mark.promise("tls-verified")
def test_server_with_an_untrusted_certificate_is_unavailable_and_gets_nothing(
    transport_to: OpenTransport,
) -> None:
    with Wire(OK, tls=certificates.shown()) as wire:
        transport = transport_to(wire.url)
        for method in ("GET", "POST"):
            with pytest.raises(Unavailable, match=r"(?i)certificate") as caught:
                ask(transport, method)
            assert "SSL_CERT_FILE" in caught.value.hint
    assert wire.arrived == []


REASONS = {
    "expired": "expired",
    "not yet valid": "not yet valid",
    "self-signed": "self-signed",
    "of an unknown authority": "unable to get local issuer",
    "of another host": "mismatch",
}


@pytest.mark.skipif(sys.platform != "linux", reason="only OpenSSL reads SSL_CERT_FILE")
@pytest.mark.parametrize("how", certificates.WRONG)
def test_error_for_a_bad_certificate_has_the_reason(
    how: str, transport_to: OpenTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.trust_in(tmp_path)))
    with Wire(OK, tls=certificates.shown(how)) as wire, pytest.raises(Unavailable, match=REASONS[how]):
        transport_to(wire.url).read("teams/")
    assert wire.arrived == []


@pytest.mark.skipif(sys.platform != "linux", reason="only OpenSSL reads SSL_CERT_FILE")
def test_certificate_in_ssl_cert_file_is_trusted(
    transport_to: OpenTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Wire(OK, tls=certificates.shown()) as wire:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.trust_in(tmp_path)))
        assert transport_to(wire.url).read("teams/T1/").document == {"id": "T1"}
    assert wire.arrived[0].headers["authorization"] == TOKEN


def test_empty_response_to_a_change_is_a_success(transport_to: OpenTransport) -> None:
    with Wire(answer(204, text="")) as wire:
        got = transport_to(wire.url).change("DELETE", "integrations/C1/")
    assert (got.status, got.document) == (204, None)
    assert [(each.method, each.body) for each in wire.arrived] == [("DELETE", b"")]


# Rate limits


def ask(transport: Transport, method: str) -> object:
    return transport.read("teams/") if method == "GET" else transport.change(method, "escalation/", BODY)


either = pytest.mark.parametrize("method", ["GET", "POST"])


def throttled(**headers: str) -> bytes:
    return answer(429, {"detail": "Request was throttled."}, **headers)


@either
def test_rate_limit_is_waited_for_and_announced_once(
    method: str, transport_to: OpenTransport, clock: Clock, listener: RecordingListener
) -> None:
    with Wire(throttled(retry_after="54"), OK) as wire:
        assert ask(transport_to(wire.url), method).document == {"id": "T1"}
    assert clock.slept == [54]
    assert listener.notes == ["rate limited, next try in 54 s"]
    assert [each.method for each in wire.arrived] == [method] * 2
    assert wire.arrived[0].body == wire.arrived[1].body


@pytest.mark.promise("nobody-paged-twice")
def test_rate_limited_page_is_retried_three_times(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(throttled(retry_after="1")) as wire, pytest.raises(Unavailable, match="429") as caught:
        transport_to(wire.url).change("POST", "escalation/", BODY)
    assert len(wire.arrived) == 4
    assert caught.value.exit_code == 8


def test_rate_limit_delays_later_requests(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(throttled(retry_after="400"), OK) as wire:
        transport = transport_to(wire.url)
        transport.retries.throttle(30)
        with pytest.raises(Unavailable):
            transport.read("teams/")
        assert clock.slept == [30]
        transport.read("teams/")
    assert clock.slept == [30]


def test_rate_limit_in_several_threads_is_announced_once(
    transport_to: OpenTransport, clock: Clock, listener: RecordingListener, httpx_mock: HTTPXMock
) -> None:
    threads = 8
    asked, asleep = threading.Barrier(threads), threading.Barrier(threads)
    local = threading.local()

    def throttle_first(_: httpx.Request) -> httpx.Response:
        if getattr(local, "again", False):
            return httpx.Response(200, json={"id": "T1"})
        local.again = True
        asked.wait(10)
        return httpx.Response(429, json={"detail": "throttled"}, headers={"Retry-After": "54"})

    def sleep(seconds: float) -> None:
        until = clock.now + seconds
        asleep.wait(10)
        clock.now = max(clock.now, until)

    clock.sleep = sleep
    httpx_mock.add_callback(throttle_first, is_reusable=True)
    transport = transport_to(BASE)
    got: list[object] = []
    workers = [
        threading.Thread(target=lambda: got.append(transport.read("teams/T1/").document)) for _ in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert got == [{"id": "T1"}] * threads
    assert listener.notes == ["rate limited, next try in 54 s"]


@either
def test_rate_limit_with_a_date_is_waited_for(
    method: str, transport_to: OpenTransport, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            assert tz is UTC
            return now

    monkeypatch.setattr("oncallctl.api.problems.datetime", Stopped)
    with Wire(throttled(retry_after=format_datetime(now + timedelta(seconds=60), usegmt=True)), OK) as wire:
        assert ask(transport_to(wire.url), method).document == {"id": "T1"}
    assert clock.slept == [60]


@pytest.mark.parametrize("when", ["0", "Sat, 21 Nov 2020 08:00:00 GMT", "Sat, 21 Nov 2020 08:00:00 -0000"])
def test_rate_limit_in_the_past_is_waited_for_a_second(when: str, transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(throttled(retry_after=when), OK) as wire:
        transport_to(wire.url).read("teams/")
    assert clock.slept == [1]


@either
@pytest.mark.parametrize("absurd", ["301", "86400", "99999999999999999999", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_rate_limit_with_an_absurd_wait_is_unavailable(
    absurd: str, method: str, transport_to: OpenTransport, clock: Clock, listener: RecordingListener
) -> None:
    with Wire(throttled(retry_after=absurd)) as wire, pytest.raises(Unavailable, match="429") as caught:
        ask(transport_to(wire.url), method)
    assert len(wire.arrived) == 1
    assert (clock.slept, listener.notes) == ([], [])
    assert caught.value.http_status == 429
    assert caught.value.hint.startswith("try again in ")


def test_endless_rate_limit_is_unavailable(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(throttled(retry_after="300")) as wire, pytest.raises(Unavailable, match="429"):
        transport_to(wire.url).change("POST", "escalation/", BODY)
    assert clock.slept == [300, 300, 300]
    assert len(wire.arrived) == 4


@either
@pytest.mark.parametrize("senseless", [None, "", "soon", "-5", "1.5", "²", "Mon, 32 Jan 2030 25:00:00 GMT"])
def test_rate_limit_without_a_valid_wait_is_retried_a_few_times(
    senseless: str | None, method: str, transport_to: OpenTransport, clock: Clock, httpx_mock: HTTPXMock
) -> None:
    headers = {} if senseless is None else {"Retry-After": senseless.encode()}
    httpx_mock.add_response(429, json={"detail": "Organization being synced, please retry"}, headers=headers)
    httpx_mock.add_response(429, json={"detail": "Organization being synced, please retry"}, headers=headers)
    httpx_mock.add_response(json={"id": "T1"})
    assert ask(transport_to(BASE), method).document == {"id": "T1"}
    assert len(clock.slept) == 2
    assert max(clock.slept) < 10


@either
def test_persistent_rate_limit_without_a_wait_hints_at_the_stack(method: str, transport_to: OpenTransport) -> None:
    with Wire(answer(429, {"detail": "Organization being synced, please retry"})) as wire:
        with pytest.raises(Unavailable, match="Organization being synced") as caught:
            ask(transport_to(wire.url), method)
        assert len(wire.arrived) == ATTEMPTS
    assert "grafana_url" in caught.value.hint


def test_rate_limit_wait_does_not_count_as_a_retry(transport_to: OpenTransport, clock: Clock) -> None:
    down = answer(503, text="")
    with Wire(*[throttled(retry_after="200")] * ATTEMPTS, *[down] * (ATTEMPTS - 1), OK) as wire:
        assert transport_to(wire.url).read("teams/T1/").document == {"id": "T1"}
    assert clock.slept[:ATTEMPTS] == [200] * ATTEMPTS
    assert len(wire.arrived) == ATTEMPTS * 2


@either
def test_request_without_retries_is_sent_once_without_waiting(
    method: str, oncall_at: OpenOnCall, clock: Clock, listener: RecordingListener
) -> None:
    limit, down = throttled(retry_after="5"), answer(503, text="")
    with Wire(limit, answer(429, {"detail": "no"}), down, down, OK) as wire, Wire(OK, listening=False) as closed:
        oncall = oncall_at(wire.url)
        with oncall.without_retries():
            for error in (Unavailable, Unavailable, Unavailable if method == "GET" else OutcomeUnknown):
                with pytest.raises(error):
                    ask(oncall.transport, method)
        assert len(wire.arrived) == 3
        nowhere = oncall_at(closed.url)
        with nowhere.without_retries(), pytest.raises(Unavailable):
            ask(nowhere.transport, method)
        assert (clock.slept, listener.notes) == ([], [])
        assert oncall.transport.read("teams/").document == {"id": "T1"}  # patient again
        assert len(clock.slept) == 1


# Redirects


def redirect(to: str, status: int = 302) -> bytes:
    return answer(status, text="moved", location=to)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_read_follows_a_redirect_within_the_origin(status: int, transport_to: OpenTransport) -> None:
    with Wire(redirect("/elsewhere/?page=2", status), OK) as wire:
        assert transport_to(wire.url).read("teams/T1/").document == {"id": "T1"}
    assert [(each.method, each.target) for each in wire.arrived] == [
        ("GET", "/api/v1/teams/T1/"),
        ("GET", "/elsewhere/?page=2"),
    ]
    assert {each.headers["authorization"] for each in wire.arrived} == {TOKEN}


def test_read_follows_a_redirect_to_another_spelling_of_the_origin(
    transport_to: OpenTransport, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(301, url=f"{BASE}/api/v1/teams/", headers={"Location": "https://ONCALL.test:443/moved/"})
    httpx_mock.add_response(url=f"{BASE}/moved/", json={"id": "T1"})
    assert transport_to(BASE).read("teams/").document == {"id": "T1"}


@pytest.mark.promise("goes-to-profiles-own-origin")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_read_does_not_follow_a_redirect_to_another_port(
    status: int, transport_to: OpenTransport, clock: Clock
) -> None:
    with Wire(OK) as other, Wire(redirect(f"{other.url}/api/v1/teams/T1/", status)) as wire:
        with pytest.raises(NotOnCall, match="another host") as caught:
            transport_to(wire.url).read("teams/T1/")
        assert (len(wire.arrived), other.arrived) == (1, [])
    assert clock.slept == []
    assert (caught.value.exit_code, caught.value.http_status) == (1, status)


@pytest.mark.promise("goes-to-profiles-own-origin")
@pytest.mark.parametrize(
    "location",
    [
        "http://localhost:{port}/api/v1/teams/",
        "//localhost:{port}/api/v1/teams/",
        "http://127.0.0.1:{port}@localhost:{port}/",
        "https://127.0.0.1:{port}/api/v1/teams/",
        "http://127.0.0.1.example.com:{port}/",
        "ftp://127.0.0.1:{port}/",
        "file:///etc/passwd",
        "http://[broken/",
    ],
)
def test_read_does_not_follow_a_redirect_to_another_host_or_scheme(location: str, transport_to: OpenTransport) -> None:
    with Wire(decide=lambda _: redirect(location.format(port=wire.port))) as wire:
        with pytest.raises(OncallError) as caught:
            transport_to(wire.url).read("teams/")
        assert len(wire.arrived) == 1
        assert wire.hellos == 0
    assert isinstance(caught.value, NotOnCall)


@pytest.mark.parametrize("location", ["data:application/json,[]", "http://127.0.0.1:99999/", "http://a b/"])
def test_read_does_not_follow_a_redirect_to_an_unusable_url(location: str, transport_to: OpenTransport) -> None:
    with Wire(redirect(location)) as wire, pytest.raises((Unavailable, NotOnCall)):
        transport_to(wire.url).read("teams/")
    assert {each.path for each in wire.arrived} == {"/api/v1/teams/"}


@pytest.mark.promise("goes-to-profiles-own-origin")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["{other}/x/", "/x/"], ids=["to another server", "within the origin"])
def test_change_does_not_follow_a_redirect(
    status: int, location: str, transport_to: OpenTransport, clock: Clock
) -> None:
    # After 302 and 303 the change may have been executed.
    error = OutcomeUnknown if status in {302, 303} else NotOnCall
    with Wire(OK) as other, Wire(redirect(location.format(other=other.url), status), OK) as wire:
        with pytest.raises(error, match="redirects"):
            transport_to(wire.url).change("POST", "escalation/", BODY)
        assert [(each.method, each.path) for each in wire.arrived] == [("POST", "/api/v1/escalation/")]
        assert other.arrived == []
    assert clock.slept == []


BAD_LOCATIONS = ["http://[", "http://x:y/", "http:x", "x:y", "//[::1"]


@pytest.mark.parametrize("location", BAD_LOCATIONS)
def test_change_redirected_to_an_invalid_url_is_outcome_unknown(location: str, transport_to: OpenTransport) -> None:
    sent = pytest.raises(OutcomeUnknown, match="POST /api/v1/escalation/ was sent")
    with Wire(redirect(location, 302), OK) as wire, sent:
        transport_to(wire.url).change("POST", "escalation/", BODY)
    assert len(wire.arrived) == 1


@pytest.mark.parametrize("location", BAD_LOCATIONS)
def test_read_redirected_to_an_invalid_url_is_an_error(location: str, transport_to: OpenTransport) -> None:
    with Wire(redirect(location, 302)) as wire, pytest.raises((NotOnCall, Unavailable)):
        transport_to(wire.url).read("teams/")


@pytest.mark.parametrize("error", [MemoryError(), ValueError("odd"), RecursionError()], ids=repr)
def test_change_with_an_unusable_response_is_outcome_unknown(
    error: Exception, transport_to: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise error

    monkeypatch.setattr("oncallctl.api.transport.read_body", fail)
    with Wire(OK) as wire, pytest.raises(OutcomeUnknown, match="POST /api/v1/escalation/ was sent"):
        transport_to(wire.url).change("POST", "escalation/", BODY)
    assert len(wire.arrived) == 1


def test_redirect_loop_ends(transport_to: OpenTransport, clock: Clock) -> None:
    with Wire(redirect("/round/")) as wire, pytest.raises(NotOnCall, match="redirect loop"):
        transport_to(wire.url).read("teams/")
    assert len(wire.arrived) == REDIRECTS + 1
    assert clock.slept == []


# Load


def test_reads_after_a_timeout_are_retried_one_at_a_time(transport_to: OpenTransport, httpx_mock: HTTPXMock) -> None:
    threads, lock = 8, threading.Lock()
    first_sent = threading.Barrier(threads)
    seen: set[str] = set()
    under_way, most = 0, 0

    def overloaded(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        with lock:
            repeated = request.url.path in seen
            seen.add(request.url.path)
        if not repeated:
            first_sent.wait(10)
            raise httpx.ReadTimeout("", request=request)
        with lock:
            under_way += 1
            most = max(most, under_way)
        threading.Event().wait(0.02)
        with lock:
            under_way -= 1
        return httpx.Response(200, json={})

    httpx_mock.add_callback(overloaded, is_reusable=True)
    transport = transport_to(BASE)
    got = list(parallel.each(lambda number: transport.read(f"teams/T{number}/").status, range(threads)))
    assert sorted(status for _, status in got) == [200] * threads
    assert most == 1


# Connections


def kept(document: object) -> bytes:
    """A response after which the connection stays open."""
    return answer(200, document, connection="keep-alive")


@pytest.mark.promise("stray-response-not-taken-next")
def test_stray_response_is_not_read_as_the_next_one(transport_to: OpenTransport) -> None:
    def twice(arrived: Arrived) -> Reaction:
        own = kept({"id": arrived.path.split("/")[-2]})
        return own + kept({"id": "stray"}) if len(wire.arrived) == 1 else own

    with Wire(decide=twice, keep_alive=True) as wire:
        transport = transport_to(wire.url)
        assert transport.read("teams/T1/").document == {"id": "T1"}
        assert transport.read("teams/T2/").document == {"id": "T2"}
        assert transport.read("teams/T3/").document == {"id": "T3"}
    assert len(wire.arrived) == 3
    assert wire.connections == 2


def test_connection_without_unread_data_is_reused(transport_to: OpenTransport) -> None:
    with Wire(kept({"id": "T1"}), keep_alive=True) as wire:
        transport = transport_to(wire.url)
        for _ in range(3):
            transport.read("teams/T1/")
        transport.change("POST", "escalation/", BODY)
    assert wire.connections == 1


BAD_COOKIES = ["a=b; expires=Fri, 01 Jan 99999999999999999999 00:00:00 GMT", "a=b; version=x; max-age=1", "=;;=\xff"]


@pytest.mark.promise("cookies-ignored")
@pytest.mark.parametrize("cookie", ["a=b", *BAD_COOKIES])
def test_cookies_are_ignored(cookie: str, transport_to: OpenTransport, recwarn: pytest.WarningsRecorder) -> None:
    with Wire(answer(200, {"id": "T1"}, set_cookie=cookie)) as wire:
        transport = transport_to(wire.url)
        for _ in range(2):
            assert transport.read("teams/T1/").document == {"id": "T1"}
    assert all("cookie" not in each.headers for each in wire.arrived)
    assert not [each for each in recwarn if "cookie" in str(each.message)]


@pytest.mark.promise("response-cannot-fill-memory-or")
@either
def test_hanging_dns_lookup_ends_at_the_timeout(
    method: str, transport_to: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(30) and [])
    transport = transport_to("http://oncall.test", timeout=0.2)
    transport.retries.enabled = False
    try:
        with pytest.raises(Unavailable, match="took too long"):
            ask(transport, method)
    finally:
        released.set()


@pytest.mark.promise("response-cannot-fill-memory-or")
def test_deadline_that_httpx_ignores_is_a_bug(transport_to: OpenTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deadline, "connect_tcp", httpcore.SyncBackend.connect_tcp)  # as if it were never asked
    with pytest.raises(Bug, match="httpx"):
        transport_to("http://127.0.0.1:9")


# Proxies


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """A proxy for all hosts in the environment."""
    with Wire(answer(200, {"id": "by proxy"})) as wire:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, wire.url)
            monkeypatch.setenv(name.lower(), wire.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield wire


SPELLINGS_OF_LOOPBACK = [
    "127.0.0.1",
    "127.0.0.2",
    "127.1",
    "0.0.0.0",  # an address to connect to
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
]


@pytest.mark.promise("plain-http-goes-to-loopback")
@pytest.mark.parametrize("host", SPELLINGS_OF_LOOPBACK)
def test_proxy_of_the_environment_is_not_used_for_loopback(
    host: str, proxy: Wire, transport_to: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo  # does not know every spelling on every machine
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *rest, **more: look_up("127.0.0.1", *rest, **more))
    with Wire(OK) as wire:
        transport = transport_to(wire.url.replace("127.0.0.1", host))
        assert transport.read("teams/T1/").document == {"id": "T1"}
        assert transport.change("POST", "escalation/", BODY).document == {"id": "T1"}
    assert proxy.arrived == []
    assert [each.method for each in wire.arrived] == ["GET", "POST"]


def test_proxy_of_the_environment_is_used_for_other_hosts(proxy: Wire, transport_to: OpenTransport) -> None:
    assert transport_to("http://oncall.test").read("teams/T1/").document == {"id": "by proxy"}
    assert [each.target for each in proxy.arrived] == ["http://oncall.test/api/v1/teams/T1/"]


def test_change_refused_by_the_proxy_is_unavailable(
    proxy: Wire, transport_to: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "_decide", lambda _: answer(503, text="no way"))
    with pytest.raises(Unavailable, match="cannot reach"):
        transport_to("https://oncall.test").change("POST", "escalation/", BODY)
    assert [(each.method, each.target) for each in proxy.arrived] == [("CONNECT", "oncall.test:443")] * ATTEMPTS
    assert all("authorization" not in each.headers for each in proxy.arrived)


# Responses


def test_compressed_response_is_read(transport_to: OpenTransport) -> None:
    with Wire(answer(200, text=gzip.compress(b'{"id": "T1"}'), content_encoding="gzip")) as wire:
        assert transport_to(wire.url).read("teams/T1/").document == {"id": "T1"}
    assert "gzip" in wire.arrived[0].headers["accept-encoding"]


@pytest.mark.parametrize(
    "headers", [{}, {"content_encoding": "gzip"}], ids=["as it is", "compressed, so that it is small on its way"]
)
def test_response_beyond_the_size_limit_is_an_error(
    headers: dict[str, str], transport_to: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oncallctl.api.body.LARGEST_BODY", 2**20)
    fits = b'"' + b"a" * (2**20 - 2) + b'"'
    packed = [gzip.compress(each) if headers else each for each in (fits, fits + b" ")]
    enough, too_much = (answer(200, text=each, **headers) for each in packed)
    with Wire(enough, too_much) as wire:
        transport = transport_to(wire.url)
        assert len(transport.read("teams/").document) == 2**20 - 2
        with pytest.raises(Unavailable, match="more than 1 MiB"):
            transport.read("teams/")
        sent = len(wire.arrived)
        with pytest.raises(OutcomeUnknown, match="more than 1 MiB"):
            transport.change("POST", "escalation/", BODY)
        assert len(wire.arrived) == sent + 1


def test_deeply_nested_response_is_unavailable(transport_to: OpenTransport) -> None:
    nested = b"[" * 100_000 + b"]" * 100_000
    refused = pytest.raises(Unavailable, match=r"is not from OnCall \(application/json\)")
    with Wire(answer(200, text=nested, content_type="application/json")) as wire, refused:
        transport_to(wire.url).read("teams/")


# Log and errors


def test_debug_log_has_every_request_without_the_token(
    transport_to: OpenTransport, listener: RecordingListener
) -> None:
    with Wire(RESET, answer(500, text="<b>no</b>"), throttled(retry_after="5"), redirect("/moved/"), OK) as wire:
        transport_to(wire.url).read("teams/", {"name": "a b"})
    logged = "\n".join(listener.debugs)
    assert "GET /api/v1/teams/?name=a+b -> 500" in logged
    assert "GET /moved/ -> 200" in logged
    assert "next try in" in logged
    assert TOKEN not in logged + "\n".join(listener.notes)


@pytest.mark.promise("never-an-argument-printed-logged")
@either
@pytest.mark.parametrize("status", [400, 403, 404, 409, 429, 500])
def test_error_with_an_echoed_token_is_masked(
    status: int, method: str, transport_to: OpenTransport, listener: RecordingListener
) -> None:
    def say_it_back(arrived: Arrived) -> Reaction:
        return answer(status, {"detail": f"no {arrived.headers['authorization']} here"})

    with Wire(decide=say_it_back) as wire, pytest.raises(OncallError) as caught:
        ask(transport_to(wire.url), method)
    assert wire.arrived[0].headers["authorization"] == TOKEN
    assert TOKEN not in str(caught.value.document())
    assert TOKEN not in "\n".join([*listener.debugs, *listener.notes])
