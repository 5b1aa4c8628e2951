"""`--team` as a filter: by name, by ID, and `none`, on either server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Runner
from tests.serving import Serving

UNKNOWN = "TNXPENXPENXPE"
LISTS = {
    "integrations list": "integrations",
    "schedules list": "schedules",
    "escalation-chains list": "escalation_chains",
    "alert-groups list --state firing --state acknowledged --state resolved --state silenced": "alert_groups",
}
FILTERED = [
    *LISTS,
    "maintenance status",
    "maintenance stop --yes",
    "alert-groups resolve",
    "integrations list --limit 1",
]


def members(server: Serving, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in range(1, 10):
        document = server.call("GET", f"{path}/?perpage=50&page={page}")
        found += document["results"]
        if not document["next"]:
            break
    return found


@pytest.mark.parametrize("line", FILTERED)
def test_team_filter_with_an_unknown_id_is_not_found(cloud: Serving, run: Runner, line: str) -> None:
    for team in (UNKNOWN, f"id:{UNKNOWN}"):
        done = run(f"{line} --team {team} -o json", status=6)
        assert done.error["message"] == f"no team {UNKNOWN}", team
        assert "oncallctl teams list" in done.error["hint"], team
        assert done.stdout == "", team
    assert cloud.changes() == []


@pytest.mark.parametrize("line", LISTS)
def test_team_filter_with_a_known_id_lists_the_members_of_the_team(cloud: Serving, run: Runner, line: str) -> None:
    team = "TKPSLLWBFUI9R"
    listed = run(f"{line} --team {team} -o id").stdout.split()
    assert listed
    assert set(listed) == {each["id"] for each in members(cloud, LISTS[line]) if each["team_id"] == team}


@pytest.mark.parametrize("line", LISTS)
def test_team_filter_none_lists_members_without_a_team(server: Serving, run: Runner, line: str) -> None:
    if line == "schedules list":
        server.call("POST", "schedules/", {"name": "nobody's", "type": "web", "time_zone": "UTC"})
    if line == "escalation-chains list":
        server.call("POST", "escalation_chains/", {"name": "nobody's"})
    listed = run(f"{line} --team none -o id").stdout.split()
    assert listed
    assert set(listed) == {each["id"] for each in members(server, LISTS[line]) if each["team_id"] is None}


def test_selector_none_chooses_integrations_without_a_team(cloud: Serving, run: Runner) -> None:
    expected = {each["id"] for each in members(cloud, "integrations") if each["team_id"] is None}
    assert {each["id"] for each in run("maintenance status --team none -o json").json} == expected


def test_team_called_none_is_chosen_with_the_prefix_name(cloud: Serving, run: Runner) -> None:
    done = run("integrations list --team name:none -o json", status=6)
    assert "'none'" in done.error["message"]
