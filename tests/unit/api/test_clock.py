"""The server's clock, estimated from `Date` headers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from oncallctl.api.clock import ServerClock
from tests.conftest import Runner
from tests.serving import Serving

SENT = datetime(2026, 11, 24, 12, 0, 0, 400_000, tzinfo=UTC)
RECEIVED = SENT + timedelta(milliseconds=200)


def date(moment: datetime) -> dict[str, str]:
    return {"date": format_datetime(moment.replace(microsecond=0), usegmt=True)}


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def clock(warnings: list[str]) -> ServerClock:
    return ServerClock(warnings.append)


def test_clock_without_a_response_is_the_local_clock(clock: ServerClock) -> None:
    assert not clock.is_known
    assert clock.skew == timedelta()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_clock_of_the_same_second_has_no_skew(clock: ServerClock, warnings: list[str]) -> None:
    clock.observe(date(RECEIVED), SENT, RECEIVED)
    assert clock.is_known
    assert clock.skew == timedelta()
    assert not warnings


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(minutes=-5), timedelta(days=20_000)])
def test_clock_of_another_time_is_estimated_to_the_second_with_one_warning(
    clock: ServerClock, warnings: list[str], ahead: timedelta
) -> None:
    for later in range(3):
        clock.observe(date(SENT + timedelta(seconds=later) + ahead), SENT + timedelta(seconds=later), RECEIVED)
    assert abs(clock.skew - ahead) < timedelta(seconds=1.2)
    assert len(warnings) == 1
    assert ("behind" if ahead > timedelta() else "ahead of") in warnings[0]


def test_clock_skewed_by_less_than_a_minute_causes_no_warning(clock: ServerClock, warnings: list[str]) -> None:
    clock.observe(date(SENT + timedelta(seconds=50)), SENT, RECEIVED)
    assert not warnings


def test_clock_is_narrowed_by_quick_responses(clock: ServerClock) -> None:
    ahead = timedelta(minutes=2)
    clock.observe(date(SENT + ahead), SENT, SENT + timedelta(seconds=20))
    clock.observe(date(SENT + ahead), SENT, RECEIVED)
    clock.observe(date(SENT + ahead), SENT, SENT + timedelta(seconds=20))
    assert abs(clock.skew - ahead) < timedelta(seconds=1.2)


def test_clock_set_meanwhile_replaces_the_estimate(clock: ServerClock) -> None:
    clock.observe(date(SENT + timedelta(hours=3)), SENT, RECEIVED)
    clock.observe(date(SENT), SENT, RECEIVED)
    assert clock.skew == timedelta()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"date": "yesterday"},
        {"date": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"date": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"date": "Tue, 24 Nov 2026 09:00:00 GMT", "age": "10800"},
    ],
    ids=["missing", "no date", "beyond all calendars", "before all calendars", "from a cache"],
)
def test_missing_or_implausible_date_is_ignored(clock: ServerClock, headers: dict[str, str]) -> None:
    clock.observe(headers, SENT, RECEIVED)
    assert not clock.is_known


def test_program_on_a_machine_with_a_wrong_clock_warns_once(oss: Serving, run: Runner) -> None:
    oss.ahead = timedelta(hours=-3)
    assert run("teams list").stderr == (
        "warning: this machine's clock is 3h ahead of the server's; using the server's clock\n"
    )
    oss.ahead = timedelta()
    assert not run("teams list").stderr


def test_sandbox_in_the_process_has_the_local_clock(run: Runner) -> None:
    assert not run("teams list -p sandbox").stderr
