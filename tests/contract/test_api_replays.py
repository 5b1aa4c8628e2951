"""Every answer recorded of an endpoint that the API layer uses, replayed through the API layer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from pytest_httpx import HTTPXMock

from oncallctl.api.client import Dialect, OnCall
from oncallctl.api.models import AlertGroup, Integration, OnCallDocument, ServerObject, Team, User
from oncallctl.api.transport import ATTEMPTS, Transport
from oncallctl.errors import (
    AccessDenied,
    Conflict,
    InvalidInput,
    NotFound,
    NotOnCall,
    OncallError,
    OutcomeUnknown,
    ServerRefused,
    Unavailable,
    Unsupported,
)
from oncallctl.profiles import Profile
from tests.api.clock import Clock, Ears
from tests.contract.recordings import FOLDER, Exchange, load

BASE = "http://engine.test"
EVERYTHING = load(*sorted(path.stem for path in FOLDER.glob("*.jsonl")))
PAGING_WORDS = {"page", "perpage", "limit", "offset"}
CLOUD_WORDS = {"debug": "silence_escalations", "maintenance": "group_alerts"}
LABELS = ("labels", "dynamic_labels")
SOME_ID = "CFRPV98RPR1U8"

Call = Callable[[OnCall], object]


@dataclass(frozen=True)
class Endpoint:
    """What the API layer asks of one kind of path.

    Attributes:
        methods: those whose recorded answers its call may get; the first is the one it sends.
        path: what follows the API's root; the group is an id.
        model: what a success holds.
        call: makes the call of an exchange, with the id.
    """

    methods: tuple[str, ...]
    path: str
    model: type
    call: Callable[[Exchange, str], Call]


def listing(noun: str) -> Callable[[Exchange, str], Call]:
    return lambda exchange, _: lambda oncall: list(getattr(oncall, noun).list(**filters_of(exchange)))


def member(noun: str) -> Callable[[Exchange, str], Call]:
    return lambda _, ident: lambda oncall: getattr(oncall, noun).get(ident)


def create(exchange: Exchange, _: str) -> Call:
    return lambda oncall: oncall.send(oncall.integrations.create(body_of(exchange)))


def update(exchange: Exchange, ident: str) -> Call:
    return lambda oncall: oncall.send(oncall.integrations.update(ident, body_of(exchange)))


def delete(_: Exchange, ident: str) -> Call:
    return lambda oncall: oncall.discard(oncall.integrations.delete(ident))


def start(exchange: Exchange, ident: str) -> Call:
    given = body_of(exchange)
    mode = CLOUD_WORDS.get(str(given.get("mode")), "silence_escalations")
    seconds = given["duration"] if type(given.get("duration")) is int and given["duration"] > 0 else 3600
    return lambda oncall: oncall.send(oncall.integrations.start_maintenance(ident, mode, seconds))


def stop(_: Exchange, ident: str) -> Call:
    return lambda oncall: oncall.send(oncall.integrations.stop_maintenance(ident))


def on_call(when: str) -> Callable[[Exchange, str], Call]:
    return lambda _, ident: lambda oncall: oncall.teams.on_call(ident, when)


def escalate(exchange: Exchange, _: str) -> Call:
    return lambda oncall: oncall.send(oncall.escalation.page(body_of(exchange)))


ENDPOINTS = (
    Endpoint(("GET",), r"integrations/*", Integration, listing("integrations")),
    Endpoint(("POST",), r"integrations/*", Integration, create),
    Endpoint(("GET",), r"integrations/+([^/]+)/*", Integration, member("integrations")),
    Endpoint(("PUT", "PATCH"), r"integrations/+([^/]+)/*", Integration, update),  # answered alike
    Endpoint(("DELETE",), r"integrations/+([^/]+)/*", type(None), delete),
    Endpoint(("POST",), r"integrations/+([^/]+)/+maintenance_start/*", Integration, start),
    Endpoint(("POST",), r"integrations/+([^/]+)/+maintenance_stop/*", Integration, stop),
    Endpoint(("GET",), r"teams/*", Team, listing("teams")),
    Endpoint(("GET",), r"teams/+([^/]+)/*", Team, member("teams")),
    Endpoint(("GET",), r"teams/+([^/]+)/+current_oncall/*", OnCallDocument, on_call("current")),
    Endpoint(("GET",), r"teams/+([^/]+)/+next_oncall/*", OnCallDocument, on_call("next")),
    Endpoint(("GET",), r"teams/+([^/]+)/+previous_oncall/*", OnCallDocument, on_call("previous")),
    Endpoint(("GET",), r"users/*", User, listing("users")),
    Endpoint(("GET",), r"users/+current/*", User, lambda *_: lambda oncall: oncall.users.current()),
    Endpoint(("GET",), r"users/+([^/]+)/*", User, member("users")),
    Endpoint(("GET",), r"alert_groups/*", AlertGroup, listing("alert_groups")),
    Endpoint(("GET",), r"alert_groups/+([^/]+)/*", AlertGroup, member("alert_groups")),
    Endpoint(("POST",), r"escalation/*", AlertGroup, escalate),
)

# What an answer that is no success means, by its status; 400, 404 and 5xx depend on more: see `expected`.
BY_STATUS: dict[int, type[OncallError]] = {
    401: AccessDenied,
    403: AccessDenied,
    406: ServerRefused,
    415: ServerRefused,
    429: Unavailable,
}
UNKNOWN = "does not exist"  # of a user, a team, a chain or a group that the body names: 400 there, not 404
CONFLICTS = ("Already on maintenance", "resolved alert group", "already exists")
EXIT_CODES: dict[type[OncallError], int] = {
    ServerRefused: 1,
    NotOnCall: 1,
    AccessDenied: 3,
    NotFound: 6,
    Conflict: 7,
    Unavailable: 8,
    OutcomeUnknown: 9,
}


def expected(exchange: Exchange) -> type[OncallError] | None:
    """The error that an answer means; None for a success."""
    if exchange.status < 300:
        return None
    if exchange.status == 404:
        return NotFound if is_json(exchange) else NotOnCall
    if exchange.status == 400:
        said = json.dumps(exchange.response_body)
        if UNKNOWN in said:
            return NotFound
        return Conflict if any(words in said for words in CONFLICTS) else ServerRefused
    if exchange.status >= 500:
        return Unavailable if exchange.method == "GET" else OutcomeUnknown
    return BY_STATUS[exchange.status]


def is_json(exchange: Exchange) -> bool:
    return exchange.response_headers.get("content-type", "").startswith("application/json")


def path_of(exchange: Exchange) -> str:
    return exchange.path.partition("?")[0]


def filters_of(exchange: Exchange) -> dict[str, str]:
    asked = {**dict(parse_qsl(exchange.path.partition("?")[2], keep_blank_values=True)), **exchange.query}
    return {name: value for name, value in asked.items() if name not in PAGING_WORDS}


def body_of(exchange: Exchange) -> dict[str, Any]:
    """The body as the API layer would send it: what was no JSON object, it cannot send, and labels it does not."""
    body = exchange.body if isinstance(exchange.body, dict) else {}
    body = body.get("__form__", body)
    return {name: value for name, value in body.items() if name not in LABELS and is_text(value)}


def is_text(value: object) -> bool:
    """Whether it can be encoded: half of a surrogate pair cannot."""
    return not re.search("[\ud800-\udfff]", str(value))


def matched(exchange: Exchange) -> tuple[Endpoint, str] | None:
    for endpoint in ENDPOINTS:
        found = re.fullmatch(rf"/api/v1/{endpoint.path}", path_of(exchange))
        if found and exchange.method in endpoint.methods:
            return endpoint, (found.groups() or ("",))[0]
    return None


RELEVANT = [exchange for exchange in EVERYTHING if matched(exchange)]
by_case = pytest.mark.parametrize("exchange", RELEVANT, ids=lambda exchange: exchange.case)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("oncallctl.api.transport.time", clock)
    return clock


@pytest.fixture
def oncall(clock: Clock) -> Iterator[OnCall]:
    with engine(Dialect.OSS) as opened:
        yield opened


def engine(dialect: Dialect) -> OnCall:
    transport = Transport(BASE, {"Authorization": "token"}, timeout=20, listener=Ears())
    return OnCall(transport, dialect, profile=Profile(name="engine", url=BASE))


def serve(httpx_mock: HTTPXMock, exchange: Exchange) -> None:
    """Serve the recorded answer, again and again; after a recorded page there is an empty one."""
    headers = {
        name: value
        for name, value in exchange.response_headers.items()
        if name not in {"content-length", "content-encoding", "transfer-encoding", "connection"}
    }
    said = exchange.response_body
    content = json.dumps(said) if is_json(exchange) else str(said)

    def answer(request: httpx.Request) -> httpx.Response:
        if exchange.status == 200 and request.url.params.get("page", "1") != "1":
            return httpx.Response(200, json={"results": [], "next": None})
        return httpx.Response(exchange.status, headers=headers, content=content)

    httpx_mock.add_callback(answer, is_reusable=True)


@by_case
def test_a_recorded_answer_becomes_its_model_or_its_error(
    exchange: Exchange, httpx_mock: HTTPXMock, oncall: OnCall
) -> None:
    endpoint, ident = matched(exchange)
    # An id that no server has is refused before it is sent; its answer is replayed all the same.
    call = endpoint.call(exchange, ident if re.fullmatch(r"\w*", ident) else SOME_ID)
    error = expected(exchange)
    serve(httpx_mock, exchange)

    with engine(Dialect.CLOUD) if endpoint.model is OnCallDocument else oncall as asked:
        if error is None:
            check_success(endpoint.model, exchange, call(asked))
        else:
            with pytest.raises(OncallError) as caught:
                call(asked)
            check_error(error, exchange, caught.value)

    check_sent(endpoint, exchange, httpx_mock.get_requests())


def check_success(model: type, exchange: Exchange, result: object) -> None:
    if model is type(None):
        assert result is None
        assert exchange.response_body == ""
        return
    if isinstance(result, list):
        assert [each.raw for each in result] == exchange.response_body["results"]
    else:
        assert result.raw == exchange.response_body
    for each in result if isinstance(result, list) else [result]:
        assert type(each) is model
        check_fields(each)


def check_fields(found: ServerObject) -> None:
    """What the program goes by is what the engine said."""
    raw = found.raw
    assert found.id == raw["id"]
    match found:
        case Integration():
            assert (found.name, found.type, found.team_id) == (raw["name"], raw["type"], raw["team_id"])
            assert found.maintenance_mode == CLOUD_WORDS.get(raw["maintenance_mode"])
            assert found.maintenance_started_at == moment(raw["maintenance_started_at"])
            assert found.maintenance_end_at == moment(raw["maintenance_end_at"])
            assert found.default_route.escalation_chain_id == raw["default_route"]["escalation_chain_id"]
        case AlertGroup():
            assert (found.state, found.title) == (raw["state"], raw["title"])
            assert found.created_at == moment(raw["created_at"])
        case User():
            assert (found.username, found.email) == (raw["username"], raw["email"])
        case _:
            assert found.name == raw["name"]


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def check_error(kind: type[OncallError], exchange: Exchange, error: OncallError) -> None:
    assert isinstance(error, kind)
    assert (error.code, error.exit_code) == (kind.code, EXIT_CODES[kind])
    assert error.http_status == exchange.status
    assert error.message.strip()
    assert len(error.message.splitlines()) == 1
    assert "<html" not in error.message


def check_sent(endpoint: Endpoint, exchange: Exchange, requests: list[httpx.Request]) -> None:
    assert {(each.method, each.url.host) for each in requests} == {(endpoint.methods[0], "engine.test")}
    if exchange.status == 429:
        assert len(requests) > 1
    elif exchange.method != "GET":
        assert len(requests) == 1
    elif exchange.status >= 500:
        assert len(requests) == ATTEMPTS
    if re.fullmatch(r"[\w/]+", path_of(exchange)):
        sent = re.sub("/+", "/", path_of(exchange)).rstrip("/")
        assert {each.url.path.rstrip("/") for each in requests} == {sent}
    for request in requests:
        if endpoint.call in {create, update, escalate}:
            assert json.loads(request.content) == body_of(exchange)
        elif endpoint.call is start:
            assert set(json.loads(request.content)) == {"mode", "duration"}
        else:
            assert request.content == b""


def test_no_recorded_exchange_of_an_endpoint_that_is_used_is_left_out() -> None:
    sent = {
        ("integrations", 1): {"GET", "POST"},
        ("integrations", 2): {"GET", "PUT", "PATCH", "DELETE"},
        ("integrations", 3): {"POST"},
        ("teams", 1): {"GET"},
        ("teams", 2): {"GET"},
        ("teams", 3): {"GET"},
        ("users", 1): {"GET"},
        ("users", 2): {"GET"},
        ("alert_groups", 1): {"GET"},
        ("alert_groups", 2): {"GET"},
        ("escalation", 1): {"POST"},
    }
    actions = {"maintenance_start", "maintenance_stop", "current_oncall", "next_oncall", "previous_oncall"}
    wanted = []
    for exchange in EVERYTHING:
        parts = [part for part in path_of(exchange).removeprefix("/api/v1/").split("/") if part]
        if not path_of(exchange).startswith("/api/v1/") or not parts:
            continue
        if exchange.method in sent.get((parts[0], len(parts)), ()) and (len(parts) < 3 or parts[2] in actions):
            wanted.append(exchange.case)
    assert [exchange.case for exchange in RELEVANT] == wanted
    assert len(set(wanted)) == len(wanted) > 200


def test_every_rule_of_the_table_has_a_recorded_answer() -> None:
    seen = {expected(exchange) for exchange in RELEVANT} - {None}
    assert seen == set(EXIT_CODES)
    assert {exchange.status for exchange in RELEVANT} >= {200, 201, 204, 400, 403, 404, 406, 415, 429, 500}


@pytest.mark.parametrize(
    "exchange",
    [each for each in RELEVANT if isinstance(each.body, dict) and any(each.body.get(field) for field in LABELS)],
    ids=lambda exchange: exchange.case,
)
def test_labels_are_refused_for_an_engine_since_it_ignores_them_without_a_word(
    exchange: Exchange, httpx_mock: HTTPXMock, oncall: OnCall
) -> None:
    assert exchange.status < 300
    assert not any(exchange.response_body.get(field) for field in LABELS)
    with pytest.raises(Unsupported, match="labels"):
        oncall.integrations.create(exchange.body)
    with pytest.raises(Unsupported, match="labels"):
        oncall.integrations.update(SOME_ID, exchange.body)
    assert httpx_mock.get_requests() == []


@pytest.mark.parametrize(
    "ident",
    sorted({unquote(matched(each)[1]) for each in RELEVANT if not re.fullmatch(r"\w*", matched(each)[1])}),
)
def test_a_recorded_id_that_no_server_has_is_refused_and_nothing_is_sent(
    ident: str, httpx_mock: HTTPXMock, oncall: OnCall
) -> None:
    with pytest.raises(InvalidInput, match="not an id"):
        oncall.teams.get(ident)
    with pytest.raises(InvalidInput, match="not an id"):
        oncall.integrations.delete(ident)
    assert httpx_mock.get_requests() == []
