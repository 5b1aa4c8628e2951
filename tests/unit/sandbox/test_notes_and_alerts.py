"""Alerts and resolution notes of alert groups."""

from __future__ import annotations

import pytest

from oncallctl import sandbox
from tests.unit.sandbox.conftest import BOB, SERVICE, Api

GROUP = "IJK85SL9H9WEU"
"""Has three alerts and no note."""


def test_group_counts_its_alerts_and_shows_the_last_one(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        groups = api.rows("alert_groups/")
        for group in groups:
            alerts = api.get(f"alerts/?alert_group_id={group['id']}")["results"]
            assert len(alerts) == group["alerts_count"]
            assert alerts[0] == group["last_alert"]
            assert alerts[-1]["created_at"] == group["created_at"]
        assert api.get("alerts/")["count"] == sum(group["alerts_count"] for group in groups)


def test_alerts_are_listed_newest_first(cloud: Api) -> None:
    alerts = cloud.get(f"alerts/?alert_group_id={GROUP}")["results"]
    assert [alert["payload"]["n"] for alert in alerts] == [2, 1, 0]


def test_posted_alert_is_listed_first_and_found_by_search(cloud: Api) -> None:
    cloud.alert(SERVICE, {"host": "Zürich-7"})
    assert cloud.get("alerts/")["results"][0]["payload"] == {"host": "Zürich-7"}
    assert cloud.get("alerts/?search=RICH-7")["count"] == 1
    assert cloud.get("alerts/?search=nowhere")["count"] == 0


def test_note_is_created_updated_and_deleted(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        editor = api.with_token(sandbox.EDITOR_TOKEN)
        note = editor.post("resolution_notes/", {"alert_group_id": GROUP, "text": "looks bad"})
        assert (note["author"], note["source"], note["text"]) == (BOB, "Web", "looks bad")
        editor.patch(f"resolution_notes/{note['id']}", {"text": "was nothing", "alert_group_id": "INOPE"})
        (found,) = api.get(f"resolution_notes/?alert_group_id={GROUP}")["results"]
        assert found == note | {"text": "was nothing"}
        assert editor.send("DELETE", f"resolution_notes/{note['id']}").status_code == 204
        assert editor.send("GET", f"resolution_notes/{note['id']}").status_code == 404


def test_note_of_a_service_account_has_no_author(cloud: Api) -> None:
    body = {"alert_group_id": GROUP, "text": "from a pipeline"}
    response = cloud.with_token(sandbox.SERVICE_ACCOUNT_TOKEN).send(
        "POST", "resolution_notes/", body, X_Grafana_URL=sandbox.GRAFANA_URL
    )
    assert response.status_code == 201
    assert response.json["author"] is None


def test_viewer_reads_notes_and_cannot_write_them(cloud: Api) -> None:
    viewer = cloud.with_token(sandbox.VIEWER_TOKEN)
    assert viewer.get("resolution_notes/")["count"] == 5
    assert viewer.send("POST", "resolution_notes/", {"alert_group_id": GROUP, "text": "x"}).status_code == 403


@pytest.mark.parametrize("mode", ["wipe", "delete"])
def test_deleted_group_loses_its_notes_and_alerts(cloud: Api, mode: str) -> None:
    group = cloud.get("resolution_notes/")["results"][0]["alert_group_id"]
    assert cloud.send("DELETE", f"alert_groups/{group}", {"mode": mode}).status_code == 204
    assert cloud.get(f"resolution_notes/?alert_group_id={group}")["count"] == 0
    assert cloud.get(f"alerts/?alert_group_id={group}")["count"] == 0
