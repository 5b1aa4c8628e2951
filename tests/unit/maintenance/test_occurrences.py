"""Occurrences of windows, compared with the wall clock of every minute of a day."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings, strategies as st

from oncallctl.errors import InvalidInput
from oncallctl.maintenance.file.occurrences import Clocks, Cron, Once

BERLIN, NEW_YORK, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")
MINUTE = timedelta(minutes=1)

# Days in UTC around a change of the clocks, forward and back, and an ordinary one.
CHANGES = [
    (BERLIN, datetime(2026, 3, 28, tzinfo=UTC)),
    (BERLIN, datetime(2026, 10, 24, tzinfo=UTC)),
    (NEW_YORK, datetime(2026, 3, 7, tzinfo=UTC)),
    (NEW_YORK, datetime(2026, 10, 31, tzinfo=UTC)),
    (LORD_HOWE, datetime(2026, 4, 4, tzinfo=UTC)),
    (LORD_HOWE, datetime(2026, 10, 3, tzinfo=UTC)),
    (ZoneInfo("Africa/Cairo"), datetime(2026, 4, 23, tzinfo=UTC)),  # at midnight
    (ZoneInfo("America/Havana"), datetime(2026, 10, 31, tzinfo=UTC)),  # back over midnight
    (ZoneInfo("Asia/Kathmandu"), datetime(2026, 5, 1, tzinfo=UTC)),
    (ZoneInfo("UTC"), datetime(2026, 5, 1, tzinfo=UTC)),
]


def starts(expression: str, zone: ZoneInfo, begin: datetime, days: float = 3) -> list[tuple[str, Clocks]]:
    moments = Cron.parse(expression, zone).moments(begin, begin + timedelta(days=days))
    return [(moment.instant.astimezone(zone).isoformat(timespec="minutes"), moment.clocks) for moment in moments]


def test_skipped_time_starts_at_the_next_minute_that_exists() -> None:
    assert starts("30 2 * * *", BERLIN, datetime(2026, 3, 28, tzinfo=UTC)) == [
        ("2026-03-28T02:30+01:00", Clocks.STEADY),
        ("2026-03-29T03:00+02:00", Clocks.SKIPPED),
        ("2026-03-30T02:30+02:00", Clocks.STEADY),
    ]


def test_repeated_time_starts_at_the_first() -> None:
    assert starts("30 2 * * *", BERLIN, datetime(2026, 10, 24, tzinfo=UTC)) == [
        ("2026-10-24T02:30+02:00", Clocks.STEADY),
        ("2026-10-25T02:30+02:00", Clocks.FIRST),
        ("2026-10-26T02:30+01:00", Clocks.STEADY),
    ]


def test_interval_runs_through_the_repeated_hour_and_omits_the_skipped_one() -> None:
    assert starts("30 */2 * * *", NEW_YORK, datetime(2026, 3, 8, 5, tzinfo=UTC), days=0.2) == [
        ("2026-03-08T00:30-05:00", Clocks.STEADY),
        ("2026-03-08T03:30-04:00", Clocks.LEFT_OUT),
        ("2026-03-08T04:30-04:00", Clocks.STEADY),
    ]
    assert starts("*/30 1 * * *", NEW_YORK, datetime(2026, 11, 1, tzinfo=UTC), days=1) == [
        ("2026-11-01T01:00-04:00", Clocks.TWICE_FIRST),
        ("2026-11-01T01:30-04:00", Clocks.TWICE_FIRST),
        ("2026-11-01T01:00-05:00", Clocks.TWICE_SECOND),
        ("2026-11-01T01:30-05:00", Clocks.TWICE_SECOND),
    ]


def test_two_starts_at_one_instant_count_once() -> None:
    found = starts("0,30 2,3 * * *", BERLIN, datetime(2026, 3, 29, tzinfo=UTC), days=1)
    assert [moment for moment, _ in found] == ["2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00"]


def test_clock_change_by_half_an_hour_loses_no_start() -> None:
    found = [moment for moment, _ in starts("0 */2 * * *", LORD_HOWE, datetime(2026, 4, 4, 12, tzinfo=UTC), days=0.4)]
    assert found[:4] == [
        "2026-04-05T00:00+11:00",
        "2026-04-05T02:00+10:30",
        "2026-04-05T04:00+10:30",
        "2026-04-05T06:00+10:30",
    ]


FIELDS = [
    st.sampled_from(["0", "*", "*/15", "*/30", "7", "15,45", "50-59"]),
    st.sampled_from(["*", "*/2", "*/3", "1-3", "0", "2", "23", "1,2,3"]),
    st.sampled_from(["*", "*/2", "1", "L", "28-31", "4,5,29,25"]),
    st.sampled_from(["*", "*/3", "3,4,10,11", "MAR-NOV"]),
    st.sampled_from(["*", "SUN", "1-5", "7", "SUN#1", "5L"]),
]


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(st.tuples(*FIELDS).map(" ".join), st.sampled_from(CHANGES))
def test_starts_match_the_wall_clock_of_the_zone(expression: str, change: tuple[ZoneInfo, datetime]) -> None:
    """Return the starts of an expression by testing every minute."""
    zone, begin = change
    end = begin + timedelta(days=3)
    shown: dict[datetime, list[datetime]] = {}
    instant = begin - timedelta(days=1)
    while instant < end + timedelta(days=1):
        shown.setdefault(instant.astimezone(zone).replace(tzinfo=None), []).append(instant)
        instant += MINUTE
    walls = sorted(shown)
    once = all(not field.startswith("*") for field in expression.split()[:2])
    expected = set()
    for wall in CronSim(expression, walls[0] - MINUTE):
        if wall > walls[-1]:
            break
        instants = shown.get(wall, [])
        if once:
            instants = instants[:1] or [min(shown[later][0] for later in walls if later > wall)]
        expected.update(instant for instant in instants if begin <= instant < end)
    moments = Cron.parse(expression, zone).moments(begin, end)
    assert [moment.instant for moment in moments if moment.clocks is not Clocks.LEFT_OUT] == sorted(expected)


@settings(deadline=None, max_examples=50)
@given(st.tuples(*FIELDS).map(" ".join), st.integers(1, 71), st.sampled_from(CHANGES))
def test_divided_range_has_the_same_starts(expression: str, hours: int, change: tuple[ZoneInfo, datetime]) -> None:
    zone, begin = change
    cron, end, cut = Cron.parse(expression, zone), begin + timedelta(days=3), begin + timedelta(hours=hours)
    assert [*cron.moments(begin, cut), *cron.moments(cut, end)] == list(cron.moments(begin, end))


def test_single_time_in_its_zone_starts_once() -> None:
    at = Once.of(datetime.fromisoformat("2026-12-01T02:00"), BERLIN)
    begin = datetime(2026, 12, 1, 1, tzinfo=UTC)
    assert [moment.instant for moment in at.moments(begin, begin + MINUTE)] == [begin]
    assert list(at.moments(begin - MINUTE, begin)) == []
    assert list(at.moments(begin + MINUTE, begin + 2 * MINUTE)) == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2026-12-01T02:00", "without quotes"),
        (datetime(2026, 12, 1, 2, tzinfo=UTC), "must not have an offset"),
        (datetime.fromisoformat("2026-03-29T02:30"), "does not exist in Europe/Berlin"),
        (datetime.fromisoformat("2026-10-25T02:30"), r"twice.*02:30:00\+02:00 and as 2026-10-25T02:30:00\+01:00"),
        (datetime.fromisoformat("0001-01-01T00:00"), "out of range"),
    ],
)
def test_single_time_that_is_skipped_or_repeated_is_refused(value: object, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Once.of(value, BERLIN)


@pytest.mark.parametrize(
    "expression",
    [
        *("", "* * * *", "* * * * * *", "60 * * * *", "0 24 * * *", "0 0 30 2 *", "0 0 */31 * MON#2", "@daily x x x x"),
        *("*/0 * * * *", "5-1 * * * *", "0 0 * * 5L/2", "0 0 * * MON#6", f"{'9' * 5000} * * * *", "0 0 * * L"),
        "a b c d e",
    ],
)
def test_malformed_or_impossible_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(InvalidInput):
        Cron.parse(expression, BERLIN)
