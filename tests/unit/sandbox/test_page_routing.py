"""The route that a page takes, and the users whom the engine notifies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.sandbox.conftest import (
    ALICE,
    BOB,
    CAROL,
    DATA_INFRA,
    DAVE,
    EMPTY_TEAM,
    FRANK,
    NO_TEAM_PAGING,
    PAYMENTS,
    PLATFORM,
    PLATFORM_PAGING,
    Api,
    SentNotifications,
    set_role,
)

if TYPE_CHECKING:
    from pathlib import Path

IMPORTANT = "{{ payload.oncall.important }}"
PLATFORM_PRIMARY = "SN1XIG9SHWR2U"


def page(api: Api, team: str, **fields: object) -> dict[str, Any]:
    group: dict[str, Any] = api.post("escalation/", {"team": team, **fields})
    return group


def chain_of(api: Api, *steps: dict[str, object]) -> str:
    chain = str(api.post("escalation_chains/", {"name": "chain under test"})["id"])
    for step in steps:
        api.post("escalation_policies/", {"escalation_chain_id": chain, **step})
    return chain


def route_to(api: Api, chain: str | None, condition: str, routing_type: str = "jinja2", position: int = 0) -> str:
    """Add a route to the direct paging integration of platform."""
    body = {
        "integration_id": PLATFORM_PAGING,
        "escalation_chain_id": chain,
        "routing_type": routing_type,
        "routing_regex": condition,
        "position": position,
    }
    return str(api.post("routes/", body)["id"])


def persons(*users: str, **fields: object) -> dict[str, object]:
    return {"type": "notify_persons", "persons_to_notify": list(users), **fields}


class TestSampleRoutes:
    def test_direct_paging_integrations_have_the_important_route_before_the_default_route(self, oss: Api) -> None:
        paging = [row for row in oss.rows("integrations/") if row["type"] == "direct_paging" and row["team_id"]]
        assert len(paging) == 3
        for integration in paging:
            first, *_, last = oss.get(f"routes/?integration_id={integration['id']}")["results"]
            assert (first["position"], first["routing_type"], first["routing_regex"]) == (0, "jinja2", IMPORTANT)
            assert (last["position"], last["routing_regex"], last["is_the_last_route"]) == (1, None, True)
            assert integration["default_route"]["id"] == last["id"]

    @pytest.mark.parametrize(
        ("team", "important", "notifies"),
        [
            (PLATFORM, False, True),
            (PLATFORM, True, True),
            (PAYMENTS, False, True),
            (PAYMENTS, True, False),
            (EMPTY_TEAM, False, False),
            (EMPTY_TEAM, True, True),
        ],
    )
    def test_page_takes_the_route_of_its_importance(
        self, oss: Api, notified: SentNotifications, team: str, *, important: bool, notifies: bool
    ) -> None:
        group = page(oss, team, important_team_escalation=important)
        route = oss.get(f"routes/{group['route_id']}")
        assert (route["routing_regex"] == IMPORTANT) is important
        assert (route["escalation_chain_id"] is not None) is notifies
        assert bool(notified()) is notifies

    def test_integration_added_by_a_page_has_only_a_default_route(self, oss: Api) -> None:
        group = page(oss, DATA_INFRA, important_team_escalation=True)
        (route,) = oss.get(f"routes/?integration_id={group['integration_id']}")["results"]
        assert route["is_the_last_route"]
        assert (route["id"], route["escalation_chain_id"]) == (group["route_id"], None)


class TestRouteConditions:
    def test_first_matching_route_is_taken_even_without_a_chain(self, oss: Api, notified: SentNotifications) -> None:
        route = route_to(oss, None, "{{ 'minor' in payload.oncall.title | lower }}")
        assert page(oss, PLATFORM, title="Minor thing", important_team_escalation=True)["route_id"] == route
        assert notified() == []

    def test_page_that_does_not_match_a_condition_takes_the_next_route(self, oss: Api) -> None:
        route = route_to(oss, None, "{{ 'minor' in payload.oncall.title }}")
        assert page(oss, PLATFORM, title="major thing")["route_id"] != route

    @pytest.mark.parametrize("condition", ["{{ payload.no.such.field }}", "{{ 1 < 'a' }}", "{{ lipsum() }}"])
    def test_condition_that_cannot_be_rendered_does_not_match(self, oss: Api, condition: str) -> None:
        route = route_to(oss, None, condition)
        assert page(oss, PLATFORM)["route_id"] != route

    @pytest.mark.parametrize(
        ("expression", "matches"),
        [('"important": true', True), ("IMPORTANT", False), (r"caf\\u00e9", True), ("café", False)],
    )
    def test_regex_condition_is_searched_in_the_json_of_the_payload(
        self, oss: Api, expression: str, *, matches: bool
    ) -> None:
        route = route_to(oss, None, expression, "regex")
        taken = page(oss, PLATFORM, title="café", important_team_escalation=True)["route_id"]
        assert (taken == route) is matches


class TestNotifiedUsers:
    @pytest.mark.parametrize("role", ["viewer", "none"])
    def test_viewer_paged_by_name_is_not_notified_on_oss(
        self, oss: Api, database: Path, notified: SentNotifications, role: str
    ) -> None:
        set_role(database, FRANK, role)
        users = [{"id": FRANK, "important": False}, {"id": ALICE, "important": True}]
        assert oss.post("escalation/", {"users": users, "team": None})["state"] == "firing"
        assert notified() == [(ALICE, True)]

    def test_viewer_paged_by_name_is_notified_on_cloud(self, cloud: Api, notified: SentNotifications) -> None:
        cloud.post("escalation/", {"users": [{"id": FRANK, "important": False}]})
        assert notified() == [(FRANK, False)]

    def test_viewers_on_a_rota_are_neither_notified_nor_shown_on_oss(
        self, cloud: Api, oss: Api, database: Path, notified: SentNotifications
    ) -> None:
        chain = chain_of(
            oss, {"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": PLATFORM_PRIMARY}
        )
        route_to(oss, chain, "{{ true }}")
        for user in (ALICE, BOB, CAROL, DAVE):
            set_role(database, user, "viewer")
        page(oss, PLATFORM)
        assert notified() == []
        path = f"schedules/{PLATFORM_PRIMARY}"
        shifts = f"{path}/final_shifts?start_date=2027-01-01&end_date=2027-01-08"
        assert (oss.get(path)["on_call_now"], oss.get(shifts)["count"]) == ([], 0)
        assert cloud.get(shifts)["count"] > 0

    def test_team_step_notifies_all_members_but_viewers(
        self, oss: Api, database: Path, notified: SentNotifications
    ) -> None:
        set_role(database, CAROL, "viewer")
        route_to(oss, chain_of(oss, {"type": "notify_team_members", "team_to_notify": PLATFORM}), "{{ 1 }}")
        page(oss, PLATFORM)
        assert [user for user, _ in notified()] == [ALICE, BOB, DAVE]

    def test_next_user_step_takes_turns_by_username_and_viewers_use_up_theirs(
        self, oss: Api, database: Path, notified: SentNotifications
    ) -> None:
        set_role(database, BOB, "viewer")
        queue = {"type": "notify_person_next_each_time", "persons_to_notify_next_each_time": [CAROL, BOB, ALICE]}
        route_to(oss, chain_of(oss, queue), "{{ 1 }}")
        turns = []
        for _ in range(4):
            before = len(notified())
            page(oss, PLATFORM)
            turns.append([user for user, _ in notified()[before:]])
        assert turns == [[ALICE], [], [CAROL], [ALICE]]

    @pytest.mark.parametrize(
        ("step", "goes_on"),
        [
            ({"type": "notify_whole_channel"}, True),
            ({"type": "notify_user_group", "group_to_notify": "G8QXCG9PWH6QS"}, True),
            ({"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": "SFXCICA3QCWD8"}, True),
            ({"type": "notify_persons", "persons_to_notify": []}, True),
            (
                {
                    "type": "notify_if_time_from_to",
                    "notify_if_time_from": "12:00:00Z",
                    "notify_if_time_to": "13:00:00Z",
                },
                True,
            ),
            (
                {
                    "type": "notify_if_time_from_to",
                    "notify_if_time_from": "22:00:00Z",
                    "notify_if_time_to": "13:00:00Z",
                },
                True,
            ),
            (
                {
                    "type": "notify_if_time_from_to",
                    "notify_if_time_from": "13:00:00Z",
                    "notify_if_time_to": "12:00:00Z",
                },
                False,
            ),
            (
                {
                    "type": "notify_if_time_from_to",
                    "notify_if_time_from": "13:00:00Z",
                    "notify_if_time_to": "14:00:00Z",
                },
                False,
            ),
            ({"type": "notify_if_num_alerts_in_window", "num_alerts_in_window": 1, "num_minutes_in_window": 5}, False),
            ({"type": "notify_if_num_alerts_in_window", "num_alerts_in_window": 0, "num_minutes_in_window": 5}, True),
            ({"type": "wait", "duration": 60}, False),
            ({"type": "repeat_escalation"}, False),
            ({"type": "resolve"}, False),
        ],
    )
    @pytest.mark.usefixtures("clock")
    def test_first_step_of_a_chain_lets_it_continue_or_not(
        self, oss: Api, notified: SentNotifications, step: dict[str, object], *, goes_on: bool
    ) -> None:
        route_to(oss, chain_of(oss, step, persons(DAVE, important=True)), "{{ 1 }}")
        page(oss, PLATFORM)
        assert notified() == ([(DAVE, True)] if goes_on else [])

    def test_resolve_step_runs_after_the_response(self, oss: Api) -> None:
        route_to(oss, chain_of(oss, {"type": "resolve"}), "{{ 1 }}")
        group = page(oss, PLATFORM)
        assert group["state"] == "firing"
        assert oss.get(f"alert_groups/{group['id']}")["state"] == "resolved"

    def test_users_paged_by_name_are_notified_before_the_chain_runs(
        self, oss: Api, notified: SentNotifications
    ) -> None:
        chain = chain_of(oss, persons(DAVE))
        oss.patch(f"integrations/{NO_TEAM_PAGING}", {"default_route": {"escalation_chain_id": chain}})
        oss.post("escalation/", {"users": [{"id": ALICE, "important": True}]})
        assert notified.steps() == [(ALICE, None), (DAVE, "notify_persons")]

    def test_users_added_to_an_attached_group_are_not_notified(self, oss: Api, notified: SentNotifications) -> None:
        oss.start(PLATFORM_PAGING, "maintenance")
        group = page(oss, PLATFORM)["id"]
        body = {"alert_group_id": group, "users": [{"id": ALICE, "important": True}]}
        assert oss.post("escalation/", body)["id"] == group
        assert notified() == []
