"""Actions on alert groups: behavior that no recording covers."""

from __future__ import annotations

from typing import Any

import pytest

from oncallctl import sandbox
from tests.unit.sandbox.conftest import SERVICE, Api, Clock


def a_group(api: Api, state: str) -> Any:
    return api.get(f"alert_groups/?state={state}")["results"][0]


@pytest.mark.parametrize(
    ("state", "action", "after"),
    [
        ("new", "acknowledge", "acknowledged"),
        ("silenced", "acknowledge", "acknowledged"),
        ("acknowledged", "unacknowledge", "firing"),
        ("silenced", "unsilence", "firing"),
        ("resolved", "unresolve", "firing"),
        ("acknowledged", "resolve", "resolved"),
    ],
)
def test_action_returns_an_empty_body_and_changes_the_state(cloud: Api, state: str, action: str, after: str) -> None:
    group = a_group(cloud, state)["id"]
    response = cloud.with_token(sandbox.EDITOR_TOKEN).send("POST", f"alert_groups/{group}/{action}/")
    assert (response.status_code, response.text) == (200, "")
    assert cloud.get(f"alert_groups/{group}")["state"] == after


def test_resolved_by_is_cleared_when_the_group_fires_again(cloud: Api) -> None:
    group = a_group(cloud, "new")["id"]
    cloud.with_token(sandbox.EDITOR_TOKEN).send("POST", f"alert_groups/{group}/resolve")
    assert cloud.get(f"alert_groups/{group}")["resolved_by"] == "U85BI7ASG8K6E"
    cloud.send("POST", f"alert_groups/{group}/unresolve")
    assert cloud.get(f"alert_groups/{group}")["resolved_by"] is None


def test_silence_without_delay_is_refused(cloud: Api) -> None:
    group = a_group(cloud, "new")["id"]
    assert cloud.refused("POST", f"alert_groups/{group}/silence", {}) == {"detail": "delay is required"}
    assert cloud.send("POST", f"alert_groups/{group}/silence", {"delay": 600}).status_code == 200
    assert cloud.get(f"alert_groups/{group}")["silenced_at"] is not None


def test_group_of_a_deleted_integration_can_be_resolved(cloud: Api) -> None:
    group = a_group(cloud, "new")
    assert cloud.send("DELETE", f"integrations/{group['integration_id']}").status_code == 204
    assert cloud.send("POST", f"alert_groups/{group['id']}/acknowledge").status_code == 200
    assert cloud.send("POST", f"alert_groups/{group['id']}/resolve").status_code == 200


def test_silence_ends_after_its_delay(cloud: Api, oss: Api, clock: Clock) -> None:
    group = a_group(cloud, "new")["id"]
    cloud.send("POST", f"alert_groups/{group}/silence", {"delay": 600})
    clock.now = "2027-03-03T12:39:59+00:00"
    assert oss.get(f"alert_groups/{group}")["state"] == "silenced"
    clock.now = "2027-03-03T12:40:00+00:00"
    after = oss.get(f"alert_groups/{group}")
    assert (after["state"], after["silenced_at"]) == ("firing", None)


def test_silencing_again_restarts_the_delay(cloud: Api, oss: Api, clock: Clock) -> None:
    group = a_group(cloud, "new")["id"]
    for api, minute in ((cloud, 30), (oss, 35)):
        clock.now = f"2027-03-03T12:{minute}:00+00:00"
        assert api.send("POST", f"alert_groups/{group}/silence", {"delay": 600}).status_code == 200
        assert api.get(f"alert_groups/{group}")["silenced_at"] == f"2027-03-03T12:{minute}:00Z"
    clock.now = "2027-03-03T12:41:00+00:00"
    assert cloud.get(f"alert_groups/{group}")["state"] == "silenced"


@pytest.mark.parametrize("delay", [0, -1])
def test_silence_with_delay_zero_or_minus_one_has_no_end(cloud: Api, clock: Clock, delay: int) -> None:
    group = a_group(cloud, "new")["id"]
    cloud.send("POST", f"alert_groups/{group}/silence", {"delay": delay})
    clock.now = "2037-03-03T12:30:00+00:00"
    assert cloud.get(f"alert_groups/{group}")["state"] == "silenced"


def test_group_resolved_while_silenced_stays_resolved(cloud: Api, clock: Clock) -> None:
    group = a_group(cloud, "new")["id"]
    cloud.send("POST", f"alert_groups/{group}/silence", {"delay": 60})
    cloud.send("POST", f"alert_groups/{group}/resolve")
    clock.now = "2027-03-03T13:30:00+00:00"
    after = cloud.get(f"alert_groups/{group}")
    assert (after["state"], after["silenced_at"]) == ("resolved", None)


@pytest.mark.parametrize("action", ["acknowledge", "resolve", "silence"])
def test_action_on_an_attached_group_is_refused(cloud: Api, action: str) -> None:
    cloud.start(SERVICE, "group_alerts")
    cloud.alert(SERVICE, {"disk": "full"})
    group = cloud.get(f"alert_groups/?integration_id={SERVICE}&state=new")["results"][0]["id"]
    problem = {"detail": f"Can't {action} an attached alert group"}
    assert cloud.refused("POST", f"alert_groups/{group}/{action}", {"delay": 60}) == problem


def test_silence_of_an_unknown_group_with_a_bad_delay_returns_404(cloud: Api) -> None:
    assert cloud.send("POST", "alert_groups/INOPE/silence", {"delay": "x"}).status_code == 404


@pytest.mark.parametrize(
    "started_at",
    ["2027-03-03", "2027-03-03T00:00:00", "2027-03-03_2027-03-04", "2027-03-04T00:00:00_2027-03-03T00:00:00", "a_b_c"],
)
def test_invalid_started_at_range_is_refused(cloud: Api, started_at: str) -> None:
    assert cloud.refused("GET", f"alert_groups/?started_at={started_at}") == {"detail": "Invalid range value"}


def test_groups_are_filtered_by_started_at(clock: Clock, cloud: Api) -> None:
    found = cloud.get("alert_groups/?started_at=2027-03-03T12:20:00_2027-03-03T12:30:00")["results"]
    assert [group["created_at"] for group in found] == ["2027-03-03T12:29:00Z", "2027-03-03T12:22:00Z"]
