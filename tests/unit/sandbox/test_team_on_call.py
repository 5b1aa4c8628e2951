"""Who is on call for a team, on both servers."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from oncallctl.sandbox import storage
from oncallctl.sandbox.rota import TimeRange, periods, users_on_call
from oncallctl.sandbox.variants import CLOUD
from tests.unit.sandbox.conftest import (
    ALICE,
    BOB,
    DATA_INFRA,
    DAVE,
    EMPTY_TEAM,
    PAYMENTS,
    PAYMENTS_PAGING,
    PLATFORM,
    Api,
)

if TYPE_CHECKING:
    from pathlib import Path

PRIMARY = "SN1XIG9SHWR2U"


@pytest.mark.usefixtures("clock")
class TestAtHalfPastTwelve:
    def test_current_on_call_has_the_current_shift(self, cloud: Api) -> None:
        now = cloud.get(f"teams/{PLATFORM}/current_oncall/")
        assert [user["id"] for shift in now["shifts"] for user in now["users"] if user["id"] in shift["users"]] == [BOB]
        assert now["shifts"] == [
            {
                "schedule_id": PRIMARY,
                "schedule_name": "platform-primary",
                "team_id": PLATFORM,
                "shift_start": "2027-03-03T08:00:00+00:00",
                "shift_end": "2027-03-03T16:00:00+00:00",
                "users": [BOB],
            }
        ]

    def test_current_on_call_lists_users_of_later_steps_last(self, cloud: Api) -> None:
        now = cloud.get(f"teams/{PLATFORM}/current_oncall/")
        assert (now["count"], [user["id"] for user in now["users"]]) == (3, [BOB, ALICE, DAVE])

    def test_user_on_shift_who_is_also_named_by_a_step_is_listed_once(self, cloud: Api) -> None:
        now = cloud.get(f"teams/{PAYMENTS}/current_oncall/")
        assert [user["username"] for user in now["users"]] == ["erin", "grace"]

    def test_next_on_call_has_the_shift_that_starts_next(self, cloud: Api) -> None:
        following = cloud.get(f"teams/{PLATFORM}/next_oncall/")
        assert [shift["shift_start"] for shift in following["shifts"]] == ["2027-03-03T16:00:00+00:00"]

    def test_previous_on_call_has_the_shift_that_ended_last(self, cloud: Api) -> None:
        previous = cloud.get(f"teams/{PLATFORM}/previous_oncall/")
        assert [shift["shift_end"] for shift in previous["shifts"]] == ["2027-03-03T08:00:00+00:00"]
        assert [user["id"] for user in previous["users"]] == [ALICE]

    def test_payments_shift_has_two_users(self, cloud: Api) -> None:
        now = cloud.get(f"teams/{PAYMENTS}/current_oncall/")
        assert [(shift["shift_start"], len(shift["users"])) for shift in now["shifts"]] == [
            ("2027-03-03T00:00:00+00:00", 2)
        ]

    def test_final_shifts_include_the_override_of_tomorrow(self, cloud: Api) -> None:
        path = f"schedules/{PRIMARY}/final_shifts?start_date=2027-03-04T08:00&end_date=2027-03-04T16:00"
        laid = [
            (row["user_pk"], row["shift_start"][11:16], row["shift_end"][11:16]) for row in cloud.get(path)["results"]
        ]
        assert laid == [(BOB, "08:00", "12:30"), (DAVE, "12:30", "14:30"), (BOB, "14:30", "16:00")]

    def test_final_shifts_are_clipped_to_the_requested_range(self, cloud: Api) -> None:
        path = f"schedules/{PRIMARY}/final_shifts?start_date=2027-03-03T12:00&end_date=2027-03-03T13:00"
        (row,) = cloud.get(path)["results"]
        assert (row["shift_start"], row["shift_end"]) == ("2027-03-03T12:00:00Z", "2027-03-03T13:00:00Z")


@pytest.mark.parametrize("team", [EMPTY_TEAM, DATA_INFRA])
@pytest.mark.parametrize("when", ["current", "next", "previous"])
def test_team_without_chain_has_nobody_on_call(cloud: Api, team: str, when: str) -> None:
    assert cloud.get(f"teams/{team}/{when}_oncall") == {"count": 0, "users": [], "shifts": []}


def test_current_on_call_of_a_route_without_schedule_has_no_shifts(cloud: Api) -> None:
    routes = cloud.get(f"routes/?integration_id={PAYMENTS_PAGING}")["results"]
    other = next(route["id"] for route in routes if route["routing_regex"] == "severity.*critical")
    found = cloud.get(f"teams/{PAYMENTS}/current_oncall?route={other}")
    assert ([user["username"] for user in found["users"]], found["shifts"]) == (["dave"], [])


def test_current_on_call_of_another_integrations_route_returns_404(cloud: Api) -> None:
    assert cloud.send("GET", f"teams/{PLATFORM}/current_oncall?route=RGWA7SC7T9FGW").status_code == 404


@pytest.mark.parametrize("days", ["0", "31", "-1", "x", "1.5"])
def test_days_out_of_range_are_refused(cloud: Api, days: str) -> None:
    assert cloud.refused("GET", f"teams/{PLATFORM}/next_oncall?days={days}").keys() == {"days"}


def test_team_on_call_paths_return_404_on_oss(oss: Api) -> None:
    for when in ("current", "next", "previous"):
        response = oss.send("GET", f"teams/{PLATFORM}/{when}_oncall/")
        assert (response.status_code, response.mimetype) == (404, "text/html")


def test_direct_paging_chain_on_oss_has_the_schedule_with_the_users_on_call(cloud: Api, oss: Api) -> None:
    paging = next(
        row for row in oss.rows("integrations/") if row["type"] == "direct_paging" and row["team_id"] == PLATFORM
    )
    chain = paging["default_route"]["escalation_chain_id"]
    step = oss.get(f"escalation_policies/?escalation_chain_id={chain}")["results"][0]
    schedule = oss.get(f"schedules/{step['notify_on_call_from_schedule']}")
    on_cloud = cloud.get(f"teams/{PLATFORM}/current_oncall")
    assert schedule["on_call_now"] == on_cloud["shifts"][0]["users"]


def test_sample_schedules_have_the_same_number_on_call_all_year(cloud: Api, database: Path) -> None:
    assert cloud.get("teams/")["count"] == 4
    with closing(storage.connect(database)) as db:
        start = datetime(2027, 1, 1, tzinfo=UTC)
        for hours in range(0, 365 * 24, 7):
            moment = (start + timedelta(hours=hours, minutes=hours % 60)).timestamp()
            assert len(users_on_call(db, PRIMARY, moment, CLOUD)) == 1
            assert len(users_on_call(db, "S3V631KJV7WQ6", moment, CLOUD)) == 2
            assert users_on_call(db, "SFXCICA3QCWD8", moment, CLOUD) == []


def test_data_infra_shift_lasts_two_hours_a_week(cloud: Api, database: Path) -> None:
    assert cloud.get("schedules/SHHDRXI9MDM87")["on_call_now"] == []
    with closing(storage.connect(database)) as db:
        laid = periods(db, "SHHDRXI9MDM87", TimeRange(time.time(), time.time() + 7 * 86_400), CLOUD, now=time.time())
    assert [shift.range.end - shift.range.start for shift in laid] == [7200]


def test_override_longer_than_a_shift_replaces_it(cloud: Api, database: Path) -> None:
    assert cloud.get("teams/")["count"] == 4
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(
            "UPDATE on_call_shifts SET start = '2027-01-15T08:00:00', duration_seconds = 200000 WHERE type = 'override'"
        )
    with closing(storage.connect(database)) as db:
        inside = periods(db, PRIMARY, TimeRange(1800050000, 1800060000), CLOUD, now=1800050000)
    assert [shift.users for shift in inside] == [(DAVE,)]
