"""Pages by hand: the users whom they notify, as the table `notifications` says, and the bodies that are refused."""

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
    Clock,
    Pages,
)


def test_a_team_is_paged_at_whoever_is_on_call(clock: Clock, cloud: Api, pages: Pages) -> None:
    cloud.post("escalation/", {"team": PAYMENTS, "title": "t"})
    on_call = [user["id"] for user in cloud.get(f"teams/{PAYMENTS}/current_oncall")["users"]]
    assert [user for user, _ in pages()][:2] == on_call


def test_a_chain_is_walked_up_to_its_first_wait(cloud: Api, pages: Pages) -> None:
    cloud.post("escalation/", {"team": PLATFORM, "title": "t"})
    assert len(pages()) == 1


def test_each_user_is_paged_with_the_importance_asked_for(cloud: Api, pages: Pages) -> None:
    users = [{"id": ALICE, "important": True}, {"id": BOB, "important": False}]
    cloud.post("escalation/", {"users": users, "team": None})
    assert pages() == [(ALICE, True), (BOB, False)]


def test_a_user_named_twice_is_paged_twice(cloud: Api, pages: Pages) -> None:
    cloud.post("escalation/", {"users": [{"id": ALICE, "important": False}] * 2})
    assert pages() == [(ALICE, False), (ALICE, False)]


def test_each_post_pages_again(cloud: Api, pages: Pages) -> None:
    body = {"users": [{"id": ALICE, "important": False}], "title": "same"}
    assert cloud.post("escalation/", body)["id"] != cloud.post("escalation/", body)["id"]
    assert len(pages()) == 2


@pytest.mark.parametrize("team", [EMPTY_TEAM, DATA_INFRA])
def test_a_team_that_nobody_set_up_is_answered_200_and_reaches_nobody(cloud: Api, pages: Pages, team: str) -> None:
    assert cloud.post("escalation/", {"team": team})["state"] == "firing"
    assert pages() == []


def test_a_team_without_direct_paging_gets_it_made_on_the_fly(cloud: Api) -> None:
    first = cloud.post("escalation/", {"team": DATA_INFRA})
    made = cloud.get(f"integrations/{first['integration_id']}")
    assert (made["name"], made["type"]) == ("Direct paging (data infra team)", "direct_paging")
    assert made["default_route"]["escalation_chain_id"] is None
    assert cloud.post("escalation/", {"team": DATA_INFRA})["integration_id"] == made["id"]


def test_an_alert_group_with_a_team_pages_nobody(oss: Api, pages: Pages) -> None:
    group = oss.get("alert_groups/?state=new")["results"][0]["id"]
    assert oss.post("escalation/", {"alert_group_id": group, "team": PLATFORM})["id"] == group
    assert pages() == []


def test_an_alert_group_with_users_pages_them_and_opens_no_other(oss: Api, pages: Pages) -> None:
    count = oss.get("alert_groups/")["count"]
    group = oss.get("alert_groups/?state=new")["results"][0]["id"]
    body = {"alert_group_id": group, "users": [{"id": DAVE, "important": True}]}
    assert oss.post("escalation/", body)["id"] == group
    assert pages() == [(DAVE, True)]
    assert oss.get("alert_groups/")["count"] == count


def test_a_refused_page_pages_nobody(cloud: Api, pages: Pages) -> None:
    body = {"users": [{"id": ALICE, "important": False}, {"id": "UNOPE", "important": False}]}
    assert cloud.refused("POST", "escalation/", body) == {
        "users": [{}, {"non_field_errors": ["User UNOPE does not exist"]}]
    }
    assert pages() == []


def test_the_important_team_escalation_reaches_the_payload(cloud: Api) -> None:
    group = cloud.post("escalation/", {"team": PLATFORM, "important_team_escalation": True})
    assert group["last_alert"]["payload"]["oncall"]["important"] is True


def test_titles_and_messages_come_back_escaped(cloud: Api) -> None:
    group = cloud.post("escalation/", {"team": PLATFORM, "title": '<b>"x"</b>', "message": "a & b"})
    assert group["title"] == '&lt;b&gt;"x"&lt;/b&gt;'
    assert group["last_alert"]["payload"]["oncall"]["message"] == "a &amp; b"


def test_a_page_without_a_title_is_titled_by_who_pages_whom(cloud: Api) -> None:
    users = [{"id": user, "important": False} for user in (ALICE, BOB, DAVE)]
    group = cloud.under(sandbox.EDITOR_TOKEN).post("escalation/", {"users": users})
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
def test_a_body_that_cannot_be_meant_is_refused_field_by_field(cloud: Api, body: object, problem: object) -> None:
    assert cloud.refused("POST", "escalation/", body) == problem
