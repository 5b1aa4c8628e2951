"""`teams who-is-on-call`, `next` and `previous` on both servers."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import Runner
from tests.serving import Serving, status
from tests.unit.rota.making import ALICE, Maker, notify_people

PLATFORM, PAYMENTS, EMPTY = "TKPSLLWBFUI9R", "TNFI27MJ312BL", "TTGSJ42GU2P7N"
PRIMARY = "SN1XIG9SHWR2U"
DEFAULT_ROUTE = "RTNIJK9HPGJ4M"  # of the direct paging integration of platform
MORE_THAN_ONE_ALERT = {
    "type": "notify_if_num_alerts_in_window",
    "num_alerts_in_window": 1,
    "num_minutes_in_window": 5,
}
VERBS = ["who-is-on-call", "next", "previous"]


class TestBothServers:
    def test_json_of_one_team_is_a_document_with_the_team(self, server: Serving, run: Runner) -> None:
        document = run("teams who-is-on-call platform -o json").json
        assert document["team"] == {"id": PLATFORM, "name": "platform"}
        assert document["count"] == len(document["users"])
        assert document["shifts"][0]["users"] == [document["users"][0]["id"]]

    def test_people_named_by_a_step_have_no_shift(self, server: Serving, run: Runner) -> None:
        document = run("teams who-is-on-call platform -o json").json
        usernames = {user["id"]: user["username"] for user in document["users"]}
        on_shift = {user for shift in document["shifts"] for user in shift["users"]}
        assert {"alice", "dave"} <= set(usernames.values())
        assert "dave" not in {usernames[user] for user in on_shift}
        rows = [line.split("\t") for line in run("teams who-is-on-call platform").stdout.splitlines()]
        assert next(row for row in rows if row[1] == "dave")[4:] == ["(named by a step)", "", "", ""]

    def test_json_of_several_teams_is_an_array(self, cloud: Serving, run: Runner) -> None:
        documents = run("teams who-is-on-call payments empty-team -o json").json
        assert [each["team"]["name"] for each in documents] == ["payments", "empty-team"]
        assert [each["count"] == 0 for each in documents] == [False, True]

    def test_team_given_twice_is_shown_once(self, cloud: Serving, run: Runner) -> None:
        documents = run("teams who-is-on-call payments name:payments -o json").json
        assert [each["team"]["name"] for each in documents] == ["payments"]

    def test_command_without_a_team_shows_all_teams(self, server: Serving, run: Runner) -> None:
        documents = run("teams who-is-on-call -o json").json
        assert [each["team"]["name"] for each in documents] == ["platform", "payments", "data infra", "empty-team"]
        assert [each["count"] > 0 for each in documents[:2]] == [True, True]

    def test_table_has_one_row_per_person(self, cloud: Serving, run: Runner) -> None:
        lines = run("teams who-is-on-call payments").stdout.splitlines()
        assert lines[0].split("\t") == ["TEAM", "USER", "EMAIL", "PHONE", "SCHEDULE", "FROM", "UNTIL", "COVERING FOR"]
        assert {line.split("\t")[0] for line in lines[1:]} == {"payments"}

    def test_id_format_prints_the_ids_of_the_people(self, cloud: Serving, run: Runner) -> None:
        users = run("teams who-is-on-call payments -o json").json["users"]
        assert run("teams who-is-on-call payments -o id").stdout.split() == [user["id"] for user in users]

    def test_require_with_nobody_on_call_exits_10(self, server: Serving, run: Runner) -> None:
        run("teams who-is-on-call platform --require")
        done = run("teams who-is-on-call platform empty-team --require -o json", status=10)
        assert "empty-team" in done.error["message"]
        assert len(done.json) == 2

    def test_viewers_on_self_hosted_are_marked_and_fail_require(self, oss: Serving, run: Runner) -> None:
        with sqlite3.connect(oss.database) as database:
            database.execute("UPDATE users SET role = 'viewer'")
        line = "teams who-is-on-call platform --require"
        done = run(line, status=10)
        assert "alice (viewer: not notified)" in done.stdout
        users = run(f"{line} -o json", status=10).json["users"]
        assert {"username": "alice", "role": "viewer"}.items() <= users[0].items()

    def test_viewers_on_cloud_are_marked_and_pass_require(self, cloud: Serving, run: Runner) -> None:
        with sqlite3.connect(cloud.database) as database:
            database.execute("UPDATE users SET role = 'viewer'")
        assert "alice (viewer)" in run("teams who-is-on-call platform --require").stdout

    @pytest.mark.parametrize("ending", [{"type": "resolve"}, MORE_THAN_ONE_ALERT])
    def test_people_of_a_step_that_never_runs_are_marked_and_fail_require(
        self, oss: Serving, run: Runner, ending: dict[str, object]
    ) -> None:
        Maker(oss).chain(ending, notify_people(ALICE))
        line = "teams who-is-on-call empty-team --require"
        done = run(line, status=10)
        assert "\talice (not paged: the step never runs)\t" in done.stdout
        assert "note: not paged for empty-team, because their escalation step never runs: alice" in done.stderr
        assert [user["username"] for user in run(f"{line} -o json", status=10).json["users"]] == ["alice"]

    def test_people_of_a_step_before_the_end_of_the_chain_are_not_marked(self, oss: Serving, run: Runner) -> None:
        Maker(oss).chain(notify_people(ALICE), {"type": "resolve"}, notify_people(ALICE))
        assert "never" not in run("teams who-is-on-call empty-team --require").stdout

    def test_next_and_previous_show_the_shifts_after_and_before(self, server: Serving, run: Runner) -> None:
        now, after, before = (run(f"teams {verb} platform -o json").json["shifts"][0] for verb in VERBS)
        assert before["shift_end"] <= now["shift_start"] < now["shift_end"] <= after["shift_start"]

    @pytest.mark.parametrize("verb", VERBS)
    def test_command_without_a_route_uses_the_default_route(self, server: Serving, run: Runner, verb: str) -> None:
        default = run(f"teams {verb} platform -o json").json
        assert run(f"teams {verb} platform --route {DEFAULT_ROUTE} -o json").json == default

    def test_route_option_shows_the_people_of_that_route(self, server: Serving, run: Runner) -> None:
        document = run("teams who-is-on-call payments --route REYIQ3QG5XU6R -o json").json
        assert [user["username"] for user in document["users"]] == ["dave"]
        assert document["shifts"] == []

    def test_route_of_another_team_is_not_found(self, cloud: Serving, run: Runner) -> None:
        assert "route" in run(f"teams who-is-on-call payments --route {DEFAULT_ROUTE}", status=6).stderr

    @pytest.mark.parametrize("teams", ["", "platform payments"])
    def test_route_without_exactly_one_team_is_refused(self, cloud: Serving, run: Runner, teams: str) -> None:
        run(f"teams who-is-on-call {teams} --route {DEFAULT_ROUTE}", status=2)
        assert cloud.seen == []

    def test_unknown_team_is_not_found(self, cloud: Serving, run: Runner) -> None:
        assert run("teams who-is-on-call TNOPENOPENOPE -o json", status=6).error["code"] == "not_found"

    @pytest.mark.parametrize("days", ["0", "31", "x"])
    def test_days_out_of_range_are_refused(self, cloud: Serving, run: Runner, days: str) -> None:
        run(f"teams next platform --days {days}", status=2)
        assert cloud.seen == []


class TestAtAnotherTime:
    def test_at_in_the_future_shows_the_shift_of_that_time(self, server: Serving, run: Runner) -> None:
        after = run("teams next payments -o json").json["shifts"]
        then = run(f"teams who-is-on-call payments --at {after[0]['shift_start']} -o json").json
        assert then["shifts"] == after

    def test_at_in_the_past_shows_the_shift_of_that_time(self, server: Serving, run: Runner) -> None:
        then = run("teams who-is-on-call platform --at 2024-02-29T12:00Z -o json").json
        (shift,) = then["shifts"]
        assert shift["shift_start"] == "2024-02-29T08:00:00+00:00"
        assert shift["shift_end"] == "2024-02-29T16:00:00+00:00"

    def test_at_on_a_terminal_shows_the_dates_of_the_shift(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (shift,) = run("teams who-is-on-call platform --at +72h -o json").json["shifts"]
        terminal = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True, encoding="utf-8", flush=lambda: None))
        monkeypatch.setattr("oncallctl.output.render.sys", terminal)
        start = datetime.fromisoformat(shift["shift_start"]).astimezone(UTC)
        assert f"{start:%a} {start.day} {start:%b}" in run("teams who-is-on-call platform --at +72h --tz UTC").stdout

    def test_at_is_repeated_in_a_note(self, cloud: Serving, run: Runner) -> None:
        line = "teams who-is-on-call platform --at 2026-03-01T03:00 --tz Asia/Tokyo"
        assert "note: at 2026-03-01 03:00 JST" in run(line).stderr

    def test_at_the_start_of_a_shift_shows_that_shift(self, cloud: Serving, run: Runner) -> None:
        at_the_start, at_the_end = (
            run(f"teams who-is-on-call platform --at 2024-02-29T{clock}Z -o json").json["shifts"][0]
            for clock in ("08:00", "16:00")
        )
        assert at_the_start["shift_end"] == at_the_end["shift_start"]

    def test_at_is_read_in_the_zone_of_tz(self, cloud: Serving, run: Runner) -> None:
        there = run("teams who-is-on-call platform --at 2024-02-29T12:00 --tz Asia/Tokyo -o json").json
        assert there["shifts"][0]["shift_start"] == "2024-02-29T00:00:00+00:00"

    def test_at_is_read_in_the_zone_of_the_profile(
        self, cloud: Serving, run: Runner, world: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = world / "token"
        token.write_text(cloud.token)
        token.chmod(0o600)
        config = world / "config.toml"
        config.write_text(
            f'[profiles.there]\nurl = "{cloud.url}"\napi = "cloud"\ntz = "Asia/Tokyo"\ntoken_file = "{token}"\n'
        )
        config.chmod(0o600)
        line = "-p there teams who-is-on-call platform --at 2024-02-29T12:00 -o json"
        assert run(line, ONCALLCTL_CONFIG=str(config)).json["shifts"][0]["shift_start"] == "2024-02-29T00:00:00+00:00"

    @pytest.mark.parametrize("time", ["0001-01-02T00:00Z", "9999-12-31T00:00Z", "someday", "2026-13-01T00:00", "25:00"])
    def test_at_with_an_invalid_time_is_refused(self, cloud: Serving, run: Runner, time: str) -> None:
        run(f"teams who-is-on-call platform --at {time}", status=2)
        assert cloud.seen == []


class TestRequestsToCloud:
    def test_team_id_is_not_looked_up(self, cloud: Serving, run: Runner) -> None:
        document = run(f"teams who-is-on-call {PLATFORM} -o json").json
        assert document["team"] == {"id": PLATFORM, "name": None}
        assert cloud.reads() == [f"GET /api/v1/teams/{PLATFORM}/current_oncall/"]

    def test_days_and_route_are_sent_to_the_server(self, cloud: Serving, run: Runner) -> None:
        run(f"teams next {PLATFORM} --days 3 -o json")
        assert cloud.seen[-1].query == {"days": "3"}
        run(f"teams who-is-on-call {PLATFORM} --route {DEFAULT_ROUTE} -o json")
        assert cloud.seen[-1].query == {"route": DEFAULT_ROUTE}


class TestRequestsToSelfHosted:
    def test_all_teams_need_each_request_once_and_no_cloud_endpoint(self, oss: Serving, run: Runner) -> None:
        run("teams who-is-on-call -o json")
        requests = [(each.path, each.query.get("page"), each.query.get("escalation_chain_id")) for each in oss.seen]
        assert len(set(requests)) == len(requests)
        assert not any("oncall" in path for path, _, _ in requests)

    def test_on_call_of_one_team_needs_only_its_own_schedules(self, oss: Serving, run: Runner) -> None:
        run(f"teams who-is-on-call {PLATFORM} -o json")
        paths = {each.path for each in oss.seen}
        assert f"/api/v1/schedules/{PRIMARY}/final_shifts" in paths
        assert not {path for path in paths if path.startswith("/api/v1/schedules/") and PRIMARY not in path}
        assert "/api/v1/users/" not in paths

    def test_shift_that_the_server_clips_is_shown_completely(self, oss: Serving, run: Runner) -> None:
        (shift, *_) = run("teams who-is-on-call payments --at 2026-11-21T12:00Z -o json").json["shifts"]
        requests = next(each.query for each in oss.seen if each.path.endswith("final_shifts"))
        assert requests["start_date"] < "2026-11-20"
        assert (shift["shift_start"], shift["shift_end"]) == ("2026-11-21T00:00:00+00:00", "2026-11-22T00:00:00+00:00")

    def test_fields_that_only_cloud_has_are_null(self, oss: Serving, run: Runner) -> None:
        user = run("teams who-is-on-call platform -o json").json["users"][0]
        assert (user["phone_number"], user["phone_number_status"]) == (None, None)

    def test_service_account_token_is_accepted(self, oss: Serving, run: Runner) -> None:
        assert run("teams who-is-on-call platform -o json", ONCALLCTL_TOKEN="glsa_sandbox").json["count"]

    @pytest.mark.parametrize("part", ["integrations", "escalation_policies", "final_shifts", "users"])
    def test_refused_request_is_an_error_and_not_nobody(self, oss: Serving, run: Runner, part: str) -> None:
        oss.fail("GET", part, status(403, '{"detail": "Invalid token."}'))
        done = run("teams who-is-on-call platform -o json", status=3)
        assert done.stdout == ""
        assert done.error["code"] == "access_denied"
