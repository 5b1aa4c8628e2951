"""Tokens, roles, limits, and what the two servers answer where they differ."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from oncallctl import sandbox
from tests.unit.sandbox.conftest import (
    DATA_INFRA,
    EMPTY_TEAM,
    FRANK,
    PAYMENTS,
    PLATFORM,
    SERVICE,
    Api,
    set_role,
)

if TYPE_CHECKING:
    from pathlib import Path

ERIN = "UAUXXETQFUYB2"


def test_cloud_takes_a_token_with_and_without_bearer(cloud: Api) -> None:
    for token in (sandbox.ADMIN_TOKEN, f"Bearer {sandbox.ADMIN_TOKEN}"):
        assert cloud.under(token).get("users/current")["username"] == "admin"


def test_oss_takes_the_bare_token_only(oss: Api) -> None:
    response = oss.under(f"Bearer {sandbox.ADMIN_TOKEN}").ask("GET", "teams/")
    assert (response.status_code, response.json) == (403, {"detail": "Invalid token."})


@pytest.mark.parametrize("token", ["", "nope", "Token sandbox-admin", "glsa_nope"])
def test_a_bad_token_is_403_and_never_401(cloud: Api, oss: Api, token: str) -> None:
    assert {api.under(token).ask("GET", "teams/").status_code for api in (cloud, oss)} == {403}


def test_a_service_account_must_name_its_stack_on_cloud(cloud: Api) -> None:
    account = cloud.under(sandbox.SERVICE_ACCOUNT_TOKEN)
    assert account.ask("GET", "teams/").status_code == 403
    assert account.ask("GET", "teams/", X_Grafana_URL="not a url").status_code == 403
    assert account.ask("GET", "teams/", X_Grafana_URL=sandbox.GRAFANA_URL).status_code == 200
    assert account.ask("GET", "teams/", X_Grafana_URL=f"{sandbox.GRAFANA_URL}/").status_code == 200


def test_another_stack_is_429_without_a_time_to_retry_at(cloud: Api, oss: Api) -> None:
    for api, token in ((cloud, sandbox.ADMIN_TOKEN), (oss, sandbox.SERVICE_ACCOUNT_TOKEN)):
        response = api.under(token).ask("GET", "teams/", X_Grafana_URL="https://other.grafana.invalid")
        assert response.status_code == 429
        assert "Retry-After" not in response.headers


def test_a_service_account_starts_windows_on_cloud_and_crashes_oss(cloud: Api, oss: Api) -> None:
    body = {"mode": "silence_escalations", "duration": 60}
    path = f"integrations/{SERVICE}/maintenance_start"
    assert oss.under(sandbox.SERVICE_ACCOUNT_TOKEN).ask("POST", path, body).status_code == 500
    account = cloud.under(sandbox.SERVICE_ACCOUNT_TOKEN)
    assert account.ask("POST", path, body, X_Grafana_URL=sandbox.GRAFANA_URL).status_code == 200


def test_escalation_is_for_people(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        account = api.under(sandbox.SERVICE_ACCOUNT_TOKEN)
        response = account.ask("POST", "escalation/", {"team": "TKPSLLWBFUI9R"}, X_Grafana_URL=sandbox.GRAFANA_URL)
        assert response.status_code == 403


@pytest.mark.parametrize(
    ("token", "method", "path", "status"),
    [
        (sandbox.VIEWER_TOKEN, "GET", "integrations/", 200),
        (sandbox.VIEWER_TOKEN, "POST", "escalation/", 403),
        (sandbox.EDITOR_TOKEN, "POST", "escalation/", 400),
        (sandbox.EDITOR_TOKEN, "POST", "integrations/", 403),
        (sandbox.EDITOR_TOKEN, "PATCH", f"integrations/{SERVICE}", 403),
        (sandbox.EDITOR_TOKEN, "DELETE", f"integrations/{SERVICE}", 403),
        (sandbox.EDITOR_TOKEN, "POST", f"integrations/{SERVICE}/maintenance_start", 403),
        (sandbox.EDITOR_TOKEN, "POST", f"integrations/{SERVICE}/maintenance_stop", 403),
        (sandbox.ADMIN_TOKEN, "POST", "integrations/", 400),
    ],
)
def test_a_role_allows_what_it_did_when_recorded(cloud: Api, token: str, method: str, path: str, status: int) -> None:
    assert cloud.under(token).ask(method, path, {} if method != "GET" else None).status_code == status


def test_an_undeclared_method_is_405_on_cloud_and_a_crash_on_oss(cloud: Api, oss: Api) -> None:
    response = cloud.ask("DELETE", "teams/")
    assert (response.status_code, response.json) == (405, {"detail": 'Method "DELETE" not allowed.'})
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert oss.ask("DELETE", "teams/").status_code == 500


def test_links_name_the_servers_own_base_url_whatever_host_was_asked(cloud: Api) -> None:
    response = cloud.ask("GET", "integrations/?perpage=1", Host="oncall.example.org")
    page: dict[str, Any] = response.get_json()
    assert page["next"] == f"{sandbox.BASE_URL}/api/v1/integrations/?page=2&perpage=1"
    assert page["results"][0]["link"].startswith(f"{sandbox.BASE_URL}/integrations/v1/")


def test_cloud_caps_a_page_at_100_rows_and_oss_does_not(cloud: Api, oss: Api) -> None:
    assert len(cloud.get("integrations/?perpage=1000")["results"]) == 100
    page = oss.get("integrations/?perpage=1000")
    assert (len(page["results"]), page["page_size"], page["next"]) == (122, 100, None)


def test_a_team_filters_integrations_on_cloud_and_crashes_oss(cloud: Api, oss: Api) -> None:
    found = cloud.get("integrations/?team_id=TTGSJ42GU2P7N")["results"]
    assert [row["name"] for row in found] == ["Direct paging (empty-team team)"]
    assert oss.ask("GET", "integrations/?team_id=TTGSJ42GU2P7N").status_code == 500


class TestLimits:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
        """A clock that stands still until a test sets `now` on."""
        clock = SimpleNamespace(now=time.time())
        clock.time = lambda: clock.now
        monkeypatch.setattr("oncallctl.sandbox.server.time", clock)
        return clock

    @pytest.fixture
    def limited(self, database: Path, clock: SimpleNamespace) -> Api:
        assert clock.time() == clock.now
        return Api(Client(sandbox.application(database, "oss", rate_limit=3)))

    def test_waiting_exactly_as_long_as_said_works(self, limited: Api, clock: SimpleNamespace) -> None:
        for _ in range(3):
            limited.get("teams/")
            clock.now += 0.3
        response = limited.ask("GET", "users/")
        assert response.status_code == 429
        seconds = int(response.headers["Retry-After"])
        assert seconds == math.ceil(60 - 0.9)
        assert response.headers["RateLimit-Reset"] == str(seconds)
        assert response.json == {"detail": f"Request was throttled. Expected available in {seconds} seconds."}
        clock.now += seconds
        assert limited.get("users/")["count"] == 14

    def test_each_user_has_a_limit_of_their_own(self, limited: Api) -> None:
        for _ in range(3):
            limited.get("teams/")
        assert limited.ask("GET", "teams/").status_code == 429
        assert limited.under(sandbox.EDITOR_TOKEN).get("teams/")["count"] == 4

    def test_all_processes_that_share_the_file_count_together(self, limited: Api, database: Path) -> None:
        other = Api(Client(sandbox.application(database, "oss", rate_limit=3)))
        for api in (limited, other, limited):
            api.get("teams/")
        assert other.ask("GET", "teams/").status_code == 429

    def test_info_counts_apart(self, limited: Api) -> None:
        for _ in range(100):
            limited.get("info/")
        assert limited.ask("GET", "info/").status_code == 429
        assert limited.get("teams/")["count"] == 4

    def test_refused_requests_do_not_count(self, limited: Api) -> None:
        viewer = limited.under(sandbox.VIEWER_TOKEN)
        for _ in range(5):
            assert viewer.ask("POST", "escalation/", {}).status_code == 403
        assert viewer.get("teams/")["count"] == 4

    def test_escalation_says_no_reset(self, limited: Api) -> None:
        for _ in range(3):
            limited.get("teams/")
        response = limited.ask("POST", "escalation/", {})
        assert response.status_code == 429
        assert "RateLimit-Reset" not in response.headers


class TestTeamsOfAnEditor:
    """Bob is an editor and a member of platform and data infra; only empty-team shares its resources."""

    @pytest.fixture
    def bob(self, oss: Api) -> Api:
        return oss.under(sandbox.EDITOR_TOKEN)

    @pytest.mark.parametrize("team", [PLATFORM, EMPTY_TEAM])
    def test_a_page_to_a_team_of_ones_own_or_a_shared_one_is_accepted(self, bob: Api, team: str) -> None:
        assert bob.post("escalation/", {"team": team})["team_id"] == team

    def test_a_page_to_a_foreign_team_is_refused_as_if_the_listed_team_did_not_exist(self, bob: Api) -> None:
        assert PAYMENTS in [team["id"] for team in bob.rows("teams/")]
        assert bob.refused("POST", "escalation/", {"team": PAYMENTS}) == {"team": ["Object does not exist"]}

    def test_a_page_to_users_of_a_foreign_team_is_accepted(self, bob: Api) -> None:
        assert bob.post("escalation/", {"users": [{"id": ERIN, "important": False}], "team": None})["state"] == "firing"

    def test_an_admin_may_page_every_team(self, oss: Api) -> None:
        assert oss.post("escalation/", {"team": PAYMENTS})["team_id"] == PAYMENTS

    def test_a_schedule_cannot_be_given_to_a_foreign_team(self, bob: Api) -> None:
        body = {"name": "mine", "type": "calendar", "time_zone": "UTC", "team_id": PAYMENTS}
        assert bob.refused("POST", "schedules/", body) == {"team_id": ["Object does not exist"]}

    def test_the_current_user_tells_role_and_teams_and_the_teams_tell_nothing_of_sharing(self, bob: Api) -> None:
        user = bob.get("users/current/")
        assert (user["role"], user["teams"]) == ("editor", [PLATFORM, DATA_INFRA])
        assert bob.get(f"teams/{EMPTY_TEAM}").keys() == {"id", "grafana_id", "name", "email", "avatar_url"}

    @pytest.mark.parametrize("token", [sandbox.EDITOR_TOKEN, sandbox.VIEWER_TOKEN])
    @pytest.mark.parametrize("action", ["maintenance_start", "maintenance_stop"])
    def test_maintenance_takes_an_admin(self, oss: Api, token: str, action: str) -> None:
        response = oss.under(token).ask("POST", f"integrations/{SERVICE}/{action}", {"mode": "debug", "duration": 60})
        assert (response.status_code, response.json) == (
            403,
            {"detail": "You do not have permission to perform this action."},
        )


@pytest.mark.parametrize("path", ["users/current/", "teams/", "info/"])
def test_a_user_without_a_role_may_do_nothing(oss: Api, database: Path, path: str) -> None:
    set_role(database, FRANK, "none")
    assert oss.under(sandbox.VIEWER_TOKEN).ask("GET", path).status_code == 403
