from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from oncallctl.errors import InvalidInput
from oncallctl.times import parse_duration, parse_time, relative, span, zone

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90m", 5400),
        ("2h30m", 9000),
        ("1d", 86400),
        ("3600", 3600),
        ("PT2H", 7200),
        ("P1DT30M", 88200),
        ("45s", 45),
        ("1D2H", 93600),
    ],
)
def test_a_duration_is_read_in_each_of_its_forms(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0m",
        "-5",
        "1.5",
        "1.5h",
        "abc",
        "P",
        "PT",
        "h",
        "1h 30",
        "30m2h",
        "٣",
        "9" * 30,
        "5000000d",
        "1e3",
        "+5",
        "inf",
    ],
)
def test_what_is_no_positive_whole_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_duration(text)


def test_a_clock_time_is_the_next_one_in_the_zone() -> None:
    assert parse_time("18:00", BERLIN, after=NOON) == datetime(2026, 6, 1, 16, 0, tzinfo=UTC)
    assert parse_time("13:59", BERLIN, after=NOON) == datetime(2026, 6, 2, 11, 59, tzinfo=UTC)
    assert parse_time("14:00", BERLIN, after=NOON) == datetime(2026, 6, 2, 12, 0, tzinfo=UTC)


def test_a_full_time_is_read_in_the_zone_unless_it_has_an_offset() -> None:
    assert parse_time("2026-12-01T02:00", BERLIN, after=NOON) == datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
    assert parse_time("2026-12-01T02:00Z", BERLIN, after=NOON) == datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    assert parse_time("2026-12-01T02:00-05:00", BERLIN, after=NOON) == datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


def test_a_time_is_read_in_the_zone_of_the_machine_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        assert parse_time("2026-12-01T05:45", None, after=NOON) == datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_that_is_past_is_refused() -> None:
    with pytest.raises(InvalidInput, match="past"):
        parse_time("2026-05-31T02:00", BERLIN, after=NOON)


@pytest.mark.parametrize("text", ["25:00", "12:60", "tomorrow", "", "2026-13-01T00:00", "2026-02-30T00:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a time"):
        parse_time(text, BERLIN, after=NOON)


def test_a_time_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        parse_time("2027-03-28T02:30", BERLIN, after=NOON)


def test_a_time_that_comes_twice_is_refused_with_both_readings() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_time("2026-10-25T02:30", BERLIN, after=NOON)
    assert "2026-10-25T02:30:00+02:00" in refused.value.message
    assert "2026-10-25T02:30:00+01:00" in refused.value.message


def test_one_reading_of_a_time_that_comes_twice_is_taken() -> None:
    assert parse_time("2026-10-25T02:30:00+01:00", BERLIN, after=NOON) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_clock_time_that_comes_twice_that_night_is_refused() -> None:
    evening = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
    with pytest.raises(InvalidInput, match="twice"):
        parse_time("02:30", BERLIN, after=evening)


def test_a_clock_time_that_is_past_today_is_tomorrows_also_on_the_day_the_clocks_change() -> None:
    spring, autumn = datetime(2026, 3, 29, 20, 0, tzinfo=UTC), datetime(2026, 10, 25, 20, 0, tzinfo=UTC)
    assert parse_time("02:30", BERLIN, after=spring) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    assert parse_time("02:30", BERLIN, after=autumn) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_a_time_beyond_all_calendars_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_time(text, BERLIN, after=NOON)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "Europe", "", "/etc/localtime"])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        zone(name)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.4, "59s"),
        (60, "1m"),
        (2699, "45m"),
        (3599, "1h"),
        (5400, "1h 30m"),
        (86399, "1d"),
        (273600, "3d 4h"),
    ],
)
def test_a_length_of_time_is_short_and_rounded(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_relative_times_look_both_ways() -> None:
    assert relative(NOON + timedelta(minutes=12), at=NOON) == "in 12m"
    assert relative(NOON - timedelta(hours=3), at=NOON) == "3h ago"
