"""Shift swaps beyond the recordings, and who is on call because of them."""

from __future__ import annotations

from typing import Any

import pytest

from oncallctl import sandbox
from tests.unit.sandbox.conftest import ALICE, BOB, CAROL, DAVE, FRANK, PLATFORM, Api, Clock

PRIMARY = "SN1XIG9SHWR2U"
"""Alice has 00-08, bob 08-16 and carol 16-24 UTC, every day."""
SAMPLE = "SSRMQV5P6Y64NXH"
"""Alice's open swap from 2027-03-05T12:30 to 2027-03-06T12:30."""
TAKEN_SAMPLE = "SSRB7K2WQ9XN4TE"
"""Carol's swap for dave, a month ago."""
BEGUN = "?starting_after=2020-01-01T00:00:00Z"


def swap(api: Api, start: str, end: str, beneficiary: str, benefactor: str | None = None) -> str:
    """Create a swap in March 2027, take it if there is a benefactor, and return its ID."""
    times = {"swap_start": f"2027-03-{start}:00Z", "swap_end": f"2027-03-{end}:00Z"}
    ident = str(api.post("shift_swaps/", {"schedule": PRIMARY, "beneficiary": beneficiary, **times})["id"])
    if benefactor:
        assert api.post(f"shift_swaps/{ident}/take/", {"benefactor": benefactor})["status"] == "taken"
    return ident


def on_call(api: Api, start: str, end: str) -> list[tuple[str, str, str]]:
    """Return the final shifts between two times in March 2027."""
    query = f"start_date=2027-03-{start}&end_date=2027-03-{end}"
    found = api.get(f"schedules/{PRIMARY}/final_shifts?{query}")["results"]
    return [(row["user_username"], row["shift_start"][8:16], row["shift_end"][8:16]) for row in found]


def ids(api: Api, query: str = "") -> list[str]:
    return [row["id"] for row in api.get(f"shift_swaps/{query}")["results"]]


@pytest.fixture(params=["cloud", "oss"])
def api(request: pytest.FixtureRequest, clock: Clock) -> Api:
    found: Api = request.getfixturevalue(request.param)
    return found


class TestOnCall:
    def test_taken_swap_puts_the_benefactor_in_for_its_time(self, api: Api) -> None:
        swap(api, "10T06:00", "10T09:00", ALICE, DAVE)
        assert on_call(api, "10T00:00", "10T16:00") == [
            ("alice", "10T00:00", "10T06:00"),
            ("dave", "10T06:00", "10T08:00"),
            ("bob", "10T08:00", "10T16:00"),
        ]

    def test_open_swap_only_splits_the_shift(self, api: Api) -> None:
        swap(api, "10T02:00", "10T04:00", ALICE)
        assert on_call(api, "10T00:00", "10T08:00") == [
            ("alice", "10T00:00", "10T02:00"),
            ("alice", "10T02:00", "10T04:00"),
            ("alice", "10T04:00", "10T08:00"),
        ]

    def test_open_swap_that_has_begun_changes_nothing(self, api: Api, clock: Clock) -> None:
        swap(api, "10T02:00", "10T04:00", ALICE)
        clock.now = "2027-03-10T03:00:00+00:00"
        assert on_call(api, "10T00:00", "10T08:00") == [("alice", "10T00:00", "10T08:00")]

    def test_swaps_apply_in_the_order_of_their_creation(self, api: Api, clock: Clock) -> None:
        swap(api, "10T00:00", "10T08:00", ALICE, DAVE)
        clock.now = "2027-03-03T12:31:00+00:00"
        swap(api, "10T00:00", "10T04:00", DAVE, CAROL)
        assert on_call(api, "10T00:00", "10T08:00") == [
            ("carol", "10T00:00", "10T04:00"),
            ("dave", "10T04:00", "10T08:00"),
        ]

    def test_swap_of_a_user_who_is_not_on_call_changes_nothing(self, api: Api) -> None:
        before = on_call(api, "10T00:00", "11T00:00")
        ident = swap(api, "10T00:00", "10T08:00", BOB, DAVE)
        assert on_call(api, "10T00:00", "11T00:00") == before
        assert api.get(f"shift_swaps/{ident}")["shifts"] == []

    def test_deleted_swap_is_undone(self, api: Api) -> None:
        before = on_call(api, "10T00:00", "11T00:00")
        ident = swap(api, "10T00:00", "10T08:00", ALICE, DAVE)
        assert api.send("DELETE", f"shift_swaps/{ident}").status_code == 204
        assert on_call(api, "10T00:00", "11T00:00") == before
        assert api.send("GET", f"shift_swaps/{ident}").status_code == 404

    def test_benefactor_is_on_call_now_while_the_swap_lasts(self, api: Api, clock: Clock) -> None:
        swap(api, "10T02:00", "10T04:00", ALICE, DAVE)
        for hour, user in (("01", ALICE), ("03", DAVE), ("05", ALICE)):
            clock.now = f"2027-03-10T{hour}:00:00+00:00"
            assert api.get(f"schedules/{PRIMARY}")["on_call_now"] == [user]

    def test_viewer_who_takes_a_swap_is_not_notified_by_an_engine(self, oss: Api, clock: Clock) -> None:
        swap(oss, "10T00:00", "10T08:00", ALICE, FRANK)
        assert on_call(oss, "10T00:00", "10T08:00") == [("frank", "10T00:00", "10T08:00")]
        clock.now = "2027-03-10T03:00:00+00:00"
        assert oss.get(f"schedules/{PRIMARY}")["on_call_now"] == []

    def test_team_on_call_of_cloud_has_the_benefactor(self, cloud: Api, clock: Clock) -> None:
        swap(cloud, "10T00:00", "10T08:00", ALICE, DAVE)
        clock.now = "2027-03-10T03:00:00+00:00"
        (shift,) = cloud.get(f"teams/{PLATFORM}/current_oncall")["shifts"]
        assert shift["users"] == [DAVE]


