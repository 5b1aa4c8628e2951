"""`routes` and `escalation-chains` against the sandbox behind a socket."""

import json
from typing import Any

import pytest

from oncallctl.api.resources.escalation_policies import EscalationPolicy
from oncallctl.api.resources.routes import Route
from oncallctl.escalation import describe
from tests.conftest import Runner
from tests.serving import Serving, status

API_PROD, CHAIN, EMPTY = "C5U5IZGQ48B4M", "F3VV9WSX4RBEK", "FGD4PM64AR6BA"


class TestRoutes:
    def test_routes_list_prints_the_complete_objects_of_all_result_pages(self, server: Serving, run: Runner) -> None:
        routes = run("routes list -o json").json
        assert len({each["id"] for each in routes}) == len(routes) == server.call("GET", "routes/")["count"]
        assert routes[0] == server.call("GET", f"routes/{routes[0]['id']}/")

    @pytest.mark.parametrize("integration", [API_PROD, "'🔥 fire-drill'"])
    def test_routes_list_with_an_integration_filters_on_the_server(
        self, cloud: Serving, run: Runner, integration: str
    ) -> None:
        routes = run(f"routes list --integration {integration} -o json").json
        assert {each["integration_id"] for each in routes} == {cloud.seen[-1].query["integration_id"]}
        assert routes[-1]["is_the_last_route"] is True

    def test_routes_list_with_a_limit_notes_the_cut(self, cloud: Serving, run: Runner) -> None:
        done = run("routes list --limit 2 -o json")
        assert len(done.json) == 2
        assert "omit --limit" in done.stderr

    def test_routes_table_shows_conditions_and_chains(self, cloud: Serving, run: Runner) -> None:
        lines = [line.split("\t") for line in run(f"routes list --integration {API_PROD}").stdout.splitlines()]
        assert lines[0] == ["ID", "INTEGRATION", "POSITION", "CONDITION", "CHAIN"]
        assert lines[1][1:] == ["[prod] api", "0", "regex severity.*critical", "platform-default"]
        assert lines[-1][1] == "[prod] api"
        assert lines[-1][3:] == ["everything else", "platform-default"]

    @pytest.mark.parametrize("ident", ["RMRXVRQ1RJMKS", "id:RMRXVRQ1RJMKS"])
    def test_routes_get_shows_one_route(self, cloud: Serving, run: Runner, ident: str) -> None:
        assert run(f"routes get {ident} -o json").json == cloud.call("GET", "routes/RMRXVRQ1RJMKS/")
        cells = run(f"routes get {ident}").stdout.splitlines()[1].split("\t")
        assert cells[1:] == ["[prod] api", "0", "regex severity.*critical", "platform-default"]

    def test_unknown_route_or_integration_is_not_found(self, cloud: Serving, run: Runner) -> None:
        run("routes get RNOPENOPENOPE", status=6)
        run("routes list --integration nope", status=6)

    def test_invalid_route_id_is_refused(self, cloud: Serving, run: Runner) -> None:
        run("routes get 'a/../b'", status=2)
        assert cloud.seen == []

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"routing_type": "regex", "routing_regex": "a b"}, "regex a b"),
            ({"routing_type": "jinja2", "routing_regex": "{{ x }}"}, "jinja2 {{ x }}"),
            ({"routing_type": "labels", "routing_regex": None}, "labels"),
            ({"routing_type": "regex", "routing_regex": None, "is_the_last_route": True}, "everything else"),
        ],
    )
    def test_condition_is_described_in_words(self, fields: dict[str, Any], expected: str) -> None:
        assert describe.condition(Route.read({"id": "R", **fields})) == expected


