"""The sample data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from oncallctl import sandbox
from oncallctl.sandbox.ids import ID_ALPHABET
from tests.unit.sandbox.conftest import DATA_INFRA, EMPTY_TEAM, PAYMENTS, PLATFORM, Api

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database that the first server creates, without the recorded texts of other tests."""
    return tmp_path / "sandbox.sqlite3"


def test_sample_data_has_4_teams_14_users_and_122_integrations(cloud: Api) -> None:
    assert [cloud.get(path)["count"] for path in ("teams/", "users/", "integrations/")] == [4, 14, 122]


def test_new_sandboxes_have_the_same_objects(cloud: Api, tmp_path: Path) -> None:
    other = Api(Client(sandbox.application(tmp_path / "other.sqlite3", "cloud")))
    for path in ("teams/", "users/", "integrations/", "schedules/", "routes/", "escalation_policies/"):
        assert cloud.rows(path) == other.rows(path)


def test_every_id_has_the_servers_format(cloud: Api) -> None:
    pattern = re.compile(f"[A-Z][{ID_ALPHABET}]{{12,}}")
    for path in ("teams/", "users/", "integrations/", "schedules/", "routes/", "escalation_policies/", "alert_groups/"):
        assert [row["id"] for row in cloud.rows(path) if not pattern.fullmatch(row["id"])] == []


def test_integrations_have_plain_names(cloud: Api) -> None:
    names = [row["name"] for row in cloud.rows("integrations/")]
    assert {"api-gateway", "checkout", "payments-db", "eu-ingest", "service-000"} <= set(names)
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9]+([ -][A-Za-z0-9]+)*( \([\w -]+\))?", name)] == []


def test_sample_data_has_a_name_in_two_teams(cloud: Api) -> None:
    found = cloud.get("integrations/?name=api-gateway")["results"]
    assert {row["team_id"] for row in found} == {PLATFORM, PAYMENTS}


def test_alerts_have_a_severity_a_summary_and_a_runbook(cloud: Api) -> None:
    for group in cloud.rows("alert_groups/"):
        payload = group["last_alert"]["payload"]
        assert payload["title"] == group["title"]
        assert payload["severity"] in {"critical", "warning"}
        assert payload["summary"]
        assert payload["runbook_url"].startswith("https://runbooks.example.com/")


def test_all_teams_but_data_infra_have_a_direct_paging_integration(cloud: Api) -> None:
    paging = {row["team_id"]: row for row in cloud.rows("integrations/") if row["type"] == "direct_paging"}
    assert paging.keys() == {PLATFORM, PAYMENTS, EMPTY_TEAM, None}
    assert DATA_INFRA not in paging
    assert paging[EMPTY_TEAM]["default_route"]["escalation_chain_id"] is None
    assert paging[PLATFORM]["default_route"]["escalation_chain_id"] is not None


def test_sample_data_has_recent_alert_groups_in_every_state(cloud: Api) -> None:
    groups = cloud.rows("alert_groups/")
    assert {group["state"] for group in groups} == {"firing", "acknowledged", "silenced", "resolved"}
    moments = [group["created_at"] for group in groups]
    assert moments == sorted(moments, reverse=True)


def test_labels_of_sample_integrations_are_shown_on_cloud_only(cloud: Api, oss: Api) -> None:
    label = {"key": {"name": "env"}, "value": {"name": "prod"}}
    labelled = [row for row in cloud.rows("integrations/") if label in row["labels"]]
    assert 0 < len(labelled) < 122
    assert all("labels" not in row and "dynamic_labels" not in row for row in oss.rows("integrations/"))


def test_sample_users_share_an_email_and_differ_by_case(cloud: Api) -> None:
    users = {row["username"]: row for row in cloud.rows("users/")}
    assert {"bob", "Bob", "josé"} <= users.keys()
    assert users["mallory"]["email"] == users["alice"]["email"]
    assert users["heidi"]["email"] != users["heidi"]["email"].lower()
    assert users["erin"]["timezone"] is None


def test_phone_numbers_are_shown_on_cloud_unless_hidden(cloud: Api, oss: Api) -> None:
    users = {row["username"]: row for row in cloud.rows("users/")}
    states = {name: users[name]["phone_number_status"] for name in ("alice", "ivan", "bob")}
    assert states == {"alice": "available", "ivan": "private", "bob": "not_configured"}
    assert users["ivan"]["phone_number"] is None
    assert users["alice"]["phone_number"].startswith("+")
    assert all("phone_number" not in row for row in oss.rows("users/"))
