"""Who is on call, on either server."""

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
    def test_current_names_the_shift_of_this_moment(self, cloud: Api) -> None:
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

    def test_current_names_the_people_of_later_steps_behind_those_of_the_shift(self, cloud: Api) -> None:
        now = cloud.get(f"teams/{PLATFORM}/current_oncall/")
        assert (now["count"], [user["id"] for user in now["users"]]) == (3, [BOB, ALICE, DAVE])

    def test_who_is_in_a_shift_and_named_besides_is_there_once(self, cloud: Api) -> None:
        now = cloud.get(f"teams/{PAYMENTS}/current_oncall/")
        assert [user["username"] for user in now["users"]] == ["erin", "grace"]

    def test_next_names_the_shift_that_starts_next(self, cloud: Api) -> None:
        following = cloud.get(f"teams/{PLATFORM}/next_oncall/")
        assert [shift["shift_start"] for shift in following["shifts"]] == ["2027-03-03T16:00:00+00:00"]

    def test_previous_names_the_shift_that_ended_last(self, cloud: Api) -> None:
        previous = cloud.get(f"teams/{PLATFORM}/previous_oncall/")
        assert [shift["shift_end"] for shift in previous["shifts"]] == ["2027-03-03T08:00:00+00:00"]
        assert [user["id"] for user in previous["users"]] == [ALICE]

    def test_two_people_of_payments_share_a_shift_of_a_day(self, cloud: Api) -> None:
        now = cloud.get(f"teams/{PAYMENTS}/current_oncall/")
        assert [(shift["shift_start"], len(shift["users"])) for shift in now["shifts"]] == [
            ("2027-03-03T00:00:00+00:00", 2)
        ]

    def test_the_override_of_tomorrow_takes_the_place_of_what_it_covers(self, cloud: Api) -> None:
        path = f"schedules/{PRIMARY}/final_shifts?start_date=2027-03-04T08:00&end_date=2027-03-04T16:00"
        laid = [
            (row["user_pk"], row["shift_start"][11:16], row["shift_end"][11:16]) for row in cloud.get(path)["results"]
        ]
        assert laid == [(BOB, "08:00", "12:30"), (DAVE, "12:30", "14:30"), (BOB, "14:30", "16:00")]

    def test_final_shifts_are_clipped_to_what_was_asked_for(self, cloud: Api) -> None:
        path = f"schedules/{PRIMARY}/final_shifts?start_date=2027-03-03T12:00&end_date=2027-03-03T13:00"
        (row,) = cloud.get(path)["results"]
        assert (row["shift_start"], row["shift_end"]) == ("2027-03-03T12:00:00Z", "2027-03-03T13:00:00Z")


@pytest.mark.parametrize("team", [EMPTY_TEAM, DATA_INFRA])
@pytest.mark.parametrize("when", ["current", "next", "previous"])
def test_a_team_that_cannot_be_paged_has_nobody_on_call(cloud: Api, team: str, when: str) -> None:
    assert cloud.get(f"teams/{team}/{when}_oncall") == {"count": 0, "users": [], "shifts": []}


def test_a_route_can_be_asked_for_and_people_without_schedule_come_without_shifts(cloud: Api) -> None:
    routes = cloud.get(f"routes/?integration_id={PAYMENTS_PAGING}")["results"]
    other = next(route["id"] for route in routes if route["routing_regex"] == "severity.*critical")
    found = cloud.get(f"teams/{PAYMENTS}/current_oncall?route={other}")
    assert ([user["username"] for user in found["users"]], found["shifts"]) == (["dave"], [])


def test_a_route_of_another_integration_is_not_found(cloud: Api) -> None:
    assert cloud.ask("GET", f"teams/{PLATFORM}/current_oncall?route=RGWA7SC7T9FGW").status_code == 404


@pytest.mark.parametrize("days", ["0", "31", "-1", "x", "1.5"])
def test_days_must_be_from_1_to_30(cloud: Api, days: str) -> None:
    assert cloud.refused("GET", f"teams/{PLATFORM}/next_oncall?days={days}").keys() == {"days"}


def test_oss_knows_no_on_call_of_teams(oss: Api) -> None:
    for when in ("current", "next", "previous"):
        response = oss.ask("GET", f"teams/{PLATFORM}/{when}_oncall/")
        assert (response.status_code, response.mimetype) == (404, "text/html")


def test_on_oss_direct_paging_leads_to_the_schedule_and_who_is_on_call(cloud: Api, oss: Api) -> None:
    paging = next(
        row for row in oss.rows("integrations/") if row["type"] == "direct_paging" and row["team_id"] == PLATFORM
    )
    chain = paging["default_route"]["escalation_chain_id"]
    step = oss.get(f"escalation_policies/?escalation_chain_id={chain}")["results"][0]
    schedule = oss.get(f"schedules/{step['notify_on_call_from_schedule']}")
    on_cloud = cloud.get(f"teams/{PLATFORM}/current_oncall")
    assert schedule["on_call_now"] == on_cloud["shifts"][0]["users"]


def test_somebody_of_platform_is_on_call_at_any_moment_of_a_year(cloud: Api, database: Path) -> None:
    assert cloud.get("teams/")["count"] == 4
    with closing(storage.connect(database)) as db:
        start = datetime(2027, 1, 1, tzinfo=UTC)
        for hours in range(0, 365 * 24, 7):
            moment = (start + timedelta(hours=hours, minutes=hours % 60)).timestamp()
            assert len(users_on_call(db, PRIMARY, moment, CLOUD)) == 1
            assert len(users_on_call(db, "S3V631KJV7WQ6", moment, CLOUD)) == 2
            assert users_on_call(db, "SFXCICA3QCWD8", moment, CLOUD) == []


def test_the_hours_of_data_infra_are_two_a_week(cloud: Api, database: Path) -> None:
    assert cloud.get("schedules/SHHDRXI9MDM87")["on_call_now"] == []
    with closing(storage.connect(database)) as db:
        laid = periods(db, "SHHDRXI9MDM87", TimeRange(time.time(), time.time() + 7 * 86_400), CLOUD)
    assert [shift.range.end - shift.range.start for shift in laid] == [7200]


def test_an_override_that_covers_a_shift_whole_replaces_it(cloud: Api, database: Path) -> None:
    assert cloud.get("teams/")["count"] == 4
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(
            "UPDATE on_call_shifts SET start = '2027-01-15T08:00:00', duration_seconds = 200000 WHERE type = 'override'"
        )
    with closing(storage.connect(database)) as db:
        inside = periods(db, PRIMARY, TimeRange(1800050000, 1800060000), CLOUD)
    assert [shift.users for shift in inside] == [(DAVE,)]
