"""What people do to alert groups, where the recordings are silent."""

from __future__ import annotations

from typing import Any

import pytest

from oncallctl import sandbox
from tests.sandbox.conftest import Api


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
def test_an_action_answers_nothing_and_changes_the_state(cloud: Api, state: str, action: str, after: str) -> None:
    group = a_group(cloud, state)["id"]
    response = cloud.under(sandbox.EDITOR_TOKEN).ask("POST", f"alert_groups/{group}/{action}/")
    assert (response.status_code, response.text) == (200, "")
    assert cloud.get(f"alert_groups/{group}")["state"] == after


def test_who_resolved_a_group_is_remembered_until_it_fires_again(cloud: Api) -> None:
    group = a_group(cloud, "new")["id"]
    cloud.under(sandbox.EDITOR_TOKEN).ask("POST", f"alert_groups/{group}/resolve")
    assert cloud.get(f"alert_groups/{group}")["resolved_by"] == "U85BI7ASG8K6E"
    cloud.ask("POST", f"alert_groups/{group}/unresolve")
    assert cloud.get(f"alert_groups/{group}")["resolved_by"] is None


def test_silencing_needs_a_delay(cloud: Api) -> None:
    group = a_group(cloud, "new")["id"]
    assert cloud.refused("POST", f"alert_groups/{group}/silence", {}) == {"detail": "delay is required"}
    assert cloud.ask("POST", f"alert_groups/{group}/silence", {"delay": 600}).status_code == 200
    assert cloud.get(f"alert_groups/{group}")["silenced_at"] is not None


def test_the_groups_of_a_deleted_integration_can_still_be_resolved(cloud: Api) -> None:
    group = a_group(cloud, "new")
    assert cloud.ask("DELETE", f"integrations/{group['integration_id']}").status_code == 204
    assert cloud.ask("POST", f"alert_groups/{group['id']}/acknowledge").status_code == 200
    assert cloud.ask("POST", f"alert_groups/{group['id']}/resolve").status_code == 200
