"""Rotas made through the API, and what they come to."""

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
    Pages,
)

EMPTY_PAGING = "C3FQ4PUV3RSLA"
"""The direct paging integration of the empty team."""
DAILY = {"type": "rolling_users", "frequency": "daily", "start_rotation_from_user_index": 0, "level": 1}


@dataclass(frozen=True)
class Rota:
    """Makes a rota for the empty team, in either dialect."""

    api: Api

    def shift(self, **fields: object) -> str:
        body = {"name": "x", "start": "2027-03-01T09:00:00", "duration": 86_400, **fields}
        return str(self.api.post("on_call_shifts/", body)["id"])

    def schedule(self, *shifts: str, time_zone: str = "UTC", kind: str = "web") -> str:
        body = {"name": "new", "type": kind, "time_zone": time_zone, "team_id": EMPTY_TEAM, "shifts": list(shifts)}
        return str(self.api.post("schedules/", body)["id"])

    def chain(self, *steps: dict[str, object]) -> str:
        """Make a chain and let the team's direct paging integration lead to it."""
        chain = self.api.post("escalation_chains/", {"name": "of the empty team", "team_id": EMPTY_TEAM})["id"]
        for step in steps:
            self.api.post("escalation_policies/", {"escalation_chain_id": chain, **step})
        self.api.patch(f"integrations/{EMPTY_PAGING}", {"default_route": {"escalation_chain_id": chain}})
        return str(chain)

    def laid(self, schedule: str, start: str, end: str) -> list[tuple[str, str, str]]:
        """Who is on call from when to when, moments without year and seconds."""
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


class TestTheClocksOfAZone:
    def test_nine_stays_nine_when_clocks_are_put_forward(self, rota: Rota, rota_on_oss: Rota) -> None:
        for made in (rota, rota_on_oss):
            turns = made.shift(**DAILY, time_zone="Europe/Berlin", rolling_users=[[ALICE], [BOB]])
            laid = made.laid(made.schedule(turns), "2027-03-27", "2027-03-30")
            assert laid == [
                ("bob", "03-27T00:00", "03-27T08:00"),
                ("alice", "03-27T08:00", "03-28T07:00"),
                ("bob", "03-28T07:00", "03-29T07:00"),
                ("alice", "03-29T07:00", "03-30T00:00"),
            ]

    def test_a_shift_without_a_zone_keeps_to_that_of_its_schedule(self, rota: Rota) -> None:
        turns = rota.shift(**DAILY, rolling_users=[[ALICE]])
        schedule = rota.schedule(turns, time_zone="America/New_York")
        assert rota.laid(schedule, "2027-11-06T00:00", "2027-11-08T00:00") == [
            ("alice", "11-06T00:00", "11-06T13:00"),
            ("alice", "11-06T13:00", "11-07T14:00"),
            ("alice", "11-07T14:00", "11-08T00:00"),
        ]

    def test_one_calendar_shift_is_read_in_the_zone_of_each_schedule_that_holds_it(self, rota: Rota) -> None:
        event = rota.shift(type="single_event", users=[CAROL], duration=3600)
        tokyo, utc = (rota.schedule(event, time_zone=zone, kind="calendar") for zone in ("Asia/Tokyo", "UTC"))
        assert rota.laid(tokyo, "2027-03-01", "2027-03-02") == [("carol", "03-01T00:00", "03-01T01:00")]
        assert rota.laid(utc, "2027-03-01", "2027-03-02") == [("carol", "03-01T09:00", "03-01T10:00")]