class TestChains:
    def test_chains_list_prints_the_complete_objects(self, server: Serving, run: Runner) -> None:
        assert run("escalation-chains list -o json").json == server.call("GET", "escalation_chains/")["results"]

    def test_chains_list_with_a_team_filters_on_the_client(self, cloud: Serving, run: Runner) -> None:
        assert run("escalation-chains list --team platform -o id").stdout == f"{CHAIN}\n"
        assert all("team_id" not in each.query for each in cloud.seen)

    def test_chains_table_shows_team_names(self, cloud: Serving, run: Runner) -> None:
        lines = run("escalation-chains list --limit 1").stdout.splitlines()
        assert lines == ["ID\tNAME\tTEAM", f"{CHAIN}\tplatform-default\tplatform"]

    @pytest.mark.parametrize("name", ["platform-default", "Platform-Default", CHAIN])
    def test_chains_get_shows_each_step(self, cloud: Serving, run: Runner, name: str) -> None:
        lines = [line.split("\t") for line in run(f"escalation-chains get {name}").stdout.splitlines()]
        assert lines == [
            ["STEP", "ACTION", "ID"],
            ["1", "notify who is on call in platform-primary", "EIELW6PKFKUYB"],
            ["2", "wait 5 minutes", "EC48UAHTXSJX1"],
            ["3", "notify alice and dave (important)", "E962K1XTPW79C"],
            ["4", "start over (up to 5 times)", "EIYHBW5IUVK9W"],
        ]

    def test_chains_get_in_json_adds_the_complete_steps(self, cloud: Serving, run: Runner) -> None:
        chain = run("escalation-chains get platform-default -o json").json
        steps = chain.pop("steps")
        assert chain == cloud.call("GET", f"escalation_chains/{CHAIN}/")
        assert [step.pop("text") for step in steps][1] == "wait 5 minutes"
        assert steps == cloud.call("GET", f"escalation_policies/?escalation_chain_id={CHAIN}")["results"]

    def test_chains_get_as_id_prints_the_id_of_the_chain(self, cloud: Serving, run: Runner) -> None:
        assert run("escalation-chains get platform-default -o id").stdout == f"{CHAIN}\n"

    def test_chains_get_reads_each_collection_once(self, cloud: Serving, run: Runner) -> None:
        run(f"escalation-chains get {CHAIN}")
        paths = [each.removeprefix("GET /api/v1/") for each in cloud.reads()]
        assert sorted(paths) == ["escalation_chains/F3VV9WSX4RBEK/", "escalation_policies/", "schedules/", "users/"]

    def test_steps_are_sorted_by_position(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "escalation_policies", policies({"type": "resolve", "position": 1}, {"type": "wait"}))
        lines = run(f"escalation-chains get {CHAIN}").stdout.splitlines()[1:]
        assert [line.split("\t")[:2] for line in lines] == [
            ["1", "wait 5 minutes (no time is set)"],
            ["2", "resolve the alert group"],
        ]

    def test_chain_without_steps_causes_a_note(self, cloud: Serving, run: Runner) -> None:
        done = run("escalation-chains get 'empty chain' -o json")
        assert done.json["id"] == EMPTY
        assert done.json["steps"] == []
        assert "has no steps" in done.stderr

    def test_unknown_chain_is_not_found_with_the_closest_name(self, cloud: Serving, run: Runner) -> None:
        run("escalation-chains get FNOPENOPENOPE", status=6)
        assert "platform-default" in run("escalation-chains get platform-defalt", status=6).stderr

    def test_failed_name_lookup_shows_ids_with_a_warning(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "users/", status(403))
        cloud.fail("GET", "schedules/", status(403))
        done = run("escalation-chains get platform-default -o json")
        texts = [step["text"] for step in done.json["steps"]]
        assert texts[0] == "notify who is on call in SN1XIG9SHWR2U"
        assert texts[2] == "notify U6YF83T9HEFKQ and UBA8RB2WD7AWI (important)"
        (line,) = done.stderr.splitlines()
        assert "users" in json.loads(line)["warning"]["message"]

    def test_escape_sequence_in_a_step_is_shown_escaped(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "escalation_policies", policies({"type": "\x1b[2J[red]"}))
        assert run(f"escalation-chains get {CHAIN}").stdout.splitlines()[1] == "1\t\\x1b[2J[red]\tE0"


