"""`maintenance plan`: what is to come, what is odd about it, and the picture of it."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

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
    found, mistakes = load(text)
    assert mistakes == []
    return found


def drawn(text: str = FILE, days: int = 7, at: datetime = AT, zone: str = "UTC") -> str:
    made = rules(text)
    lines = timeline.picture(made, timeline.plan(made, at, days, None), at, days, zone=ZoneInfo(zone), width=80)
    assert all(len(line) <= 80 for line in lines)
    return "\n".join(lines) + "\n"


def test_the_picture_of_a_week() -> None:
    assert drawn() == textwrap.dedent("""\
                                  |Sun 22 |Mon 23 |Tue 24 |Wed 25 |Thu 26 |Fri 27
        nightly              ·····██······██······█!······██······██······██······██··
        release 1.4          ······················!██································
        weekend of the whol… █████████████·······································█████
        █ open, one character is 3h, UTC
        ! overlaps another on the same integration
        """)


def test_picture_and_table_cover_the_same_span() -> None:
    text = '[[window]]\nname="w"\nteam="t"\ncron="{}"\ntimezone="UTC"\nduration="1h"\n'
    for hour in range(24):
        made = rules(text.format(f"0 {hour} * * *"))
        planned = timeline.plan(made, AT, 2, None)
        lines = timeline.picture(made, planned, AT, 2, zone=UTC_ZONE, width=100)
        cells = lines[1].split()[1]
        assert len(cells) == 48
        assert cells.count(timeline.OPEN) == len(planned) == 2, hour


def test_the_picture_of_a_month() -> None:
    assert drawn(days=30) == textwrap.dedent("""\
                              |Sun 22|Sun 29|Sun 06|Sun 13
        nightly              ·██!███████████████████████████
        release 1.4          ···!···························
        weekend of the whol… ██····███····███····███····███·
        █ open, one character is 1d, UTC
        ! overlaps another on the same integration
        """)


def test_the_picture_of_one_day_on_which_the_clocks_go_back() -> None:
    day = datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert drawn(days=1, at=day, zone="Europe/Berlin") == textwrap.dedent("""\
                             |Sun 25
        nightly              ··█████·················
        release 1.4          ························
        weekend of the whol… ████████████████████████
        █ open, one character is 1h, Europe/Berlin
        """)


def test_the_picture_of_a_year_still_fits() -> None:
    lines = drawn(days=366).splitlines()
    assert lines[-2] == "█ open, one character is 7d, UTC"
    assert lines[1] == f"nightly              !{'█' * 52}"


def test_a_picture_for_a_terminal_without_unicode_says_the_same() -> None:
    plain = drawn().translate(timeline.PLAIN)
    assert plain.isascii()
    assert plain.splitlines()[1] == "nightly              .....##......##......#!......##......##......##......##.."


def test_a_name_in_wide_characters_or_with_controls_moves_nothing() -> None:
    text = FILE.replace("release 1.4", "夜間メンテナンス").replace('"nightly"', '"night\\u001b[31m"')
    lines = drawn(text).splitlines()
    assert lines[1].startswith("night\\x1b[31m        ·····██")
    assert lines[2].startswith("夜間メンテナンス     ······················!██")


def notes(cron: str, zone: str, at: datetime, duration: str = "2h") -> list[str]:
    text = f'[[window]]\nname="w"\nteam="t"\ncron="{cron}"\ntimezone="{zone}"\nduration="{duration}"\n'
    return [note for each in timeline.plan(rules(text), at, 1, None) for note in each.notes()]


def test_a_start_that_the_clocks_skip_is_pointed_out() -> None:
    at = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert notes("30 2 * * *", "Europe/Berlin", at) == ["02:30 does not exist on this day: it starts at 03:00"]


def test_a_start_that_comes_twice_is_pointed_out() -> None:
    at = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert notes("30 2 * * *", "Europe/Berlin", at) == [
        "02:30 comes twice on this day: it starts at the first",
        "the clocks go back by 60 min while it is open",
    ]
    assert notes("*/30 2 * * *", "Europe/Berlin", at, "5m") == [
        "02:00 comes twice on this day: it starts at both",
        "02:30 comes twice on this day: it starts at both",
        "02:00 comes twice on this day: it starts at both",
        "02:30 comes twice on this day: it starts at both",
    ]


def test_a_change_of_the_clocks_within_a_window_is_pointed_out() -> None:
    at = datetime(2026, 4, 4, 10, tzinfo=UTC)
    assert notes("0 1 * * *", "Australia/Lord_Howe", at) == ["the clocks go back by 30 min while it is open"]


def test_a_start_that_is_left_out_is_said() -> None:
    text = '[[window]]\nname="w"\nteam="t"\ncron="0 */2 * * *"\ntimezone="Europe/Berlin"\nduration="1h"\n'
    assert list(timeline.left_out(rules(text), datetime(2026, 3, 28, 12, tzinfo=UTC), 1)) == [
        "window 'w': 2026-03-29 02:00 does not exist in Europe/Berlin and is left out"
    ]


def test_overlaps_on_the_same_integration_are_pointed_out_on_both() -> None:
    planned = timeline.plan(rules(), AT, 7, None)
    found = {each.occurrence.key: list(each.notes()) for each in planned if each.overlaps}
    assert found == {
        "nightly@2026-11-24T01:30:00Z": ["overlaps window 'release 1.4' on service-010"],
        "release 1.4@2026-11-24T04:00:00Z": ["overlaps window 'nightly' on service-010"],
    }


def test_windows_that_only_touch_do_not_overlap() -> None:
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

    def test_json_has_each_occurrence_in_three_zones_with_its_targets(
        self, server: Serving, run: Runner, file: Path
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
        assert server.changes() == []

    def test_piped_it_is_a_table_of_tabs(self, server: Serving, run: Runner, file: Path) -> None:
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

    def test_on_a_terminal_of_80_columns_it_is_a_picture_and_a_short_table(
        self, server: Serving, run: Runner, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr("oncallctl.commands.maintenance.files.on_a_terminal", lambda: True)
        file.write_text(FILE.replace("weekend of the whole team", "weekend"))
        done = run(f"maintenance plan {file} --days 4 --no-color")
        assert done.stdout.startswith(
            textwrap.dedent("""\
                            |Sat 21|Sun 22     |Mon 23     |Tue 24
                nightly     ·······███·········███·········██!·········███··
                release 1.4 ·································!██············
                weekend     ███████████████████·····························
                █ open, one character is 2h, UTC
                ! overlaps another on the same integration
                """)
        )
        assert "note: nightly@2026-11-24T01:30:00Z: overlaps window 'release 1.4' on service-010" in done.stderr

    def test_targets_that_nothing_matches_are_pointed_out(self, server: Serving, run: Runner, file: Path) -> None:
        file.write_text(FILE.replace('team = "platform"', 'match = "nothing-*"'))
        done = run(f"maintenance plan {file} --days 1 -o json")
        assert "window 'weekend of the whole team': no integration matches" in done.stderr
        assert done.json[0]["error"]["code"] == "not_found"
        assert done.json[0]["targets"] is None

    def test_not_logged_in_it_plans_without_and_says_so(self, run: Runner, file: Path) -> None:
        done = run(f"maintenance plan {file} --days 1")
        assert "the plan does not include the integrations" in done.stderr
        assert "team platform" in done.stdout
        assert run(f"maintenance plan {file} --days 1 -o json").json[0]["targets"] is None

    def test_without_an_answer_it_plans_without_and_says_so(self, server: Serving, run: Runner, file: Path) -> None:
        server.fail("GET", "", drop, times=100)
        done = run(f"maintenance plan {file} --days 1 -o json")
        assert "the plan does not include the integrations" in done.stderr
        assert [each["targets"] for each in done.json] == [None, None]

    def test_a_broken_file_is_refused(self, run: Runner, file: Path) -> None:
        file.write_text("oops")
        run(f"maintenance plan {file}", status=2)

    @pytest.mark.parametrize("days", ["0", "367", "x"])
    def test_days_that_cannot_be_are_refused(self, run: Runner, file: Path, days: str) -> None:
        run(f"maintenance plan {file} --days {days}", status=2)


def test_an_overlap_with_many_occurrences_is_said_once(run: Runner, world: Path) -> None:
    path = world / "windows.toml"
    path.write_text(
        'timezone = "UTC"\n[[window]]\nname = "w"\nduration = "1h"\n'
        'integrations = ["service-030"]\ncron = "* * * * *"\n'
    )
    plan = run(f"maintenance plan {path} --days 1 -p sandbox -o json").json
    assert all(len(each["notes"]) == len(set(each["notes"])) for each in plan)
