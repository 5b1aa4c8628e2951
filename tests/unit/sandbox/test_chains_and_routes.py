"""Writes of escalation chains, steps and routes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sandbox.conftest import ALICE, BOB, PLATFORM, SERVICE, Api, SentNotifications

EMPTY_CHAIN = "FGD4PM64AR6BA"
WAIT = {"escalation_chain_id": EMPTY_CHAIN, "type": "wait", "duration": 60}


def steps(api: Api) -> list[Any]:
    return list(api.get(f"escalation_policies/?escalation_chain_id={EMPTY_CHAIN}")["results"])


def add(api: Api, **fields: object) -> str:
    return str(api.post("escalation_policies/", {**WAIT, **fields})["id"])


def test_moved_step_shifts_the_steps_between(cloud: Api, oss: Api) -> None:
    first, second, third = (add(cloud) for _ in range(3))
    oss.send("PUT", f"escalation_policies/{first}", {"position": 2})
    assert [(step["id"], step["position"]) for step in steps(oss)] == [(second, 0), (third, 1), (first, 2)]
    cloud.patch(f"escalation_policies/{third}", {"position": 0})
    assert [step["id"] for step in steps(cloud)] == [third, second, first]
    cloud.patch(f"escalation_policies/{third}", {"position": -1})
    assert [step["id"] for step in steps(cloud)] == [second, first, third]


@pytest.mark.parametrize("position", [-2, 2**31])
def test_position_out_of_range_is_refused_and_adds_nothing(cloud: Api, position: int) -> None:
    problem = {"detail": "Invalid value for position field"}
    assert cloud.refused("POST", "escalation_policies/", {**WAIT, "position": position}) == problem
    assert steps(cloud) == []


def test_deleted_step_leaves_other_positions_unchanged(cloud: Api) -> None:
    first, _ = add(cloud), add(cloud)
    assert cloud.send("DELETE", f"escalation_policies/{first}").status_code == 204
    assert [step["position"] for step in steps(cloud)] == [1]


def test_step_that_changes_its_type_loses_the_old_fields(cloud: Api) -> None:
    step = add(cloud, type="notify_persons", persons_to_notify=[ALICE], important=True)
    path = f"escalation_policies/{step}"
    assert cloud.patch(path, {"type": "wait"})["duration"] is None
    again = cloud.patch(path, {"type": "notify_persons"})
    assert (again["persons_to_notify"], again["important"]) == ([], False)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "notify_if_time_from_to", "notify_if_time_from": "09:00:00Z", "notify_if_time_to": "17:30:00Z"},
        {"type": "notify_if_num_alerts_in_window", "num_alerts_in_window": 3, "num_minutes_in_window": 10},
        {"type": "notify_user_group", "group_to_notify": "G8QXCG9PWH6QS", "important": True},
        {"type": "notify_team_members", "team_to_notify": PLATFORM, "important": False},
        {"type": "notify_person_next_each_time", "persons_to_notify_next_each_time": [BOB, ALICE], "important": True},
        {"type": "notify_whole_channel"},
        {"type": "declare_incident", "severity": "major"},
    ],
)
def test_created_step_returns_the_fields_of_its_body(cloud: Api, fields: dict[str, object]) -> None:
    body = {"escalation_chain_id": EMPTY_CHAIN, **fields}
    made = cloud.post("escalation_policies/", body)
    assert made == {"id": made["id"], "position": 0, **body}
    assert cloud.get(f"escalation_policies/{made['id']}") == made


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"type": "dance"}, {"detail": "Invalid escalation step type"}),
        ({"type": "declare_incident"}, {"detail": "Invalid escalation step type: step is not enabled"}),
        ({"notify_on_call_from_schedule": "SNOPE"}, {"notify_on_call_from_schedule": ["Object does not exist"]}),
        ({"duration": "soon"}, {"duration": ["A valid number is required."]}),
        ({"position": "first"}, {"position": ["A valid integer is required."]}),
    ],
)
def test_invalid_step_is_refused(oss: Api, fields: dict[str, object], problem: object) -> None:
    assert oss.refused("POST", "escalation_policies/", {**WAIT, **fields}) == problem


def test_deleted_chain_removes_its_steps_and_leaves_routes_without_chain(cloud: Api) -> None:
    chain = cloud.get(f"integrations/{SERVICE}")["default_route"]["escalation_chain_id"]
    assert cloud.send("DELETE", f"escalation_chains/{chain}").status_code == 204
    assert cloud.get(f"escalation_policies/?escalation_chain_id={chain}")["count"] == 0
    assert cloud.get(f"integrations/{SERVICE}")["default_route"]["escalation_chain_id"] is None


def test_chain_with_the_name_of_another_is_refused(cloud: Api) -> None:
    path = f"escalation_chains/{EMPTY_CHAIN}"
    assert cloud.patch(path, {"name": "empty chain", "team_id": None})["team_id"] is None
    problem = {"non_field_errors": ["The fields organization, name must make a unique set."]}
    assert cloud.refused("PATCH", path, {"name": "platform-default"}) == problem
    assert cloud.refused("PUT", path, {}) == {"name": ["This field is required."]}


def test_alert_takes_the_first_route_that_matches_its_payload(cloud: Api, notified: SentNotifications) -> None:
    chain = cloud.post("escalation_chains/", {"name": "for bob"})["id"]
    cloud.post(
        "escalation_policies/",
        {"escalation_chain_id": chain, "type": "notify_persons", "persons_to_notify": [BOB]},
    )
    route = {"integration_id": SERVICE, "escalation_chain_id": None}
    cloud.post("routes/", {**route, "routing_type": "jinja2", "routing_regex": "{{ payload.disk }}"})
    cloud.post("routes/", {**route, "routing_regex": "disk"})
    wanted = cloud.post(
        "routes/", {**route, "routing_regex": "disk.*full", "escalation_chain_id": chain, "position": 0}
    )
    cloud.alert(SERVICE, {"disk": "full"})
    assert cloud.get("alert_groups/")["results"][0]["route_id"] == wanted["id"]
    assert notified() == [(BOB, False)]


def test_route_keeps_a_chain_and_its_integration(cloud: Api) -> None:
    route = cloud.get(f"integrations/{SERVICE}")["default_route"]["id"]
    problem = {"escalation_chain_id": ["This field may not be null."]}
    assert cloud.refused("PATCH", f"routes/{route}", {"escalation_chain_id": None}) == problem
    assert cloud.patch(f"routes/{route}", {"integration_id": "CNOPE"})["integration_id"] == SERVICE


def test_route_stores_its_slack_channel(cloud: Api) -> None:
    body = {"integration_id": SERVICE, "escalation_chain_id": None, "routing_regex": "x"}
    route = cloud.post("routes/", {**body, "slack": {"channel_id": "C0LAB002"}})
    changed = cloud.patch(f"routes/{route['id']}", {"slack": {"enabled": False}})
    assert changed["slack"] == {"channel_id": "C0LAB002", "enabled": False}
    unknown = {"slack": {"channel_id": ["Slack channel does not exist"]}}
    assert cloud.refused("POST", "routes/", {**body, "slack": {"channel_id": "CNOPE"}}) == unknown


@pytest.mark.parametrize("value", [[], {}, ["wait"], "\ud800", 5, True])
@pytest.mark.parametrize(
    ("path", "name"),
    [("escalation_policies/", "type"), ("escalation_policies/", "escalation_chain_id"), ("schedules/", "type")],
)
def test_value_of_the_wrong_json_type_is_refused(cloud: Api, path: str, name: str, value: object) -> None:
    cloud.refused("POST", path, {**WAIT, name: value})