NAMES = {
    "U1": "alice",
    "U2": "bob",
    "U3": "carol",
    "S1": "primary",
    "T1": "platform",
    "G1": "on call",
    "W1": "hook",
}
SENTENCES: list[tuple[dict[str, Any], str]] = [
    ({"type": "wait", "duration": 60}, "wait 1 minute"),
    ({"type": "wait", "duration": 5400.0}, "wait 1 hour 30 minutes"),
    ({"type": "wait", "duration": 86400}, "wait 24 hours"),
    ({"type": "wait", "duration": 61}, "wait 1 minute 1 second"),
    ({"type": "wait", "duration": None}, "wait 5 minutes (no time is set)"),
    ({"type": "notify_persons", "persons_to_notify": ["U1"]}, "notify alice"),
    ({"type": "notify_persons", "persons_to_notify": ["U1", "U2", "U3"]}, "notify alice, bob and carol"),
    ({"type": "notify_persons", "persons_to_notify": ["U9"], "important": True}, "notify U9 (important)"),
    ({"type": "notify_persons", "persons_to_notify": []}, "notify people (none is set)"),
    (
        {"type": "notify_person_next_each_time", "persons_to_notify_next_each_time": ["U1", "U2"]},
        "notify alice or bob, the next one each time",
    ),
    (
        {"type": "notify_person_next_each_time", "persons_to_notify_next_each_time": None},
        "notify one person (none is set)",
    ),
    (
        {"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": "S1", "important": True},
        "notify who is on call in primary (important)",
    ),
    (
        {"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": None},
        "notify who is on call in a schedule (none is set)",
    ),
    ({"type": "notify_team_members", "team_to_notify": "T1"}, "notify everybody in team platform"),
    ({"type": "notify_team_members", "team_to_notify": None}, "notify everybody in team (none is set)"),
    (
        {"type": "notify_user_group", "group_to_notify": "G1", "important": True},
        "notify everybody in Slack group on call (important)",
    ),
    ({"type": "notify_whole_channel"}, "notify everybody in the Slack channel"),
    ({"type": "trigger_webhook", "action_to_trigger": "W1"}, "trigger webhook hook"),
    (
        {
            "type": "notify_if_time_from_to",
            "notify_if_time_from": "09:00:00Z",
            "notify_if_time_to": "18:30:15Z",
        },
        "wait until it is between 09:00 and 18:30:15 UTC",
    ),
    ({"type": "notify_if_time_from_to", "notify_if_time_from": None}, "go on (no times are set)"),
    (
        {"type": "notify_if_num_alerts_in_window", "num_alerts_in_window": 10, "num_minutes_in_window": 1},
        "wait until more than 10 alerts have come within 1 minute",
    ),
    ({"type": "notify_if_num_alerts_in_window"}, "go on (no number of alerts is set)"),
    (
        {"type": "declare_incident", "severity": "critical"},
        "declare an incident of severity critical; not on a default route",
    ),
    (
        {"type": "declare_incident", "severity": "set-from-label"},
        "declare an incident of the severity set by a label; not on a default route",
    ),
    ({"type": "repeat_escalation"}, "start over (up to 5 times)"),
    ({"type": "resolve"}, "resolve the alert group"),
    ({"type": "sing_a_song", "important": True}, "sing_a_song"),
    ({"type": None}, "a step without a type"),
]


@pytest.mark.parametrize(("fields", "expected"), SENTENCES)
def test_step_is_described_in_words(fields: dict[str, Any], expected: str) -> None:
    assert describe.sentence(EscalationPolicy.read({"id": "E", **fields}), NAMES) == expected


def test_names_of_all_objects_in_steps_are_looked_up(cloud: Serving, run: Runner) -> None:
    cloud.fail(
        "GET",
        "escalation_policies",
        policies(
            {"type": "notify_user_group", "group_to_notify": "G8QXCG9PWH6QS"},
            {"type": "trigger_webhook", "action_to_trigger": "WH84KLFXI6ZKAD"},
            {"type": "notify_team_members", "team_to_notify": "TKPSLLWBFUI9R"},
        ),
    )
    group = {"id": "G8QXCG9PWH6QS", "type": "slack_based", "slack": {"name": "Platform on call"}}
    cloud.fail("GET", "user_groups", status(200, json.dumps({"results": [group]})))
    cloud.fail("GET", "webhooks/WH84KLFXI6ZKAD", status(200, '{"id": "WH84KLFXI6ZKAD", "name": "escalation hook"}'))
    done = run(f"escalation-chains get {CHAIN} --no-header --columns text")
    assert done.stdout.splitlines() == [
        "notify everybody in Slack group Platform on call",
        "trigger webhook escalation hook",
        "notify everybody in team platform",
    ]
    assert done.stderr == ""


def policies(*steps: dict[str, Any]) -> Any:
    """Return a fault that responds with these steps."""
    rows = [{"id": f"E{index}", "position": 0, **step} for index, step in enumerate(steps)]
    return status(200, json.dumps({"results": rows}))
