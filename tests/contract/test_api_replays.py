"""Replays of the recorded responses through the API layer, for every endpoint it uses."""

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
from tests.unit.api.clock import Clock, RecordingListener

BASE = "http://engine.test"
EVERYTHING = load(*sorted(path.stem for path in FOLDER.glob("*.jsonl")))
PAGINATION = {"page", "perpage", "limit", "offset"}
CLOUD_MODES = {"debug": "silence_escalations", "maintenance": "group_alerts"}
LABELS = ("labels", "dynamic_labels")
SOME_ID = "CFRPV98RPR1U8"
SOME_MINUTE = "2026-11-21T00:00"

Call = Callable[[OnCall], object]


def is_json(exchange: Exchange) -> bool:
    return exchange.response_headers.get("content-type", "").startswith("application/json")


def path_of(exchange: Exchange) -> str:
    return exchange.path.partition("?")[0]


def filters_of(exchange: Exchange) -> dict[str, str]:
    query = {**dict(parse_qsl(exchange.path.partition("?")[2], keep_blank_values=True)), **exchange.query}
    return {name: value for name, value in query.items() if name not in PAGINATION}


def body_of(exchange: Exchange) -> dict[str, Any]:
    """Return the body as the API layer sends it: always a JSON object, and without labels."""
    body = exchange.body if isinstance(exchange.body, dict) else {}
    body = body.get("__form__", body)
    return {name: value for name, value in body.items() if name not in LABELS and is_text(value)}


def is_text(value: object) -> bool:
    """True if a value can be encoded, which half of a surrogate pair cannot."""
    return not re.search("[\ud800-\udfff]", str(value))


def window_of(exchange: Exchange) -> dict[str, Any]:
    """Return the requested window, with defaults for values that the API layer never sends."""
    given = body_of(exchange)
    mode, seconds = str(given.get("mode")), given.get("duration")
    return {
        "mode": mode if mode in CLOUD_MODES else "debug",
        "duration": seconds if type(seconds) is int and seconds > 0 else 3600,
    }


def span_of(exchange: Exchange) -> dict[str, str]:
    """Return the requested time range, to the minute, with a default for invalid ends."""
    ends = {name: exchange.query.get(name, "") for name in ("start_date", "end_date")}
    return {name: f"{text}T00:00"[:16] if text[:1].isdigit() else SOME_MINUTE for name, text in ends.items()}