class TestFilters:
    def test_begun_swap_needs_starting_after(self, api: Api, clock: Clock) -> None:
        ident = swap(api, "10T02:00", "10T04:00", ALICE, DAVE)
        clock.now = "2027-03-10T03:00:00+00:00"
        assert ids(api) == []
        assert ids(api, BEGUN) == [TAKEN_SAMPLE, SAMPLE, ident]
        for method in ("GET", "PATCH", "DELETE"):
            assert api.send(method, f"shift_swaps/{ident}", {}).status_code == 404
        assert api.get(f"shift_swaps/{ident}/{BEGUN}")["status"] == "taken"
        assert api.send("DELETE", f"shift_swaps/{ident}/{BEGUN}").status_code == 204

    def test_list_is_in_the_order_of_the_start_and_has_no_shifts(self, api: Api) -> None:
        later, sooner = swap(api, "20T00:00", "20T08:00", ALICE), swap(api, "04T00:00", "04T08:00", ALICE)
        rows = api.get("shift_swaps/")["results"]
        assert [row["id"] for row in rows] == [sooner, SAMPLE, later]
        assert not any("shifts" in row for row in rows)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (f"?beneficiary={BOB}", ["bob's"]),
            (f"?benefactor={DAVE}", ["bob's"]),
            (f"?benefactor={ALICE}", []),
            ("?open_only=true", ["sample"]),
            ("?open_only=false", ["sample", "bob's"]),
            ("?schedule_id=SNOPE", []),
            ("?starting_after=2027-03-07T00:00:00%2B0100", ["bob's"]),
        ],
    )
    def test_filter_selects(self, query: str, expected: list[str], api: Api) -> None:
        known = {SAMPLE: "sample", swap(api, "10T08:00", "10T16:00", BOB, DAVE): "bob's"}
        assert [known[ident] for ident in ids(api, query)] == expected

    def test_starting_after_without_a_zone_is_refused(self, api: Api) -> None:
        (problem,) = api.refused("GET", "shift_swaps/?starting_after=2027-03-07T00:00:00")
        assert problem.startswith("Datetime has wrong format.")


class TestChanges:
    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ({}, {"detail": "benefactor user ID is required"}),
            ({"benefactor": "UNOPE"}, {"detail": "Invalid benefactor user ID"}),
            ({"benefactor": ALICE}, {"detail": "A shift swap request cannot be created and taken by the same user"}),
        ],
    )
    def test_take_by_nobody_or_by_the_beneficiary_is_refused(self, body: object, problem: Any, api: Api) -> None:
        assert api.refused("POST", f"shift_swaps/{SAMPLE}/take/", body) == problem

    def test_swap_that_has_begun_cannot_be_taken(self, api: Api, clock: Clock) -> None:
        clock.now = "2027-03-05T12:30:01+00:00"
        assert api.send("POST", f"shift_swaps/{SAMPLE}/take/", {"benefactor": BOB}).status_code == 404
        problem = api.refused("POST", f"shift_swaps/{SAMPLE}/take/{BEGUN}", {"benefactor": BOB})
        assert problem == {"detail": "The shift swap request is not in a state which allows it to be taken"}
        assert api.get(f"shift_swaps/{SAMPLE}/{BEGUN}")["status"] == "past_due"

    def test_change_of_only_one_time_is_refused(self, api: Api) -> None:
        problem = api.refused("PATCH", f"shift_swaps/{SAMPLE}", {"swap_start": "2027-03-08T00:00:00Z"})
        assert "both start and end times must be specified" in problem["non_field_errors"][0]
        assert api.refused("PUT", f"shift_swaps/{SAMPLE}", {}).keys() == {"schedule", "swap_start", "swap_end"}

    def test_description_can_be_changed_alone_and_the_users_not(self, api: Api) -> None:
        body = {"description": "please", "beneficiary": BOB, "benefactor": BOB}
        changed = api.patch(f"shift_swaps/{SAMPLE}", body)
        assert (changed["description"], changed["beneficiary"], changed["benefactor"]) == ("please", ALICE, None)

    def test_viewer_may_list_swaps_but_not_change_them(self, api: Api) -> None:
        viewer = api.with_token(sandbox.VIEWER_TOKEN)
        assert ids(viewer) == [SAMPLE]
        for method, path in (("POST", ""), ("POST", f"{SAMPLE}/take/"), ("DELETE", f"{SAMPLE}/")):
            assert viewer.send(method, f"shift_swaps/{path}", {}).status_code == 403
