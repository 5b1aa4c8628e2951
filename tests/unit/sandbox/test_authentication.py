"""Tokens, roles and rate limits, and the differences between the two servers."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from oncallctl import sandbox
from tests.unit.sandbox.conftest import DATA_INFRA, EMPTY_TEAM, FRANK, PAYMENTS, PLATFORM, SERVICE, Api, set_role

if TYPE_CHECKING:
    from pathlib import Path

ERIN = "UAUXXETQFUYB2"


def test_token_on_cloud_is_accepted_with_and_without_bearer(cloud: Api) -> None:
    for token in (sandbox.ADMIN_TOKEN, f"Bearer {sandbox.ADMIN_TOKEN}"):
        assert cloud.with_token(token).get("users/current")["username"] == "admin"


def test_bearer_token_on_oss_is_refused(oss: Api) -> None:
    response = oss.with_token(f"Bearer {sandbox.ADMIN_TOKEN}").send("GET", "teams/")
    assert (response.status_code, response.json) == (403, {"detail": "Invalid token."})


@pytest.mark.parametrize("token", ["", "nope", "Token sandbox-admin", "glsa_nope"])
def test_bad_token_is_refused_with_403(cloud: Api, oss: Api, token: str) -> None:
    assert {api.with_token(token).send("GET", "teams/").status_code for api in (cloud, oss)} == {403}


def test_service_account_on_cloud_without_its_stack_is_refused(cloud: Api) -> None:
    account = cloud.with_token(sandbox.SERVICE_ACCOUNT_TOKEN)
    assert account.send("GET", "teams/").status_code == 403
    assert account.send("GET", "teams/", X_Grafana_URL="not a url").status_code == 403
    assert account.send("GET", "teams/", X_Grafana_URL=sandbox.GRAFANA_URL).status_code == 200
    assert account.send("GET", "teams/", X_Grafana_URL=f"{sandbox.GRAFANA_URL}/").status_code == 200


def test_header_of_another_stack_returns_429_without_retry_after(cloud: Api, oss: Api) -> None:
    for api, token in ((cloud, sandbox.ADMIN_TOKEN), (oss, sandbox.SERVICE_ACCOUNT_TOKEN)):
        response = api.with_token(token).send("GET", "teams/", X_Grafana_URL="https://other.grafana.invalid")
        assert response.status_code == 429
        assert "Retry-After" not in response.headers


def test_service_account_that_starts_a_window_crashes_oss_only(cloud: Api, oss: Api) -> None:
    body = {"mode": "silence_escalations", "duration": 60}
    path = f"integrations/{SERVICE}/maintenance_start"
    assert oss.with_token(sandbox.SERVICE_ACCOUNT_TOKEN).send("POST", path, body).status_code == 500
    account = cloud.with_token(sandbox.SERVICE_ACCOUNT_TOKEN)
    assert account.send("POST", path, body, X_Grafana_URL=sandbox.GRAFANA_URL).status_code == 200


def test_page_by_a_service_account_is_refused(cloud: Api, oss: Api) -> None:
    for api in (cloud, oss):
        account = api.with_token(sandbox.SERVICE_ACCOUNT_TOKEN)
        response = account.send("POST", "escalation/", {"team": "TKPSLLWBFUI9R"}, X_Grafana_URL=sandbox.GRAFANA_URL)
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
def test_request_with_a_role_gets_the_recorded_status(
    cloud: Api, token: str, method: str, path: str, status: int
) -> None:
    assert cloud.with_token(token).send(method, path, {} if method != "GET" else None).status_code == status


def test_undeclared_method_returns_405_on_cloud_and_crashes_oss(cloud: Api, oss: Api) -> None:
    response = cloud.send("DELETE", "teams/")
    assert (response.status_code, response.json) == (405, {"detail": 'Method "DELETE" not allowed.'})
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert oss.send("DELETE", "teams/").status_code == 500


def test_links_with_another_host_header_begin_with_base_url(cloud: Api) -> None:
    response = cloud.send("GET", "integrations/?perpage=1", Host="oncall.example.org")
    page: dict[str, Any] = response.get_json()
    assert page["next"] == f"{sandbox.BASE_URL}/api/v1/integrations/?page=2&perpage=1"
    assert page["results"][0]["link"].startswith(f"{sandbox.BASE_URL}/integrations/v1/")


def test_page_size_is_limited_to_100_on_cloud_only(cloud: Api, oss: Api) -> None:
    assert len(cloud.get("integrations/?perpage=1000")["results"]) == 100
    page = oss.get("integrations/?perpage=1000")
    assert (len(page["results"]), page["page_size"], page["next"]) == (122, 100, None)


def test_team_filter_of_integrations_crashes_oss_only(cloud: Api, oss: Api) -> None:
    found = cloud.get("integrations/?team_id=TTGSJ42GU2P7N")["results"]
    assert [row["name"] for row in found] == ["Direct paging (empty-team team)"]
    assert oss.send("GET", "integrations/?team_id=TTGSJ42GU2P7N").status_code == 500


class TestRateLimit:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
        """A stopped clock; tests advance `now`."""
        clock = SimpleNamespace(now=time.time())
        clock.time = lambda: clock.now
        monkeypatch.setattr("oncallctl.sandbox.server.time", clock)
        return clock

    @pytest.fixture
    def limited(self, database: Path, clock: SimpleNamespace) -> Api:
        assert clock.time() == clock.now
        return Api(Client(sandbox.application(database, "oss", rate_limit=3)))

    def test_request_after_retry_after_is_accepted(self, limited: Api, clock: SimpleNamespace) -> None:
        for _ in range(3):
            limited.get("teams/")
            clock.now += 0.3
        response = limited.send("GET", "users/")
        assert response.status_code == 429
        seconds = int(response.headers["Retry-After"])
        assert seconds == math.ceil(60 - 0.9)
        assert response.headers["RateLimit-Reset"] == str(seconds)
        assert response.json == {"detail": f"Request was throttled. Expected available in {seconds} seconds."}
        clock.now += seconds
        assert limited.get("users/")["count"] == 14

    def test_rate_limit_of_one_user_leaves_other_users_alone(self, limited: Api) -> None:
        for _ in range(3):
            limited.get("teams/")
        assert limited.send("GET", "teams/").status_code == 429
        assert limited.with_token(sandbox.EDITOR_TOKEN).get("teams/")["count"] == 4

    def test_rate_limit_counts_requests_of_all_processes(self, limited: Api, database: Path) -> None:
        other = Api(Client(sandbox.application(database, "oss", rate_limit=3)))
        for api in (limited, other, limited):
            api.get("teams/")
        assert other.send("GET", "teams/").status_code == 429

    def test_info_has_its_own_rate_limit(self, limited: Api) -> None:
        for _ in range(100):
            limited.get("info/")
        assert limited.send("GET", "info/").status_code == 429
        assert limited.get("teams/")["count"] == 4

    def test_forbidden_request_does_not_count(self, limited: Api) -> None:
        viewer = limited.with_token(sandbox.VIEWER_TOKEN)
        for _ in range(5):
            assert viewer.send("POST", "escalation/", {}).status_code == 403
        assert viewer.get("teams/")["count"] == 4

    def test_rate_limited_page_has_no_ratelimit_reset(self, limited: Api) -> None:
        for _ in range(3):
            limited.get("teams/")
        response = limited.send("POST", "escalation/", {})
        assert response.status_code == 429
        assert "RateLimit-Reset" not in response.headers


class TestTeamsOfAnEditor:
    """Bob is an editor in the teams platform and data infra; only empty-team shares its resources."""

    @pytest.fixture
    def bob(self, oss: Api) -> Api:
        return oss.with_token(sandbox.EDITOR_TOKEN)

    @pytest.mark.parametrize("team", [PLATFORM, EMPTY_TEAM])
    def test_page_to_an_own_or_shared_team_is_accepted(self, bob: Api, team: str) -> None:
        assert bob.post("escalation/", {"team": team})["team_id"] == team

    def test_page_to_another_team_is_refused_like_an_unknown_team(self, bob: Api) -> None:
        assert PAYMENTS in [team["id"] for team in bob.rows("teams/")]
        assert bob.refused("POST", "escalation/", {"team": PAYMENTS}) == {"team": ["Object does not exist"]}

    def test_page_to_users_of_another_team_is_accepted(self, bob: Api) -> None:
        assert bob.post("escalation/", {"users": [{"id": ERIN, "important": False}], "team": None})["state"] == "firing"

    def test_page_by_an_admin_to_any_team_is_accepted(self, oss: Api) -> None:
        assert oss.post("escalation/", {"team": PAYMENTS})["team_id"] == PAYMENTS

    def test_schedule_for_another_team_is_refused(self, bob: Api) -> None:
        body = {"name": "mine", "type": "calendar", "time_zone": "UTC", "team_id": PAYMENTS}
        assert bob.refused("POST", "schedules/", body) == {"team_id": ["Object does not exist"]}

    def test_current_user_has_role_and_teams_while_teams_hide_sharing(self, bob: Api) -> None:
        user = bob.get("users/current/")
        assert (user["role"], user["teams"]) == ("editor", [PLATFORM, DATA_INFRA])
        assert bob.get(f"teams/{EMPTY_TEAM}").keys() == {"id", "grafana_id", "name", "email", "avatar_url"}

    @pytest.mark.parametrize("token", [sandbox.EDITOR_TOKEN, sandbox.VIEWER_TOKEN])
    @pytest.mark.parametrize("action", ["maintenance_start", "maintenance_stop"])
    def test_maintenance_by_a_lower_role_is_refused(self, oss: Api, token: str, action: str) -> None:
        response = oss.with_token(token).send(
            "POST", f"integrations/{SERVICE}/{action}", {"mode": "debug", "duration": 60}
        )
        assert (response.status_code, response.json) == (
            403,
            {"detail": "You do not have permission to perform this action."},
        )


@pytest.mark.parametrize("path", ["users/current/", "teams/", "info/"])
def test_every_request_of_a_user_without_role_is_refused(oss: Api, database: Path, path: str) -> None:
    set_role(database, FRANK, "none")
    assert oss.with_token(sandbox.VIEWER_TOKEN).send("GET", path).status_code == 403
