"""Schedules and shifts created through the API, and who is on call in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from oncallctl import sandbox
from tests.unit.sandbox.conftest import (
    ALICE,
    BOB,
    CAROL,
    DATA_INFRA,
    DAVE,
    EMPTY_TEAM,
    PLATFORM,
    Api,
    Clock,
    SentNotifications,
)

EMPTY_PAGING = "C3FQ4PUV3RSLA"
"""The direct paging integration of the empty team."""
DAILY = {"type": "rolling_users", "frequency": "daily", "start_rotation_from_user_index": 0, "level": 1}


@dataclass(frozen=True)
class Rota:
    """Creates shifts, schedules and chains for the empty team."""

    api: Api

    def shift(self, **fields: object) -> str:
        body = {"name": "x", "start": "2027-03-01T09:00:00", "duration": 86_400, **fields}
        return str(self.api.post("on_call_shifts/", body)["id"])

    def schedule(self, *shifts: str, time_zone: str = "UTC", kind: str = "web") -> str:
        body = {"name": "new", "type": kind, "time_zone": time_zone, "team_id": EMPTY_TEAM, "shifts": list(shifts)}
        return str(self.api.post("schedules/", body)["id"])

    def chain(self, *steps: dict[str, object]) -> str:
        """Create a chain, and route the team's direct paging integration to it."""
        chain = self.api.post("escalation_chains/", {"name": "of the empty team", "team_id": EMPTY_TEAM})["id"]
        for step in steps:
            self.api.post("escalation_policies/", {"escalation_chain_id": chain, **step})
        self.api.patch(f"integrations/{EMPTY_PAGING}", {"default_route": {"escalation_chain_id": chain}})
        return str(chain)

    def final_shifts(self, schedule: str, start: str, end: str) -> list[tuple[str, str, str]]:
        """Return the final shifts as username, start and end, without year and seconds."""
        found = self.api.get(f"schedules/{schedule}/final_shifts?start_date={start}&end_date={end}")["results"]
        return [(row["user_username"], row["shift_start"][5:16], row["shift_end"][5:16]) for row in found]

    def of_team(self, when: str, query: str = "") -> Any:
        return self.api.get(f"teams/{EMPTY_TEAM}/{when}_oncall{query}")


def from_schedule(schedule: str) -> dict[str, object]:
    return {"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": schedule}


@pytest.fixture
def rota(cloud: Api, clock: Clock) -> Rota:
    return Rota(cloud)


@pytest.fixture
def rota_on_oss(oss: Api, clock: Clock) -> Rota:
    return Rota(oss)


class TestTimeZones:
    def test_start_time_stays_the_same_when_clocks_change(self, rota: Rota, rota_on_oss: Rota) -> None:
        for made in (rota, rota_on_oss):
            turns = made.shift(**DAILY, time_zone="Europe/Berlin", rolling_users=[[ALICE], [BOB]])
            laid = made.final_shifts(made.schedule(turns), "2027-03-27", "2027-03-30")
            assert laid == [
                ("bob", "03-27T00:00", "03-27T08:00"),
                ("alice", "03-27T08:00", "03-28T07:00"),
                ("bob", "03-28T07:00", "03-29T07:00"),
                ("alice", "03-29T07:00", "03-30T00:00"),
            ]

    def test_shift_without_time_zone_uses_that_of_its_schedule(self, rota: Rota) -> None:
        turns = rota.shift(**DAILY, rolling_users=[[ALICE]])
        schedule = rota.schedule(turns, time_zone="America/New_York")
        assert rota.final_shifts(schedule, "2027-11-06T00:00", "2027-11-08T00:00") == [
            ("alice", "11-06T00:00", "11-06T13:00"),
            ("alice", "11-06T13:00", "11-07T14:00"),
            ("alice", "11-07T14:00", "11-08T00:00"),
        ]

    def test_shared_shift_uses_the_time_zone_of_each_schedule(self, rota: Rota) -> None:
        event = rota.shift(type="single_event", users=[CAROL], duration=3600)
        tokyo, utc = (rota.schedule(event, time_zone=zone, kind="calendar") for zone in ("Asia/Tokyo", "UTC"))
        assert rota.final_shifts(tokyo, "2027-03-01", "2027-03-02") == [("carol", "03-01T00:00", "03-01T01:00")]
        assert rota.final_shifts(utc, "2027-03-01", "2027-03-02") == [("carol", "03-01T09:00", "03-01T10:00")]


