"""Replays of every recorded request on the sandbox, whose responses must match the recorded ones.

The tests compare the status, the content type, Allow and the rate limit headers. They compare errors completely, and
objects without generated fields (IDs, tokens, times). For lists, they compare the pagination, the shape of the rows,
and the stable fields of rows that are on both sides.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import Client

from oncallctl import sandbox
from tests.contract.recordings import Exchange, load
from tests.recorded_texts import use_recorded_texts

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

FILES = (
    "alert_groups",
    "alerts",
    "auth",
    "errors",
    "escalation",
    "escalation_chains",
    "escalation_policies",
    "headers",
    "inbound",
    "integrations",
    "maintenance",
    "on_call_shifts",
    "organizations",
    "personal_notification_rules",
    "resolution_notes",
    "routes",
    "schedules",
    "shift_swaps",
    "slack_channels",
    "teams",
    "throttle",
    "user_groups",
    "users",
    "webhooks",
)
RECORDED = {exchange.case: exchange for exchange in load(*FILES)}

ONE_ORGANIZATION = "the sandbox has one organization, and Slack is connected to it"
NO_CALENDAR = "the sandbox exports no calendars"
PAYMENTS = "payments is always covered by two people here, in shifts of a day"
SINCE_2020 = "rotations of the sample began in 2020, so that who is on call follows from the date alone"

DELIBERATE = {
    "auth/glsa_*__url_other_org_unreachable": ONE_ORGANIZATION,
    "auth/org2_*": ONE_ORGANIZATION,
    "integrations/after_concurrent_create_same_name": "the sandbox lets no two creates race: the second is refused",
    "maintenance/noslack_*": ONE_ORGANIZATION,
    "on_call_shifts/get_calendar_shift": SINCE_2020,
    "on_call_shifts/get_no_slash": SINCE_2020,
    "on_call_shifts/list": PAYMENTS,
    "schedules/export_no_token": NO_CALENDAR,
    "slack_channels/org2_unconnected": ONE_ORGANIZATION,
    "webhooks/actions_create_deprecated": "the sandbox lacks the deprecated path `actions`",
    "webhooks/responses": "the sandbox calls no webhooks, so it has no responses of them",
    "schedules/final_shifts_payments": PAYMENTS,
    "users/schedule_export": NO_CALENDAR,
}
"""Deliberate differences of the sandbox: pattern of cases -> reason."""


def is_deliberate(case: str) -> bool:
    return any(fnmatchcase(case, pattern) for pattern in DELIBERATE)


@dataclass(frozen=True)
class Step:
    """A request between recorded ones, which was not recorded itself.

    Attributes:
        made: ID of the object it created in the recordings.
    """

    method: str
    path: str
    body: object = None
    made: str | None = None


RULE = {"user_id": "UP5USJJUWR1GX", "type": "notify_by_sms"}
WEBHOOK = {"name": "wh", "url": "http://e.com", "trigger_type": "escalation", "http_method": "GET"}
STEP = {"escalation_chain_id": "FGD4PM64AR6BA", "type": "repeat_escalation"}
ROUTE = {"integration_id": "CRX5VWIUH5PFF", "escalation_chain_id": None, "routing_regex": "far", "position": 999}
WEB = {"name": "new web", "type": "web", "time_zone": "UTC"}


def story(file: str, *steps: str | Step) -> tuple[str | Step, ...]:
    return tuple(f"{file}/{step}" if isinstance(step, str) else step for step in steps)


STORIES = (
    story(
        "integrations",
        "create_full",
        "put_name",
        "put_templates_only",
        "put_templates_null",
        "put_type_change",
        "put_team_null",
        "put_default_route",
        "put_default_route_null_chain",
        "put_labels",
        "put_maintenance_fields",
        "put_bad_chain",
        "put_bad_jinja",
        "put_bad_team",
        "put_dup_name",
        "put_name_empty",
        "put_name_null",
        "put_description",
        "patch_name",
        "patch_templates_only",
        "patch_templates_null",
        "patch_type_change",
        "patch_team",
        Step("PATCH", "/api/v1/integrations/CI3PQSFV2M3QS/", {"team_id": None}),
        "patch_default_route",
        "patch_default_route_null_chain",
        "patch_id_change",
        "patch_labels",
        "patch_maintenance_fields",
        "patch_empty_object",
        "patch_same_name",
        "patch_bad_chain",
        "patch_bad_jinja",
        "patch_malformed",
        "patch_dup_name",
        "patch_name_empty",
        "patch_description",
        Step("PATCH", "/api/v1/integrations/CI3PQSFV2M3QS", {"name": "no slash patch"}),
        "patch_empty_body",
    ),
    story("integrations", "delete_no_slash", "recreate_deleted_name"),
    story("maintenance", "start_first", "list_during", "patch_during", "stop_ok", "stop_not_in_maintenance"),
    story("maintenance", "start_direct_paging", "stop_direct_paging"),
    story(
        "maintenance",
        "start_maintenance_mode_full",
        "alert_groups_during_maintenance",
        "stop_maintenance_mode",
        "alert_groups_after_maintenance_stop",
    ),
    story("maintenance", "start_500_then_retry_ok", "delete_integration_in_maintenance", "stop_after_delete"),
    story(
        "maintenance",
        Step("POST", "/api/v1/integrations/C74U2SAHB7A96/maintenance_start", {"mode": "debug", "duration": 60}),
        "stop_no_slash",
    ),
    story("alert_groups", "resolve_ok", "get_after_resolve", "resolve_again"),
    story(
        "alert_groups",
        Step("POST", "/api/v1/alert_groups/IFGKKG959KPMI/silence/", {"delay": 60}),
        "get_after_silence",
    ),
    story("alert_groups", "delete_mode_delete", "get_after_delete"),
    story("escalation_chains", "create_ok", "create_dup", "delete_ok"),
    story(
        "escalation_policies",
        "create_wait",
        "create_wait_odd",
        "create_persons",
        Step("POST", "/api/v1/escalation_policies/", STEP, made="E3"),
        "create_persons_unknown",
        Step("POST", "/api/v1/escalation_policies/", STEP, made="E5"),
        "create_team",
        "create_webhook",
        Step("POST", "/api/v1/escalation_policies/", STEP, made="E8"),
        "create_resolve",
        "create_position_99",
        Step("POST", "/api/v1/escalation_policies/", {**STEP, "position": 0}, made="E100"),
        Step("POST", "/api/v1/escalation_policies/", {**STEP, "position": 0}, made="E101"),
        "patch_duration",
        "put_type_change",
    ),
    story(
        "routes",
        "create_ok",
        "put_position",
        "put_regex",
        "patch_regex",
        "create_dup_regex",
        Step("POST", "/api/v1/routes/", ROUTE, made="R999"),
        "create_position_neg",
        "create_slack",
        "delete_ok",
    ),
    story(
        "schedules",
        "create_calendar",
        "put_calendar",
        "put_calendar_no_type",
        "put_calendar_shifts_empty",
    ),
    story(
        "schedules",
        Step("POST", "/api/v1/schedules/", WEB, made="S268VFMAW7GCE"),
        "patch_web",
        "delete_ok",
    ),
    story(
        "on_call_shifts",
        Step(
            "POST",
            "/api/v1/on_call_shifts/",
            {
                "name": "sh",
                "type": "single_event",
                "start": "2030-01-01T00:00:00",
                "duration": 3600,
                "users": ["U85BI7ASG8K6E"],
            },
            made="OGPLARUBIPW2C",
        ),
        "put",
        "patch",
    ),
    story("resolution_notes", "create_ok", "patch", "delete_ok"),
    story("shift_swaps", "create_ok", "put", "take_ok", "take_again"),
    story(
        "personal_notification_rules",
        "create_wait",
        "create_position",
        Step("POST", "/api/v1/personal_notification_rules/", RULE, made="N2"),
        Step("POST", "/api/v1/personal_notification_rules/", RULE, made="N3"),
        Step("POST", "/api/v1/personal_notification_rules/", RULE, made="N4"),
        "create_mobile",
        "create_mobile_critical",
        "put",
        "patch_type",
        "delete_ok",
    ),
    story(
        "webhooks",
        Step("POST", "/api/v1/webhooks/", WEBHOOK, made="WHMWPMRW5DTM29"),
        "create_dup",
        "patch",
    ),
    story(
        "inbound",
        "post_alert",
        "group_from_inbound",
        "start_maintenance_then_alert_1",
        "post_alert_in_maintenance",
        "groups_during_maintenance",
        "integration_groups_during_maintenance",
        "integration_of_maintenance_group",
        "ack_maintenance_group",
        "silence_maintenance_group",
        Step("POST", "/api/v1/alert_groups/IWTLCI5N2WF2E/resolve/"),
        "integration_after_resolving_maintenance_group",
        "stop",
    ),
)
"""Cases that depend on the state after the cases before them."""

TOKENS = {
    "<token>": sandbox.ADMIN_TOKEN,
    "<token-admin_alice>": sandbox.ADMIN_TOKEN,
    "<token-editor_bob>": sandbox.EDITOR_TOKEN,
    "<token-viewer_frank>": sandbox.VIEWER_TOKEN,
    "glsa_labvalidAAAAAAAAAAAAAAAAAAAAAAAAA": sandbox.SERVICE_ACCOUNT_TOKEN,
    "glsa_labviewerAAAAAAAAAAAAAAAAAAAAAAAA": sandbox.SERVICE_ACCOUNT_TOKEN,
}
HOSTS = {"http://127.0.0.1:8080": sandbox.BASE_URL, "http://127.0.0.1:3000": sandbox.GRAFANA_URL}

MADE_UP = {
    "id",
    "alert_group_id",
    "integration_id",
    "route_id",
    "link",
    "inbound_email",
    "web",
    "uid",
    "created_at",
    "updated_at",
    "avatar_full",
    "resolved_at",
    "acknowledged_at",
    "silenced_at",
    "maintenance_started_at",
    "maintenance_end_at",
}
"""Generated fields, of which only the type is compared."""
KNOWN = ("name", "team_id", "type", "username", "email", "role", "timezone", "teams", "grafana_id", "routing_regex")
"""Fields that are compared in rows of lists that are on both sides."""
FEW = 3
"""A list with at most this number of rows was filtered, and must have the same length in the sandbox."""


FILLED = datetime(2026, 11, 21, 5, 44, 19, tzinfo=UTC)
RECORDED_AT = datetime(2026, 11, 21, 5, 59, 12, tzinfo=UTC)
"""Times at which the recorded engine got its data and its requests."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with the sample data and the recorded texts."""
    path = tmp_path_factory.mktemp("sample") / "oncall.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oncallctl.sandbox.storage.time", _stopped(FILLED))
        sandbox.reset(path)
    use_recorded_texts(path)
    return path


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oncallctl.sandbox.server.time", _stopped(RECORDED_AT))