class TestLayers:
    def test_shifts_of_one_level_stand_side_by_side(self, rota: Rota) -> None:
        one = rota.shift(type="single_event", users=[ALICE], duration=7200)
        other = rota.shift(type="single_event", users=[BOB], duration=7200, start="2027-03-01T10:00:00")
        assert rota.laid(rota.schedule(one, other), "2027-03-01", "2027-03-02") == [
            ("alice", "03-01T09:00", "03-01T11:00"),
            ("bob", "03-01T10:00", "03-01T12:00"),
        ]

    def test_a_higher_level_takes_the_place_of_what_it_covers(self, rota: Rota) -> None:
        low = rota.shift(type="single_event", users=[ALICE], level=1, duration=7200)
        high = rota.shift(type="single_event", users=[BOB], level=2, duration=1800, start="2027-03-01T09:30:00")
        assert rota.laid(rota.schedule(low, high), "2027-03-01", "2027-03-02") == [
            ("alice", "03-01T09:00", "03-01T09:30"),
            ("bob", "03-01T09:30", "03-01T10:00"),
            ("alice", "03-01T10:00", "03-01T11:00"),
        ]

    def test_an_override_takes_the_place_of_every_level(self, rota: Rota, rota_on_oss: Rota) -> None:
        for made in (rota, rota_on_oss):
            high = made.shift(type="single_event", users=[BOB], level=9, duration=3600)
            override = made.shift(type="override", users=[DAVE], duration=1800)
            assert made.laid(made.schedule(high, override), "2027-03-01", "2027-03-02") == [
                ("dave", "03-01T09:00", "03-01T09:30"),
                ("bob", "03-01T09:30", "03-01T10:00"),
            ]

    def test_a_turn_that_nobody_takes_is_a_gap(self, rota: Rota) -> None:
        turns = rota.shift(**DAILY, rolling_users=[[ALICE], []], duration=3600)
        schedule = rota.schedule(turns)
        assert rota.laid(schedule, "2027-03-01", "2027-03-04") == [
            ("alice", "03-01T09:00", "03-01T10:00"),
            ("alice", "03-03T09:00", "03-03T10:00"),
        ]

    @pytest.mark.parametrize("seconds", [0, -60])
    def test_a_shift_of_no_length_puts_nobody_on_call(self, rota: Rota, seconds: int) -> None:
        assert (
            rota.laid(
                rota.schedule(rota.shift(type="single_event", users=[BOB], duration=seconds)),
                "2027-03-01",
                "2027-03-02",
            )
            == []
        )

    def test_a_shift_beyond_the_calendar_puts_nobody_on_call(self, rota: Rota) -> None:
        late = rota.shift(type="single_event", users=[BOB], start="9999-12-31T23:00:00")
        assert rota.laid(rota.schedule(late), "2027-03-01", "2027-03-02") == []


