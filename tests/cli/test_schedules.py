"""`schedules` on both servers."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from werkzeug.wrappers import Request, Response

from tests.conftest import Runner
from tests.serving import Serving, status

PLATFORM, PRIMARY = "TKPSLLWBFUI9R", "SN1XIG9SHWR2U"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


class TestListing:
    def test_list_prints_the_servers_objects(self, server: Serving, run: Runner) -> None:
        assert run("schedules list -o json").json == server.call("GET", "schedules/")["results"]

    def test_list_of_a_team_is_filtered_by_the_client(self, cloud: Serving, run: Runner) -> None:
        listed = run("schedules list --team platform -o json").json
        assert [each["name"] for each in listed] == ["platform-primary", "tf-calendar"]
        assert all("team_id" not in each.query for each in cloud.seen)

    @pytest.mark.parametrize("condition", ["", "--team platform"])
    def test_limit_below_the_number_of_rows_prints_a_note(self, server: Serving, run: Runner, condition: str) -> None:
        done = run(f"schedules list {condition} --limit 1 -o json")
        assert len(done.json) == 1
        assert "omit --limit" in done.stderr
        assert run("schedules list --team payments --limit 1 -o json").stderr == ""

    def test_table_of_the_list_has_names(self, cloud: Serving, run: Runner) -> None:
        lines = run("schedules list").stdout.splitlines()
        assert lines[0].split("\t") == ["ID", "NAME", "TEAM", "TYPE", "TIMEZONE", "ON CALL NOW"]
        cells = {line.split("\t")[1]: line.split("\t") for line in lines[1:]}
        assert cells["payments-primary"][2] == "payments"
        assert cells["no-team schedule"][2:] == ["", "web", "UTC", "dave"]
        usernames = {user["id"]: user["username"] for user in cloud.call("GET", "users/")["results"]}
        now = cloud.call("GET", "schedules/S3V631KJV7WQ6/")["on_call_now"]
        assert cells["payments-primary"][5] == ", ".join(usernames[user] for user in now)

    def test_list_of_an_unknown_team_is_not_found(self, cloud: Serving, run: Runner) -> None:
        run("schedules list --team nope", status=6)


class TestGetting:
    @pytest.mark.parametrize("name", ["platform-primary", "PLATFORM-primary", PRIMARY, f"id:{PRIMARY}"])
    def test_schedule_given_by_name_or_id_is_shown(self, cloud: Serving, run: Runner, name: str) -> None:
        assert run(f"schedules get {name} -o json").json == cloud.call("GET", f"schedules/{PRIMARY}/")

    def test_table_of_one_schedule_has_the_team_name(self, cloud: Serving, run: Runner) -> None:
        assert run(f"schedules get {PRIMARY}").stdout.splitlines()[1].split("\t")[2] == "platform"

    def test_unknown_schedule_is_not_found(self, cloud: Serving, run: Runner) -> None:
        assert "platform-primary" in run("schedules get platform-primry", status=6).stderr
        run("schedules get SNOPENOPENOPE", status=6)


class TestShifts:
    def test_json_has_shifts_in_the_form_of_clouds_teams_api(self, server: Serving, run: Runner) -> None:
        shifts = run("schedules shifts platform-primary -o json").json
        assert set(shifts[0]) == {"schedule_id", "schedule_name", "team_id", "shift_start", "shift_end", "users"}
        assert (shifts[0]["schedule_id"], shifts[0]["schedule_name"]) == (PRIMARY, "platform-primary")
        assert shifts[0]["team_id"] == PLATFORM
        assert all(each[key].endswith("+00:00") for each in shifts for key in ("shift_start", "shift_end"))

    def test_shifts_are_complete_and_cover_the_days(self, cloud: Serving, run: Runner) -> None:
        now = datetime.now(UTC)
        shifts = run("schedules shifts platform-primary --days 2 -o json").json
        assert instant(shifts[0]["shift_start"]) <= now < instant(shifts[0]["shift_end"])
        assert instant(shifts[-1]["shift_start"]) < now + timedelta(days=2) <= instant(shifts[-1]["shift_end"])
        for one, following in pairwise(shifts):
            assert one["shift_end"] == following["shift_start"]

    def test_from_sets_the_start(self, cloud: Serving, run: Runner) -> None:
        shifts = run("schedules shifts platform-primary --days 1 --from 2026-03-02T00:00Z -o json").json
        starts = [each["shift_start"] for each in shifts]
        assert starts == [f"2026-03-02T{hour}:00:00+00:00" for hour in ("00", "08", "16")]

    def test_shifts_of_half_a_year_have_no_duplicate_or_gap(self, server: Serving, run: Runner) -> None:
        shifts = run("schedules shifts platform-primary --days 180 --from 2020-02-01T04:00Z -o json").json
        starts = [each["shift_start"] for each in shifts]
        assert len(set(starts)) == len(starts) == 3 * 180 + 1
        assert starts == sorted(starts)
        assert {instant(each["shift_end"]) - instant(each["shift_start"]) for each in shifts} == {timedelta(hours=8)}

    def test_shift_longer_than_the_margin_is_requested_again_with_a_wider_range(
        self, cloud: Serving, run: Runner
    ) -> None:
        cloud.fail("GET", "/final_shifts", always_on_call, times=20)
        (shift,) = run("schedules shifts platform-primary --days 1 --from 2026-07-01T00:00Z -o json").json
        assert instant(shift["shift_start"]) < instant("2026-02-01T00:00:00+00:00")
        assert instant(shift["shift_end"]) > instant("2026-12-01T00:00:00+00:00")
        assert len([each for each in cloud.reads() if "final_shifts" in each]) == 2

    def test_table_has_user_names_without_requesting_users(self, cloud: Serving, run: Runner) -> None:
        lines = run(f"schedules shifts {PRIMARY} --days 1 --from 2026-03-02T00:00Z").stdout.splitlines()
        assert lines[0].split("\t") == ["FROM", "UNTIL", "USERS"]
        assert [line.split("\t")[2] for line in lines[1:]] == ["alice", "bob", "carol"]
        assert not [each for each in cloud.reads() if "users" in each]

    def test_people_who_share_a_shift_are_in_one_row(self, cloud: Serving, run: Runner) -> None:
        lines = run("schedules shifts payments-primary --days 1 --from 2026-03-02T00:00Z").stdout.splitlines()
        assert len(lines) == 2
        assert len(lines[1].split("\t")[2].split(", ")) == 2

    def test_id_format_prints_each_person_once(self, cloud: Serving, run: Runner) -> None:
        ids = run("schedules shifts platform-primary --days 5 --from 2026-03-02T00:00Z -o id").stdout.split()
        assert ids == ["U6YF83T9HEFKQ", "U85BI7ASG8K6E", "U5E53H65Q9XRM"]

    def test_schedule_without_shifts_has_a_note(self, cloud: Serving, run: Runner) -> None:
        done = run("schedules shifts empty-schedule -o json")
        assert done.json == []
        assert "nobody is on call" in done.stderr

    @pytest.mark.parametrize("options", ["--days 0", "--days 366", "--from 25:00", "--from someday"])
    def test_invalid_days_or_times_are_refused(self, cloud: Serving, run: Runner, options: str) -> None:
        run(f"schedules shifts platform-primary {options}", status=2)
        assert cloud.seen == []

    def test_shifts_of_an_unknown_schedule_are_not_found(self, cloud: Serving, run: Runner) -> None:
        run("schedules shifts SNOPENOPENOPE", status=6)

    def test_repeated_server_error_is_unavailable(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("time.sleep", lambda _: None)
        server.fail("GET", "final_shifts", status(503), times=4)
        run("schedules shifts platform-primary", status=8)


def always_on_call(request: Request, _answer: object) -> Response:
    """Respond with a shift of several years, clipped to the requested range."""
    entry = {
        "user_pk": "U6YF83T9HEFKQ",
        "user_username": "alice",
        "shift_start": f"{request.args['start_date']}:00Z",
        "shift_end": f"{request.args['end_date']}:00Z",
    }
    return Response(json.dumps({"count": 1, "results": [entry]}), content_type="application/json")
