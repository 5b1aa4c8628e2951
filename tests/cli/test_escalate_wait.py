"""`escalate --wait`: following a page until somebody takes it."""

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
def _short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oncallctl.escalation.follow.PAUSE", timedelta(milliseconds=1))


def meanwhile(server: Serving, action: str) -> Fault:
    """Act on the group as another user before the response to this request."""

    def act(request: Request, answer: Callable[[], Response]) -> Response:
        server.call("POST", f"alert_groups/{request.path.split('/')[4]}/{action}/")
        return answer()

    return act


class TestAcknowledged:
    def test_acknowledged_group_is_printed_with_the_user(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", lambda _request, answer: answer(), times=2)
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        done = run(LINE)
        assert done.json["state"] == "acknowledged"
        assert "acknowledged by admin after" in done.stderr
        assert server.changes() == [PAGE]

    def test_resolved_group_counts_as_acknowledged(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", meanwhile(server, "resolve"))
        done = run(LINE)
        assert done.json["state"] == "resolved"
        assert "resolved by admin after" in done.stderr

    def test_wait_for_resolved_continues_after_an_acknowledgement(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        server.fail("GET", "alert_groups/", meanwhile(server, "resolve"))
        assert run(LINE.replace("acknowledged", "resolved")).json["state"] == "resolved"

    @pytest.mark.parametrize("fault", [drop, status(503), status(429, '{"detail": "slow"}', Retry_After="1")])
    def test_wait_continues_after_a_failed_request(self, server: Serving, run: Runner, fault: Fault) -> None:
        server.fail("GET", "alert_groups/", fault, times=2)
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        assert run(LINE).json["state"] == "acknowledged"
        assert server.changes() == [PAGE]

    def test_wait_prints_the_id_of_a_user_whose_name_cannot_be_read(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        server.fail("GET", "users/", status(403, '{"detail": "Invalid token."}'), times=9)
        assert "acknowledged by U9PL1JZN3LQ3F" in run(LINE.replace("platform", "id:TKPSLLWBFUI9R")).stderr

    def test_group_acknowledged_before_the_page_is_reported_as_such(self, server: Serving, run: Runner) -> None:
        group = run("escalate --team platform --title t -o id").stdout.strip()
        server.call("POST", f"alert_groups/{group}/acknowledge/")
        line = f"escalate --user bob --alert-group {group} --wait acknowledged"
        assert "was already acknowledged, by admin" in run(line).stderr

    @pytest.mark.parametrize("page", ["<html>sign in</html>", "[]"])
    def test_wait_continues_after_a_response_of_another_server(self, server: Serving, run: Runner, page: str) -> None:
        server.fail("GET", "alert_groups/", lambda _request, _answer: Response(page, 302, {"Location": "/login"}))
        server.fail("GET", "alert_groups/", lambda _request, _answer: Response(page, 200))
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        assert run(LINE).json["state"] == "acknowledged"


class TestNotAcknowledged:
    def test_group_that_is_resolved_automatically_does_not_count_as_taken(self, server: Serving, run: Runner) -> None:
        def automatically(request: Request, answer: Callable[[], Response]) -> Response:
            body = json.loads(answer().data) | {"state": "resolved", "resolved_by": None}
            return Response(json.dumps(body), content_type="application/json")

        server.fail("GET", "alert_groups/", automatically)
        assert "resolved automatically" in run(LINE, status=10).error["message"]
        server.fail("GET", "alert_groups/", automatically)
        assert run(LINE.replace("acknowledged", "resolved")).json["state"] == "resolved"

    def test_timeout_is_a_failed_condition(self, server: Serving, run: Runner) -> None:
        done = run(f"{LINE} --within 1s", status=10)
        assert done.json["state"] == "firing"
        assert done.error["code"] == "condition_failed"
        assert "1s" in done.error["message"]
        assert server.changes() == [PAGE]

    def test_timeout_is_measured_by_the_monotonic_clock(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moments = iter([0.0, 30.0])
        monkeypatch.setattr("oncallctl.escalation.follow.monotonic", lambda: next(moments, 601.0))
        assert "not acknowledged within 10m" in run(LINE, status=10).error["message"]

    def test_timeout_after_failed_requests_reports_the_failure(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", status(503), times=10_000)
        done = run(f"{LINE} --within 1s", status=10)
        assert "503" in done.error["message"]
        assert done.json["state"] == "firing"
        assert server.changes() == [PAGE]

    def test_refused_token_ends_the_wait_and_prints_the_page(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", status(403, '{"detail": "Invalid token."}'))
        done = run(LINE, status=3)
        assert done.json["state"] == "firing"
        assert f"alert group {done.json['id']} was paged once" in done.error["message"]

    def test_signal_ends_the_wait_and_reports_the_page(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(_seconds: float) -> None:
            raise Signal(2)

        monkeypatch.setattr("oncallctl.escalation.follow.time.sleep", interrupted)
        done = run(LINE, status=130)
        assert done.json["id"] in done.error["message"]
        assert server.changes() == [PAGE]

    def test_timeout_reports_who_acknowledged_the_group(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "alert_groups/", meanwhile(server, "acknowledge"))
        done = run(f"{LINE.replace('acknowledged', 'resolved')} --within 1s", status=10)
        assert "it is acknowledged by admin" in done.error["message"]


class TestUsage:
    @pytest.mark.parametrize("words", ["--within 5m", "--wait seen", "--wait resolved --within soon"])
    def test_invalid_wait_options_are_refused_before_any_request(self, cloud: Serving, run: Runner, words: str) -> None:
        run(f"escalate --team platform --title t {words}", status=2)
        assert cloud.seen == []

    def test_page_without_wait_ends_after_its_response(self, cloud: Serving, run: Runner) -> None:
        run("escalate --team platform --title t")
        assert str(cloud.seen[-1]) == PAGE
