from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from oncallctl.errors import InvalidInput
from oncallctl.times import (
    is_incomplete,
    parse_duration,
    parse_moment,
    parse_past,
    parse_time,
    relative,
    show_duration,
    zone,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def test_duration_valid_form_is_parsed() -> None:
    for text, seconds in [
        ("90m", 5400),
        ("2h30m", 9000),
        ("1d", 86400),
        ("3600", 3600),
        ("PT2H", 7200),
        ("P1DT30M", 88200),
        ("45s", 45),
        ("1D2H", 93600),
        ("1.5h", 5400),
        ("1.1h", 3960),
        ("0.25d", 21600),
        ("30min", 1800),
        ("2 hours", 7200),
        ("1 day 2 hrs 3 mins 4 secs", 93784),
        ("PT1.5H", 5400),
    ]:
        assert parse_duration(text) == timedelta(seconds=seconds), text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0m",
        "-5",
        "1.5",
        "abc",
        "P",
        "PT",
        "h",
        "1h 30",
        "1.5s",
        "0.0001s",
        ".5h",
        "2 fortnights",
        "30m2h",
        "٣",
        "9" * 30,
        "5000000d",
        "1e3",
        "+5",
        "inf",
    ],
)
def test_duration_invalid_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_duration(text)


def test_future_time_each_form_is_parsed() -> None:
    for text, expected in [
        ("3am", "2026-06-02T01:00"),
        ("3 PM", "2026-06-01T13:00"),  # 15:00 in Berlin; at 14:00 there
        ("12am", "2026-06-01T22:00"),
        ("12:30pm", "2026-06-02T10:30"),
        ("tomorrow 7:00", "2026-06-02T05:00"),
        ("Tomorrow", "2026-06-01T22:00"),
        ("Tomorrow at 7am", "2026-06-02T05:00"),
        ("today 18:00", "2026-06-01T16:00"),
        ("Sat 10:00", "2026-06-06T08:00"),
        ("saturday at 10am", "2026-06-06T08:00"),
        ("wednesday 9:00", "2026-06-03T07:00"),
        ("Monday 14:30", "2026-06-01T12:30"),  # it is Monday 14:00
        ("Mon 14:00", "2026-06-08T12:00"),
        ("+2h", "2026-06-01T14:00"),
        ("+90 min", "2026-06-01T13:30"),
        ("2026-12-01 02:00", "2026-12-01T01:00"),
        ("2026-12-01", "2026-11-30T23:00"),
    ]:
        assert parse_time(text, BERLIN, after=NOON) == datetime.fromisoformat(f"{expected}+00:00"), text


def test_past_time_each_form_is_parsed() -> None:
    for text, expected in [
        ("12h", "2026-06-01T00:00"),
        ("-12h", "2026-06-01T00:00"),
        ("13:59", "2026-06-01T11:59"),
        ("14:00", "2026-05-31T12:00"),  # it is 14:00, so the last one that is past
        ("3am", "2026-06-01T01:00"),
        ("yesterday 18:00", "2026-05-31T16:00"),
        ("Sat 10:00", "2026-05-30T08:00"),
        ("mon 14:00", "2026-05-25T12:00"),
        ("2026-05-01T02:00", "2026-05-01T00:00"),
    ]:
        assert parse_past(text, BERLIN, before=NOON) == datetime.fromisoformat(f"{expected}+00:00"), text


@pytest.mark.parametrize("text", ["+2h", "tomorrow 7:00", "2026-06-01T14:00", "0001-01-01", "soon", "25:00", "-5"])
def test_past_time_invalid_or_in_the_future_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_past(text, BERLIN, before=NOON)


def test_moment_may_be_past_or_future() -> None:
    for text, hours in [("+2h", 2), ("-30m", -0.5), ("14:30", 0.5), ("2026-06-01T12:00Z", 0)]:
        assert parse_moment(text, BERLIN, near=NOON) == NOON + timedelta(hours=hours), text