class TestLayers:
    def test_shifts_of_the_same_level_overlap(self, rota: Rota) -> None:
        one = rota.shift(type="single_event", users=[ALICE], duration=7200)
        other = rota.shift(type="single_event", users=[BOB], duration=7200, start="2027-03-01T10:00:00")
        assert rota.final_shifts(rota.schedule(one, other), "2027-03-01", "2027-03-02") == [
            ("alice", "03-01T09:00", "03-01T11:00"),
            ("bob", "03-01T10:00", "03-01T12:00"),
        ]

    def test_shift_of_a_higher_level_replaces_lower_ones(self, rota: Rota) -> None:
        low = rota.shift(type="single_event", users=[ALICE], level=1, duration=7200)
        high = rota.shift(type="single_event", users=[BOB], level=2, duration=1800, start="2027-03-01T09:30:00")
        assert rota.final_shifts(rota.schedule(low, high), "2027-03-01", "2027-03-02") == [
            ("alice", "03-01T09:00", "03-01T09:30"),
            ("bob", "03-01T09:30", "03-01T10:00"),
            ("alice", "03-01T10:00", "03-01T11:00"),
        ]

    def test_override_replaces_every_level(self, rota: Rota, rota_on_oss: Rota) -> None:
        for made in (rota, rota_on_oss):
            high = made.shift(type="single_event", users=[BOB], level=9, duration=3600)
            override = made.shift(type="override", users=[DAVE], duration=1800)
            assert made.final_shifts(made.schedule(high, override), "2027-03-01", "2027-03-02") == [
                ("dave", "03-01T09:00", "03-01T09:30"),
                ("bob", "03-01T09:30", "03-01T10:00"),
            ]

    def test_empty_group_of_a_rotation_is_a_gap(self, rota: Rota) -> None:
        turns = rota.shift(**DAILY, rolling_users=[[ALICE], []], duration=3600)
        schedule = rota.schedule(turns)
        assert rota.final_shifts(schedule, "2027-03-01", "2027-03-04") == [
            ("alice", "03-01T09:00", "03-01T10:00"),
            ("alice", "03-03T09:00", "03-03T10:00"),
        ]

    @pytest.mark.parametrize("seconds", [0, -60])
    def test_shift_without_duration_puts_nobody_on_call(self, rota: Rota, seconds: int) -> None:
        assert (
            rota.final_shifts(
                rota.schedule(rota.shift(type="single_event", users=[BOB], duration=seconds)),
                "2027-03-01",
                "2027-03-02",
            )
            == []
        )

    def test_shift_that_ends_after_year_9999_puts_nobody_on_call(self, rota: Rota) -> None:
        late = rota.shift(type="single_event", users=[BOB], start="9999-12-31T23:00:00")
        assert rota.final_shifts(rota.schedule(late), "2027-03-01", "2027-03-02") == []


