"""Every answer recorded of an endpoint that the API layer uses, replayed through the API layer."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from pytest_httpx import HTTPXMock

from oncallctl.api import nouns
from oncallctl.api.client import Dialect, OnCall
from oncallctl.api.noun import Noun
from oncallctl.api.nouns import COLLECTIONS
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.alerts import Alert
from oncallctl.api.resources.base import ServerObject
from oncallctl.api.resources.escalation_chains import EscalationChain
from oncallctl.api.resources.escalation_policies import EscalationPolicy
from oncallctl.api.resources.integrations import Integration
from oncallctl.api.resources.on_call_shifts import OnCallShift
from oncallctl.api.resources.resolution_notes import ResolutionNote
from oncallctl.api.resources.routes import Route
from oncallctl.api.resources.schedules import FinalShift, Schedule
from oncallctl.api.resources.shift_swaps import BEGINNING, ShiftSwap
from oncallctl.api.resources.teams import OnCallDocument, Team
from oncallctl.api.resources.users import User
from oncallctl.api.retry import ATTEMPTS
from oncallctl.api.transport import Transport
from oncallctl.config.profiles import Profile
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
from tests.contract.recordings import FOLDER, Exchange, load
from tests.unit.api.clock import Clock, Ears

BASE = "http://engine.test"
EVERYTHING = load(*sorted(path.stem for path in FOLDER.glob("*.jsonl")))
PAGING_WORDS = {"page", "perpage", "limit", "offset"}
CLOUD_WORDS = {"debug": "silence_escalations", "maintenance": "group_alerts"}
LABELS = ("labels", "dynamic_labels")
SOME_ID = "CFRPV98RPR1U8"
SOME_MINUTE = "2026-11-21T00:00"

Call = Callable[[OnCall], object]


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


def window_of(exchange: Exchange) -> dict[str, Any]:
    """The window that was asked for; where it was none that the API layer opens, another one."""
    given = body_of(exchange)
    mode, seconds = str(given.get("mode")), given.get("duration")
    return {
        "mode": mode if mode in CLOUD_WORDS else "debug",
        "duration": seconds if type(seconds) is int and seconds > 0 else 3600,
    }


def span_of(exchange: Exchange) -> dict[str, str]:
    """The time that was asked for, to the minute; where one of its ends was none, another one."""
    ends = {name: exchange.query.get(name, "") for name in ("start_date", "end_date")}
    return {name: f"{text}T00:00"[:16] if text[:1].isdigit() else SOME_MINUTE for name, text in ends.items()}


@dataclass(frozen=True)
class Endpoint:
    """What the API layer asks of one kind of path.

    Attributes:
        methods: those whose recorded answers its call may get; the first is the one it sends.
        path: what follows the API's root; the group is an id.
        model: what a success holds.
        call: makes the call of an exchange, with the id.
        query: what the call asks for, pages aside.
        body: the JSON that it sends; None is no body at all.
    """

    methods: tuple[str, ...]
    path: str
    model: type
    call: Callable[[Exchange, str], Call]
    query: Callable[[Exchange], dict[str, str]] = lambda _: {}
    body: Callable[[Exchange], Any] = lambda _: None


def listing(noun: str, model: type) -> Endpoint:
    def call(exchange: Exchange, _: str) -> Call:
        return lambda oncall: list(getattr(oncall, noun).list(**filters_of(exchange)))

    return Endpoint(("GET",), rf"{noun}/*", model, call, query=filters_of)


def member(noun: str, model: type) -> Endpoint:
    def call(_: Exchange, ident: str) -> Call:
        return lambda oncall: getattr(oncall, noun).get(ident)

    return Endpoint(("GET",), rf"{noun}/+([^/]+)/*", model, call)


def writes(noun: Noun, model: type, one: str = "") -> list[Endpoint]:
    """The changes of a noun; `one` is the path of one object."""

    def create(exchange: Exchange, _: str) -> Call:
        return lambda oncall: oncall.send(oncall.collection(noun).create(body_of(exchange)))

    def update(exchange: Exchange, ident: str) -> Call:
        return lambda oncall: oncall.send(oncall.collection(noun).update(ident, body_of(exchange)))

    def delete(_: Exchange, ident: str) -> Call:
        return lambda oncall: oncall.discard(oncall.collection(noun).delete(ident))

    one = one or rf"{noun.path}/+([^/]+)/*"
    return [
        Endpoint(("POST",), rf"{noun.path}/*", model, create, body=body_of),
        Endpoint(("PUT", "PATCH"), one, model, update, body=body_of),  # the engine handles both alike
        Endpoint(("DELETE",), one, type(None), delete),
    ]


def start(exchange: Exchange, ident: str) -> Call:
    window = window_of(exchange)
    mode, seconds = CLOUD_WORDS[window["mode"]], window["duration"]
    return lambda oncall: oncall.send(oncall.integrations.start_maintenance(ident, mode, seconds))


def stop(_: Exchange, ident: str) -> Call:
    return lambda oncall: oncall.send(oncall.integrations.stop_maintenance(ident))


def on_call(when: str) -> Endpoint:
    def call(_: Exchange, ident: str) -> Call:
        return lambda oncall: oncall.teams.on_call(ident, when)

    return Endpoint(("GET",), rf"teams/+([^/]+)/+{when}_oncall/*", OnCallDocument, call)


def act(verb: str) -> Endpoint:
    def call(exchange: Exchange, ident: str) -> Call:
        return lambda oncall: oncall.discard(oncall.alert_groups.act(ident, verb, exchange.body))

    return Endpoint(
        ("POST",), rf"alert_groups/+([^/]+)/+{verb}/*", type(None), call, body=lambda exchange: exchange.body
    )


def final_shifts(exchange: Exchange, ident: str) -> Call:
    span = {name: datetime.fromisoformat(minute).replace(tzinfo=UTC) for name, minute in span_of(exchange).items()}
    return lambda oncall: oncall.schedules.final_shifts(ident, span["start_date"], span["end_date"])


def steps(exchange: Exchange, _: str) -> Call:
    filters = filters_of(exchange)
    if filters.keys() == {"escalation_chain_id"}:
        return lambda oncall: oncall.escalation_policies.of_chain(filters["escalation_chain_id"])
    return lambda oncall: list(oncall.escalation_policies.list(**filters))


def escalate(exchange: Exchange, _: str) -> Call:
    return lambda oncall: oncall.send(oncall.escalation.page(body_of(exchange)))


def take(exchange: Exchange, ident: str) -> Call:
    return lambda oncall: oncall.send(oncall.shift_swaps.take(ident, body_of(exchange)["benefactor"]))


NEXT_ON_CALL = on_call("next")
ONE_INTEGRATION = r"integrations/+([^/]+)/*"
ENDPOINTS = (
    listing("integrations", Integration),
    *writes(nouns.INTEGRATIONS, Integration, ONE_INTEGRATION),
    member("integrations", Integration),
    Endpoint(("POST",), r"integrations/+([^/]+)/+maintenance_start/*", Integration, start, body=window_of),
    Endpoint(("POST",), r"integrations/+([^/]+)/+maintenance_stop/*", Integration, stop),
    listing("teams", Team),
    member("teams", Team),
    on_call("current"),
    on_call("previous"),
    NEXT_ON_CALL,
    listing("users", User),
    Endpoint(("GET",), r"users/+current/*", User, lambda *_: lambda oncall: oncall.users.current()),
    member("users", User),
    listing("alert_groups", AlertGroup),
    member("alert_groups", AlertGroup),
    *(act(verb) for verb in ("acknowledge", "unacknowledge", "resolve", "unresolve", "silence", "unsilence")),
    listing("alerts", Alert),
    member("alerts", Alert),
    listing("resolution_notes", ResolutionNote),
    *writes(nouns.RESOLUTION_NOTES, ResolutionNote),
    member("resolution_notes", ResolutionNote),
    listing("schedules", Schedule),
    member("schedules", Schedule),
    Endpoint(("GET",), r"schedules/+([^/]+)/+final_shifts/*", FinalShift, final_shifts, query=span_of),
    listing("on_call_shifts", OnCallShift),
    member("on_call_shifts", OnCallShift),
    *writes(nouns.ON_CALL_SHIFTS, OnCallShift),
    listing("shift_swaps", ShiftSwap),
    member("shift_swaps", ShiftSwap),
    *writes(nouns.SHIFT_SWAPS, ShiftSwap),
    Endpoint(("POST",), r"shift_swaps/+([^/]+)/+take/*", ShiftSwap, take, body=body_of),
    listing("routes", Route),
    member("routes", Route),
    *writes(nouns.ROUTES, Route),
    listing("escalation_chains", EscalationChain),
    member("escalation_chains", EscalationChain),
    *writes(nouns.ESCALATION_CHAINS, EscalationChain),
    Endpoint(("GET",), r"escalation_policies/*", EscalationPolicy, steps, query=filters_of),
    *writes(nouns.ESCALATION_POLICIES, EscalationPolicy),
    listing("webhooks", ServerObject),
    member("webhooks", ServerObject),
    *writes(nouns.WEBHOOKS, ServerObject),
    listing("personal_notification_rules", ServerObject),
    member("personal_notification_rules", ServerObject),
    *writes(nouns.PERSONAL_NOTIFICATION_RULES, ServerObject),
    listing("user_groups", ServerObject),
    listing("slack_channels", ServerObject),
    Endpoint(("POST",), r"escalation/*", AlertGroup, escalate, body=body_of),
)

LEFT_OUT: Mapping[str, str] = {
    r"GET /api/v1/(slack_channels|user_groups)/.+": "the API has no such path: the objects are taken from the list",
    r"GET /api/v1/organizations/.+": "only the own organization is shown, whatever the ID",
    r"\w+ (?!/api/v1/.).*": "it is not below the API's root",
    r"(OPTIONS|HEAD|TRACE|FOO) .*": "the method is never sent",
    r"(POST|PUT|PATCH|DELETE) /api/v1/(teams|users|schedules|\w+_groups|slack_\w+)(/+[^/]+)?/*": "these are only read",
    r"DELETE /api/v1/alert_groups/.*": "alert groups are not deleted",
    r"(POST /api/v1/integrations/[^/]+|(PUT|PATCH|DELETE) /api/v1/\w+)/": "such an object takes no such method",
    r"(GET|PUT) /api/v1/(escalation|integrations/.+/maintenance_\w+|alert_groups/.+/acknowledge)/": "these are POSTed",
    r"POST /api/v1/alert_groups/[^/]+/(attach|escalate)/": "it is no action on alert groups",
    r"POST /api/v1/actions/": "it is an old name of webhooks",
    r"GET /api/v1/webhooks/[^/]+/responses": "what webhooks were answered is not asked for",
    r"GET /api/v1/(schedules/[^/]+/export|users/[^/]+/schedule_export)": "calendars are not asked for",
    r"GET /api/v1/info/?": "it is never asked for",
    r"GET /api/v1/teams/[^/]+/(oncall|current_on_call)/?": "it is a wrong name of current_oncall",
    r"(GET|POST) /api/v1/(nope|integrations/[^/]+/(nope|x/y))/": "there is no such path",
}
"""What the API layer never asks, as method and path, each with the reason."""

# What an answer that is no success means, by its status; 400, 404 and 5xx depend on more: see `expected`.
BY_STATUS: dict[int, type[OncallError]] = {
    401: AccessDenied,
    403: AccessDenied,
    406: ServerRefused,
    415: ServerRefused,
    429: Unavailable,
}
# Of what the body or a filter names: 400 there, not 404.
UNKNOWN = ("does not exist", "not one of the available choices")
CONFLICTS = (
    "Already on maintenance",
    "not in a state which allows",
    "resolved alert group",
    "already exists",
    "Can't ",
)
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
        if any(words in said for words in UNKNOWN):
            return NotFound
        return Conflict if any(words in said for words in CONFLICTS) else ServerRefused
    if exchange.status >= 500:
        return Unavailable if exchange.method == "GET" else OutcomeUnknown
    return BY_STATUS[exchange.status]


def matched(exchange: Exchange) -> tuple[Endpoint, str] | None:
    for endpoint in ENDPOINTS:
        found = re.fullmatch(rf"/api/v1/{endpoint.path}", path_of(exchange))
        if found and exchange.method in endpoint.methods:
            return endpoint, (found.groups() or ("",))[0]
    return None


RELEVANT = [exchange for exchange in EVERYTHING if matched(exchange)]
FILES = sorted({exchange.case.partition("/")[0] for exchange in RELEVANT})


@pytest.fixture
def oncall() -> Iterator[OnCall]:
    with engine(Dialect.OSS) as opened:
        yield opened


def engine(dialect: Dialect, url: str = BASE) -> OnCall:
    transport = Transport(url, {"Authorization": "token"}, timeout=20, listener=Ears())
    return OnCall(transport, dialect, profile=Profile(name="engine", url=url))


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


@pytest.mark.parametrize("file", FILES)
def test_recorded_response_becomes_its_model_or_its_error(
    file: str, httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oncallctl.api.retry.SLICE", math.inf)  # a wait is one wait
    failures: list[str] = []
    for number, exchange in enumerate(each for each in RELEVANT if each.case.partition("/")[0] == file):
        httpx_mock.reset()
        clock = Clock()
        for module in ("transport", "retry"):
            monkeypatch.setattr(f"oncallctl.api.{module}.time", clock)
        try:
            check_replay(exchange, f"engine-{number}.test", httpx_mock)
        except (Exception, pytest.fail.Exception) as failure:  # noqa: BLE001  # all failures are reported at once
            failures.append(f"{exchange.case}: {failure!r}")
    assert failures == [], "\n".join(failures)


def check_replay(exchange: Exchange, host: str, httpx_mock: HTTPXMock) -> None:
    """Check one exchange; a host of its own tells its requests from pages that the one before still fetches ahead."""
    endpoint, ident = matched(exchange)
    # An id that no server has is refused before it is sent; its answer is replayed all the same.
    call = endpoint.call(exchange, ident if re.fullmatch(r"\w*", ident) else SOME_ID)
    error = expected(exchange)
    serve(httpx_mock, exchange)

    with engine(Dialect.CLOUD if endpoint.model is OnCallDocument else Dialect.OSS, f"http://{host}") as asked:
        if error is None:
            check_success(endpoint.model, exchange, call(asked))
        else:
            with pytest.raises(OncallError) as caught:
                call(asked)
            check_error(error, exchange, caught.value)

    requests = httpx_mock.get_requests()
    assert {each.url.host.partition("-")[0] for each in requests} == {"engine"}
    check_sent(endpoint, exchange, [each for each in requests if each.url.host == host])


def check_success(model: type, exchange: Exchange, result: object) -> None:
    said = exchange.response_body
    if model is type(None):
        assert result is None
        assert said == ""
        return
    found = result if isinstance(result, list) else [result]
    assert {type(each) for each in found} <= {model}
    if model is FinalShift:
        assert [shift_of(each) for each in found] == said["results"]
        return
    assert [each.raw for each in found] == (said["results"] if isinstance(result, list) else [said])
    for each in found:
        check_fields(each)


def shift_of(found: FinalShift) -> dict[str, str | None]:
    """A shift as the engine says it."""
    return {
        "user_pk": found.user_pk,
        "user_email": found.user_email,
        "user_username": found.user_username,
        "shift_start": f"{found.shift_start:%Y-%m-%dT%H:%M:%SZ}",
        "shift_end": f"{found.shift_end:%Y-%m-%dT%H:%M:%SZ}",
    }


def check_fields(found: ServerObject) -> None:
    """What the program goes by is what the engine said."""
    raw = found.raw
    for name, said in said_names(type(found)).items():
        value = getattr(found, name)
        if isinstance(value, datetime):
            assert value == moment(raw[said])
        elif name == "title" and said in raw:
            assert value == (raw[said] and html.unescape(raw[said]))  # the engine escapes titles
        elif name == "default_route":
            assert value.escalation_chain_id == raw[said]["escalation_chain_id"]
        elif said in raw:
            assert value == raw[said]
    if isinstance(found, Integration):
        assert found.maintenance_mode == CLOUD_WORDS.get(raw["maintenance_mode"])


def said_names(model: type[ServerObject]) -> dict[str, str]:
    """Each field of a model, and what the server calls it."""
    return {name: field.alias or name for name, field in model.model_fields.items()}


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
    if exchange.method != "GET" and exchange.status == 403:  # a refusal is followed by a lookup of the token's role
        requests = [each for each in requests if (each.method, each.url.path) != ("GET", "/api/v1/users/current/")]
    assert {each.method for each in requests} == {endpoint.methods[0]}
    if exchange.status == 429:
        assert len(requests) > 1
    elif exchange.method != "GET":
        assert len(requests) == 1
    elif exchange.status >= 500:
        assert len(requests) == ATTEMPTS
    if re.fullmatch(r"[\w/]+", path_of(exchange)):
        sent = re.sub("/+", "/", path_of(exchange)).rstrip("/")
        assert {each.url.path.rstrip("/") for each in requests} == {sent}
    body = endpoint.body(exchange)
    for request in requests:
        asked = {name: value for name, value in request.url.params.items() if name not in PAGING_WORDS}
        if "/shift_swaps/" in request.url.path:  # else the engine hides those that have begun
            assert asked.pop("starting_after", BEGINNING) == BEGINNING
        assert asked == endpoint.query(exchange)
        assert (json.loads(request.content) if request.content else None) == body


def test_no_recorded_exchange_is_left_out_without_a_reason() -> None:
    """Each is replayed, or a pattern of LEFT_OUT says why not; never both."""
    used: set[str] = set()
    wrong: dict[str, set[str]] = {}
    for exchange in EVERYTHING:
        reasons = {what for what in LEFT_OUT if re.fullmatch(what, f"{exchange.method} {path_of(exchange)}")}
        used |= reasons
        if bool(reasons) == bool(matched(exchange)):
            wrong[exchange.case] = reasons
    assert wrong == {}
    assert used == LEFT_OUT.keys()


UNRECORDED_ENDPOINTS = {
    ("GET", NEXT_ON_CALL.path),
    ("DELETE", r"on_call_shifts/+([^/]+)/*"),
    ("DELETE", r"escalation_policies/+([^/]+)/*"),
}


def test_every_endpoint_that_is_used_was_recorded_but_for_a_few() -> None:
    recorded = [matched(exchange)[0] for exchange in RELEVANT]
    unrecorded = {(each.methods[0], each.path) for each in ENDPOINTS if each not in recorded}
    assert unrecorded == UNRECORDED_ENDPOINTS


UNRECORDED: Mapping[type[ServerObject], set[str]] = {
    Integration: {"labels", "dynamic_labels"},  # Cloud's
    EscalationPolicy: {
        "group_to_notify",
        "notify_if_time_from",
        "notify_if_time_to",
        "num_alerts_in_window",
        "num_minutes_in_window",
        "severity",
    },
}
"""Fields that no recorded answer has."""


@pytest.mark.parametrize("noun", [noun for noun in COLLECTIONS.values() if noun.typed], ids=lambda each: each.path)
def test_every_field_that_the_program_goes_by_was_said_by_the_engine(noun: Noun) -> None:
    model = engine(Dialect.OSS).collection(noun).model
    said: set[str] = set()
    for exchange in EVERYTHING:
        known = exchange.status < 300 and isinstance(exchange.response_body, dict)
        if known and re.match(rf"/api/v1/{noun.path}\b", exchange.path):
            for row in exchange.response_body.get("results", [exchange.response_body]):
                said |= row.keys()
    assert set(said_names(model).values()) - said == UNRECORDED.get(model, set())


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
    with pytest.raises(InvalidInput, match="not an ID"):
        oncall.teams.get(ident)
    with pytest.raises(InvalidInput, match="not an ID"):
        oncall.integrations.delete(ident)
    assert httpx_mock.get_requests() == []
