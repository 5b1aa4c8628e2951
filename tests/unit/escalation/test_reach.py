"""The prediction of `escalate`, compared with the users that the engine of the sandbox notifies."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.wrappers import Request, Response

from oncallctl import sandbox
from tests.conftest import Runner
from tests.serving import Serving, status

PLATFORM_PAGING, IMPORTANT_ROUTE = "CJET3HZ493WKX", "RPT8WB3XJ1QK5"
ALICE, BOB, ERIN, FRANK = "U6YF83T9HEFKQ", "U85BI7ASG8K6E", "UAUXXETQFUYB2", "UW3PFPDHZ6ZBV"  # frank is a viewer
PLATFORM, EMPTY_TEAM = "TKPSLLWBFUI9R", "TTGSJ42GU2P7N"
DAVE_ALWAYS, NOBODY_EVER = "STDQ4K7YKYARC", "SFXCICA3QCWD8"
PAGE = "POST /api/v1/escalation/"

Step = dict[str, Any]


def persons(*users: str) -> Step:
    return {"type": "notify_persons", "persons_to_notify": list(users)}


def on_call_of(schedule: str) -> Step:
    return {"type": "notify_on_call_from_schedule", "notify_on_call_from_schedule": schedule}


def alerts_in_window(alerts: int) -> Step:
    return {"type": "notify_if_num_alerts_in_window", "num_alerts_in_window": alerts, "num_minutes_in_window": 5}


TEAM = {"type": "notify_team_members", "team_to_notify": PLATFORM}
WAIT = {"type": "wait", "duration": 1800}
HOURS = {"type": "notify_if_time_from_to", "notify_if_time_from": "09:00:00Z", "notify_if_time_to": "17:00:00Z"}
NEXT_OF_TWO = {"type": "notify_person_next_each_time", "persons_to_notify_next_each_time": [BOB, ALICE]}
CHANNEL = {"type": "notify_whole_channel"}
RESOLVE = {"type": "resolve"}
WEBHOOK = {"type": "trigger_webhook", "action_to_trigger": "WH84KLFXI6ZKAD"}


def chain(server: Serving, *steps: Step) -> str:
    made: str = server.call("POST", "escalation_chains/", {"name": f"under test {uuid4()}"})["id"]
    for step in steps:
        server.call("POST", "escalation_policies/", {"escalation_chain_id": made, **step})
    return made


def lead_to(server: Serving, default: str | None, important: str | None) -> None:
    """Connect the two routes of platform's direct paging integration to these chains."""
    with closing(sqlite3.connect(server.database)) as db, db:
        where = "UPDATE routes SET escalation_chain_id = ? WHERE integration_id = ? AND "
        db.execute(f"{where} is_default", (default, PLATFORM_PAGING))
        db.execute(f"{where} NOT is_default", (important, PLATFORM_PAGING))


def notified(server: Serving) -> set[str]:
    """Return the names of the users that the engine has notified."""
    query = "SELECT username FROM notifications JOIN users ON users.id = notifications.user_id"
    with closing(sqlite3.connect(server.database)) as db:
        return {name for (name,) in db.execute(query)}


def change(response: Response, **fields: object) -> Response:
    """Replace fields of an object in a response."""
    return Response(json.dumps({**json.loads(response.data), **fields}), content_type="application/json")


def announced(stderr: str) -> set[str]:
    """Return the names after "on call:" without a remark; on Cloud a role is only a hint."""
    found = re.search(r"on call: ([^;\n]*)", stderr.replace(" (viewer)", ""))
    return {name for name in found[1].split(", ") if name.isalpha() and name != "nobody"} if found else set()


@pytest.mark.promise("page-would-certainly-notify-nobody")
@pytest.mark.parametrize(
    "steps",
    [
        None,
        [],
        [persons(ALICE, BOB)],
        [persons(ALICE, FRANK)],
        [persons(FRANK)],
        [on_call_of(DAVE_ALWAYS)],
        [on_call_of(NOBODY_EVER)],
        [on_call_of(NOBODY_EVER), persons(ALICE)],
        [{"type": "notify_team_members", "team_to_notify": PLATFORM}],
        [{"type": "notify_team_members", "team_to_notify": EMPTY_TEAM}],
        [RESOLVE, persons(ALICE)],
        [persons(ALICE), RESOLVE, persons(BOB)],
        [alerts_in_window(1), persons(ALICE)],
        [persons(ALICE), WAIT, persons(BOB)],
        [{"type": "notify_person_next_each_time", "persons_to_notify_next_each_time": [ALICE]}],
        [{"type": "notify_person_next_each_time", "persons_to_notify_next_each_time": [FRANK]}],
    ],
    ids=lambda steps: "no chain" if steps is None else "+".join(str(step["type"]) for step in steps) or "no steps",
)
def test_prediction_agrees_with_the_users_that_the_engine_notifies(
    server: Serving, run: Runner, steps: list[Step] | None
) -> None:
    lead_to(server, None if steps is None else chain(server, *steps), chain(server, persons(ERIN)))
    predicted = run("escalate --team platform --title t --dry-run", status=None)
    assert server.changes() == []
    run("escalate --team platform --title t --anyway")
    assert (predicted.status, announced(predicted.stderr)) == (0 if notified(server) else 7, notified(server))


