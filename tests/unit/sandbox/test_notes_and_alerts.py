"""What alert groups are made of, and what people write about them."""

from __future__ import annotations

import pytest

from oncallctl import sandbox
from tests.unit.sandbox.conftest import BOB, SERVICE, Api

GROUP = "IJK85SL9H9WEU"
"""Has three alerts and no note."""


def test_a_group_has_as_many_alerts_as_it_says_and_shows_the_newest(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        groups = api.rows("alert_groups/")
        for group in groups:
            alerts = api.get(f"alerts/?alert_group_id={group['id']}")["results"]
            assert len(alerts) == group["alerts_count"]
            assert alerts[0] == group["last_alert"]
            assert alerts[-1]["created_at"] == group["created_at"]
        assert api.get("alerts/")["count"] == sum(group["alerts_count"] for group in groups)


def test_alerts_come_newest_first(cloud: Api) -> None:
    alerts = cloud.get(f"alerts/?alert_group_id={GROUP}")["results"]
    assert [alert["payload"]["n"] for alert in alerts] == [2, 1, 0]


def test_an_alert_that_is_sent_in_is_listed_first_and_can_be_searched_for(cloud: Api) -> None:
    cloud.alert(SERVICE, {"host": "Zürich-7"})
    assert cloud.get("alerts/")["results"][0]["payload"] == {"host": "Zürich-7"}
    assert cloud.get("alerts/?search=RICH-7")["count"] == 1
    assert cloud.get("alerts/?search=nowhere")["count"] == 0


def test_a_note_is_written_changed_and_deleted(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        editor = api.under(sandbox.EDITOR_TOKEN)
        note = editor.post("resolution_notes/", {"alert_group_id": GROUP, "text": "looks bad"})
        assert (note["author"], note["source"], note["text"]) == (BOB, "Web", "looks bad")
        editor.patch(f"resolution_notes/{note['id']}", {"text": "was nothing", "alert_group_id": "INOPE"})
        (found,) = api.get(f"resolution_notes/?alert_group_id={GROUP}")["results"]
        assert found == note | {"text": "was nothing"}
        assert editor.ask("DELETE", f"resolution_notes/{note['id']}").status_code == 204
        assert editor.ask("GET", f"resolution_notes/{note['id']}").status_code == 404


def test_the_note_of_a_service_account_has_no_author(cloud: Api) -> None:
    body = {"alert_group_id": GROUP, "text": "from a pipeline"}
    response = cloud.under(sandbox.SERVICE_ACCOUNT_TOKEN).ask(
        "POST", "resolution_notes/", body, X_Grafana_URL=sandbox.GRAFANA_URL
    )
    assert response.status_code == 201
    assert response.json["author"] is None


def test_a_viewer_reads_notes_and_writes_none(cloud: Api) -> None:
    viewer = cloud.under(sandbox.VIEWER_TOKEN)
    assert viewer.get("resolution_notes/")["count"] == 5
    assert viewer.ask("POST", "resolution_notes/", {"alert_group_id": GROUP, "text": "x"}).status_code == 403


@pytest.mark.parametrize("mode", ["wipe", "delete"])
def test_the_notes_and_alerts_of_a_deleted_group_are_gone(cloud: Api, mode: str) -> None:
    group = cloud.get("resolution_notes/")["results"][0]["alert_group_id"]
    assert cloud.ask("DELETE", f"alert_groups/{group}", {"mode": mode}).status_code == 204
    assert cloud.get(f"resolution_notes/?alert_group_id={group}")["count"] == 0
    assert cloud.get(f"alerts/?alert_group_id={group}")["count"] == 0
