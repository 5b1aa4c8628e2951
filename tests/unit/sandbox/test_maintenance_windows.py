"""Maintenance windows: how they affect alerts, and how they end."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from oncallctl import sandbox
from oncallctl.sandbox.maintenance_windows import humanized
from tests.unit.sandbox.conftest import PLATFORM_PAGING, SERVICE, Api, SentNotifications

if TYPE_CHECKING:
    from pathlib import Path

ROUTED = "CQ6VU6UXEVLVW"
"""service-004, whose alerts notify the users of platform who are on call."""


def groups_of(api: Api, integration_id: str) -> list[Any]:
    found: list[Any] = api.get(f"alert_groups/?integration_id={integration_id}")["results"]
    return found


def test_alert_without_a_window_notifies_the_users_of_its_chain(cloud: Api, notified: SentNotifications) -> None:
    assert cloud.alert(ROUTED, {"title": "t"}).json == "Ok."
    on_call = [user["id"] for user in cloud.get("teams/TKPSLLWBFUI9R/current_oncall")["users"]]
    assert notified() == [(on_call[0], False)]


@pytest.mark.parametrize("mode", ["silence_escalations", "group_alerts"])
def test_alert_during_a_window_fires_and_notifies_nobody(cloud: Api, notified: SentNotifications, mode: str) -> None:
    cloud.start(ROUTED, mode)
    cloud.alert(ROUTED, {"title": "t"})
    assert [group["state"] for group in groups_of(cloud, ROUTED)] == ["firing"]
    assert notified() == []


def test_alert_during_a_disable_alerts_window_is_dropped(cloud: Api) -> None:
    cloud.start(ROUTED, "disable_alerts")
    assert cloud.alert(ROUTED, {"title": "t"}).status_code == 200
    assert groups_of(cloud, ROUTED) == []


def test_group_opened_during_a_silence_window_fires_after_it(cloud: Api, notified: SentNotifications) -> None:
    cloud.start(ROUTED, "silence_escalations")
    cloud.alert(ROUTED, {"title": "t"})
    cloud.stop(ROUTED)
    assert [group["state"] for group in groups_of(cloud, ROUTED)] == ["firing"]
    assert notified() == []


def test_end_of_a_group_window_resolves_only_groups_opened_during_it(cloud: Api) -> None:
    cloud.alert(ROUTED, {"title": "before"})
    cloud.start(ROUTED, "group_alerts", 600)
    cloud.alert(ROUTED, {"title": "during"})
    collected = cloud.get("alert_groups/?perpage=2")["results"][1]
    assert collected["title"] == "Maintenance of service-004 for 600"
    assert collected["last_alert"]["payload"]["title"] == "Maintenance of service-004 for 10 minutes"
    assert cloud.send("GET", f"integrations/{collected['integration_id']}").status_code == 404
    cloud.stop(ROUTED)
    states = {group["last_alert"]["payload"]["title"]: group["state"] for group in groups_of(cloud, ROUTED)}
    assert states == {"before": "firing", "during": "resolved"}
    assert cloud.get(f"alert_groups/{collected['id']}")["state"] == "resolved"


def test_resolving_the_group_of_a_window_ends_the_window(cloud: Api) -> None:
    cloud.start(ROUTED, "group_alerts")
    cloud.alert(ROUTED, {"title": "during"})
    window = cloud.get("alert_groups/?perpage=2")["results"][1]
    assert cloud.send("POST", f"alert_groups/{window['id']}/resolve").status_code == 200
    assert cloud.get(f"integrations/{ROUTED}")["maintenance_mode"] is None
    assert groups_of(cloud, ROUTED)[0]["state"] == "resolved"


def test_deleting_an_integration_ends_its_window(cloud: Api) -> None:
    cloud.start(ROUTED, "group_alerts")
    assert cloud.send("DELETE", f"integrations/{ROUTED}").status_code == 204
    assert cloud.get("alert_groups/?perpage=1")["results"][0]["state"] == "resolved"


def test_window_lasts_for_the_requested_duration(cloud: Api) -> None:
    window = cloud.start(SERVICE, "silence_escalations", 5400)
    started, ended = (datetime.fromisoformat(window[f"maintenance_{name}_at"]) for name in ("started", "end"))
    assert (ended - started).total_seconds() == 5400


def test_overdue_window_is_ended_by_the_next_request(oss: Api) -> None:
    started = oss.start(ROUTED, "maintenance", 0)
    assert started["maintenance_mode"] == "maintenance"
    assert oss.get(f"integrations/{ROUTED}")["maintenance_mode"] is None
    assert oss.get("alert_groups/?perpage=1")["results"][0]["state"] == "resolved"


def test_overdue_window_without_sweeps_stays_until_it_is_stopped(
    database: Path, oss: Api, notified: SentNotifications
) -> None:
    unswept = Api(Client(sandbox.application(database, "oss", sweeps=False)))
    unswept.start(ROUTED, "debug", -5)
    assert unswept.get(f"integrations/{ROUTED}")["maintenance_mode"] == "debug"
    again = unswept.refused("POST", f"integrations/{ROUTED}/maintenance_start", {"mode": "debug", "duration": 60})
    assert again == {"detail": "Already on maintenance"}
    unswept.alert(ROUTED, {"title": "t"})
    assert notified() == []
    unswept.stop(ROUTED)
    assert oss.get(f"integrations/{ROUTED}")["maintenance_mode"] is None


def test_second_start_of_a_window_is_refused(cloud: Api) -> None:
    cloud.start(SERVICE, "silence_escalations")
    refused = cloud.refused(
        "POST", f"integrations/{SERVICE}/maintenance_start", {"mode": "group_alerts", "duration": 1}
    )
    assert refused == {"detail": "Already on maintenance"}


@pytest.mark.parametrize("duration", [0, -5, 1.5, "1h", None, True, [60], 10**12, 10**400])
def test_invalid_duration_is_refused_by_cloud(cloud: Api, duration: object) -> None:
    body = {"mode": "silence_escalations", "duration": duration}
    assert cloud.refused("POST", f"integrations/{SERVICE}/maintenance_start", body).keys() == {"duration"}


@pytest.mark.parametrize("mode", ["debug", "maintenance", "SILENCE_ESCALATIONS", "", None, 1])
def test_unknown_mode_is_refused_by_cloud(cloud: Api, mode: object) -> None:
    body = {"mode": mode, "duration": 60}
    assert cloud.refused("POST", f"integrations/{SERVICE}/maintenance_start", body) == {"mode": ["Unknown mode"]}


def test_stop_without_a_window_crashes_oss_only(cloud: Api, oss: Api) -> None:
    assert cloud.stop(SERVICE)["maintenance_mode"] is None
    assert oss.send("POST", f"integrations/{SERVICE}/maintenance_stop").status_code == 500


@pytest.mark.parametrize(("mode", "paged"), [("silence_escalations", True), ("group_alerts", False)])
def test_page_to_users_notifies_during_a_silence_window_only(
    cloud: Api, notified: SentNotifications, mode: str, *, paged: bool
) -> None:
    cloud.start("CDD4LQ1C5ITCE", mode)
    cloud.post("escalation/", {"users": [{"id": "U6YF83T9HEFKQ", "important": False}], "team": None})
    assert bool(notified()) is paged


def test_page_to_a_team_in_maintenance_notifies_nobody(cloud: Api, notified: SentNotifications) -> None:
    cloud.start(PLATFORM_PAGING, "silence_escalations")
    assert cloud.post("escalation/", {"team": "TKPSLLWBFUI9R"})["state"] == "firing"
    assert notified() == []


def test_duration_is_humanized_like_the_engines() -> None:
    for seconds, words in [
        (0, "a moment"),
        (1, "a second"),
        (59, "59 seconds"),
        (60, "a minute"),
        (600, "10 minutes"),
        (3600, "an hour"),
        (7200, "2 hours"),
        (86_400, "a day"),
        (100_000_000_000, "3,170 years"),
    ]:
        assert humanized(seconds) == words, seconds