@pytest.mark.promise("page-would-certainly-notify-nobody")
@pytest.mark.parametrize("important", [False, True])
@pytest.mark.parametrize(
    "condition",
    ["{{ payload.oncall.important }}", "{{ not payload.oncall.important }}", "true", "{{ 'x' }}", '"important": true'],
)
def test_predicted_route_agrees_with_the_route_that_the_engine_takes(
    server: Serving, run: Runner, condition: str, *, important: bool
) -> None:
    lead_to(server, chain(server, persons(ALICE)), chain(server, persons(BOB)))
    kind = "jinja2" if 'important"' not in condition else "regex"
    server.call("PUT", f"routes/{IMPORTANT_ROUTE}/", {"routing_type": kind, "routing_regex": condition})
    done = run(f"escalate --team platform --title t{' --important' if important else ''}")
    assert announced(done.stderr) == notified(server) != set()


def test_page_with_an_unknown_route_is_sent_with_the_effect_of_each_route(cloud: Serving, run: Runner) -> None:
    lead_to(cloud, None, chain(cloud, persons(BOB)))
    condition = "{{ 'minor' in payload.oncall.title }}"
    cloud.call("PUT", f"routes/{IMPORTANT_ROUTE}/", {"routing_type": "jinja2", "routing_regex": condition})
    done = run("escalate --team platform --title 'minor thing'")
    assert f'the route is not known; by route "{condition}": on call: bob; by the default route: nobody' in done.stderr
    assert notified(cloud) == {"bob"}


def test_page_that_notifies_nobody_by_any_route_is_refused(server: Serving, run: Runner) -> None:
    lead_to(server, None, chain(server))
    condition = "{{ 'minor' in payload.oncall.title }}"
    server.call("PUT", f"routes/{IMPORTANT_ROUTE}/", {"routing_type": "jinja2", "routing_regex": condition})
    run("escalate --team platform --title t", status=7)
    assert server.changes() == []


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([WAIT, persons(ALICE)], "on call: alice (after 30 minutes)"),
        ([persons(ALICE), WAIT, persons(ALICE, BOB)], "on call: alice, bob (after 30 minutes)"),
        ([HOURS, persons(ALICE)], "on call: alice (between 09:00 and 17:00 UTC)"),
        ([NEXT_OF_TWO], "on call: one of alice, bob"),
        ([WEBHOOK], "on call: nobody; not known who is notified through a webhook"),
        ([persons(ALICE), CHANNEL], "on call: alice; not known who is notified through a Slack channel"),
    ],
)
def test_page_is_announced_with_delays_and_unknown_people(
    server: Serving, run: Runner, steps: list[Step], words: str
) -> None:
    lead_to(server, chain(server, *steps), None)
    assert f"; {words}\n" in run("escalate --team platform --title t").stderr
    assert server.changes() == [PAGE]


def test_viewer_is_named_as_not_notified(oss: Serving, run: Runner) -> None:
    lead_to(oss, chain(oss, persons(ALICE, FRANK)), None)
    assert "; on call: alice, frank (viewer: not notified)\n" in run("escalate --team platform --title t").stderr


def test_turn_of_a_possible_viewer_is_uncertain(oss: Serving, run: Runner) -> None:
    lead_to(oss, chain(oss, NEXT_OF_TWO | {"persons_to_notify_next_each_time": [ALICE, FRANK]}), None)
    done = run("escalate --team platform --title t")
    assert "warning: it is not certain that anybody is notified" in done.stderr
    assert oss.changes() == [PAGE]


class TestUsersByName:
    def test_page_to_viewers_only_is_refused_by_an_engine(self, oss: Serving, run: Runner) -> None:
        for option in ("", " --dry-run"):
            assert "frank (viewer: not notified)" in run(f"escalate --user frank --title t{option}", status=7).stderr
        assert oss.changes() == []

    def test_viewer_among_others_can_be_added_to_an_alert_group(self, oss: Serving, run: Runner) -> None:
        group = oss.call("GET", "alert_groups/?state=new")["results"][0]["id"]
        run(f"escalate --user frank --alert-group {group}", status=7)
        done = run(f"escalate --user frank --user alice --alert-group {group}")
        assert "frank (viewer: not notified)" in done.stderr
        assert notified(oss) == {"alice"}

    def test_page_to_viewers_only_is_a_warning_on_cloud(self, cloud: Serving, run: Runner) -> None:
        assert "warning: it is not certain that anybody is notified" in run("escalate --user frank --title t").stderr
        assert notified(cloud) == {"frank"}

    def test_page_to_a_viewer_with_anyway_is_sent_with_a_warning(self, oss: Serving, run: Runner) -> None:
        done = run("escalate --user frank --title t --anyway")
        assert "would notify nobody: its only recipients are frank (viewer: not notified)" in done.stderr
        assert oss.changes() == [PAGE]


