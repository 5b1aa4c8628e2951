"""Behavior of collections that no recording covers: Slack, organizations, webhooks, notification rules."""

from __future__ import annotations

import pytest

from oncallctl import sandbox
from tests.unit.sandbox.conftest import ALICE, BOB, SERVICE, Api

WEBHOOK = {"name": "page the bot", "url": "https://bot.example.com/{{ alert_group_id }}", "http_method": "POST"}


def test_slack_channels_are_listed_by_slack_id_and_filtered_by_name(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        assert api.get("slack_channels/?channel_name=incidents")["results"] == [
            {"name": "incidents", "slack_id": "C0LAB000"}
        ]
        assert api.send("GET", "slack_channels/C0LAB000").status_code == 404


def test_user_groups_are_filtered_by_handle(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        (group,) = api.get("user_groups/?slack_handle=payments-oncall")["results"]
        assert group["slack"] == {"id": "S0LAB001", "name": "Payments on call", "handle": "payments-oncall"}


def test_organizations_list_crashes_oss_and_get_returns_the_own_organization(cloud: Api, oss: Api) -> None:
    own = oss.get("organizations/WHATEVER")
    assert oss.send("GET", "organizations/").status_code == 500
    assert cloud.get("organizations/")["results"] == [own]
    assert cloud.get(f"organizations/{own['id']}") == own


def test_webhook_is_created_updated_and_deleted(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        created = api.post("webhooks/", {**WEBHOOK, "trigger_type": "resolve", "integration_filter": [SERVICE]})
        assert (created["trigger_type"], created["integration_filter"]) == ("resolve", [SERVICE])
        updated = api.patch(f"webhooks/{created['id']}", {"is_webhook_enabled": False})
        assert updated == created | {"is_webhook_enabled": False}
        assert api.send("DELETE", f"webhooks/{created['id']}").status_code == 204
        assert api.send("GET", f"webhooks/{created['id']}").status_code == 404


def test_webhook_secret_is_masked_and_kept_if_the_mask_is_sent_back(cloud: Api) -> None:
    created = cloud.post("webhooks/", {**WEBHOOK, "trigger_type": "escalation", "password": "hunter2"})
    again = cloud.patch(f"webhooks/{created['id']}", {**created, "name": "renamed"})
    assert again == created | {"name": "renamed"}
    assert set(created["password"]) == {"*"}
    assert cloud.patch(f"webhooks/{created['id']}", {"password": None})["password"] is None


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"trigger_type": "never"}, "detail"),
        ({"trigger_type": "escalation", "url": "{{"}, "url"),
        ({"trigger_type": "escalation", "team": "TNOPE"}, "team"),
        ({"trigger_type": "escalation", "integration_filter": ["CNOPE"]}, "integration_filter"),
    ],
)
def test_invalid_webhook_is_refused(cloud: Api, fields: dict[str, object], problem: str) -> None:
    assert cloud.refused("POST", "webhooks/", {**WEBHOOK, **fields}).keys() == {problem}


def test_editor_reads_webhooks_and_cannot_write_them(cloud: Api) -> None:
    editor = cloud.with_token(sandbox.EDITOR_TOKEN)
    assert editor.get("webhooks/")["count"] == 2
    assert editor.send("POST", "webhooks/", WEBHOOK).status_code == 403


def test_step_whose_webhook_is_deleted_stays_without_webhook(cloud: Api) -> None:
    webhook = cloud.get("webhooks/")["results"][0]["id"]
    step = {"escalation_chain_id": "FGD4PM64AR6BA", "type": "trigger_webhook", "action_to_trigger": webhook}
    created = cloud.post("escalation_policies/", step)
    assert cloud.send("DELETE", f"webhooks/{webhook}").status_code == 204
    assert cloud.get(f"escalation_policies/{created['id']}")["action_to_trigger"] is None


def test_notification_rules_are_filtered_by_user_and_importance(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        rules = api.get(f"personal_notification_rules/?user_id={ALICE}&important=false")["results"]
        assert [(rule["type"], rule.get("duration")) for rule in rules] == [("notify_by_email", None), ("wait", 300)]


def test_notification_rules_of_each_importance_are_ordered_separately(cloud: Api) -> None:
    rule = cloud.post("personal_notification_rules/", {"user_id": ALICE, "type": "notify_by_sms", "position": 0})
    assert rule["position"] == 0
    important = cloud.post("personal_notification_rules/", {"user_id": ALICE, "type": "wait", "important": True})
    assert (important["position"], important["duration"]) == (1, 300)
    rules = cloud.get(f"personal_notification_rules/?user_id={ALICE}")["results"]
    assert [(rule["important"], rule["position"]) for rule in rules] == [
        (False, 0),
        (False, 1),
        (False, 2),
        (True, 0),
        (True, 1),
    ]


def test_notification_rule_keeps_its_user_and_importance(cloud: Api) -> None:
    rule = cloud.get(f"personal_notification_rules/?user_id={ALICE}&important=true")["results"][0]
    path = f"personal_notification_rules/{rule['id']}"
    assert cloud.patch(path, {"user_id": BOB, "important": False, "type": "notify_by_slack"}) == rule | {
        "type": "notify_by_slack"
    }


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, {"type": "Type is required"}),
        ({"type": "notify_by_sms", "duration": 60}, {"duration": "Duration can't be set"}),
        ({"type": "wait", "duration": "soon"}, {"detail": "Invalid duration format"}),
        ({"type": "wait", "duration": 61}, {"duration": ['"61" is not a valid choice.']}),
    ],
)
def test_invalid_notification_rule_is_refused(cloud: Api, fields: dict[str, object], problem: object) -> None:
    assert cloud.refused("POST", "personal_notification_rules/", {"user_id": ALICE, **fields}) == problem


def test_notification_rules_refuse_service_accounts(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        account = api.with_token(sandbox.SERVICE_ACCOUNT_TOKEN)
        response = account.send("GET", "personal_notification_rules/", X_Grafana_URL=sandbox.GRAFANA_URL)
        assert response.status_code == 403
