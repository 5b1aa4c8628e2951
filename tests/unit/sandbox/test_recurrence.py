"""Recurrence rules."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

import pytest

from oncallctl.sandbox.recurrence import RecurrenceRule

MONDAY, WEDNESDAY, FRIDAY = 0, 2, 4
START = datetime.fromisoformat("2027-03-01T09:00")
"""A Monday."""


def turns(
    rule: RecurrenceRule, since: str = "2027-01-01", before: str = "2028-01-01", count: int = 6
) -> list[tuple[int, str]]:
    found = rule.occurrences(datetime.fromisoformat(since), datetime.fromisoformat(before))
    return [(number, f"{at:%m-%d %H}") for number, at in islice(found, count)]


def test_rule_without_frequency_occurs_once() -> None:
    assert turns(RecurrenceRule(START)) == [(0, "03-01 09")]
    assert turns(RecurrenceRule(START), since="2027-03-02") == []


def test_hourly_rule_counts_occurrences_from_its_start() -> None:
    rule = RecurrenceRule(START, "hourly", interval=8)
    assert turns(rule, count=3) == [(0, "03-01 09"), (1, "03-01 17"), (2, "03-02 01")]
    assert turns(rule, since="2027-03-11", count=1) == [(29, "03-11 01")]


def test_daily_rule_with_interval_skips_days() -> None:
    assert turns(RecurrenceRule(START, "daily", interval=3), count=3) == [
        (0, "03-01 09"),
        (1, "03-04 09"),
        (2, "03-07 09"),
    ]


def test_daily_rule_with_days_occurs_only_on_them() -> None:
    rule = RecurrenceRule(START, "daily", days=frozenset({MONDAY, FRIDAY}))
    assert [at for _, at in turns(rule, count=3)] == ["03-01 09", "03-05 09", "03-08 09"]


def test_daily_rule_that_counts_days_advances_after_interval_days() -> None:
    rule = RecurrenceRule(START, "daily", interval=2, days=frozenset({MONDAY, WEDNESDAY, FRIDAY}), counts_days=True)
    assert turns(rule, count=5) == [(0, "03-01 09"), (0, "03-03 09"), (1, "03-05 09"), (1, "03-08 09"), (2, "03-10 09")]
    assert turns(rule, since="2027-03-10", count=1) == [(2, "03-10 09")]


def test_weekly_rule_numbers_all_days_of_a_week_alike() -> None:
    rule = RecurrenceRule(START, "weekly", interval=2, week_start=MONDAY, days=frozenset({MONDAY, FRIDAY}))
    assert turns(rule, count=4) == [(0, "03-01 09"), (0, "03-05 09"), (1, "03-15 09"), (1, "03-19 09")]


@pytest.mark.parametrize(("week_start", "second"), [(6, (1, "03-07 09")), (0, (0, "03-07 09"))])
def test_week_start_decides_the_number_of_a_sunday(week_start: int, second: tuple[int, str]) -> None:
    rule = RecurrenceRule(START, "weekly", week_start=week_start, days=frozenset({MONDAY, 6}))
    assert turns(rule, count=2) == [(0, "03-01 09"), second]


def test_weekly_rule_without_days_occurs_on_the_weekday_of_its_start() -> None:
    assert turns(RecurrenceRule(START, "weekly"), count=2) == [(0, "03-01 09"), (1, "03-08 09")]


def test_monthly_rule_skips_months_without_the_day() -> None:
    rule = RecurrenceRule(datetime.fromisoformat("2027-01-31T09:00"), "monthly")
    assert turns(rule, count=3) == [(0, "01-31 09"), (2, "03-31 09"), (4, "05-31 09")]


def test_monthly_rule_counts_negative_days_from_the_end() -> None:
    rule = RecurrenceRule(START, "monthly", month_days=frozenset({-1, 15}))
    assert turns(rule, count=4) == [(0, "03-15 09"), (0, "03-31 09"), (1, "04-15 09"), (1, "04-30 09")]


def test_rule_with_months_occurs_only_in_them() -> None:
    rule = RecurrenceRule(START, "monthly", months=frozenset({3, 6}))
    assert turns(rule) == [(0, "03-01 09"), (3, "06-01 09")]


def test_rule_starting_later_counts_from_its_first_occurrence() -> None:
    later = RecurrenceRule(START, "weekly").starting_at(datetime.fromisoformat("2027-03-10"))
    assert later is not None
    assert turns(later, count=2) == [(0, "03-15 09"), (1, "03-22 09")]


def test_rule_starting_after_its_last_occurrence_is_none() -> None:
    assert RecurrenceRule(START).starting_at(datetime.fromisoformat("2027-03-02")) is None