class TestChanges:
    def test_a_changed_shift_moves_in_its_schedule(self, rota: Rota) -> None:
        event = rota.shift(type="single_event", users=[BOB], duration=3600)
        schedule = rota.schedule(event)
        rota.api.patch(f"on_call_shifts/{event}", {"duration": "02:00:00", "time_zone": "Asia/Tokyo"})
        assert rota.laid(schedule, "2027-03-01", "2027-03-02") == [("bob", "03-01T00:00", "03-01T02:00")]

    def test_a_rotation_can_begin_later_than_its_first_turn(self, rota: Rota) -> None:
        turns = rota.shift(**DAILY, rotation_start="2027-03-03T00:00:00", rolling_users=[[ALICE], [BOB]], duration=3600)
        assert rota.laid(rota.schedule(turns), "2027-03-01", "2027-03-05") == [
            ("alice", "03-03T09:00", "03-03T10:00"),
            ("bob", "03-04T09:00", "03-04T10:00"),
        ]

    def test_a_rotation_can_begin_with_another_group_and_end(self, rota: Rota) -> None:
        fields = DAILY | {"start_rotation_from_user_index": 1, "until": "2027-03-02T09:30:00"}
        turns = rota.shift(**fields, rolling_users=[[ALICE], [BOB]], duration=3600)
        assert rota.laid(rota.schedule(turns), "2027-03-01", "2027-03-05") == [
            ("bob", "03-01T09:00", "03-01T10:00"),
            ("alice", "03-02T09:00", "03-02T09:30"),
        ]

    def test_a_shift_that_has_begun_in_a_web_schedule_is_ended_and_kept(self, rota: Rota, clock: Clock) -> None:
        turns = rota.shift(**DAILY, rolling_users=[[ALICE]])
        schedule = rota.schedule(turns)
        assert rota.api.ask("DELETE", f"on_call_shifts/{turns}").status_code == 204
        assert rota.api.get(f"on_call_shifts/{turns}")["until"] == "2027-03-03T12:30:00"
        assert rota.api.get(f"schedules/{schedule}")["on_call_now"] == []

    def test_a_shift_to_come_and_one_of_a_calendar_are_gone_when_deleted(self, rota: Rota) -> None:
        to_come = rota.shift(type="override", users=[ALICE], start="2030-01-01T00:00:00")
        shared = rota.shift(**DAILY, rolling_users=[[ALICE]])
        web, calendar = rota.schedule(to_come), rota.schedule(shared, kind="calendar")
        for shift in (to_come, shared):
            assert rota.api.ask("DELETE", f"on_call_shifts/{shift}").status_code == 204
            assert rota.api.ask("GET", f"on_call_shifts/{shift}").status_code == 404
        assert [rota.api.get(f"schedules/{schedule}")["shifts"] for schedule in (web, calendar)] == [[], []]

    def test_a_web_schedule_takes_a_shift_from_another_and_its_shifts_with_it(self, rota: Rota) -> None:
        shift = rota.shift(type="single_event", users=[BOB])
        first, second = rota.schedule(shift), rota.schedule(shift)
        assert rota.api.get(f"schedules/{first}")["shifts"] == []
        assert rota.api.get(f"on_call_shifts/{shift}")["schedule"] == second
        assert rota.api.ask("DELETE", f"schedules/{second}").status_code == 204
        assert rota.api.ask("GET", f"on_call_shifts/{shift}").status_code == 404

    def test_a_calendar_takes_no_overrides(self, rota: Rota) -> None:
        override = rota.shift(type="override", users=[BOB])
        body = {"name": "c", "type": "calendar", "time_zone": "UTC", "shifts": [override]}
        problem = {"detail": "Shifts of type override are not supported in this schedule"}
        assert rota.api.refused("POST", "schedules/", body) == problem

    def test_a_step_whose_schedule_is_deleted_notifies_nobody(self, rota: Rota, pages: Pages) -> None:
        schedule = rota.schedule(rota.shift(**DAILY, rolling_users=[[ALICE]]))
        chain = rota.chain(from_schedule(schedule))
        assert rota.of_team("current")["count"] == 1
        rota.api.ask("DELETE", f"schedules/{schedule}")
        (step,) = rota.api.get(f"escalation_policies/?escalation_chain_id={chain}")["results"]
        assert step["notify_on_call_from_schedule"] is None
        assert rota.of_team("current") == {"count": 0, "users": [], "shifts": []}
        rota.api.post("escalation/", {"team": EMPTY_TEAM})
        assert pages() == []


