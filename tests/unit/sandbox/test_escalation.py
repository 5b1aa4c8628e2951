"""Escalation over time: later notifications, and how a chain stops or starts again."""

from __future__ import annotations

import pytest

from tests.unit.sandbox.conftest import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    PLATFORM,
    PLATFORM_PAGING,
    Api,
    Clock,
    SentNotifications,
)
from tests.unit.sandbox.test_page_routing import chain_of, page, persons, route_to

WAIT = {"type": "wait", "duration": 600}


@pytest.fixture
def travel_to(oss: Api, clock: Clock) -> TimeTravel:
    return TimeTravel(oss, clock)


class TimeTravel:
    """Sets the clock to another time of the day, and sends a request so that the server notices."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    def __call__(self, time: str) -> None:
        self._clock.now = f"2027-03-03T{time}:00+00:00"
        self._api.get("teams/")


def paged_through(api: Api, *steps: dict[str, object]) -> str:
    """Page platform through a new chain with these steps, and return the ID of the alert group."""
    route_to(api, chain_of(api, *steps), "{{ 1 }}")
    return str(page(api, PLATFORM)["id"])


def test_step_after_a_wait_runs_when_the_wait_ends(
    oss: Api, notified: SentNotifications, travel_to: TimeTravel
) -> None:
    paged_through(oss, persons(ALICE), WAIT, persons(DAVE, important=True))
    travel_to("12:39")
    assert notified() == [(ALICE, False)]
    travel_to("12:40")
    assert notified() == [(ALICE, False), (DAVE, True)]
    travel_to("18:00")
    assert len(notified()) == 2


def test_schedule_step_notifies_the_user_on_call_when_it_runs(
    oss: Api, notified: SentNotifications, travel_to: TimeTravel
) -> None:
    schedule = {"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": "SN1XIG9SHWR2U"}
    paged_through(oss, schedule, {"type": "wait", "duration": 4 * 3600}, schedule)
    travel_to("16:30")
    assert notified() == [(BOB, False), (CAROL, False)]


def test_step_outside_its_hours_delays_the_chain_until_they_start(
    oss: Api, notified: SentNotifications, travel_to: TimeTravel
) -> None:
    hours = {"type": "notify_if_time_from_to", "notify_if_time_from": "14:00:00Z", "notify_if_time_to": "15:00:00Z"}
    paged_through(oss, hours, persons(DAVE))
    travel_to("13:59")
    assert notified() == []
    travel_to("14:00")
    assert notified() == [(DAVE, False)]


def test_repeat_step_restarts_the_chain_five_times(
    oss: Api, notified: SentNotifications, travel_to: TimeTravel
) -> None:
    paged_through(oss, persons(DAVE), WAIT, {"type": "repeat_escalation"})
    travel_to("12:41")
    assert len(notified()) == 2
    travel_to("23:59")
    assert len(notified()) == 6


def test_running_escalation_keeps_its_steps_when_the_chain_is_deleted(
    oss: Api, notified: SentNotifications, travel_to: TimeTravel
) -> None:
    paged_through(oss, WAIT, persons(DAVE))
    chain = oss.get("escalation_chains/?perpage=100")["results"][-1]["id"]
    assert oss.send("DELETE", f"escalation_chains/{chain}").status_code == 204
    travel_to("12:40")
    assert notified() == [(DAVE, False)]


@pytest.mark.parametrize("action", ["acknowledge", "resolve", "silence"])
def test_escalation_stops_when_the_group_is_no_longer_firing(
    oss: Api, notified: SentNotifications, travel_to: TimeTravel, action: str
) -> None:
    group = paged_through(oss, WAIT, persons(DAVE))
    assert oss.send("POST", f"alert_groups/{group}/{action}/", {"delay": -1}).status_code == 200
    travel_to("18:00")
    assert notified() == []


@pytest.mark.parametrize(
    ("action", "undo"), [("acknowledge", "unacknowledge"), ("resolve", "unresolve"), ("silence", "unsilence")]
)
@pytest.mark.usefixtures("clock")
def test_group_that_fires_again_escalates_from_the_start(
    oss: Api, notified: SentNotifications, action: str, undo: str
) -> None:
    group = paged_through(oss, persons(DAVE), WAIT)
    oss.send("POST", f"alert_groups/{group}/{action}/", {"delay": -1})
    assert oss.send("POST", f"alert_groups/{group}/{undo}/").status_code == 200
    assert notified() == [(DAVE, False)] * 2


def test_group_escalates_again_when_its_silence_ends(
    oss: Api, notified: SentNotifications, travel_to: TimeTravel
) -> None:
    group = paged_through(oss, persons(DAVE), WAIT)
    oss.send("POST", f"alert_groups/{group}/silence/", {"delay": 3600})
    travel_to("13:29")
    assert len(notified()) == 1
    travel_to("13:30")
    assert len(notified()) == 2


@pytest.mark.parametrize("mode", ["debug", "maintenance"])
def test_escalation_started_before_a_window_continues(
    oss: Api, notified: SentNotifications, travel_to: TimeTravel, mode: str
) -> None:
    paged_through(oss, WAIT, persons(DAVE))
    oss.start(PLATFORM_PAGING, mode)
    travel_to("12:40")
    assert notified() == [(DAVE, False)]


def test_group_opened_during_a_window_does_not_escalate_after_it(
    oss: Api, notified: SentNotifications, travel_to: TimeTravel
) -> None:
    oss.start(PLATFORM_PAGING, "debug", 600)
    paged_through(oss, persons(DAVE))
    travel_to("18:00")
    assert notified() == []