def _stopped(moment: datetime) -> SimpleNamespace:
    return SimpleNamespace(time=moment.timestamp, monotonic=time.monotonic)


class Replay:
    """Sends recorded requests to a sandbox, with recorded IDs replaced by those of the sandbox."""

    def __init__(self, database: Path, *, rate_limit: int = 300) -> None:
        self._client = Client(sandbox.application(database, "oss", rate_limit=rate_limit))
        self._ids: dict[str, str] = {}

    def put(self, exchange: Exchange) -> TestResponse:
        path, _, query = exchange.path.partition("?")
        response = self._client.open(
            self._renamed(path),
            method=exchange.method,
            query_string=self._renamed(query or urlencode(exchange.query)),
            headers={name: _here(value) for name, value in exchange.headers.items() if name != "Content-Type"},
            data=exchange.content,
            content_type=exchange.content_type,
        )
        if response.status_code == exchange.status:
            self._learn(exchange.response_body, _body(response))
        return response

    def take(self, step: Step) -> None:
        response = self._client.open(
            self._renamed(step.path),
            method=step.method,
            headers={"Authorization": sandbox.ADMIN_TOKEN},
            json=step.body,
        )
        assert response.status_code == (200 if step.made is None else 201), response.get_data(as_text=True)
        if step.made is not None:
            self._learn({"id": step.made}, _body(response))

    def _renamed(self, text: str) -> str:
        return re.sub(r"\b[A-Z][A-Z1-9]{12,14}\b", lambda match: self._ids.get(match[0], match[0]), text)

    def _learn(self, recorded: object, here: object) -> None:
        if isinstance(recorded, dict) and isinstance(here, dict):
            for name in ("id", "integration_id"):
                if isinstance(recorded.get(name), str) and isinstance(here.get(name), str):
                    self._ids[recorded[name]] = here[name]
            self._learn(recorded.get("results"), here.get("results"))
        elif isinstance(recorded, list) and isinstance(here, list) and len(recorded) == len(here):
            for one, other in zip(recorded, here, strict=True):
                self._learn(one, other)