class TestUpdatesAndDeletions:
    def test_updated_shift_changes_its_schedule(self, rota: Rota) -> None:
        event = rota.shift(type="single_event", users=[BOB], duration=3600)
        schedule = rota.schedule(event)
        rota.api.patch(f"on_call_shifts/{event}", {"duration": "02:00:00", "time_zone": "Asia/Tokyo"})
        assert rota.final_shifts(schedule, "2027-03-01", "2027-03-02") == [("bob", "03-01T00:00", "03-01T02:00")]

    def test_rotation_start_delays_the_first_turn(self, rota: Rota) -> None:
        turns = rota.shift(**DAILY, rotation_start="2027-03-03T00:00:00", rolling_users=[[ALICE], [BOB]], duration=3600)
        assert rota.final_shifts(rota.schedule(turns), "2027-03-01", "2027-03-05") == [
            ("alice", "03-03T09:00", "03-03T10:00"),
            ("bob", "03-04T09:00", "03-04T10:00"),
        ]

    def test_rotation_starts_with_the_chosen_group_and_ends_at_until(self, rota: Rota) -> None:
        fields = DAILY | {"start_rotation_from_user_index": 1, "until": "2027-03-02T09:30:00"}
        turns = rota.shift(**fields, rolling_users=[[ALICE], [BOB]], duration=3600)
        assert rota.final_shifts(rota.schedule(turns), "2027-03-01", "2027-03-05") == [
            ("bob", "03-01T09:00", "03-01T10:00"),
            ("alice", "03-02T09:00", "03-02T09:30"),
        ]

    def test_deleted_shift_that_has_started_in_a_web_schedule_is_ended(self, rota: Rota, clock: Clock) -> None:
        turns = rota.shift(**DAILY, rolling_users=[[ALICE]])
        schedule = rota.schedule(turns)
        assert rota.api.send("DELETE", f"on_call_shifts/{turns}").status_code == 204
        assert rota.api.get(f"on_call_shifts/{turns}")["until"] == "2027-03-03T12:30:00"
        assert rota.api.get(f"schedules/{schedule}")["on_call_now"] == []

    def test_deleted_shift_of_the_future_or_of_a_calendar_is_removed(self, rota: Rota) -> None:
        to_come = rota.shift(type="override", users=[ALICE], start="2030-01-01T00:00:00")
        shared = rota.shift(**DAILY, rolling_users=[[ALICE]])
        web, calendar = rota.schedule(to_come), rota.schedule(shared, kind="calendar")
        for shift in (to_come, shared):
            assert rota.api.send("DELETE", f"on_call_shifts/{shift}").status_code == 204
            assert rota.api.send("GET", f"on_call_shifts/{shift}").status_code == 404
        assert [rota.api.get(f"schedules/{schedule}")["shifts"] for schedule in (web, calendar)] == [[], []]

    def test_web_schedule_takes_shifts_from_another_and_deletes_them_with_itself(self, rota: Rota) -> None:
        shift = rota.shift(type="single_event", users=[BOB])
        first, second = rota.schedule(shift), rota.schedule(shift)
        assert rota.api.get(f"schedules/{first}")["shifts"] == []
        assert rota.api.get(f"on_call_shifts/{shift}")["schedule"] == second
        assert rota.api.send("DELETE", f"schedules/{second}").status_code == 204
        assert rota.api.send("GET", f"on_call_shifts/{shift}").status_code == 404

    def test_calendar_with_an_override_is_refused(self, rota: Rota) -> None:
        override = rota.shift(type="override", users=[BOB])
        body = {"name": "c", "type": "calendar", "time_zone": "UTC", "shifts": [override]}
        problem = {"detail": "Shifts of type override are not supported in this schedule"}
        assert rota.api.refused("POST", "schedules/", body) == problem

    def test_step_with_a_deleted_schedule_notifies_nobody(self, rota: Rota, notified: SentNotifications) -> None:
        schedule = rota.schedule(rota.shift(**DAILY, rolling_users=[[ALICE]]))
        chain = rota.chain(from_schedule(schedule))
        assert rota.of_team("current")["count"] == 1
        rota.api.send("DELETE", f"schedules/{schedule}")
        (step,) = rota.api.get(f"escalation_policies/?escalation_chain_id={chain}")["results"]
        assert step["notify_on_call_from_schedule"] is None
        assert rota.of_team("current") == {"count": 0, "users": [], "shifts": []}
        rota.api.post("escalation/", {"team": EMPTY_TEAM})
        assert notified() == []


