"""Schedules: what can be said of one, where the recordings are silent."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.conftest import PLATFORM, Api

WEB = {"name": "mine", "type": "web", "time_zone": "Europe/Berlin"}
CALENDAR = "S1KAAWQX8ELU3"
IMPORTED = "S4QIVJ1W3K3KE"


def test_a_schedule_says_what_was_said_of_it(cloud: Api, oss: Api) -> None:
    slack = {"channel_id": "C0LAB002", "user_group_id": "S0LAB001"}
    for api in (cloud, oss):
        made = api.post("schedules/", {**WEB, "team_id": PLATFORM, "slack": slack})
        assert made == {
            "id": made["id"],
            **WEB,
            "team_id": PLATFORM,
            "slack": slack,
            "on_call_now": [],
            "shifts": [],
        }
        assert api.get(f"schedules/{made['id']}") == made


def test_a_calendar_can_be_changed_and_keeps_its_type_and_shifts(cloud: Api) -> None:
    before = cloud.get(f"schedules/{CALENDAR}")
    body = {"type": "web", "time_zone": "Asia/Tokyo", "enable_web_overrides": True, "slack": {"channel_id": None}}
    after = cloud.patch(f"schedules/{CALENDAR}", body)
    assert after == before | {"time_zone": "Asia/Tokyo", "enable_web_overrides": True}


def test_an_imported_calendar_can_be_renamed_and_not_be_sent_elsewhere(cloud: Api) -> None:
    assert cloud.patch(f"schedules/{IMPORTED}", {"name": "renamed"})["name"] == "renamed"
    body = {"ical_url_primary": "https://calendar.example.com/x.ics"}
    assert cloud.refused("PATCH", f"schedules/{IMPORTED}", body) == {"ical_url_primary": ["Ical download failed"]}


@pytest.mark.parametrize("zone", ["Mars/X", "Europe", "../../etc/passwd", "/etc/passwd", "utc\u0301"])
def test_a_time_zone_must_be_known(cloud: Api, zone: str) -> None:
    assert cloud.refused("POST", "schedules/", {**WEB, "time_zone": zone}) == {"time_zone": ["Invalid timezone"]}


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"channel_id": "CNOPE"}, {"channel_id": ["Slack channel does not exist"]}),
        ({"user_group_id": "SNOPE"}, {"user_group_id": ["Slack user group does not exist"]}),
    ],
)
def test_what_a_schedule_announces_to_must_be_known(cloud: Api, part: dict[str, str], problem: object) -> None:
    assert cloud.refused("POST", "schedules/", {**WEB, "slack": part}) == {"slack": problem}


@pytest.mark.parametrize("path", ["schedules/", "escalation_chains/", "on_call_shifts/", "integrations/"])
def test_cloud_filters_by_team_and_oss_fails_on_every_team_there_is(cloud: Api, oss: Api, path: str) -> None:
    found = cloud.get(f"{path}?team_id={PLATFORM}")["results"]
    assert {row["team_id"] for row in found} == {PLATFORM}
    assert {row["team_id"] for row in cloud.get(f"{path}?team_id=null")["results"]} == {None}
    assert oss.ask("GET", f"{path}?team_id={PLATFORM}").status_code == 500
    for api in (cloud, oss):
        assert api.refused("GET", f"{path}?team_id=TNOPE").keys() == {"team_id"}