def _here(text: str) -> str:
    """Replace recorded tokens and hosts by those of the sandbox."""
    for recorded, here in (TOKENS | HOSTS).items():
        text = text.replace(recorded, here)
    return text


def _body(response: TestResponse) -> object:
    text = response.get_data(as_text=True)
    return json.loads(text) if text and response.mimetype == "application/json" else text


def _masked(value: object, name: str = "") -> object:
    """Replace values that are made up anew: by their type, by the prefix of a swap, or by N in a text about limits."""
    if isinstance(value, dict):
        return {key: _masked(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    if name in MADE_UP and value is not None:
        return type(value).__name__
    if name == "pk" and isinstance(value, str) and value.startswith("SSR"):
        return "SSR"
    if name == "detail" and isinstance(value, str) and value.startswith("Request was throttled"):
        return re.sub(r"\d+", "N", value)
    return value


def _shape(values: list[object]) -> dict[str, set[str]]:
    """Return the types of the values in rows, by place: `{".default_route.id": {"str"}}`."""
    shape: dict[str, set[str]] = {}

    def visit(value: object, place: str) -> None:
        shape.setdefault(place, set()).add(type(value).__name__)
        if isinstance(value, dict) and not place.endswith(".payload"):
            for key, inner in value.items():
                visit(inner, f"{place}.{key}")
        elif isinstance(value, list):
            for inner in value:
                visit(inner, f"{place}[]")

    for value in values:
        visit(value, "")
    return shape


def _collection(exchange: Exchange) -> str:
    return exchange.path.partition("?")[0].rstrip("/")


SHAPES = {
    collection: _shape(
        [
            row
            for exchange in RECORDED.values()
            if _collection(exchange) == collection and isinstance(exchange.response_body, dict)
            for row in exchange.response_body.get("results", [])
        ]
    )
    for collection in {_collection(exchange) for exchange in RECORDED.values()}
}
"""Shapes of the rows of each list in all recordings."""


def _earlier(link: str, pages: int) -> str:
    return re.sub(r"(?<=[?&]page=)\d+", lambda number: str(int(number[0]) - pages), link)


def _compare_lists(exchange: Exchange, recorded: dict[str, Any], here: dict[str, Any]) -> None:
    assert here.keys() == recorded.keys()
    assert here["page_size"] == recorded["page_size"]
    # The sandbox has fewer rows, so its last page may come earlier.
    moved = recorded["current_page_number"] - here["current_page_number"]
    assert moved == max(0, recorded["current_page_number"] - here["total_pages"])
    for name in ("next", "previous"):
        if here[name] and recorded[name]:
            assert here[name] == _earlier(_here(recorded[name]), moved)
    if recorded["count"] <= FEW:
        assert here["count"] == recorded["count"]
    assert bool(here["results"]) == bool(recorded["results"])
    known = SHAPES[_collection(exchange)]
    for place, kinds in _shape(here["results"]).items():
        assert place in known, f"no recorded row has {place}"
        assert kinds <= known[place], f"{place} is {kinds} here and {known[place]} in the recordings"
    if here["results"] and "id" in here["results"][0]:
        rows = {row["id"]: row for row in here["results"]}
        for row in recorded["results"]:
            same = rows.get(row["id"], row)
            assert {name: same.get(name) for name in KNOWN} == {name: row.get(name) for name in KNOWN}


def _compare(exchange: Exchange, response: TestResponse) -> None:
    assert response.status_code == exchange.status, response.get_data(as_text=True)
    for name in ("content-type", "allow"):
        assert response.headers.get(name) == exchange.response_headers.get(name)
    for name in ("retry-after", "ratelimit-reset"):
        assert (name in response.headers) == (name in exchange.response_headers)
    recorded, here = exchange.response_body, _body(response)
    if isinstance(recorded, dict) and "results" in recorded:
        assert isinstance(here, dict)
        _compare_lists(exchange, recorded, here)
    else:
        assert _masked(here) == _masked(json.loads(_here(json.dumps(recorded))))


def _scenarios(file: str) -> list[tuple[str | Step, ...]]:
    """Return the scenarios of a file: a story, with its cases in order, or a single other case."""
    stories = [
        steps for steps in STORIES if any(isinstance(step, str) and step.startswith(f"{file}/") for step in steps)
    ]
    ordered = {step for steps in stories for step in steps if isinstance(step, str)}
    return [*stories, *((case,) for case in RECORDED if case.startswith(f"{file}/") and case not in ordered)]


def _replay(scenario: tuple[str | Step, ...], sample: Path, database: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each case of a scenario, with the difference between the sandbox and the recording, or None."""
    shutil.copyfile(sample, database)
    # The recordings about rate limits were made by a user who had reached the limit.
    replay = Replay(database, rate_limit=0 if str(scenario[0]).startswith("throttle/") else 300)
    for step in scenario:
        if isinstance(step, Step):
            replay.take(step)
            continue
        response = replay.put(RECORDED[step])
        try:
            _compare(RECORDED[step], response)
        except AssertionError as difference:
            yield step, str(difference)
        else:
            yield step, None


@pytest.mark.parametrize("file", FILES)
def test_sandbox_response_to_a_recorded_request_matches_the_engine_or_is_listed_as_different(
    file: str, sample: Path, tmp_path: Path
) -> None:
    """A case that is listed as different must differ, so that the list stays true."""
    differences = dict(
        each for scenario in _scenarios(file) for each in _replay(scenario, sample, tmp_path / "oncall.db")
    )
    assert differences.keys() == {case for case in RECORDED if case.startswith(f"{file}/")}
    unexpected = {case: text for case, text in differences.items() if text and not is_deliberate(case)}
    assert unexpected == {}, "\n\n".join(f"{case}: {text}" for case, text in unexpected.items())
    assert [case for case, text in differences.items() if text is None and is_deliberate(case)] == []


def test_deliberate_difference_names_a_recorded_case() -> None:
    assert [pattern for pattern in DELIBERATE if not any(fnmatchcase(case, pattern) for case in RECORDED)] == []


def test_story_consists_of_recorded_cases() -> None:
    assert {step for steps in STORIES for step in steps if isinstance(step, str)} <= RECORDED.keys()
