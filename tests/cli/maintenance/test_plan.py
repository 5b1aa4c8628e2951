"""`maintenance plan`: the occurrences to come, notes about them, and their picture."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from oncallctl.drawing.terminal import draw
from oncallctl.maintenance.file import timeline
from oncallctl.maintenance.file.rules import WindowRule
from oncallctl.maintenance.file.schema import load
from tests.serving import Serving, drop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Runner

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
FILE = """\
timezone = "Europe/Berlin"

[[window]]
name = "nightly"
integrations = ["service-010"]
cron = "30 2 * * *"
duration = "4h"

[[window]]
name = "release 1.4"
integrations = ["service-010", "service-011"]
at = 2026-11-24T05:00:00
duration = "6h"

[[window]]
name = "weekend of the whole team"
team = "platform"
cron = "0 0 * * SAT"
duration = "2d"
"""


def rules(text: str = FILE) -> list[WindowRule]:
    noted, mistakes = load(text)
    assert mistakes == []
    return noted


def drawn(text: str = FILE, days: int = 7, at: datetime = AT, zone: str = "UTC", *, plain: bool = False) -> str:
    made = rules(text)
    chart = timeline.chart(made, timeline.plan(made, at, days, None), at, days)
    lines = draw([chart], now=at, tz=ZoneInfo(zone), width=80, plain=plain)
    assert all(line.cell_len <= 80 for line in lines)
    return "\n".join(line.plain for line in lines) + "\n"


def test_picture_of_a_week_shows_windows_and_overlaps() -> None:
    assert drawn(plain=True) == textwrap.dedent("""\
        Maintenance windows                                Sat 21 - Sat 28 Nov 2026, UTC
                              Sun 22  Mon 23  Tue 24  Wed 25  Thu 26  Fri 27
                          v now Sat 10:00
        nightly           |...:##.....:##     :#!     :##     :##     :##     :##.
        release 1.4       |...:.......:       : !#    :       :       :       :...
        weekend of the~   @############       :       :       :       :       ####

        # maintenance   ! overlaps another window on an integration   @ now   . weekend
        """)
    assert "\N{FULL BLOCK}" in drawn()


def test_picture_of_a_year_fits_the_terminal() -> None:
    assert "nightly" in drawn(days=366)


def test_name_in_wide_or_control_characters_keeps_the_lanes_aligned() -> None:
    text = FILE.replace("release 1.4", "夜間メンテナンス").replace('"nightly"', '"night\\u001b[31m"')
    shown = drawn(text)
    assert "\x1b" not in shown
    assert "night\\x1b[31m" in shown


def test_repeats_are_one_row_with_their_number_and_last_day() -> None:
    made = rules()
    noted = timeline.folded(timeline.plan(made, AT, 7, None), UTC_ZONE)
    assert [(each["window"], each["local_short"], each["repeats"]) for each in noted] == [
        ("weekend of the whole team", "Fri 11-20 23:00 UTC", "2 times, last on Fri 11-27"),
        ("nightly", "Sun 11-22 01:30 UTC", "6 times, last on Sat 11-28"),
        ("nightly", "Tue 11-24 01:30 UTC", ""),
        ("release 1.4", "Tue 11-24 04:00 UTC", ""),
    ]


def notes(cron: str, zone: str, at: datetime, duration: str = "2h") -> list[str]:
    text = f'[[window]]\nname="w"\nteam="t"\ncron="{cron}"\ntimezone="{zone}"\nduration="{duration}"\n'
    return [note for each in timeline.plan(rules(text), at, 1, None) for note in each.notes()]


def test_skipped_start_has_a_note() -> None:
    at = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert notes("30 2 * * *", "Europe/Berlin", at) == ["02:30 does not exist on this day: it starts at 03:00"]


def test_repeated_start_has_a_note() -> None:
    at = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert notes("30 2 * * *", "Europe/Berlin", at) == [
        "02:30 occurs twice on this day: it starts at the first",
        "the clocks go back by 60 min during the window",
    ]
    assert notes("*/30 2 * * *", "Europe/Berlin", at, "5m") == [
        "02:00 occurs twice on this day: it starts at both",
        "02:30 occurs twice on this day: it starts at both",
        "02:00 occurs twice on this day: it starts at both",
        "02:30 occurs twice on this day: it starts at both",
    ]


def test_clock_change_during_a_window_has_a_note() -> None:
    at = datetime(2026, 4, 4, 10, tzinfo=UTC)
    assert notes("0 1 * * *", "Australia/Lord_Howe", at) == ["the clocks go back by 30 min during the window"]


def test_omitted_start_has_a_warning() -> None:
    text = '[[window]]\nname="w"\nteam="t"\ncron="0 */2 * * *"\ntimezone="Europe/Berlin"\nduration="1h"\n'
    assert list(timeline.left_out(rules(text), datetime(2026, 3, 28, 12, tzinfo=UTC), 1)) == [
        "window 'w': 2026-03-29 02:00 does not exist in Europe/Berlin and is skipped"
    ]


def test_overlap_on_an_integration_has_a_note_on_both_occurrences() -> None:
    planned = timeline.plan(rules(), AT, 7, None)
    noted = {each.occurrence.key: list(each.notes()) for each in planned if each.overlaps}
    assert noted == {
        "nightly@2026-11-24T01:30:00Z": ["overlaps window 'release 1.4' on service-010"],
        "release 1.4@2026-11-24T04:00:00Z": ["overlaps window 'nightly' on service-010"],
    }


def test_adjacent_windows_do_not_overlap() -> None:
    text = FILE.replace('"4h"', '"2h30m"')
    assert not any(each.overlaps for each in timeline.plan(rules(text), AT, 7, None))


class TestCommand:
    @pytest.fixture
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        from oncallctl.commands.maintenance import files

        monkeypatch.setattr(files, "now", lambda: AT)
        path = tmp_path / "windows.toml"
        path.write_text(FILE)
        return path

    def test_plan_in_json_has_each_occurrence_in_three_zones_with_its_targets(
        self, cloud: Serving, run: Runner, file: Path
    ) -> None:
        done = run(f"maintenance plan {file} --days 1 --tz America/New_York -o json")
        (weekend, nightly) = done.json
        assert nightly == {
            "window": "nightly",
            "mode": "silence_escalations",
            "start": "2026-11-22T01:30:00Z",
            "end": "2026-11-22T05:30:00Z",
            "timezone": "Europe/Berlin",
            "start_in_zone": "2026-11-22T02:30:00+01:00",
            "end_in_zone": "2026-11-22T06:30:00+01:00",
            "start_local": "2026-11-21T20:30:00-05:00",
            "end_local": "2026-11-22T00:30:00-05:00",
            "targets": [{"id": "C5BPMMTY9FMXJ", "name": "service-010"}],
            "error": None,
            "clocks": "steady",
            "overlaps": [],
            "notes": [],
        }
        assert len(weekend["targets"]) > 1
        assert cloud.changes() == []

    def test_plan_in_a_pipe_is_tab_separated(self, cloud: Serving, run: Runner, file: Path) -> None:
        lines = run(f"maintenance plan {file} --days 1").stdout.splitlines()
        assert lines[0].split("\t") == ["WINDOW", "START", "END", "IN ITS ZONE", "LOCAL", "TARGETS", "NOTES"]
        assert lines[2].split("\t") == [
            "nightly",
            "2026-11-22T01:30:00Z",
            "2026-11-22T05:30:00Z",
            "2026-11-22 02:30 to 06:30 CET",
            "2026-11-22 01:30 to 05:30 UTC",
            "service-010",
            "",
        ]

    def test_plan_on_a_terminal_is_a_picture_and_a_folded_table(
        self, cloud: Serving, run: Runner, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr("oncallctl.commands.maintenance.files.on_a_terminal", lambda: True)
        file.write_text(FILE.replace("weekend of the whole team", "weekend"))
        done = run(f"maintenance plan {file} --days 4 --no-color")
        assert "Maintenance windows" in done.stdout
        assert "3 times, last on Wed 11-25" in done.stdout
        assert "note: nightly@2026-11-24T01:30:00Z: overlaps window 'release 1.4' on service-010" in done.stderr

    def test_plan_of_targets_without_matches_warns(self, cloud: Serving, run: Runner, file: Path) -> None:
        file.write_text(FILE.replace('team = "platform"', 'match = "nothing-*"'))
        done = run(f"maintenance plan {file} --days 1 -o json")
        assert "window 'weekend of the whole team': no integration matches" in done.stderr
        assert done.json[0]["error"]["code"] == "not_found"
        assert done.json[0]["targets"] is None

    def test_plan_without_a_login_warns_and_omits_integrations(self, run: Runner, file: Path) -> None:
        done = run(f"maintenance plan {file} --days 1")
        assert "the plan does not include the integrations" in done.stderr
        assert "team platform" in done.stdout
        assert run(f"maintenance plan {file} --days 1 -o json").json[0]["targets"] is None

    def test_plan_without_responses_omits_integrations(self, cloud: Serving, run: Runner, file: Path) -> None:
        cloud.fail("GET", "", drop, times=100)
        done = run(f"maintenance plan {file} --days 1 -o json")
        assert "the plan does not include the integrations" in done.stderr
        assert [each["targets"] for each in done.json] == [None, None]

    def test_plan_of_an_invalid_file_is_refused(self, run: Runner, file: Path) -> None:
        file.write_text("oops")
        run(f"maintenance plan {file}", status=2)

    @pytest.mark.parametrize("days", ["0", "367", "x"])
    def test_plan_with_invalid_days_is_refused(self, run: Runner, file: Path, days: str) -> None:
        run(f"maintenance plan {file} --days {days}", status=2)


def test_overlap_with_many_occurrences_is_noted_once(run: Runner, world: Path) -> None:
    path = world / "windows.toml"
    path.write_text(
        'timezone = "UTC"\n[[window]]\nname = "w"\nduration = "1h"\n'
        'integrations = ["service-030"]\ncron = "* * * * *"\n'
    )
    plan = run(f"maintenance plan {path} --days 1 -p sandbox -o json").json
    assert all(len(each["notes"]) == len(set(each["notes"])) for each in plan)
