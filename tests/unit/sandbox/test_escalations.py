"""Escalations as time goes on: the users that the engine notifies later, and what ends or restarts a chain."""

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
    Pages,
)
from tests.unit.sandbox.test_page_routing import chain_of, page, persons, route_to

WAIT = {"type": "wait", "duration": 600}


@pytest.fixture
def later(oss: Api, clock: Clock) -> Later:
    return Later(oss, clock)


class Later:
    """Sets the clock, which stands at 12:30, to another time of that day, and lets a request reach the server."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    def __call__(self, time: str) -> None:
        self._clock.now = f"2027-03-03T{time}:00+00:00"
        self._api.get("teams/")


def paged_through(api: Api, *steps: dict[str, object]) -> str:
    """Page platform through a chain of these steps and return the ID of the alert group."""
    route_to(api, chain_of(api, *steps), "{{ 1 }}")
    return str(page(api, PLATFORM)["id"])


def test_the_step_behind_a_wait_is_taken_when_the_wait_is_over(oss: Api, pages: Pages, later: Later) -> None:
    paged_through(oss, persons(ALICE), WAIT, persons(DAVE, important=True))
    later("12:39")
    assert pages() == [(ALICE, False)]
    later("12:40")
    assert pages() == [(ALICE, False), (DAVE, True)]
    later("18:00")
    assert len(pages()) == 2


def test_who_is_on_call_is_looked_up_when_the_step_is_taken(oss: Api, pages: Pages, later: Later) -> None:
    schedule = {"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": "SN1XIG9SHWR2U"}
    paged_through(oss, schedule, {"type": "wait", "duration": 4 * 3600}, schedule)
    later("16:30")
    assert pages() == [(BOB, False), (CAROL, False)]


def test_a_step_outside_its_hours_holds_the_chain_until_they_begin(oss: Api, pages: Pages, later: Later) -> None:
    hours = {"type": "notify_if_time_from_to", "notify_if_time_from": "14:00:00Z", "notify_if_time_to": "15:00:00Z"}
    paged_through(oss, hours, persons(DAVE))
    later("13:59")
    assert pages() == []
    later("14:00")
    assert pages() == [(DAVE, False)]


def test_a_chain_that_repeats_begins_again_five_times(oss: Api, pages: Pages, later: Later) -> None:
    paged_through(oss, persons(DAVE), WAIT, {"type": "repeat_escalation"})
    later("12:41")
    assert len(pages()) == 2
    later("23:59")
    assert len(pages()) == 6


def test_an_escalation_keeps_the_steps_that_it_began_with(oss: Api, pages: Pages, later: Later) -> None:
    paged_through(oss, WAIT, persons(DAVE))
    chain = oss.get("escalation_chains/?perpage=100")["results"][-1]["id"]
    assert oss.ask("DELETE", f"escalation_chains/{chain}").status_code == 204
    later("12:40")
    assert pages() == [(DAVE, False)]


@pytest.mark.parametrize("action", ["acknowledge", "resolve", "silence"])
def test_a_group_that_somebody_has_taken_does_not_escalate_further(
    oss: Api, pages: Pages, later: Later, action: str
) -> None:
    group = paged_through(oss, WAIT, persons(DAVE))
    assert oss.ask("POST", f"alert_groups/{group}/{action}/", {"delay": -1}).status_code == 200
    later("18:00")
    assert pages() == []


@pytest.mark.parametrize(
    ("action", "undo"), [("acknowledge", "unacknowledge"), ("resolve", "unresolve"), ("silence", "unsilence")]
)
@pytest.mark.usefixtures("clock")
def test_a_group_that_fires_again_escalates_from_the_beginning(oss: Api, pages: Pages, action: str, undo: str) -> None:
    group = paged_through(oss, persons(DAVE), WAIT)
    oss.ask("POST", f"alert_groups/{group}/{action}/", {"delay": -1})
    assert oss.ask("POST", f"alert_groups/{group}/{undo}/").status_code == 200
    assert pages() == [(DAVE, False)] * 2


def test_a_silence_that_is_over_lets_the_group_escalate_again(oss: Api, pages: Pages, later: Later) -> None:
    group = paged_through(oss, persons(DAVE), WAIT)
    oss.ask("POST", f"alert_groups/{group}/silence/", {"delay": 3600})
    later("13:29")
    assert len(pages()) == 1
    later("13:30")
    assert len(pages()) == 2


@pytest.mark.parametrize("mode", ["debug", "maintenance"])
def test_a_window_does_not_stop_an_escalation_that_began_before_it(
    oss: Api, pages: Pages, later: Later, mode: str
) -> None:
    paged_through(oss, WAIT, persons(DAVE))
    oss.start(PLATFORM_PAGING, mode)
    later("12:40")
    assert pages() == [(DAVE, False)]


def test_a_group_that_opened_in_a_window_does_not_escalate_after_it(oss: Api, pages: Pages, later: Later) -> None:
    oss.start(PLATFORM_PAGING, "debug", 600)
    paged_through(oss, persons(DAVE))
    later("18:00")
    assert pages() == []
