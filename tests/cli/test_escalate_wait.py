"""`escalate --wait`: following a page until somebody has taken it."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from werkzeug.wrappers import Request, Response

from oncallctl.errors import Signal
from tests.conftest import Runner
from tests.serving import Fault, Serving, drop, status

PAGE = "POST /api/v1/escalation/"
LINE = "escalate --team platform --title t --wait acknowledged -o json"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oncallctl.escalation.follow.PAUSE", timedelta(milliseconds=1))


def meanwhile(server: Serving, action: str) -> Fault:
    """Let somebody act on the group before this look at it is answered."""

    def act(request: Request, answer: Callable[[], Response]) -> Response:
        server.call("POST", f"alert_groups/{request.path.split('/')[4]}/{action}/")
        return answer()

    return act


class TestSomebodyTakesIt:
    def test_the_group_is_shown_as_it_is_then_with_who_did(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", lambda _request, answer: answer(), times=2)
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        done = run(LINE)
        assert done.json["state"] == "acknowledged"
        assert "acknowledged by admin after" in done.stderr
        assert server.changes() == [PAGE]

    def test_a_resolved_group_has_been_taken_too(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", meanwhile(server, "resolve"))
        done = run(LINE)
        assert done.json["state"] == "resolved"
        assert "resolved by admin after" in done.stderr

    def test_waiting_for_resolved_goes_on_after_an_acknowledgement(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        server.fail("GET", "alert_groups/", meanwhile(server, "resolve"))
        assert run(LINE.replace("acknowledged", "resolved")).json["state"] == "resolved"

    @pytest.mark.parametrize("fault", [drop, status(503), status(429, '{"detail": "slow"}', Retry_After="1")])
    def test_a_look_that_fails_is_not_the_end(self, server: Serving, run: Runner, fault: Fault) -> None:
        server.fail("GET", "alert_groups/", fault, times=2)
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        assert run(LINE).json["state"] == "acknowledged"
        assert server.changes() == [PAGE]

    def test_that_the_name_cannot_be_read_is_no_failure(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        server.fail("GET", "users/", status(403, '{"detail": "Invalid token."}'), times=9)
        assert "acknowledged by U9PL1JZN3LQ3F" in run(LINE.replace("platform", "id:TKPSLLWBFUI9R")).stderr

    def test_what_had_been_taken_before_is_said_to_have_been(self, server: Serving, run: Runner) -> None:
        group = run("escalate --team platform --title t -o id").stdout.strip()
        server.call("POST", f"alert_groups/{group}/acknowledge/")
        line = f"escalate --user bob --alert-group {group} --wait acknowledged"
        assert "was already acknowledged, by admin" in run(line).stderr

    @pytest.mark.parametrize("page", ["<html>sign in</html>", "[]"])
    def test_an_answer_that_is_not_oncalls_is_not_the_end(self, server: Serving, run: Runner, page: str) -> None:
        server.fail("GET", "alert_groups/", lambda _request, _answer: Response(page, 302, {"Location": "/login"}))
        server.fail("GET", "alert_groups/", lambda _request, _answer: Response(page, 200))
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        assert run(LINE).json["state"] == "acknowledged"


class TestNobodyTakesIt:
    def test_group_that_is_resolved_automatically_does_not_count_as_taken(self, server: Serving, run: Runner) -> None:
        def by_itself(request: Request, answer: Callable[[], Response]) -> Response:
            body = answer().json | {"state": "resolved", "resolved_by": None}  # type: ignore[operator]
            return Response(json.dumps(body), content_type="application/json")

        server.fail("GET", "alert_groups/", by_itself)
        assert "resolved automatically" in run(LINE, status=10).error["message"]
        server.fail("GET", "alert_groups/", by_itself)
        assert run(LINE.replace("acknowledged", "resolved")).json["state"] == "resolved"

    def test_it_is_a_condition_that_does_not_hold(self, server: Serving, run: Runner) -> None:
        done = run(f"{LINE} --within 1s", status=10)
        assert done.json["state"] == "firing"
        assert done.error["code"] == "condition_failed"
        assert "1s" in done.error["message"]
        assert server.changes() == [PAGE]

    def test_wait_is_measured_by_a_clock_that_nobody_sets(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moments = iter([0.0, 30.0])
        monkeypatch.setattr("oncallctl.escalation.follow.monotonic", lambda: next(moments, 601.0))
        assert "not acknowledged within 10m" in run(LINE, status=10).error["message"]

    def test_that_nobody_could_look_is_said_and_pages_nobody_again(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", status(503), times=10_000)
        done = run(f"{LINE} --within 1s", status=10)
        assert "503" in done.error["message"]
        assert done.json["state"] == "firing"
        assert server.changes() == [PAGE]

    def test_a_token_that_is_refused_meanwhile_ends_the_wait_and_shows_the_page(
        self, server: Serving, run: Runner
    ) -> None:
        server.fail("GET", "alert_groups/", status(403, '{"detail": "Invalid token."}'))
        done = run(LINE, status=3)
        assert done.json["state"] == "firing"
        assert f"alert group {done.json['id']} was paged once" in done.error["message"]

    def test_a_signal_ends_the_wait_and_shows_the_page(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(_seconds: float) -> None:
            raise Signal(2)

        monkeypatch.setattr("oncallctl.escalation.follow.time.sleep", interrupted)
        done = run(LINE, status=130)
        assert done.json["id"] in done.error["message"]
        assert server.changes() == [PAGE]

    def test_who_has_it_is_said_when_it_is_not_resolved_in_time(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        done = run(f"{LINE.replace('acknowledged', 'resolved')} --within 1s", status=10)
        assert "it is acknowledged by admin" in done.error["message"]


class TestUsage:
    @pytest.mark.parametrize("words", ["--within 5m", "--wait seen", "--wait resolved --within soon"])
    def test_what_makes_no_sense_is_refused_unsent(self, server: Serving, run: Runner, words: str) -> None:
        run(f"escalate --team platform --title t {words}", status=2)
        assert server.seen == []

    def test_without_it_nothing_is_waited_for(self, server: Serving, run: Runner) -> None:
        run("escalate --team platform --title t")
        assert str(server.seen[-1]) == PAGE
