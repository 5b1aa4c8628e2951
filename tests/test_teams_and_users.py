"""`teams`, `users` and `alert-groups` against the sandbox behind a socket."""

import pytest

from oncallctl import sandbox
from tests.conftest import Runner
from tests.serving import Serving

PLATFORM, PAYMENTS = "TKPSLLWBFUI9R", "TNFI27MJ312BL"


class TestTeams:
    def test_all_are_listed_whole(self, server: Serving, run: Runner) -> None:
        teams = run("teams list -o json").json
        assert [team["name"] for team in teams] == ["platform", "payments", "data infra", "empty-team"]
        assert set(teams[0]) == {"id", "grafana_id", "name", "email", "avatar_url"}

    def test_one_is_shown_by_name_or_id(self, server: Serving, run: Runner) -> None:
        assert run("teams get payments -o json").json == run(f"teams get {PAYMENTS} -o json").json

    @pytest.mark.parametrize("name", ["Platform", "PLATFORM", "name:platform", f"id:{PLATFORM}"])
    def test_a_name_is_taken_without_regard_to_case(self, server: Serving, run: Runner, name: str) -> None:
        assert run(f"teams get {name} -o id").stdout == f"{PLATFORM}\n"


class TestWhoIsOnCall:
    def test_one_team_is_a_document_with_the_team(self, cloud: Serving, run: Runner) -> None:
        document = run("teams who-is-on-call platform -o json").json
        assert document["team"] == {"id": PLATFORM, "name": "platform"}
        assert document["count"] == len(document["users"]) == 1
        assert document["shifts"][0]["users"] == [document["users"][0]["id"]]

    def test_an_id_is_not_looked_up(self, cloud: Serving, run: Runner) -> None:
        document = run(f"teams who-is-on-call {PLATFORM} -o json").json
        assert document["team"] == {"id": PLATFORM, "name": None}
        assert cloud.reads() == [f"GET /api/v1/teams/{PLATFORM}/current_oncall/"]

    def test_several_teams_are_an_array(self, cloud: Serving, run: Runner) -> None:
        documents = run("teams who-is-on-call platform empty-team -o json").json
        assert [(each["team"]["name"], each["count"]) for each in documents] == [("platform", 1), ("empty-team", 0)]

    def test_no_team_means_all(self, cloud: Serving, run: Runner) -> None:
        documents = run("teams who-is-on-call -o json").json
        counts = {each["team"]["name"]: each["count"] for each in documents}
        assert counts["platform"] == 1
        assert counts["payments"] == 2
        assert counts["empty-team"] == 0

    def test_the_rows_of_a_table_are_the_people(self, cloud: Serving, run: Runner) -> None:
        lines = run("teams who-is-on-call payments").stdout.splitlines()
        assert lines[0].split("\t") == ["TEAM", "USER", "EMAIL", "PHONE", "SCHEDULE", "FROM", "UNTIL"]
        assert len(lines) == 3
        assert {line.split("\t")[0] for line in lines[1:]} == {"payments"}

    def test_ids_are_those_of_the_people(self, cloud: Serving, run: Runner) -> None:
        users = run("teams who-is-on-call payments -o json").json["users"]
        assert run("teams who-is-on-call payments -o id").stdout.split() == [user["id"] for user in users]

    def test_require_is_a_condition(self, cloud: Serving, run: Runner) -> None:
        run("teams who-is-on-call platform --require")
        done = run("teams who-is-on-call platform empty-team --require -o json", status=10)
        assert "empty-team" in done.error["message"]
        assert len(done.json) == 2

    def test_next_and_previous_are_other_shifts(self, cloud: Serving, run: Runner) -> None:
        now, after, before = (
            run(f"teams {verb} platform -o json").json["shifts"][0] for verb in ("who-is-on-call", "next", "previous")
        )
        assert before["shift_end"] <= now["shift_start"] < now["shift_end"] <= after["shift_start"]

    def test_days_and_route_go_to_the_server(self, cloud: Serving, run: Runner) -> None:
        run(f"teams next {PLATFORM} --days 3")
        assert cloud.seen[-1].query == {"days": "3"}
        run(f"teams who-is-on-call {PLATFORM} --route RTNIJK9HPGJ4M", status=None)
        assert cloud.seen[-1].query == {"route": "RTNIJK9HPGJ4M"}

    @pytest.mark.parametrize("days", ["0", "31", "x"])
    def test_days_beyond_the_documented_ones_are_refused(self, cloud: Serving, run: Runner, days: str) -> None:
        run(f"teams next platform --days {days}", status=2)
        assert cloud.seen == []

    @pytest.mark.parametrize("verb", ["who-is-on-call", "next", "previous"])
    def test_an_engine_is_told_so_before_anything_is_sent(self, oss: Serving, run: Runner, verb: str) -> None:
        done = run(f"teams {verb} platform -o json", status=2)
        assert done.error["code"] == "unsupported"
        assert oss.seen == []


