"""Direct paging: the recorded notifications, and the bodies that are refused."""

from __future__ import annotations

import pytest

from oncallctl import sandbox
from tests.unit.sandbox.conftest import (
    ALICE,
    BOB,
    DATA_INFRA,
    DAVE,
    EMPTY_TEAM,
    PAYMENTS,
    PLATFORM,
    Api,
    SentNotifications,
)


def test_page_to_a_team_notifies_the_users_on_call(cloud: Api, notified: SentNotifications) -> None:
    cloud.post("escalation/", {"team": PAYMENTS, "title": "t"})
    (shift,) = cloud.get(f"teams/{PAYMENTS}/current_oncall")["shifts"]
    assert [user for user, _ in notified()][:2] == shift["users"]


def test_page_to_a_team_runs_the_chain_until_its_first_wait(cloud: Api, notified: SentNotifications) -> None:
    cloud.post("escalation/", {"team": PLATFORM, "title": "t"})
    assert len(notified()) == 1


def test_page_to_users_notifies_each_with_their_importance(cloud: Api, notified: SentNotifications) -> None:
    users = [{"id": ALICE, "important": True}, {"id": BOB, "important": False}]
    cloud.post("escalation/", {"users": users, "team": None})
    assert notified() == [(ALICE, True), (BOB, False)]


def test_user_named_twice_is_notified_twice(cloud: Api, notified: SentNotifications) -> None:
    cloud.post("escalation/", {"users": [{"id": ALICE, "important": False}] * 2})
    assert notified() == [(ALICE, False), (ALICE, False)]


def test_repeated_page_notifies_again(cloud: Api, notified: SentNotifications) -> None:
    body = {"users": [{"id": ALICE, "important": False}], "title": "same"}
    assert cloud.post("escalation/", body)["id"] != cloud.post("escalation/", body)["id"]
    assert len(notified()) == 2


@pytest.mark.parametrize("team", [EMPTY_TEAM, DATA_INFRA])
def test_page_to_an_unconfigured_team_returns_200_and_notifies_nobody(
    cloud: Api, notified: SentNotifications, team: str
) -> None:
    assert cloud.post("escalation/", {"team": team})["state"] == "firing"
    assert notified() == []


def test_page_to_a_team_without_integration_adds_one(cloud: Api) -> None:
    first = cloud.post("escalation/", {"team": DATA_INFRA})
    made = cloud.get(f"integrations/{first['integration_id']}")
    assert (made["name"], made["type"]) == ("Direct paging (data infra team)", "direct_paging")
    assert made["default_route"]["escalation_chain_id"] is None
    assert cloud.post("escalation/", {"team": DATA_INFRA})["integration_id"] == made["id"]


def test_page_with_alert_group_and_team_notifies_nobody(oss: Api, notified: SentNotifications) -> None:
    group = oss.get("alert_groups/?state=new")["results"][0]["id"]
    assert oss.post("escalation/", {"alert_group_id": group, "team": PLATFORM})["id"] == group
    assert notified() == []


def test_page_with_alert_group_and_users_opens_no_other_group(oss: Api, notified: SentNotifications) -> None:
    count = oss.get("alert_groups/")["count"]
    group = oss.get("alert_groups/?state=new")["results"][0]["id"]
    body = {"alert_group_id": group, "users": [{"id": DAVE, "important": True}]}
    assert oss.post("escalation/", body)["id"] == group
    assert notified() == [(DAVE, True)]
    assert oss.get("alert_groups/")["count"] == count


def test_refused_page_notifies_nobody(cloud: Api, notified: SentNotifications) -> None:
    body = {"users": [{"id": ALICE, "important": False}, {"id": "UNOPE", "important": False}]}
    assert cloud.refused("POST", "escalation/", body) == {
        "users": [{}, {"non_field_errors": ["User UNOPE does not exist"]}]
    }
    assert notified() == []


def test_importance_of_a_page_is_in_the_payload(cloud: Api) -> None:
    group = cloud.post("escalation/", {"team": PLATFORM, "important_team_escalation": True})
    assert group["last_alert"]["payload"]["oncall"]["important"] is True


def test_title_and_message_are_html_escaped(cloud: Api) -> None:
    group = cloud.post("escalation/", {"team": PLATFORM, "title": '<b>"x"</b>', "message": "a & b"})
    assert group["title"] == '&lt;b&gt;"x"&lt;/b&gt;'
    assert group["last_alert"]["payload"]["oncall"]["message"] == "a &amp; b"


def test_page_without_a_title_is_named_after_author_and_users(cloud: Api) -> None:
    users = [{"id": user, "important": False} for user in (ALICE, BOB, DAVE)]
    group = cloud.with_token(sandbox.EDITOR_TOKEN).post("escalation/", {"users": users})
    assert group["title"] == "bob is paging alice, bob and dave to join escalation"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"users": "alice"}, {"users": {"non_field_errors": ['Expected a list of items but got type "str".']}}),
        (
            {"users": ["alice"]},
            {"users": [{"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}]},
        ),
        ({"users": [{}]}, {"users": [{"id": ["This field is required."], "important": ["This field is required."]}]}),
        ({"team": PLATFORM, "source_url": "ftp//x"}, {"source_url": ["Enter a valid URL."]}),
        (
            {"alert_group_id": "ICT3ZIXZWI2QX", "message": None, "users": [{"id": ALICE, "important": False}]},
            {"non_field_errors": ["alert_group_id and (title, message, source_url) are mutually exclusive"]},
        ),
    ],
)
def test_invalid_body_is_refused_field_by_field(cloud: Api, body: object, problem: object) -> None:
    assert cloud.refused("POST", "escalation/", body) == problem
