"""Unusual and invalid documents: accepted unchanged, or refused with the name of the invalid field."""

from __future__ import annotations

import copy
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from werkzeug.wrappers import Response

from oncallctl.api.nouns import COLLECTIONS
from oncallctl.api.resources.base import ServerObject, UnexpectedShape
from tests.conftest import Runner
from tests.faults.hostile.documents import VALUES, changed, fields
from tests.faults.hostile.lines import CHAIN, FIRING, INTEGRATIONS, ROUTE, SCHEDULE, TEAM, USER
from tests.faults.hostile.spoiling import Spoiled, harmless

for noun in COLLECTIONS.values():
    if noun.typed:
        import_module(f"oncallctl.api.resources.{noun.path}")
MODELS = sorted(ServerObject.__subclasses__(), key=lambda each: each.__name__)
MODELS = [model for model in MODELS if model.__module__.startswith("oncallctl.api.resources.")]
SAME = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
VALID: dict[str, Any] = {
    "id": "I1",
    "name": "n",
    "type": "webhook",
    "username": "u",
    "state": "firing",
    "title": "t",
    "users": ["U1"],
    "teams": ["T1"],
    "rolling_users": [["U1"]],
    "on_call_now": [],
    "persons_to_notify": ["U1"],
    "persons_to_notify_next_each_time": ["U1"],
    "default_route": {"id": "R1", "escalation_chain_id": None},
    "templates": {"slack": {"title": None}},
    "labels": [{"key": {"name": "a"}, "value": {"name": "b"}}],
    "dynamic_labels": [],
    "slack": {"name": "s"},
    "duration": 300,
    "position": 0,
    "important": True,
    "is_the_last_route": False,
    "start": "2026-01-01T00:00:00",
    "num_alerts_in_window": 1,
    "num_minutes_in_window": 1,
    "created_at": "2026-01-01T00:00:00Z",
    "status": "open",
    "schedule": "S1",
    "beneficiary": "U1",
    "swap_start": "2026-01-01T00:00:00Z",
    "swap_end": "2026-01-02T00:00:00Z",
    "maintenance_started_at": "2026-01-01T00:00:00Z",
    "maintenance_end_at": None,
}


def named(model: type[ServerObject]) -> list[str]:
    """The fields of a model by the names that the server has for them."""
    return [info.alias or name for name, info in model.model_fields.items()]


def valid(model: type[ServerObject]) -> dict[str, Any]:
    return {name: copy.deepcopy(VALID.get(name)) for name in named(model)}


def test_list_of_models_includes_the_resources() -> None:
    assert {"Integration", "Team", "User", "AlertGroup", "Schedule", "EscalationPolicy"} <= {
        model.__name__ for model in MODELS
    }


@pytest.mark.parametrize("model", MODELS)
@settings(SAME, max_examples=15)
@given(more=st.dictionaries(st.text(max_size=10), VALUES, max_size=4))
def test_document_with_unknown_fields_is_accepted_unchanged(model: type[ServerObject], more: dict[str, Any]) -> None:
    document = {**more, **valid(model)}
    assert model.read(document).raw is document


@pytest.mark.parametrize("model", MODELS)
@settings(SAME, max_examples=40)
@given(data=st.data())
def test_invalid_document_is_accepted_unchanged_or_refused_by_field(model: type[ServerObject], data: Any) -> None:
    names = data.draw(st.lists(st.sampled_from(named(model)), min_size=1, max_size=2, unique=True))
    document = valid(model)
    for name in names:
        if data.draw(st.integers(0, 4)):
            document[name] = data.draw(VALUES)
        else:
            del document[name]
    before = repr(document)
    try:
        read = model.read(document)
    except UnexpectedShape as refused:
        assert str(refused).split(":")[0].split(".")[0] in names  # noqa: PT017  # it may be taken as well
    else:
        assert read.raw is document
        assert repr(document) == before


@pytest.mark.parametrize("model", MODELS)
@settings(SAME, max_examples=15)
@given(document=VALUES)
def test_document_of_another_shape_is_refused(model: type[ServerObject], document: Any) -> None:
    if isinstance(document, dict) and isinstance(document.get("id"), str):
        return
    with pytest.raises(UnexpectedShape) as refused:
        model.read(document)
    assert str(refused.value).partition(":")[0] in {"the response", *named(model)}