class TestTeamOnCall:
    """At 12:30 UTC on Wednesday, 3 March 2027."""

    def test_current_on_call_lists_users_once_in_the_order_of_steps(self, rota: Rota) -> None:
        shared = rota.schedule(rota.shift(**DAILY, rolling_users=[[BOB, ALICE]]))
        rota.chain(
            {"type": "notify_persons", "persons_to_notify": [CAROL]},
            from_schedule(shared),
            {"type": "wait", "duration": 60},
            {"type": "notify_team_members", "team_to_notify": PLATFORM},
            {"type": "notify_person_next_each_time", "persons_to_notify_next_each_time": [DAVE, ALICE]},
        )
        now = rota.of_team("current")
        assert [user["id"] for user in now["users"]] == [CAROL, BOB, ALICE, DAVE]
        assert (now["count"], [shift["users"] for shift in now["shifts"]]) == (4, [[BOB, ALICE]])

    def test_current_on_call_lists_shifts_in_the_order_of_steps(self, rota: Rota) -> None:
        late = rota.schedule(rota.shift(type="single_event", users=[BOB], start="2027-03-03T12:00:00"))
        early = rota.schedule(
            rota.shift(type="single_event", users=[ALICE], start="2027-03-03T10:00:00"),
            rota.shift(type="single_event", users=[CAROL], start="2027-03-03T11:00:00"),
        )
        rota.chain(from_schedule(late), from_schedule(early))
        assert [shift["users"] for shift in rota.of_team("current")["shifts"]] == [[BOB], [ALICE], [CAROL]]

    def test_next_on_call_skips_started_shifts_and_previous_running_ones(self, rota: Rota) -> None:
        turns = rota.shift(**DAILY, rolling_users=[[ALICE], [BOB], [CAROL]], duration=6 * 3600)
        rota.chain(from_schedule(rota.schedule(turns)), {"type": "notify_persons", "persons_to_notify": [DAVE]})
        assert [user["username"] for user in rota.of_team("current")["users"]] == ["carol", "dave"]
        following, before = rota.of_team("next"), rota.of_team("previous")
        assert [(s["shift_start"], s["users"]) for s in following["shifts"]] == [("2027-03-04T09:00:00+00:00", [ALICE])]
        assert [(s["shift_end"], s["users"]) for s in before["shifts"]] == [("2027-03-02T15:00:00+00:00", [BOB])]
        assert (following["count"], before["count"]) == (1, 1)

    @pytest.mark.parametrize(("now", "start", "end"), [("12:00", "09:00", "13:00"), ("13:45", "13:30", "17:00")])
    def test_shift_is_split_at_an_override_at_any_time(
        self, rota: Rota, clock: Clock, now: str, start: str, end: str
    ) -> None:
        day = {"start": "2027-03-03T09:00:00", "users": [ALICE], "duration": 8 * 3600}
        override = {"start": "2027-03-03T13:00:00", "users": [BOB], "duration": 1800}
        schedule = rota.schedule(rota.shift(type="single_event", **day), rota.shift(type="override", **override))
        rota.chain(from_schedule(schedule))
        clock.now = f"2027-03-03T{now}:00+00:00"
        (shift,) = rota.of_team("current")["shifts"]
        assert (shift["shift_start"][11:16], shift["shift_end"][11:16]) == (start, end)

    def test_next_and_previous_on_call_are_limited_by_days(self, rota: Rota) -> None:
        schedule = rota.schedule(
            rota.shift(type="single_event", users=[BOB], start="2027-03-06T00:00:00"),
            rota.shift(type="single_event", users=[ALICE], start="2027-02-20T00:00:00"),
        )
        rota.chain(from_schedule(schedule))
        counts = [rota.of_team(when, f"?days={days}")["count"] for when in ("next", "previous") for days in (2, 30)]
        assert counts == [0, 1, 0, 1]

    def test_page_to_the_team_notifies_the_users_on_call(self, rota: Rota, notified: SentNotifications) -> None:
        rota.chain(
            {"type": "notify_team_members", "team_to_notify": DATA_INFRA, "important": True},
            from_schedule(rota.schedule(rota.shift(**DAILY, rolling_users=[[ALICE]]))),
        )
        rota.api.post("escalation/", {"team": EMPTY_TEAM})
        assert [(user == ALICE, important) for user, important in notified()] == [(False, True)] * 3 + [(True, False)]

    def test_schedule_of_the_chain_has_the_users_on_call_on_oss(self, rota_on_oss: Rota) -> None:
        api = rota_on_oss.api
        rota_on_oss.chain(from_schedule(rota_on_oss.schedule(rota_on_oss.shift(**DAILY, rolling_users=[[ALICE]]))))
        chain = api.get(f"integrations/{EMPTY_PAGING}")["default_route"]["escalation_chain_id"]
        (step,) = api.get(f"escalation_policies/?escalation_chain_id={chain}")["results"]
        assert api.get(f"schedules/{step['notify_on_call_from_schedule']}")["on_call_now"] == [ALICE]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"by_day": ["XX"]},
            "Invalid day value in by_day field. Valid values: 'MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'",
        ),
        ({"by_month": [0]}, "Invalid month value in by_month field. Valid values: from 1 to 12"),
        ({"interval": 0}, "Invalid value for interval"),
        ({"frequency": "yearly"}, "Invalid frequency type"),
        ({"by_day": ["MO"], "interval": 2}, "Interval must be less than or equal to the number of selected days"),
        ({"until": "2027-03-01"}, "Invalid datetime format, should be \"yyyy-mm-dd'T'hh:mm:ss\""),
    ],
)
def test_invalid_rotation_is_refused(rota: Rota, fields: dict[str, object], problem: str) -> None:
    body = {**DAILY, "start": "2027-03-01T09:00:00", "duration": 60, "rolling_users": [[BOB]], **fields}
    assert rota.api.refused("POST", "on_call_shifts/", body) == {"detail": problem}


def test_unknown_user_is_refused_in_rotations_and_dropped_in_events(rota: Rota) -> None:
    body = {**DAILY, "start": "2027-03-01T09:00:00", "duration": 60, "rolling_users": [[BOB], ["UNOPE"]]}
    assert rota.api.refused("POST", "on_call_shifts/", body) == {
        "rolling_users": {"1": ["User does not exist {'UNOPE'}"]}
    }
    event = rota.shift(type="single_event", users=[BOB, "UNOPE"])
    assert rota.api.get(f"on_call_shifts/{event}")["users"] == [BOB]


def test_editor_writes_schedules_and_cannot_write_routing(cloud: Api) -> None:
    editor = cloud.with_token(sandbox.EDITOR_TOKEN)
    editor.post("schedules/", {"name": "mine", "type": "web", "time_zone": "UTC"})
    for path in ("escalation_chains/", "escalation_policies/", "routes/"):
        assert editor.send("POST", path, {}).status_code == 403
