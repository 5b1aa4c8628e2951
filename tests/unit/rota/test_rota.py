"""`teams rota` and `gaps` on both servers."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import Runner, on_cloud
from tests.serving import Serving, status
from tests.unit.rota.making import ALICE, BOB, DAVE, EMPTY_TEAM, Maker, notify, notify_people

NOW = datetime(2026, 10, 24, 10, tzinfo=UTC)  # the clocks of Berlin go back in the night after


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = SimpleNamespace(time=NOW.timestamp, monotonic=time.monotonic)
    monkeypatch.setattr("oncallctl.sandbox.server.time", stopped)
    monkeypatch.setattr("oncallctl.commands.teams.rota.now", lambda: NOW)


@pytest.fixture
def weekdays(server: Serving) -> Maker:
    make = Maker(server)
    make.around_the_clock()
    return make


class TestRota:
    def test_json_has_complete_shifts(self, weekdays: Maker, run: Runner) -> None:
        shifts = run("teams rota empty-team --days 1 -o json").json
        assert [(each["shift_start"], each["shift_end"], each["usernames"], each["override"]) for each in shifts] == [
            ("2026-10-23T20:00:00+00:00", "2026-10-24T08:00:00+00:00", ["bob"], False),
            ("2026-10-24T08:00:00+00:00", "2026-10-24T14:00:00+00:00", ["alice"], False),
            ("2026-10-24T14:00:00+00:00", "2026-10-24T16:00:00+00:00", ["dave"], True),
            ("2026-10-24T16:00:00+00:00", "2026-10-24T20:00:00+00:00", ["alice"], False),
        ]
        assert {each["schedule_name"] for each in shifts} == {"around the clock"}
        assert {each["team_id"] for each in shifts} == {EMPTY_TEAM}

    @on_cloud
    def test_piped_output_has_one_line_per_shift(self, weekdays: Maker, run: Runner) -> None:
        lines = run("teams rota empty-team --days 1").stdout.splitlines()
        assert lines[0].split("\t") == ["SCHEDULE", "FROM", "UNTIL", "USERS", "OVERRIDE"]
        assert lines[3].split("\t")[3:] == ["dave", "true"]

    @on_cloud
    def test_days_start_at_midnight_in_the_zone_of_tz(self, weekdays: Maker, run: Runner) -> None:
        # Saturday in Berlin starts at 22:00 UTC, and Sunday has 25 hours.
        shifts = run("teams rota empty-team --days 2 --tz Europe/Berlin -o json").json
        assert shifts[0]["shift_start"] == "2026-10-23T20:00:00+00:00"
        assert shifts[-1]["shift_start"] == "2026-10-25T20:00:00+00:00"

    @on_cloud
    def test_schedules_that_pages_do_not_go_through_are_included(self, weekdays: Maker, run: Runner) -> None:
        single = {"type": "single_event", "start": "2026-10-24T12:00:00", "duration": 60, "time_zone": "UTC"}
        weekdays.schedule("another one", weekdays.shift(**single, users=[BOB]))
        names = {each["schedule_name"] for each in run("teams rota empty-team -o json").json}
        assert names == {"around the clock", "another one"}

    @on_cloud
    def test_schedule_of_two_teams_is_shown_once(self, weekdays: Maker, run: Runner) -> None:
        shifts = run("teams rota -o json --days 2").json
        keys = [(each["schedule_id"], each["shift_start"], *each["users"]) for each in shifts]
        assert len(set(keys)) == len(keys)
        assert len({each["schedule_name"] for each in shifts}) > 2

    def test_team_without_a_schedule_is_named_in_a_note(self, cloud: Serving, run: Runner) -> None:
        cloud.call("DELETE", "schedules/SFXCICA3QCWD8/")
        done = run("teams rota empty-team -o json")
        assert done.json == []
        assert "empty-team" in done.stderr

    @on_cloud
    def test_each_request_is_sent_once(self, weekdays: Maker, run: Runner) -> None:
        weekdays.server.seen.clear()
        run("teams rota -o json")
        requests = [(each.path, tuple(sorted(each.query.items()))) for each in weekdays.server.seen]
        assert len(set(requests)) == len(requests)

    @on_cloud
    def test_id_format_prints_each_person_once(self, weekdays: Maker, run: Runner) -> None:
        assert run("teams rota empty-team --days 1 -o id").stdout.split() == [BOB, ALICE, DAVE]


class TestSvg:
    @on_cloud
    def test_svg_file_is_written(self, weekdays: Maker, run: Runner, world: Path) -> None:
        file = world / "rota.svg"
        done = run(f"teams rota empty-team --svg {file}")
        assert done.stdout == ""
        assert str(file) in done.stderr
        assert ET.fromstring(file.read_text(encoding="utf-8")).tag.endswith("svg")
        assert [each.name for each in world.iterdir() if "svg" in each.name] == ["rota.svg"]

    @on_cloud
    def test_svg_to_a_dash_is_printed(self, weekdays: Maker, run: Runner) -> None:
        assert ET.fromstring(run("teams rota empty-team --svg -").stdout).tag.endswith("svg")

    @on_cloud
    def test_svg_to_a_device_does_not_replace_the_device(self, weekdays: Maker, run: Runner) -> None:
        done = run("teams rota empty-team --svg /dev/full", status=2)
        assert "No space left" in done.stderr
        assert Path("/dev/full").is_char_device()

    @on_cloud
    def test_svg_to_a_symlink_keeps_the_symlink(self, weekdays: Maker, run: Runner, world: Path) -> None:
        link, file = world / "link.svg", world / "rota.svg"
        link.symlink_to(file)
        run(f"teams rota empty-team --svg {link}")
        assert link.is_symlink()
        assert file.read_text(encoding="utf-8").startswith("<svg")

    @on_cloud
    def test_svg_with_json_output_is_refused(self, weekdays: Maker, run: Runner) -> None:
        run("teams rota empty-team --svg - -o json", status=2)

    @on_cloud
    def test_svg_file_that_cannot_be_written_is_one_line(self, weekdays: Maker, run: Runner, world: Path) -> None:
        done = run(f"teams rota empty-team --svg {world}/nowhere/rota.svg", status=2)
        assert "nowhere/rota.svg" in done.stderr
        assert len(done.stderr.splitlines()) == 1

    @on_cloud
    def test_svg_file_is_kept_if_a_request_fails(self, weekdays: Maker, run: Runner, world: Path) -> None:
        file = world / "rota.svg"
        file.write_text("old")
        weekdays.server.fail("GET", "final_shifts", status(403, '{"detail": "Invalid token."}'), times=9)
        run(f"teams rota empty-team --svg {file}", status=3)
        assert file.read_text() == "old"


class TestGaps:
    @on_cloud
    def test_gap_has_its_times_and_team(self, weekdays: Maker, run: Runner) -> None:
        (gap,) = run("teams gaps empty-team --days 7 -o json").json
        assert (gap["gap_start"], gap["gap_end"]) == ("2026-10-24T20:00:00+00:00", "2026-10-25T08:00:00+00:00")
        assert gap["seconds"] == 12 * 3600
        assert gap["team"] == {"id": EMPTY_TEAM, "name": "empty-team"}
        assert [each["name"] for each in gap["schedules"]] == ["around the clock"]

    @on_cloud
    def test_days_default_to_two_weeks(self, weekdays: Maker, run: Runner) -> None:
        assert len(run("teams gaps empty-team -o json").json) == 2

    @on_cloud
    def test_gap_ends_at_its_end_within_the_days(self, weekdays: Maker, run: Runner) -> None:
        (gap,) = run("teams gaps empty-team --days 1 -o json").json
        assert gap["gap_end"] == "2026-10-25T08:00:00+00:00"

    @pytest.mark.parametrize(("clock", "lasts"), [("08:00", "12h"), ("07:00", "11h or longer")])
    @on_cloud
    def test_gap_that_continues_beyond_the_days_is_marked(
        self, weekdays: Maker, run: Runner, monkeypatch: pytest.MonkeyPatch, clock: str, lasts: str
    ) -> None:
        """One day later, the gap has just ended, or lasts another hour."""
        at = datetime.fromisoformat(f"2026-10-24T{clock}:00+00:00")
        monkeypatch.setattr("oncallctl.commands.teams.rota.now", lambda: at)
        (gap,) = run("teams gaps empty-team --days 1 -o json").json
        assert gap["clipped"] is ("longer" in lasts)
        assert gap["seconds"] == int(lasts.partition("h")[0]) * 3600
        assert run("teams gaps empty-team --days 1 --columns lasts --no-header").stdout == f"{lasts}\n"

    @on_cloud
    def test_table_has_the_length_of_the_gap(self, weekdays: Maker, run: Runner) -> None:
        header, row = run("teams gaps empty-team --days 2").stdout.splitlines()
        assert header.split("\t") == ["TEAM", "FROM", "UNTIL", "LASTS", "SCHEDULES"]
        assert row.split("\t")[3:] == ["12h", "around the clock"]

    @on_cloud
    def test_time_that_another_schedule_of_the_chain_covers_is_not_a_gap(self, weekdays: Maker, run: Runner) -> None:
        spare = {"type": "single_event", "start": "2026-10-24T19:00:00", "duration": 50_400, "time_zone": "UTC"}
        second = weekdays.schedule("second", weekdays.shift(**spare, users=[DAVE]), team=None)
        chain = weekdays.server.call("GET", "escalation_chains/?name=rota")["results"][0]["id"]
        weekdays.server.call("POST", "escalation_policies/", {"escalation_chain_id": chain, **notify(second)})
        assert run("teams gaps empty-team --days 7 -o json").json == []

    def test_team_without_gaps_has_a_note(self, cloud: Serving, run: Runner) -> None:
        assert "no gap in the next 3 days" in run("teams gaps payments --days 3").stderr

    @on_cloud
    def test_require_covered_with_a_gap_exits_10(self, weekdays: Maker, run: Runner) -> None:
        done = run("teams gaps empty-team --require covered -o json", status=10)
        assert "empty-team" in done.error["message"]
        assert len(done.json) == 2
        run("teams gaps payments --require covered")

    def test_team_whose_steps_name_people_has_no_gaps(self, cloud: Serving, run: Runner) -> None:
        cloud.call("DELETE", "schedules/SFXCICA3QCWD8/")
        Maker(cloud).chain(notify_people(ALICE))
        assert run("teams gaps empty-team --require covered -o json").json == []

    def test_team_given_by_name_without_schedules_is_one_gap(self, cloud: Serving, run: Runner) -> None:
        cloud.call("DELETE", "schedules/SFXCICA3QCWD8/")
        (gap,) = run("teams gaps empty-team --days 1 --require covered -o json", status=10).json
        assert gap["seconds"] == 86_400

    def test_chain_with_a_deleted_schedule_is_one_gap(self, cloud: Serving, run: Runner) -> None:
        make = Maker(cloud)
        gone = make.schedule("gone")
        make.chain(notify(gone))
        cloud.call("DELETE", f"schedules/{gone}/")
        gaps = run("teams gaps empty-team --days 1 --require covered -o json", status=10).json
        assert [gap["seconds"] for gap in gaps] == [86_400]

    def test_schedules_that_a_page_bypasses_are_checked_with_a_warning(self, cloud: Serving, run: Runner) -> None:
        make = Maker(cloud)
        always = {"type": "single_event", "start": "2026-10-01T00:00:00", "duration": 90 * 86_400, "time_zone": "UTC"}
        make.schedule("bypassed", make.shift(**always, users=[ALICE]))
        done = run("teams gaps empty-team --days 1 --require covered -o json")
        assert done.json == []
        assert "goes through none of the team's schedules: empty-team" in done.stderr

    @on_cloud
    def test_id_format_prints_the_teams_with_gaps(self, weekdays: Maker, run: Runner) -> None:
        assert set(run("teams gaps -o id").stdout.split()) >= {EMPTY_TEAM}

    def test_all_teams_name_a_team_without_schedules_in_a_note(self, cloud: Serving, run: Runner) -> None:
        cloud.call("DELETE", "schedules/SFXCICA3QCWD8/")
        done = run("teams gaps -o json")
        assert "empty-team" not in {gap["team"]["name"] for gap in done.json}
        assert "empty-team" in done.stderr