@dataclass(frozen=True)
class Endpoint:
    """A request of the API layer.

    Attributes:
        methods: methods whose recorded responses apply to it; it sends the first.
        path: pattern of the path below the API root; the group is an ID.
        model: model of a successful response.
        call: returns the call for an exchange and an ID.
        query: query parameters without pagination.
        body: JSON of the request; None means that it has no body.
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
    """Return create, update and delete of a noun; `one` is the path of an object."""

    def create(exchange: Exchange, _: str) -> Call:
        return lambda oncall: oncall.send(oncall.collection(noun).create(body_of(exchange)))

    def update(exchange: Exchange, ident: str) -> Call:
        return lambda oncall: oncall.send(oncall.collection(noun).update(ident, body_of(exchange)))

    def delete(_: Exchange, ident: str) -> Call:
        return lambda oncall: oncall.send_without_result(oncall.collection(noun).delete(ident))

    one = one or rf"{noun.path}/+([^/]+)/*"
    return [
        Endpoint(("POST",), rf"{noun.path}/*", model, create, body=body_of),
        Endpoint(("PUT", "PATCH"), one, model, update, body=body_of),  # the engine handles both alike
        Endpoint(("DELETE",), one, type(None), delete),
    ]


def start(exchange: Exchange, ident: str) -> Call:
    window = window_of(exchange)
    mode, seconds = CLOUD_MODES[window["mode"]], window["duration"]
    return lambda oncall: oncall.send(oncall.integrations.start_maintenance(ident, mode, seconds))


def stop(_: Exchange, ident: str) -> Call:
    return lambda oncall: oncall.send(oncall.integrations.stop_maintenance(ident))


def on_call(when: str) -> Endpoint:
    def call(_: Exchange, ident: str) -> Call:
        return lambda oncall: oncall.teams.on_call(ident, when)

    return Endpoint(("GET",), rf"teams/+([^/]+)/+{when}_oncall/*", OnCallDocument, call)


def act(verb: str) -> Endpoint:
    def call(exchange: Exchange, ident: str) -> Call:
        return lambda oncall: oncall.send_without_result(oncall.alert_groups.act(ident, verb, exchange.body))

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

NEVER_SENT: Mapping[str, str] = {
    r"GET /api/v1/(alerts|slack_channels|user_groups)/.+": "the API has no such path: objects are taken from the list",
    r"GET /api/v1/organizations/.+": "only the own organization is shown, whatever the ID",
    r"\w+ (?!/api/v1/.).*": "the path is not below the API root",
    r"(OPTIONS|HEAD|TRACE|FOO) .*": "the method is never sent",
    r"(POST|PUT|PATCH|DELETE) /api/v1/(teams|users|schedules|\w+_groups|slack_\w+)(/+[^/]+)?/*": "these are only read",
    r"DELETE /api/v1/alert_groups/.*": "alert groups are not deleted",
    r"(POST /api/v1/integrations/[^/]+|(PUT|PATCH|DELETE) /api/v1/\w+)/": "such an object takes no such method",
    r"(GET|PUT) /api/v1/(escalation|integrations/.+/maintenance_\w+|alert_groups/.+/acknowledge)/": "these are POSTed",
    r"POST /api/v1/alert_groups/[^/]+/(attach|escalate)/": "alert groups have no such action",
    r"POST /api/v1/actions/": "it is an old name of webhooks",
    r"GET /api/v1/webhooks/[^/]+/responses": "responses of webhooks are not read",
    r"GET /api/v1/(schedules/[^/]+/export|users/[^/]+/schedule_export)": "calendars are not read",
    r"GET /api/v1/info/?": "it is not read",
    r"GET /api/v1/teams/[^/]+/(oncall|current_on_call)/?": "it is a misspelling of current_oncall",
    r"(GET|POST) /api/v1/(nope|integrations/[^/]+/(nope|x/y))/": "there is no such path",
}
"""Recorded requests that the API layer never sends, as patterns of method and path -> reason."""

# Errors by status. 400, 404 and 5xx depend on the response: see `expected`.
BY_STATUS: dict[int, type[OncallError]] = {
    401: AccessDenied,
    403: AccessDenied,
    406: ServerRefused,
    415: ServerRefused,
    429: Unavailable,
}
# Parts of 400 responses to a body or filter that names an unknown object.
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
    """Return the error that a response stands for; None for a success."""
    if exchange.status < 300:
        return None
    if exchange.status == 404:
        return NotFound if is_json(exchange) else NotOnCall
    if exchange.status == 400:
        text = json.dumps(exchange.response_body)
        if any(words in text for words in UNKNOWN):
            return NotFound
        return Conflict if any(words in text for words in CONFLICTS) else ServerRefused
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
    transport = Transport(url, {"Authorization": "token"}, timeout=20, listener=RecordingListener())
    return OnCall(transport, dialect, profile=Profile(name="engine", url=url))


def serve(httpx_mock: HTTPXMock, exchange: Exchange) -> None:
    """Respond to every request with the recorded response, and to requests for later result pages with an empty one."""
    headers = {
        name: value
        for name, value in exchange.response_headers.items()
        if name not in {"content-length", "content-encoding", "transfer-encoding", "connection"}
    }
    body = exchange.response_body
    content = json.dumps(body) if is_json(exchange) else str(body)

    def respond(request: httpx.Request) -> httpx.Response:
        if exchange.status == 200 and request.url.params.get("page", "1") != "1":
            return httpx.Response(200, json={"results": [], "next": None})
        return httpx.Response(exchange.status, headers=headers, content=content)

    httpx_mock.add_callback(respond, is_reusable=True)


@pytest.mark.parametrize("file", FILES)
def test_recorded_response_becomes_its_model_or_its_error(
    file: str, httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oncallctl.api.retry.SLICE", math.inf)  # one wait is one call of `sleep`
    failures: list[str] = []
    for number, exchange in enumerate(each for each in RELEVANT if each.case.partition("/")[0] == file):
        httpx_mock.reset()
        clock = Clock()
        for module in ("transport", "retry"):
            monkeypatch.setattr(f"oncallctl.api.{module}.time", clock)
        try:
            check_replay(exchange, f"engine-{number}.test", httpx_mock)
        except (Exception, pytest.fail.Exception) as failure:  # noqa: BLE001  # report all failures at once
            failures.append(f"{exchange.case}: {failure!r}")
    assert failures == [], "\n".join(failures)


def check_replay(exchange: Exchange, host: str, httpx_mock: HTTPXMock) -> None:
    """Check one exchange. Its own host separates its requests from result pages that the previous one still fetches."""
    endpoint, ident = matched(exchange)
    # The API layer refuses impossible IDs before sending; their responses are replayed with another ID.
    call = endpoint.call(exchange, ident if re.fullmatch(r"\w*", ident) else SOME_ID)
    error = expected(exchange)
    serve(httpx_mock, exchange)

    with engine(Dialect.CLOUD if endpoint.model is OnCallDocument else Dialect.OSS, f"http://{host}") as oncall:
        if error is None:
            check_success(endpoint.model, exchange, call(oncall))
        else:
            with pytest.raises(OncallError) as caught:
                call(oncall)
            check_error(error, exchange, caught.value)

    requests = httpx_mock.get_requests()
    assert {each.url.host.partition("-")[0] for each in requests} == {"engine"}
    check_sent(endpoint, exchange, [each for each in requests if each.url.host == host])


def check_success(model: type, exchange: Exchange, result: object) -> None:
    body = exchange.response_body
    if model is type(None):
        assert result is None
        assert body == ""
        return
    objects = result if isinstance(result, list) else [result]
    assert {type(each) for each in objects} <= {model}
    if model is FinalShift:
        assert [shift_json(each) for each in objects] == body["results"]
        return
    assert [each.raw for each in objects] == (body["results"] if isinstance(result, list) else [body])
    for each in objects:
        check_fields(each)


def shift_json(shift: FinalShift) -> dict[str, str | None]:
    """Return a shift in the form of the engine."""
    return {
        "user_pk": shift.user_pk,
        "user_email": shift.user_email,
        "user_username": shift.user_username,
        "shift_start": f"{shift.shift_start:%Y-%m-%dT%H:%M:%SZ}",
        "shift_end": f"{shift.shift_end:%Y-%m-%dT%H:%M:%SZ}",
    }


def check_fields(instance: ServerObject) -> None:
    """Check that the fields of a model have the values of the response."""
    raw = instance.raw
    for name, key in json_keys(type(instance)).items():
        value = getattr(instance, name)
        if isinstance(value, datetime):
            assert value == moment(raw[key])
        elif name == "title" and key in raw:
            assert value == (raw[key] and html.unescape(raw[key]))  # the engine escapes titles
        elif name == "default_route":
            assert value.escalation_chain_id == raw[key]["escalation_chain_id"]
        elif key in raw:
            assert value == raw[key]
    if isinstance(instance, Integration):
        assert instance.maintenance_mode == CLOUD_MODES.get(raw["maintenance_mode"])


def json_keys(model: type[ServerObject]) -> dict[str, str]:
    """Return the fields of a model and their keys in JSON."""
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
        query = {name: value for name, value in request.url.params.items() if name not in PAGINATION}
        if "/shift_swaps/" in request.url.path:  # without it the engine hides swaps that have begun
            assert query.pop("starting_after", BEGINNING) == BEGINNING
        assert query == endpoint.query(exchange)
        assert (json.loads(request.content) if request.content else None) == body


def test_recorded_exchange_is_either_replayed_or_listed_with_a_reason() -> None:
    used: set[str] = set()
    wrong: dict[str, set[str]] = {}
    for exchange in EVERYTHING:
        patterns = {each for each in NEVER_SENT if re.fullmatch(each, f"{exchange.method} {path_of(exchange)}")}
        used |= patterns
        if bool(patterns) == bool(matched(exchange)):
            wrong[exchange.case] = patterns
    assert wrong == {}
    assert used == NEVER_SENT.keys()


UNRECORDED_ENDPOINTS = {
    ("GET", NEXT_ON_CALL.path),
    ("DELETE", r"on_call_shifts/+([^/]+)/*"),
    ("DELETE", r"escalation_policies/+([^/]+)/*"),
}


def test_endpoints_without_a_recording_are_the_listed_ones() -> None:
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
"""Fields that are in no recorded response."""


@pytest.mark.parametrize("noun", [noun for noun in COLLECTIONS.values() if noun.typed], ids=lambda each: each.path)
def test_field_of_a_model_is_in_a_recorded_response(noun: Noun) -> None:
    model = engine(Dialect.OSS).collection(noun).model
    recorded: set[str] = set()
    for exchange in EVERYTHING:
        has_object = exchange.status < 300 and isinstance(exchange.response_body, dict)
        if has_object and re.match(rf"/api/v1/{noun.path}\b", exchange.path):
            for row in exchange.response_body.get("results", [exchange.response_body]):
                recorded |= row.keys()
    assert set(json_keys(model).values()) - recorded == UNRECORDED.get(model, set())


def test_every_error_and_status_has_a_recorded_response() -> None:
    seen = {expected(exchange) for exchange in RELEVANT} - {None}
    assert seen == set(EXIT_CODES)
    assert {exchange.status for exchange in RELEVANT} >= {200, 201, 204, 400, 403, 404, 406, 415, 429, 500}


@pytest.mark.parametrize(
    "exchange",
    [each for each in RELEVANT if isinstance(each.body, dict) and any(each.body.get(field) for field in LABELS)],
    ids=lambda exchange: exchange.case,
)
def test_labels_for_self_hosted_engine_are_refused_unsent(
    exchange: Exchange, httpx_mock: HTTPXMock, oncall: OnCall
) -> None:
    """The engine would ignore them silently, as the recordings show."""
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
def test_impossible_id_from_a_recording_is_refused_unsent(ident: str, httpx_mock: HTTPXMock, oncall: OnCall) -> None:
    with pytest.raises(InvalidInput, match="not an ID"):
        oncall.teams.get(ident)
    with pytest.raises(InvalidInput, match="not an ID"):
        oncall.integrations.delete(ident)
    assert httpx_mock.get_requests() == []