class TestResponse:
    @pytest.mark.promise("page-would-certainly-notify-nobody")
    def test_route_without_a_chain_in_the_response_is_a_conflict(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "integrations", status(503))  # the check fails, and the page is sent
        lead_to(server, None, None)
        done = run("escalate --team platform --title t -o json", status=7)
        group = done.json["id"]
        assert done.error["message"] == (
            f"alert group {group} was created, but its route has no escalation chain: nobody was notified"
        )
        assert f"--alert-group {group}" in done.error["hint"]
        assert server.changes() == [PAGE]

    def test_route_without_a_chain_is_a_warning_after_anyway(self, cloud: Serving, run: Runner) -> None:
        lead_to(cloud, None, None)
        assert "nobody was notified" in run("escalate --team platform --title t --anyway").stderr

    def test_route_of_a_page_to_users_does_not_matter(self, cloud: Serving, run: Runner) -> None:
        assert "nobody was notified" not in run("escalate --user alice --title t").stderr

    def test_unexpected_route_is_reported(self, cloud: Serving, run: Runner) -> None:
        lead_to(cloud, chain(cloud, persons(ALICE)), chain(cloud, persons(BOB)))

        def elsewhere(_request: Request, answer: Callable[[], Response]) -> Response:
            return change(answer(), route_id=IMPORTANT_ROUTE)

        cloud.fail("POST", "escalation", elsewhere)
        done = run("escalate --team platform --title t")
        assert f"took route {IMPORTANT_ROUTE}, which was not checked" in done.stderr

    def test_route_that_cannot_be_read_is_a_warning(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "routes", status(503), times=9)
        done = run("escalate --team platform --title t")
        assert "so it may notify nobody" in done.stderr


class TestTime:
    @pytest.mark.promise("page-would-certainly-notify-nobody")
    @pytest.mark.parametrize(
        ("line", "slow"),
        [
            ("escalate --team platform --title t", "integrations/"),
            ("escalate --team platform --title t", "routes/"),
            ("escalate --team platform --title t", "escalation_policies/"),
            ("escalate --team platform --title t", "_oncall"),
            ("escalate --user alice --title t", "integrations/"),
        ],
    )
    def test_slow_server_does_not_delay_a_page(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch, line: str, slow: str
    ) -> None:
        monkeypatch.setattr("oncallctl.escalation.reach.CHECK_SECONDS", 0.5)
        paged = threading.Event()

        def until_paged(_request: Request, answer: Callable[[], Response]) -> Response:
            paged.wait(30)
            return answer()

        def page(_request: Request, answer: Callable[[], Response]) -> Response:
            paged.set()
            return answer()

        server.fail("GET", "schedules/" if slow == "_oncall" and server.dialect == "oss" else slow, until_paged)
        server.fail("POST", "escalation", page)
        done = run(line)
        assert "takes too long" in done.stderr or "took too long" in done.stderr
        assert server.changes() == [PAGE]

    def test_integration_with_its_usual_name_is_looked_up_without_a_list(self, cloud: Serving, run: Runner) -> None:
        run("escalate --team platform --title t")
        run("escalate --user alice --title t")
        asked = [each.query.get("name") for each in cloud.seen if each.path == "/api/v1/integrations/"]
        assert asked == ["Direct paging (platform team)", "Direct paging (No team)"]

    def test_renamed_integration_is_found_by_the_list(self, cloud: Serving, run: Runner) -> None:
        cloud.call("PUT", f"integrations/{PLATFORM_PAGING}/", {"name": "renamed"})
        other = {"type": "webhook", "name": "Direct paging (platform team)", "team_id": None}
        cloud.call("POST", "integrations/", other)
        lead_to(cloud, chain(cloud, persons(ALICE)), None)
        assert "; on call: alice\n" in run("escalate --team platform --title t").stderr

    def test_failed_name_lookup_reports_that_nobody_was_paged(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("time.sleep", lambda _: None)
        cloud.fail("GET", "users/", status(503), times=20)
        done = run("escalate --user alice --title t -o json", status=8)
        assert done.error["message"].endswith("; nobody was paged")


class TestRoleOfTheToken:
    def test_team_that_the_token_may_not_page_is_refused_with_a_hint(self, oss: Serving, run: Runner) -> None:
        """Bob is not a member of payments, which does not share its resources."""
        for team in ("payments", "TNFI27MJ312BL"):
            done = run(f"escalate --team {team} --title t -o json", status=3, ONCALLCTL_TOKEN=sandbox.EDITOR_TOKEN)
            assert "may not page team" in done.error["message"]
            assert "--user" in done.error["hint"]
        assert notified(oss) == set()

    def test_viewer_may_not_page(self, oss: Serving, run: Runner) -> None:
        done = run("escalate --user alice --title t -o json", status=3, ONCALLCTL_TOKEN=sandbox.VIEWER_TOKEN)
        assert done.error["message"] == "paging needs the Editor role; this token's user is viewer"

    def test_unknown_team_is_not_found(self, oss: Serving, run: Runner) -> None:
        line = "escalate --team TAAAAAAAAAAAA --title t --anyway"
        assert run(f"{line} -o json", status=6, ONCALLCTL_TOKEN=sandbox.EDITOR_TOKEN).error["code"] == "not_found"
