"""Schedules: behavior that no recording covers."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.conftest import PLATFORM, Api

WEB = {"name": "mine", "type": "web", "time_zone": "Europe/Berlin"}
CALENDAR = "S1KAAWQX8ELU3"
IMPORTED = "S4QIVJ1W3K3KE"


def test_created_schedule_returns_the_fields_of_its_body(cloud: Api, oss: Api) -> None:
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


def test_updated_calendar_keeps_its_type_and_shifts(cloud: Api) -> None:
    before = cloud.get(f"schedules/{CALENDAR}")
    body = {"type": "web", "time_zone": "Asia/Tokyo", "enable_web_overrides": True, "slack": {"channel_id": None}}
    after = cloud.patch(f"schedules/{CALENDAR}", body)
    assert after == before | {"time_zone": "Asia/Tokyo", "enable_web_overrides": True}


def test_imported_calendar_can_be_renamed_but_not_get_another_url(cloud: Api) -> None:
    assert cloud.patch(f"schedules/{IMPORTED}", {"name": "renamed"})["name"] == "renamed"
    body = {"ical_url_primary": "https://calendar.example.com/x.ics"}
    assert cloud.refused("PATCH", f"schedules/{IMPORTED}", body) == {"ical_url_primary": ["Ical download failed"]}


@pytest.mark.parametrize("zone", ["Mars/X", "Europe", "../../etc/passwd", "/etc/passwd", "utc\u0301"])
def test_unknown_time_zone_is_refused(cloud: Api, zone: str) -> None:
    assert cloud.refused("POST", "schedules/", {**WEB, "time_zone": zone}) == {"time_zone": ["Invalid timezone"]}


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"channel_id": "CNOPE"}, {"channel_id": ["Slack channel does not exist"]}),
        ({"user_group_id": "SNOPE"}, {"user_group_id": ["Slack user group does not exist"]}),
    ],
)
def test_unknown_slack_channel_or_user_group_is_refused(cloud: Api, part: dict[str, str], problem: object) -> None:
    assert cloud.refused("POST", "schedules/", {**WEB, "slack": part}) == {"slack": problem}


@pytest.mark.parametrize("path", ["schedules/", "escalation_chains/", "on_call_shifts/", "integrations/"])
def test_team_filter_crashes_oss_only(cloud: Api, oss: Api, path: str) -> None:
    found = cloud.get(f"{path}?team_id={PLATFORM}")["results"]
    assert {row["team_id"] for row in found} == {PLATFORM}
    assert {row["team_id"] for row in cloud.get(f"{path}?team_id=null")["results"]} == {None}
    assert oss.send("GET", f"{path}?team_id={PLATFORM}").status_code == 500
    for api in (cloud, oss):
        assert api.refused("GET", f"{path}?team_id=TNOPE").keys() == {"team_id"}
