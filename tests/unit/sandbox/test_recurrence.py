"""When the turns of a shift begin."""

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


def test_a_single_turn_comes_once() -> None:
    assert turns(RecurrenceRule(START)) == [(0, "03-01 09")]
    assert turns(RecurrenceRule(START), since="2027-03-02") == []


def test_turns_of_hours_are_counted_from_the_start_however_late_one_looks() -> None:
    rule = RecurrenceRule(START, "hourly", interval=8)
    assert turns(rule, count=3) == [(0, "03-01 09"), (1, "03-01 17"), (2, "03-02 01")]
    assert turns(rule, since="2027-03-11", count=1) == [(29, "03-11 01")]


def test_every_third_day_somebody_else_takes_over() -> None:
    assert turns(RecurrenceRule(START, "daily", interval=3), count=3) == [
        (0, "03-01 09"),
        (1, "03-04 09"),
        (2, "03-07 09"),
    ]


def test_a_daily_rule_can_be_kept_to_weekdays() -> None:
    rule = RecurrenceRule(START, "daily", days=frozenset({MONDAY, FRIDAY}))
    assert [at for _, at in turns(rule, count=3)] == ["03-01 09", "03-05 09", "03-08 09"]


def test_a_daily_rule_can_count_the_chosen_weekdays_alone() -> None:
    rule = RecurrenceRule(START, "daily", interval=2, days=frozenset({MONDAY, WEDNESDAY, FRIDAY}), counts_days=True)
    assert turns(rule, count=5) == [(0, "03-01 09"), (0, "03-03 09"), (1, "03-05 09"), (1, "03-08 09"), (2, "03-10 09")]
    assert turns(rule, since="2027-03-10", count=1) == [(2, "03-10 09")]


def test_the_days_of_a_week_belong_to_one_turn() -> None:
    rule = RecurrenceRule(START, "weekly", interval=2, week_start=MONDAY, days=frozenset({MONDAY, FRIDAY}))
    assert turns(rule, count=4) == [(0, "03-01 09"), (0, "03-05 09"), (1, "03-15 09"), (1, "03-19 09")]


@pytest.mark.parametrize(("week_start", "second"), [(6, (1, "03-07 09")), (0, (0, "03-07 09"))])
def test_where_a_week_begins_decides_to_which_turn_a_sunday_belongs(week_start: int, second: tuple[int, str]) -> None:
    rule = RecurrenceRule(START, "weekly", week_start=week_start, days=frozenset({MONDAY, 6}))
    assert turns(rule, count=2) == [(0, "03-01 09"), second]


def test_a_weekly_rule_without_days_keeps_to_that_of_its_start() -> None:
    assert turns(RecurrenceRule(START, "weekly"), count=2) == [(0, "03-01 09"), (1, "03-08 09")]


def test_a_month_without_the_day_is_left_out() -> None:
    rule = RecurrenceRule(datetime.fromisoformat("2027-01-31T09:00"), "monthly")
    assert turns(rule, count=3) == [(0, "01-31 09"), (2, "03-31 09"), (4, "05-31 09")]


def test_days_of_a_month_can_be_counted_from_its_end() -> None:
    rule = RecurrenceRule(START, "monthly", month_days=frozenset({-1, 15}))
    assert turns(rule, count=4) == [(0, "03-15 09"), (0, "03-31 09"), (1, "04-15 09"), (1, "04-30 09")]


def test_a_rule_can_be_kept_to_months() -> None:
    rule = RecurrenceRule(START, "monthly", months=frozenset({3, 6}))
    assert turns(rule) == [(0, "03-01 09"), (3, "06-01 09")]


def test_turns_can_be_counted_from_a_later_beginning() -> None:
    later = RecurrenceRule(START, "weekly").starting_at(datetime.fromisoformat("2027-03-10"))
    assert later is not None
    assert turns(later, count=2) == [(0, "03-15 09"), (1, "03-22 09")]


def test_a_rule_that_has_no_more_turns_has_no_later_beginning() -> None:
    assert RecurrenceRule(START).starting_at(datetime.fromisoformat("2027-03-02")) is None