def test_last_clock_time_repeated_by_a_dst_change_is_refused() -> None:
    with pytest.raises(InvalidInput, match="ambiguous"):
        parse_past("02:30", BERLIN, before=datetime(2026, 10, 25, 6, 0, tzinfo=UTC))


def test_time_without_a_date_is_incomplete() -> None:
    for text, expected in [("18:00", True), ("+2h", True), ("3am", True), ("2026-12-01T02:00", False)]:
        assert is_incomplete(text) is expected, text


def test_clock_time_is_the_next_one_in_the_zone() -> None:
    assert parse_time("18:00", BERLIN, after=NOON) == datetime(2026, 6, 1, 16, 0, tzinfo=UTC)
    assert parse_time("13:59", BERLIN, after=NOON) == datetime(2026, 6, 2, 11, 59, tzinfo=UTC)
    assert parse_time("14:00", BERLIN, after=NOON) == datetime(2026, 6, 2, 12, 0, tzinfo=UTC)


def test_full_time_without_offset_is_read_in_the_zone() -> None:
    assert parse_time("2026-12-01T02:00", BERLIN, after=NOON) == datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
    assert parse_time("2026-12-01T02:00Z", BERLIN, after=NOON) == datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    assert parse_time("2026-12-01T02:00-05:00", BERLIN, after=NOON) == datetime(2026, 12, 1, 7, 0, tzinfo=UTC)


def test_full_time_without_zone_is_read_in_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        assert parse_time("2026-12-01T05:45", None, after=NOON) == datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_past_time_is_refused() -> None:
    with pytest.raises(InvalidInput, match="past"):
        parse_time("2026-05-31T02:00", BERLIN, after=NOON)


@pytest.mark.parametrize(
    "text",
    [
        "25:00",
        "12:60",
        "13pm",
        "0am",
        "18",
        "someday",
        "Sat",
        "tuesnesday 9:00",
        "satsday 9:00",
        "",
        "2026-13-01T00:00",
        "2026-02-30T00:00",
    ],
)
def test_time_invalid_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a time"):
        parse_time(text, BERLIN, after=NOON)


def test_time_skipped_by_dst_is_refused() -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        parse_time("2027-03-28T02:30", BERLIN, after=NOON)


def test_time_repeated_by_dst_is_refused_with_both_readings() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_time("2026-10-25T02:30", BERLIN, after=NOON)
    assert "2026-10-25T02:30:00+02:00" in refused.value.message
    assert "2026-10-25T02:30:00+01:00" in refused.value.message


def test_time_repeated_by_dst_with_offset_is_accepted() -> None:
    assert parse_time("2026-10-25T02:30:00+01:00", BERLIN, after=NOON) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_clock_time_repeated_by_dst_is_refused() -> None:
    evening = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)
    with pytest.raises(InvalidInput, match="ambiguous"):
        parse_time("02:30", BERLIN, after=evening)


def test_clock_time_past_on_the_day_of_a_dst_change_is_tomorrow() -> None:
    spring, autumn = datetime(2026, 3, 29, 20, 0, tzinfo=UTC), datetime(2026, 10, 25, 20, 0, tzinfo=UTC)
    assert parse_time("02:30", BERLIN, after=spring) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    assert parse_time("02:30", BERLIN, after=autumn) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_time_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_time(text, BERLIN, after=NOON)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "Europe", "", "/etc/localtime"])
def test_zone_unknown_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        zone(name)


def test_span_is_rounded() -> None:
    for seconds, text in [
        (0, "0s"),
        (59.4, "59s"),
        (60, "1m"),
        (2699, "45m"),
        (3599, "1h"),
        (5400, "1h 30m"),
        (86399, "1d"),
        (273600, "3d 4h"),
    ]:
        assert show_duration(seconds) == text, seconds


def test_relative_time_in_both_directions() -> None:
    assert relative(NOON + timedelta(minutes=12), at=NOON) == "in 12m"
    assert relative(NOON - timedelta(hours=3), at=NOON) == "3h ago"