class TestUsers:
    def test_all_are_listed(self, server: Serving, run: Runner) -> None:
        assert len(run("users list -o json").json) == 14

    @pytest.mark.parametrize("name", ["josé", "JOSÉ", "jose@example.com", "URP2NNL3CICBF"])
    def test_one_is_found_by_name_mail_or_id(self, server: Serving, run: Runner, name: str) -> None:
        assert run(f"users get {name} -o id").stdout == "URP2NNL3CICBF\n"

    def test_the_exact_name_comes_before_another_case(self, server: Serving, run: Runner) -> None:
        assert run("users get bob -o id").stdout != run("users get Bob -o id").stdout

    def test_neither_case_being_exact_is_ambiguous(self, server: Serving, run: Runner) -> None:
        assert run("users get BOB -o json", status=6).error["code"] == "ambiguous"

    def test_whoami_is_the_owner_of_the_token(self, server: Serving, run: Runner) -> None:
        assert run("users whoami -o json").json["username"] == "admin"

    def test_whoami_of_a_service_account_is_refused_on_an_engine(self, oss: Serving, run: Runner) -> None:
        run("users whoami", status=3, ONCALLCTL_TOKEN=sandbox.SERVICE_ACCOUNT_TOKEN)
        assert oss.seen == []


class TestAlertGroups:
    @pytest.mark.parametrize("word", ["firing", "new"])
    def test_firing_is_what_the_filter_calls_new(self, server: Serving, run: Runner, word: str) -> None:
        groups = run(f"alert-groups list --state {word} -o json").json
        assert {group["state"] for group in groups} == {"firing"}
        assert server.seen[-1].query["state"] == "new"

    def test_a_team_is_filtered_by_the_server(self, server: Serving, run: Runner) -> None:
        run("escalate --team platform --title mine")
        groups = run("alert-groups list --team platform -o json").json
        assert {group["team_id"] for group in groups} == {PLATFORM}

    def test_a_limit_is_said(self, server: Serving, run: Runner) -> None:
        done = run("alert-groups list --limit 1 -o json")
        assert len(done.json) == 1
        assert "there are more" in done.stderr

    def test_a_limit_that_cuts_nothing_is_not_said(self, server: Serving, run: Runner) -> None:
        everything = run("alert-groups list -o json").json
        done = run(f"alert-groups list --limit {len(everything)} -o json")
        assert done.json == everything
        assert done.stderr == ""

    def test_one_is_shown_by_id(self, server: Serving, run: Runner) -> None:
        group = run("alert-groups list --limit 1 -o json").json[0]
        assert run(f"alert-groups get {group['id']} -o json").json["id"] == group["id"]

    def test_a_title_is_no_name(self, server: Serving, run: Runner) -> None:
        run("alert-groups get 'it burns'", status=2)
        run("alert-groups get INOPENOPENOPE", status=6)