EXAMPLES = 8
READS = (
    "integrations list",
    f"integrations get {INTEGRATIONS[0]}",
    f"maintenance status {INTEGRATIONS[0]}",
    "maintenance debrief CP54J5XSSCRZE --since 7d",
    f"teams who-is-on-call {TEAM}",
    f"teams who-is-on-call {TEAM} --at 2030-01-01T00:00",
    f"teams rota {TEAM} -o json",
    f"teams rota {TEAM} --svg -",
    f"teams gaps {TEAM}",
    f"teams handoff {TEAM}",
    "users list",
    f"users get {USER}",
    "alert-groups list",
    "alert-groups list --mine",
    f"alert-groups get {FIRING[0]}",
    f"alert-groups alerts {FIRING[0]}",
    "schedules list",
    f"schedules shifts {SCHEDULE}",
    "routes list",
    f"routes get {ROUTE}",
    f"escalation-chains get {CHAIN}",
    "integrations list -o csv",
    "api GET integrations/ --paginate",
    "doctor",
)
CHANGES = (
    f"maintenance start {INTEGRATIONS[1]} --for 30m --if-active replace",
    f"maintenance stop {INTEGRATIONS[1]}",
    f"integrations update {INTEGRATIONS[1]} --label team=a",
    f"alert-groups acknowledge {FIRING[1]}",
    f"alert-groups unacknowledge {FIRING[1]}",
    f"alert-groups note {FIRING[1]} --text x",
    f"escalate --team {TEAM} --title t",
)


@pytest.mark.parametrize("words", READS)
def test_read_with_an_unusual_response_succeeds_or_reports_it(hostile: Spoiled, run: Runner, words: str) -> None:
    # `doctor` reports every problem, and exits with the status of the first failure.
    check_unusual_responses(hostile, run, words, {0, 8})


@pytest.mark.parametrize("words", CHANGES)
def test_change_with_an_unusual_response_succeeds_or_reports_it(hostile: Spoiled, run: Runner, words: str) -> None:
    check_unusual_responses(hostile, run, words, {0, 7, 8, 9})