class TestOfATeam:
    """At 12:30 on Wednesday, the 3rd of March 2027."""

    def test_steps_speak_in_their_order_and_each_user_once(self, rota: Rota) -> None:
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

    def test_shifts_come_in_the_order_of_the_steps(self, rota: Rota) -> None:
        late = rota.schedule(rota.shift(type="single_event", users=[BOB], start="2027-03-03T12:00:00"))
        early = rota.schedule(
            rota.shift(type="single_event", users=[ALICE], start="2027-03-03T10:00:00"),
            rota.shift(type="single_event", users=[CAROL], start="2027-03-03T11:00:00"),
        )
        rota.chain(from_schedule(late), from_schedule(early))
        assert [shift["users"] for shift in rota.of_team("current")["shifts"]] == [[BOB], [ALICE], [CAROL]]

    def test_next_skips_what_has_begun_and_previous_what_has_not_ended(self, rota: Rota) -> None:
        turns = rota.shift(**DAILY, rolling_users=[[ALICE], [BOB], [CAROL]], duration=6 * 3600)
        rota.chain(from_schedule(rota.schedule(turns)), {"type": "notify_persons", "persons_to_notify": [DAVE]})
        assert [user["username"] for user in rota.of_team("current")["users"]] == ["carol", "dave"]
        following, before = rota.of_team("next"), rota.of_team("previous")
        assert [(s["shift_start"], s["users"]) for s in following["shifts"]] == [("2027-03-04T09:00:00+00:00", [ALICE])]
        assert [(s["shift_end"], s["users"]) for s in before["shifts"]] == [("2027-03-02T15:00:00+00:00", [BOB])]
        assert (following["count"], before["count"]) == (1, 1)

    @pytest.mark.parametrize(("now", "start", "end"), [("12:00", "09:00", "13:00"), ("13:45", "13:30", "17:00")])
    def test_what_an_override_leaves_of_a_shift_is_cut_there_also_while_it_is_not_in_force(
        self, rota: Rota, clock: Clock, now: str, start: str, end: str
    ) -> None:
        day = {"start": "2027-03-03T09:00:00", "users": [ALICE], "duration": 8 * 3600}
        override = {"start": "2027-03-03T13:00:00", "users": [BOB], "duration": 1800}
        schedule = rota.schedule(rota.shift(type="single_event", **day), rota.shift(type="override", **override))
        rota.chain(from_schedule(schedule))
        clock.now = f"2027-03-03T{now}:00+00:00"
        (shift,) = rota.of_team("current")["shifts"]
        assert (shift["shift_start"][11:16], shift["shift_end"][11:16]) == (start, end)

    def test_next_and_previous_look_no_further_than_asked(self, rota: Rota) -> None:
        schedule = rota.schedule(
            rota.shift(type="single_event", users=[BOB], start="2027-03-06T00:00:00"),
            rota.shift(type="single_event", users=[ALICE], start="2027-02-20T00:00:00"),
        )
        rota.chain(from_schedule(schedule))
        counts = [rota.of_team(when, f"?days={days}")["count"] for when in ("next", "previous") for days in (2, 30)]
        assert counts == [0, 1, 0, 1]

    def test_paging_the_team_reaches_them(self, rota: Rota, pages: Pages) -> None:
        rota.chain(
            {"type": "notify_team_members", "team_to_notify": DATA_INFRA, "important": True},
            from_schedule(rota.schedule(rota.shift(**DAILY, rolling_users=[[ALICE]]))),
        )
        rota.api.post("escalation/", {"team": EMPTY_TEAM})
        assert [(user == ALICE, important) for user, important in pages()] == [(False, True)] * 3 + [(True, False)]

    def test_on_oss_the_chain_leads_to_who_is_on_call(self, rota_on_oss: Rota) -> None:
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
def test_a_rotation_that_makes_no_sense_is_refused(rota: Rota, fields: dict[str, object], problem: str) -> None:
    body = {**DAILY, "start": "2027-03-01T09:00:00", "duration": 60, "rolling_users": [[BOB]], **fields}
    assert rota.api.refused("POST", "on_call_shifts/", body) == {"detail": problem}


def test_the_groups_of_a_rotation_must_be_known_and_the_users_of_an_event_need_not(rota: Rota) -> None:
    body = {**DAILY, "start": "2027-03-01T09:00:00", "duration": 60, "rolling_users": [[BOB], ["UNOPE"]]}
    assert rota.api.refused("POST", "on_call_shifts/", body) == {
        "rolling_users": {"1": ["User does not exist {'UNOPE'}"]}
    }
    event = rota.shift(type="single_event", users=[BOB, "UNOPE"])
    assert rota.api.get(f"on_call_shifts/{event}")["users"] == [BOB]


def test_an_editor_changes_schedules_and_no_routing(cloud: Api) -> None:
    editor = cloud.under(sandbox.EDITOR_TOKEN)
    editor.post("schedules/", {"name": "mine", "type": "web", "time_zone": "UTC"})
    for path in ("escalation_chains/", "escalation_policies/", "routes/"):
        assert editor.ask("POST", path, {}).status_code == 403
