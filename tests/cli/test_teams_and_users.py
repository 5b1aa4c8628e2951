"""`teams`, `users` and `alert-groups` on both servers."""

import pytest

from oncallctl import sandbox
from tests.conftest import Runner
from tests.serving import Serving

PLATFORM, PAYMENTS = "TKPSLLWBFUI9R", "TNFI27MJ312BL"


class TestTeams:
    def test_list_prints_the_complete_server_objects(self, server: Serving, run: Runner) -> None:
        teams = run("teams list -o json").json
        assert [team["name"] for team in teams] == ["platform", "payments", "data infra", "empty-team"]
        assert set(teams[0]) == {"id", "grafana_id", "name", "email", "avatar_url"}

    def test_team_given_by_name_or_id_is_shown(self, cloud: Serving, run: Runner) -> None:
        assert run("teams get payments -o json").json == run(f"teams get {PAYMENTS} -o json").json

    @pytest.mark.parametrize("name", ["Platform", "PLATFORM", "name:platform", f"id:{PLATFORM}"])
    def test_team_name_matches_case_insensitively(self, cloud: Serving, run: Runner, name: str) -> None:
        assert run(f"teams get {name} -o id").stdout == f"{PLATFORM}\n"


class TestUsers:
    def test_list_prints_all_users(self, server: Serving, run: Runner) -> None:
        assert len(run("users list -o json").json) == 14

    @pytest.mark.parametrize("name", ["josé", "JOSÉ", "jose@example.com", "URP2NNL3CICBF"])
    def test_user_given_by_name_email_or_id_is_shown(self, cloud: Serving, run: Runner, name: str) -> None:
        assert run(f"users get {name} -o id").stdout == "URP2NNL3CICBF\n"

    def test_user_name_with_an_exact_match_is_preferred(self, cloud: Serving, run: Runner) -> None:
        assert run("users get bob -o id").stdout != run("users get Bob -o id").stdout

    def test_user_name_without_an_exact_match_is_ambiguous(self, cloud: Serving, run: Runner) -> None:
        assert run("users get BOB -o json", status=6).error["code"] == "ambiguous"

    def test_whoami_shows_the_owner_of_the_token(self, server: Serving, run: Runner) -> None:
        assert run("users whoami -o json").json["username"] == "admin"

    def test_whoami_of_a_service_account_on_self_hosted_is_refused(self, oss: Serving, run: Runner) -> None:
        run("users whoami", status=3, ONCALLCTL_TOKEN=sandbox.SERVICE_ACCOUNT_TOKEN)
        assert oss.seen == []


class TestAlertGroups:
    @pytest.mark.parametrize("word", ["firing", "new"])
    def test_state_firing_is_sent_as_new(self, server: Serving, run: Runner, word: str) -> None:
        groups = run(f"alert-groups list --state {word} -o json").json
        assert {group["state"] for group in groups} == {"firing"}
        assert server.seen[-1].query["state"] == "new"

    def test_team_filter_is_sent_to_the_server(self, cloud: Serving, run: Runner) -> None:
        run("escalate --team platform --title mine")
        groups = run("alert-groups list --team platform -o json").json
        assert {group["team_id"] for group in groups} == {PLATFORM}

    def test_limit_below_the_number_of_groups_prints_a_note(self, server: Serving, run: Runner) -> None:
        done = run("alert-groups list --limit 1 -o json")
        assert len(done.json) == 1
        assert "omit --limit" in done.stderr

    def test_limit_of_the_number_of_groups_prints_no_note(self, server: Serving, run: Runner) -> None:
        everything = run("alert-groups list -o json").json
        done = run(f"alert-groups list --limit {len(everything)} -o json")
        assert done.json == everything
        assert done.stderr == ""

    def test_alert_group_given_by_id_is_shown(self, cloud: Serving, run: Runner) -> None:
        group = run("alert-groups list --limit 1 -o json").json[0]
        assert run(f"alert-groups get {group['id']} -o json").json["id"] == group["id"]

    def test_alert_group_given_by_title_is_refused(self, cloud: Serving, run: Runner) -> None:
        run("alert-groups get 'it burns'", status=2)
        run("alert-groups get INOPENOPENOPE", status=6)