def check_unusual_responses(hostile: Spoiled, run: Runner, words: str, statuses: set[int]) -> None:
    """Run a command repeatedly, each time with another value in one field of all responses."""
    hostile.change = lambda document: document
    run(words)
    names = sorted(fields(hostile.sent))

    @settings(deadline=None, derandomize=True, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(field=st.sampled_from(names), value=VALUES, drop=st.booleans())
    def example(field: str, value: Any, drop: bool) -> None:  # noqa: FBT001  # hypothesis names them
        hostile.change = lambda document: changed(document, field, value, drop=drop)
        done = run(words, status=None)
        context = f"{words}: {field} is {'left out' if drop else repr(value)[:100]}\n{done.stderr}"
        assert "bug in oncallctl" not in done.stderr, context
        assert done.status in statuses, context
        assert sum(line.startswith(("error: ", '{"error": ')) for line in done.stderr.split("\n")) == (
            done.status != 0
        ), context
        harmless(done.stdout + done.stderr)

    example()


LATE, EARLY = "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("escalation-chains get F3VV9WSX4RBEK", "duration", float("inf")),
        ("escalation-chains get F3VV9WSX4RBEK", "duration", float("nan")),
        ("escalation-chains get F3VV9WSX4RBEK", "duration", 1e300),
        (f"schedules shifts {SCHEDULE}", "shift_end", LATE),
        (f"schedules shifts {SCHEDULE}", "shift_start", EARLY),
        (f"teams who-is-on-call {TEAM}", "shift_end", LATE),
        (f"teams who-is-on-call {TEAM} --at 2030-01-01T00:00", "shift_end", LATE),
        (f"teams rota {TEAM} --columns schedule_name", "shift_start", EARLY),
        (f"teams rota {TEAM} --columns schedule_name", "duration", 10**30),
        (f"teams rota {TEAM} --columns schedule_name", "duration", -(10**30)),
        (f"teams rota {TEAM} --columns schedule_name", "start", "9999-12-31T23:59:59"),
        (f"teams rota {TEAM} --columns schedule_name", "time_zone", "../../x"),
        (f"teams gaps {TEAM}", "shift_start", EARLY),
        (f"teams handoff {TEAM}", "created_at", EARLY),
        ("maintenance debrief CP54J5XSSCRZE --since 7d", "resolved_at", "x"),
        ("maintenance debrief CP54J5XSSCRZE --since 7d", "created_at", EARLY),
        ("maintenance debrief CP54J5XSSCRZE --since 7d", "created_at", LATE),
        ("alert-groups list --since 7d", "created_at", EARLY),
        (f"maintenance status {INTEGRATIONS[1]}", "maintenance_started_at", "1700000000"),
        (f"maintenance status {INTEGRATIONS[1]}", "maintenance_started_at", 1_700_000_000),
        (f"maintenance status {INTEGRATIONS[1]}", "maintenance_end_at", LATE),
        (f"maintenance status {INTEGRATIONS[1]}", "maintenance_end_at", EARLY),
        ("users list", "total_pages", 10**30),
        ("users list", "total_pages", float("inf")),
        ("users list", "count", 10**30),
        ("api GET users/ --paginate", "total_pages", 10**30),
        ("teams who-is-on-call", "id", "../../x"),
        ("teams who-is-on-call", "id", ""),
        ("teams gaps", "id", "a b"),
        (f"teams gaps {TEAM}", "notify_on_call_from_schedule", "../../x"),
        (f"teams who-is-on-call {TEAM} --at 2030-01-01T00:00", "user_pk", "../../x"),
        (f"teams who-is-on-call {TEAM} --at 2030-01-01T00:00", "escalation_chain_id", "../../x"),
        ("alert-groups list", "integration_id", "../../x"),
        ("escalation-chains get F3VV9WSX4RBEK", "action_to_trigger", "../../x"),
        (f"maintenance stop {INTEGRATIONS[1]}", "id", "../../x"),
        (f"alert-groups acknowledge {FIRING[1]}", "id", "../../x"),
    ],
)
def test_impossible_value_in_a_response_is_no_bug(
    hostile: Spoiled, run: Runner, words: str, field: str, value: Any
) -> None:
    if "maintenance sto" in words or "maintenance sta" in words:
        run(f"maintenance start {INTEGRATIONS[1]} --for 30m --yes")
    hostile.change = lambda document: changed(document, field, value)
    for options in ("", "-o json"):
        done = run(f"{words} {options}", status=None)
        assert "bug in oncallctl" not in done.stderr, done.stderr
        assert done.status in {0, 8, 9}, done.stderr
        harmless(done.stdout + done.stderr)


def test_invalid_time_in_a_response_is_named(hostile: Spoiled, run: Runner) -> None:
    hostile.change = lambda document: document
    run(f"maintenance start {INTEGRATIONS[1]} --for 30m --mode group_alerts")
    hostile.alert(INTEGRATIONS[1])
    run(f"maintenance stop {INTEGRATIONS[1]} --yes")
    assert "resolved-unseen" in run(f"maintenance debrief {INTEGRATIONS[1]}").stdout
    hostile.change = lambda document: changed(document, "resolved_at", "x")
    assert "resolved_at" in run(f"maintenance debrief {INTEGRATIONS[1]}", status=8).stderr


@pytest.mark.parametrize("moment", [1_700_000_000, "1700000000", "2026-01-01T00:00:00"])
def test_unusual_start_of_a_window_leaves_the_journal_readable(hostile: Spoiled, run: Runner, moment: object) -> None:
    hostile.change = lambda document: changed(document, "maintenance_started_at", moment)
    run(f"maintenance start {INTEGRATIONS[1]} --for 30m", status=None)
    for words in (f"maintenance status {INTEGRATIONS[1]}", f"maintenance debrief {INTEGRATIONS[1]}"):
        run(words)
        hostile.change = lambda document: document
        run(words)


@pytest.mark.parametrize("depth", [100, 900, 950, 970, 990, 5000])
def test_deeply_nested_response_is_no_bug(hostile: Spoiled, run: Runner, depth: int) -> None:
    hostile.change = lambda document: document
    page = f'{{"results": [{{"id": "A1", "payload": {"[" * depth}{"]" * depth}}}]}}'
    hostile.fail("GET", "alerts", lambda *_: Response(page, 200, content_type="application/json"), times=99)
    for output in ("json", "jsonl", "table", "csv"):
        done = run(f"alert-groups alerts {FIRING[0]} --columns id,payload -o {output}", status=None)
        assert done.status in ({0} if depth == 100 else {0, 8}), done.stderr
        assert "bug in oncallctl" not in done.stderr
