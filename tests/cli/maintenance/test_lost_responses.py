"""Starts and stops whose response was lost, and the server's clock."""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.wrappers import Response

from tests.cli.maintenance.support import ONE, START, STOP, age, expire, responding_with
from tests.conftest import Runner
from tests.serving import Serving, drop, lose, status


class TestLostResponses:
    """A change whose response was lost is read back, and not sent again."""

    @pytest.fixture(autouse=True)
    def _look_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0, 0.0))

    def test_lost_response_of_a_start_that_arrived_is_started(self, server: Serving, run: Runner) -> None:
        server.fail("POST", "maintenance_start", lose)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "started"
        assert server.changes() == [START]

    def test_lost_response_of_a_start_that_does_not_show_is_unknown(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("POST", "maintenance_start", drop)
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert done.json[0]["status"] == "unknown"
        assert done.error["code"] == "outcome_unknown"
        assert cloud.changes() == [START]

    @pytest.mark.parametrize("answer", [500, 502, 504])
    def test_start_after_a_server_error_is_retried(self, server: Serving, run: Runner, answer: int) -> None:
        server.fail("POST", "maintenance_start", status(answer), times=3)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "started"
        assert server.changes() == [START] * 4

    def test_start_after_repeated_server_errors_is_unknown(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("POST", "maintenance_start", status(500), times=9)
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert cloud.changes() == [START] * 4
        assert "is not active after 4 attempts" in done.error["message"]

    def test_start_whose_retry_is_refused_may_still_take_effect(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("POST", "maintenance_start", status(504))
        cloud.fail("POST", "maintenance_start", status(403, '{"detail": "no"}'))
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert "trying again failed" in done.error["message"]
        assert cloud.changes() == [START] * 2

    def test_stop_after_a_server_error_is_retried(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        cloud.fail("POST", "maintenance_stop", status(500), times=3)
        assert run("maintenance stop service-010 -o json").json[0]["status"] == "stopped"
        assert cloud.changes() == [START, *[STOP] * 4]

    def test_stop_after_repeated_server_errors_reports_the_active_window(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        cloud.fail("POST", "maintenance_stop", status(500), times=9)
        done = run("maintenance stop service-010 -o json", status=9)
        assert "the window of 'service-010' is still active after 4 attempts" in done.error["message"]

    def test_start_that_takes_effect_after_a_gateway_timeout_is_started(self, server: Serving, run: Runner) -> None:
        def made_late(_request: object, answer: Callable[[], Response]) -> Response:
            answer()
            return answer()

        server.fail("POST", "maintenance_start", status(504))
        server.fail("POST", "maintenance_start", made_late)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "started"

    def test_retries_of_several_targets_are_sent_one_at_a_time(self, cloud: Serving, run: Runner) -> None:
        """The default engine uses SQLite, which refuses concurrent changes."""
        busy = threading.Lock()

        def locked(_request: object, answer: Callable[[], Response]) -> Response:
            if not busy.acquire(blocking=False):
                return Response("<h1>Server Error (500)</h1>", 500, content_type="text/html")
            try:
                time.sleep(0.02)
                return answer()
            finally:
                busy.release()

        names = [f"service-{number:03}" for number in range(10, 30)]
        cloud.fail("POST", "maintenance_", locked, times=1000)
        started = run(f"maintenance start {' '.join(names)} --for 30m --yes -o json").json
        assert {outcome["status"] for outcome in started} == {"started"}
        assert {outcome["status"] for outcome in run("maintenance stop --all --yes -o json").json} >= {"stopped"}
        assert run("maintenance status -o json").json == []

    @pytest.mark.parametrize(
        "wrong", [{"id": "CAAAAAAAAAAAA"}, {"maintenance_mode": "x"}, {"maintenance_end_at": None}]
    )
    def test_start_whose_response_shows_another_state_is_read_back(
        self, cloud: Serving, run: Runner, wrong: dict[str, object]
    ) -> None:
        cloud.fail("POST", "maintenance_start", responding_with(wrong))
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "started"
        assert cloud.changes() == [START]

    @pytest.mark.promise("window-counts-as-started-or")
    def test_start_without_effect_whose_response_shows_another_state_is_unknown(
        self, cloud: Serving, run: Runner
    ) -> None:
        before = json.dumps(cloud.call("GET", f"integrations/{ONE}/"))
        cloud.fail("POST", "maintenance_start", status(200, before))
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert done.json[0]["status"] == "unknown"
        assert cloud.changes() == [START]

    @pytest.mark.promise("window-counts-as-started-or")
    def test_start_without_effect_whose_response_shows_another_integration_is_unknown(
        self, cloud: Serving, run: Runner
    ) -> None:
        other = run("maintenance start service-011 --for 30m -o json").json[0]["integration"]
        cloud.fail("POST", "maintenance_start", status(200, json.dumps(other)))
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert done.json[0]["status"] == "unknown"
        assert cloud.changes()[1:] == [START]

    def test_start_that_created_a_different_window_is_unknown(self, cloud: Serving, run: Runner) -> None:
        def shorter(_request: object, _answer: object) -> Response:
            mode = "silence_escalations"
            made = cloud.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 60})
            return Response(json.dumps(made), content_type="application/json")

        cloud.fail("POST", "maintenance_start", shorter)
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert "not the requested one" in done.error["message"]

    @pytest.mark.promise("window-counts-as-started-or")
    def test_stop_whose_response_still_shows_the_window_is_read_back(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        before = cloud.call("GET", f"integrations/{ONE}/")
        cloud.fail("POST", "maintenance_stop", responding_with(before))
        assert run("maintenance stop service-010 -o json").json[0]["integration"]["maintenance_mode"] is None
        run("maintenance start service-010 --for 30m")
        cloud.fail("POST", "maintenance_stop", status(200, json.dumps(before)))
        assert run("maintenance stop service-010 -o json", status=9).json[0]["status"] == "unknown"

    def test_lost_response_of_a_stop_that_arrived_is_stopped(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        server.fail("POST", "maintenance_stop", lose)
        assert run("maintenance stop service-010 -o json").json[0]["status"] == "stopped"
        assert server.changes() == [START, STOP]

    def test_lost_response_of_a_stop_that_does_not_show_is_unknown(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        cloud.fail("POST", "maintenance_stop", drop)
        run("maintenance stop service-010", status=9)
        assert cloud.changes() == [START, STOP]

    def test_foreign_window_is_not_taken_for_the_requested_one(self, server: Serving, run: Runner) -> None:
        def somebody_starts_first(_request: object, _answer: object) -> None:
            mode = "group_alerts" if server.dialect == "cloud" else "maintenance"
            server.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 60})

        server.fail("POST", "maintenance_start", somebody_starts_first)
        run("maintenance start service-010 --for 30m", status=7)

    def test_equivalent_window_started_by_somebody_else_is_unchanged(self, cloud: Serving, run: Runner) -> None:
        def somebody_starts_first(_request: object, answer: Callable[[], Response]) -> Response:
            mode = "silence_escalations"
            cloud.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 1800})
            return answer()

        cloud.fail("POST", "maintenance_start", somebody_starts_first)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "unchanged"
        assert cloud.changes() == [START]

    def test_longer_foreign_window_after_a_lost_response_is_unchanged(self, cloud: Serving, run: Runner) -> None:
        def somebody_starts_first(_request: object, _answer: object) -> None:
            mode = "silence_escalations"
            cloud.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 7200})

        cloud.fail("POST", "maintenance_start", somebody_starts_first)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "unchanged"

    def test_stop_whose_window_was_replaced_meanwhile_is_stopped(self, cloud: Serving, run: Runner) -> None:
        def another_window_replaces_it(_request: object, answer: Callable[[], Response]) -> None:
            answer()
            mode = "group_alerts"
            cloud.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 60})

        run("maintenance start service-010 --for 30m")
        age(cloud)
        cloud.fail("POST", "maintenance_stop", another_window_replaces_it)
        assert run("maintenance stop service-010 -o json").json[0]["status"] == "stopped"

    def test_lost_response_with_a_failed_read_back_is_unknown(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("POST", "maintenance_start", lose)
        cloud.fail("GET", f"integrations/{ONE}/", status(403, '{"detail": "no"}'))
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert f"maintenance status {ONE}" in done.error["hint"]


class TestClock:
    """Times are compared with the server's clock."""

    @pytest.mark.promise("wrong-clock-ends-no-window")
    @pytest.mark.parametrize("local", [timedelta(hours=3), timedelta(hours=-3)], ids=["ahead", "behind"])
    def test_wrong_clock_does_not_stop_a_foreign_window(self, cloud: Serving, run: Runner, local: timedelta) -> None:
        cloud.ahead = -local
        mode = "silence_escalations"
        cloud.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 7200})
        done = run("maintenance start service-010 --for 10m -o json")
        assert done.json[0]["status"] == "unchanged"
        assert "this machine's clock is 3h" in done.stderr
        assert run("maintenance status -o json").json[0]["overdue"] is False
        run("maintenance start service-010 --for 3h", status=7)
        assert cloud.changes() == []

    @pytest.mark.promise("wrong-clock-ends-no-window")
    def test_window_that_looks_overdue_without_the_servers_clock_is_kept(self, unswept: Serving, run: Runner) -> None:
        unswept.dated = False
        unswept.ahead = timedelta(hours=-3)
        unswept.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": "debug", "duration": 7200})
        run("maintenance start service-010 --for 10m", status=7)
        assert unswept.changes() == []

    def test_window_that_is_overdue_by_the_servers_clock_is_replaced(self, unswept: Serving, run: Runner) -> None:
        unswept.ahead = timedelta(hours=3)
        unswept.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": "debug", "duration": 60})
        expire(unswept)
        assert run("maintenance start service-010 --for 10m -o json").json[0]["status"] == "replaced"

    @pytest.mark.parametrize("local", [timedelta(minutes=5), timedelta(minutes=-5)], ids=["ahead", "behind"])
    def test_start_whose_response_was_lost_is_recognized_with_a_wrong_clock(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch, local: timedelta
    ) -> None:
        monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0, 0.0))
        server.ahead = -local
        server.fail("POST", "maintenance_start", lose)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "started"

    def test_until_is_converted_with_the_servers_clock(self, cloud: Serving, run: Runner) -> None:
        cloud.ahead = timedelta(hours=-3)
        end = datetime.now(UTC) - timedelta(hours=1)
        run(f"maintenance start service-010 --until {end:%H:%M:%S}")
        assert 7190 <= cloud.bodies()[0]["duration"] <= 7200
