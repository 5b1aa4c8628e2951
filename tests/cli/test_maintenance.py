"""`maintenance start|stop|status` against the sandbox behind a socket: output, and requests that reached it."""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from werkzeug.wrappers import Response

from oncallctl import sandbox
from tests.conftest import Runner
from tests.serving import Fault, Serving, drop, lose, status

ONE = "C5BPMMTY9FMXJ"  # service-010, of data infra
START = f"POST /api/v1/integrations/{ONE}/maintenance_start"
STOP = f"POST /api/v1/integrations/{ONE}/maintenance_stop"
DIRECT_PAGING = "'Direct paging (platform team)'"


def silent(serving: Serving) -> bool:
    return serving.call("GET", f"integrations/{ONE}/")["maintenance_mode"] is not None


def pasted(hint: str) -> str:
    """Return the command line in a hint, without the program's name."""
    return hint.partition("oncallctl ")[2]


def age(serving: Serving) -> None:
    """Move the start of the window some seconds back, because the server truncates it to seconds."""
    import sqlite3

    with sqlite3.connect(serving.database) as database:
        database.execute("UPDATE integrations SET maintenance_started_at = maintenance_started_at - 9")


def expire(serving: Serving, integration: str = ONE) -> None:
    """Move a window back, so that it is past its end."""
    import sqlite3

    with sqlite3.connect(serving.database) as database:
        database.execute(
            "UPDATE integrations SET maintenance_started_at = maintenance_started_at - 36000,"
            " maintenance_end_at = maintenance_end_at - 36000 WHERE id = ?",
            (integration,),
        )


def responding_with(fields: dict[str, object]) -> Fault:
    """Carry out the request, and change fields of the response."""

    def changed(_request: object, answer: Callable[[], Response]) -> Response:
        return Response(json.dumps({**answer().json, **fields}), content_type="application/json")

    return changed


class TestStarting:
    def test_start_starts_a_window_and_reports_it(self, server: Serving, run: Runner) -> None:
        (outcome,) = run("maintenance start service-010 --for 30m -o json").json
        assert {key: outcome[key] for key in ("target", "id", "name", "status", "error")} == {
            "target": "service-010",
            "id": ONE,
            "name": "service-010",
            "status": "started",
            "error": None,
        }
        assert outcome["integration"]["maintenance_end_at"] is not None
        assert server.changes() == [START]
        mode = "silence_escalations" if server.dialect == "cloud" else "debug"
        assert server.bodies() == [{"mode": mode, "duration": 1800}]

    def test_repeated_start_changes_nothing(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        (outcome,) = run("maintenance start service-010 --for 30m -o json").json
        assert outcome["status"] == "unchanged"
        assert server.changes() == [START]

    def test_window_that_ends_later_is_left_alone(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 2h")
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "unchanged"
        assert server.changes() == [START]

    def test_window_that_ends_sooner_is_a_conflict(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        done = run("maintenance start service-010 --for 2h -o json", status=7)
        assert done.json[0]["status"] == "failed"
        assert done.error["code"] == "conflict"
        assert "--if-active" in done.error["hint"]
        assert server.changes() == [START]

    def test_window_in_another_mode_is_a_conflict(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 2h")
        run("maintenance start service-010 --for 30m --mode group_alerts", status=7)
        assert server.changes() == [START]

    def test_if_active_keep_leaves_another_window_with_a_warning(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        done = run("maintenance start service-010 --for 2h --if-active keep -o json")
        assert done.json[0]["status"] == "unchanged"
        assert "warning" in done.stderr
        assert server.changes() == [START]

    def test_if_active_replace_stops_the_other_window_first(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        assert run("maintenance start service-010 --for 2h --if-active replace -o json").json[0]["status"] == "replaced"
        assert server.changes() == [START, STOP, START]
        assert server.bodies()[2]["duration"] == 7200

    def test_start_that_fails_after_the_stop_is_reported_loudly(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        server.fail("POST", "maintenance_start", status(403, '{"detail": "no"}'))
        done = run("maintenance start service-010 --for 2h --if-active replace", status=3)
        assert "NOT in maintenance" in done.stderr
        assert not silent(server)

    def test_start_after_a_stop_that_finds_another_window_does_not_say_that_there_is_none(
        self, server: Serving, run: Runner
    ) -> None:
        def somebody_starts_first(_request: object, answer: Callable[[], Response]) -> Response:
            mode = "group_alerts" if server.dialect == "cloud" else "maintenance"
            server.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 60})
            return answer()

        run("maintenance start service-010 --for 30m")
        server.fail("POST", "maintenance_start", somebody_starts_first)
        done = run("maintenance start service-010 --for 2h --if-active replace", status=7)
        assert "was stopped and the new one did not start" in done.stderr
        assert "NOT in maintenance" not in done.stderr

    def test_until_sets_the_end(self, server: Serving, run: Runner) -> None:
        end = (datetime.now(UTC) + timedelta(hours=3)).replace(microsecond=0)
        run(f"maintenance start service-010 --until {end:%Y-%m-%dT%H:%M:%SZ}")
        assert 3 * 3600 - 10 <= server.bodies()[0]["duration"] <= 3 * 3600
        run(f"maintenance start service-010 --until {end:%Y-%m-%dT%H:%M:%SZ}")
        assert server.changes() == [START]

    @pytest.mark.parametrize(("earlier", "outcome"), [(50, "unchanged"), (70, "failed")])
    def test_window_that_ends_at_most_a_minute_earlier_is_unchanged(
        self, server: Serving, run: Runner, earlier: int, outcome: str
    ) -> None:
        run(f"maintenance start service-010 --for {1800 - earlier}")
        done = run("maintenance start service-010 --for 1800 -o json", status=None)
        assert done.json[0]["status"] == outcome

    def test_until_is_parsed_in_the_requested_zone(self, server: Serving, run: Runner) -> None:
        moment = datetime.now(UTC) + timedelta(hours=3)
        wall = moment.astimezone(ZoneInfo("Asia/Kathmandu")).strftime("%Y-%m-%dT%H:%M:%S")
        run(f"maintenance start service-010 --until {wall} --tz Asia/Kathmandu")
        assert 3 * 3600 - 10 <= server.bodies()[0]["duration"] <= 3 * 3600

    def test_until_on_another_day_is_noted(self, server: Serving, run: Runner) -> None:
        now = datetime.now(UTC)
        done = run(f"maintenance start service-010 --until {now - timedelta(minutes=2):%H:%M}")
        assert "23h 5" in done.stderr or "1d" in done.stderr

    def test_small_number_of_seconds_causes_a_warning(self, server: Serving, run: Runner) -> None:
        assert "30 seconds" in run("maintenance start service-010 --for 30").stderr

    def test_length_is_computed_when_the_request_is_sent(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The wait for a rate limit does not make the window end later."""
        late = timedelta()
        monkeypatch.setattr("oncallctl.api.clock.now", lambda: datetime.now(UTC) + late)

        def wait(_seconds: float) -> None:
            nonlocal late
            late = timedelta(minutes=10)

        monkeypatch.setattr("oncallctl.api.retry.time.sleep", wait)
        monkeypatch.setattr("oncallctl.api.retry.Retries._rest", lambda _: wait(0) if server.changes() else None)
        server.fail("POST", "maintenance_start", status(429, '{"detail": "throttled"}', Retry_After="60"))
        end = datetime.now(UTC) + timedelta(hours=1)
        run(f"maintenance start service-010 --until {end:%Y-%m-%dT%H:%M:%SZ}")
        first, second = (body["duration"] for body in server.bodies())
        assert 590 <= first - second <= 610

    @pytest.mark.parametrize("mode", ["debug", "maintenance"])
    def test_modes_of_the_engine_are_aliases_on_both_servers(self, server: Serving, run: Runner, mode: str) -> None:
        run(f"maintenance start service-010 --for 30m --mode {mode}")
        word = {"debug": "silence_escalations", "maintenance": "group_alerts"}[mode]
        assert run("maintenance status -o json").json[0]["mode"] == word
        assert server.bodies()[0]["mode"] == (word if server.dialect == "cloud" else mode)

    def test_disable_alerts_on_cloud_is_sent(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode disable_alerts")
        assert cloud.bodies() == [{"mode": "disable_alerts", "duration": 1800}]

    def test_disable_alerts_on_an_engine_is_refused_before_any_request(self, oss: Serving, run: Runner) -> None:
        done = run("maintenance start service-010 --for 30m --mode disable_alerts -o json", status=2)
        assert done.error["code"] == "unsupported"
        assert oss.seen == []

    def test_service_account_on_an_engine_is_refused_before_any_request(self, oss: Serving, run: Runner) -> None:
        for verb in ("start service-010 --for 30m", "stop service-010"):
            run(f"maintenance {verb}", status=3, ONCALLCTL_TOKEN=sandbox.SERVICE_ACCOUNT_TOKEN)
        assert oss.seen == []

    def test_start_as_a_viewer_is_refused(self, server: Serving, run: Runner) -> None:
        done = run("maintenance start service-010 --for 30m -o json", status=3, ONCALLCTL_TOKEN=sandbox.VIEWER_TOKEN)
        assert done.error["code"] == "access_denied"
        assert done.error["http_status"] == 403

    @pytest.mark.parametrize(
        "options",
        [
            "",
            "--for 30m --until 18:00",
            "--for 0",
            "--for -5",
            "--for 1.5",
            "--for 8d",
            "--until yesterday",
            "--for 2h --max 1h",
        ],
    )
    def test_invalid_length_is_refused_before_any_request(self, server: Serving, run: Runner, options: str) -> None:
        run(f"maintenance start service-010 {options}", status=2)
        assert server.seen == []

    def test_max_allows_a_longer_window(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 8d --max 10d")
        assert server.bodies() == [{**server.bodies()[0], "duration": 8 * 86400}]


class TestOverdue:
    """A window past its end that the server has not closed still suppresses pages."""

    def test_overdue_window_counts_as_active(self, unswept: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        expire(unswept)
        (window,) = run("maintenance status -o json").json
        assert window["overdue"] is True
        assert window["remaining_seconds"] <= 0
        run("maintenance status service-010 --require inactive", status=10)

    def test_overdue_is_null_without_the_servers_clock(self, unswept: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        expire(unswept)
        unswept.dated = False
        (window,) = run("maintenance status -o json").json
        assert window["overdue"] is None
        assert "whether it is overdue is not known" in run("maintenance status").stderr

    def test_stop_stops_an_overdue_window(self, unswept: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        expire(unswept)
        assert run("maintenance stop service-010 -o json").json[0]["status"] == "stopped"
        assert not silent(unswept)

    def test_start_replaces_an_overdue_window(self, unswept: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        expire(unswept)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "replaced"
        assert unswept.changes() == [START, STOP, START]

    def test_overdue_window_that_collected_groups_needs_a_confirmation(self, unswept: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        unswept.alert(ONE)
        expire(unswept)
        run("maintenance stop service-010", status=2)
        run("maintenance start service-010 --for 30m", status=2)
        assert unswept.changes() == [START]


class TestStopping:
    def test_stop_stops_the_window(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        (outcome,) = run("maintenance stop service-010 -o json").json
        assert outcome["status"] == "stopped"
        assert outcome["integration"]["maintenance_mode"] is None
        assert server.changes() == [START, STOP]
        assert server.bodies()[1] is None

    def test_stop_without_a_window_sends_no_change(self, server: Serving, run: Runner) -> None:
        assert run("maintenance stop service-010 -o json").json[0]["status"] == "unchanged"
        assert server.changes() == []

    def test_stop_of_a_group_window_requires_yes_and_counts_its_groups(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        server.alert(ONE, "disk full")
        server.alert(ONE, "still broken")
        done = run("maintenance stop service-010", status=2)
        assert "--yes" in done.stderr
        assert "2 alert groups" in done.stderr
        assert silent(server)
        run("maintenance stop service-010 --yes")
        assert not silent(server)

    def test_replacement_of_a_group_window_requires_yes(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        server.alert(ONE)
        run("maintenance start service-010 --for 2h --mode group_alerts --if-active replace", status=2)
        assert server.changes() == [START]

    def test_stop_of_an_empty_group_window_does_not_prompt(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        run("maintenance start service-010 --for 2h --mode group_alerts --if-active replace")
        run("maintenance stop service-010")
        assert server.changes() == [START, STOP, START, STOP]

    def test_stop_by_a_selector_stops_only_active_windows(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 service-011 --for 30m")
        done = run("maintenance stop --all --yes -o json")
        assert [outcome["name"] for outcome in done.json] == ["service-010", "service-011"]
        assert "2 integrations" in done.stderr
        assert len(server.changes()) == 4

    def test_stop_by_a_selector_without_active_windows_succeeds_with_a_note(self, server: Serving, run: Runner) -> None:
        done = run("maintenance stop --all -o json")
        assert done.json == []
        assert "nothing to stop" in done.stderr
        assert server.changes() == []


class TestLostAnswers:
    """A change whose response was lost is read back, and not sent again."""

    @pytest.fixture(autouse=True)
    def _look_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0, 0.0))

    def test_lost_response_of_a_start_that_arrived_is_started(self, server: Serving, run: Runner) -> None:
        server.fail("POST", "maintenance_start", lose)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "started"
        assert server.changes() == [START]

    def test_lost_response_of_a_start_that_does_not_show_is_unknown(self, server: Serving, run: Runner) -> None:
        server.fail("POST", "maintenance_start", drop)
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert done.json[0]["status"] == "unknown"
        assert done.error["code"] == "outcome_unknown"
        assert server.changes() == [START]

    @pytest.mark.parametrize("answer", [500, 502, 504])
    def test_start_after_a_server_error_is_retried(self, server: Serving, run: Runner, answer: int) -> None:
        server.fail("POST", "maintenance_start", status(answer), times=3)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "started"
        assert server.changes() == [START] * 4

    def test_start_after_repeated_server_errors_is_unknown(self, server: Serving, run: Runner) -> None:
        server.fail("POST", "maintenance_start", status(500), times=9)
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert server.changes() == [START] * 4
        assert "is not active after 4 attempts" in done.error["message"]

    def test_start_whose_retry_is_refused_may_still_take_effect(self, server: Serving, run: Runner) -> None:
        server.fail("POST", "maintenance_start", status(504))
        server.fail("POST", "maintenance_start", status(403, '{"detail": "no"}'))
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert "trying again failed" in done.error["message"]
        assert server.changes() == [START] * 2

    def test_stop_after_a_server_error_is_retried(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        server.fail("POST", "maintenance_stop", status(500), times=3)
        assert run("maintenance stop service-010 -o json").json[0]["status"] == "stopped"
        assert server.changes() == [START, *[STOP] * 4]

    def test_stop_after_repeated_server_errors_reports_the_active_window(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        server.fail("POST", "maintenance_stop", status(500), times=9)
        done = run("maintenance stop service-010 -o json", status=9)
        assert "the window of 'service-010' is still active after 4 attempts" in done.error["message"]

    def test_start_that_takes_effect_after_a_gateway_timeout_is_started(self, server: Serving, run: Runner) -> None:
        def made_late(_request: object, answer: Callable[[], Response]) -> Response:
            answer()
            return answer()

        server.fail("POST", "maintenance_start", status(504))
        server.fail("POST", "maintenance_start", made_late)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "started"

    def test_retries_of_several_targets_are_sent_one_at_a_time(self, server: Serving, run: Runner) -> None:
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
        server.fail("POST", "maintenance_", locked, times=1000)
        started = run(f"maintenance start {' '.join(names)} --for 30m --yes -o json").json
        assert {outcome["status"] for outcome in started} == {"started"}
        assert {outcome["status"] for outcome in run("maintenance stop --all --yes -o json").json} >= {"stopped"}
        assert run("maintenance status -o json").json == []

    @pytest.mark.parametrize(
        "wrong", [{"id": "CAAAAAAAAAAAA"}, {"maintenance_mode": "x"}, {"maintenance_end_at": None}]
    )
    def test_start_whose_response_shows_another_state_is_read_back(
        self, server: Serving, run: Runner, wrong: dict[str, object]
    ) -> None:
        server.fail("POST", "maintenance_start", responding_with(wrong))
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "started"
        assert server.changes() == [START]

    @pytest.mark.promise("window-counts-as-started-or")
    def test_start_without_effect_whose_response_shows_another_state_is_unknown(
        self, server: Serving, run: Runner
    ) -> None:
        before = json.dumps(server.call("GET", f"integrations/{ONE}/"))
        server.fail("POST", "maintenance_start", status(200, before))
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert done.json[0]["status"] == "unknown"
        assert server.changes() == [START]

    def test_start_that_created_a_different_window_is_unknown(self, server: Serving, run: Runner) -> None:
        def shorter(_request: object, _answer: object) -> Response:
            mode = "silence_escalations" if server.dialect == "cloud" else "debug"
            made = server.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 60})
            return Response(json.dumps(made), content_type="application/json")

        server.fail("POST", "maintenance_start", shorter)
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert "not the requested one" in done.error["message"]

    @pytest.mark.promise("window-counts-as-started-or")
    def test_stop_whose_response_still_shows_the_window_is_read_back(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        before = server.call("GET", f"integrations/{ONE}/")
        server.fail("POST", "maintenance_stop", responding_with(before))
        assert run("maintenance stop service-010 -o json").json[0]["integration"]["maintenance_mode"] is None
        run("maintenance start service-010 --for 30m")
        server.fail("POST", "maintenance_stop", status(200, json.dumps(before)))
        assert run("maintenance stop service-010 -o json", status=9).json[0]["status"] == "unknown"

    def test_lost_response_of_a_stop_that_arrived_is_stopped(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        server.fail("POST", "maintenance_stop", lose)
        assert run("maintenance stop service-010 -o json").json[0]["status"] == "stopped"
        assert server.changes() == [START, STOP]

    def test_lost_response_of_a_stop_that_does_not_show_is_unknown(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        server.fail("POST", "maintenance_stop", drop)
        run("maintenance stop service-010", status=9)
        assert server.changes() == [START, STOP]

    def test_foreign_window_is_not_taken_for_the_requested_one(self, server: Serving, run: Runner) -> None:
        def somebody_starts_first(_request: object, _answer: object) -> None:
            mode = "group_alerts" if server.dialect == "cloud" else "maintenance"
            server.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 60})

        server.fail("POST", "maintenance_start", somebody_starts_first)
        run("maintenance start service-010 --for 30m", status=7)

    def test_equivalent_window_started_by_somebody_else_is_unchanged(self, server: Serving, run: Runner) -> None:
        def somebody_starts_first(_request: object, answer: object) -> object:
            mode = "silence_escalations" if server.dialect == "cloud" else "debug"
            server.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 1800})
            return answer()  # type: ignore[operator]

        server.fail("POST", "maintenance_start", somebody_starts_first)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "unchanged"
        assert server.changes() == [START]

    def test_longer_foreign_window_after_a_lost_response_is_unchanged(self, server: Serving, run: Runner) -> None:
        def somebody_starts_first(_request: object, _answer: object) -> None:
            mode = "silence_escalations" if server.dialect == "cloud" else "debug"
            server.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 7200})

        server.fail("POST", "maintenance_start", somebody_starts_first)
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "unchanged"

    def test_stop_whose_window_was_replaced_meanwhile_is_stopped(self, server: Serving, run: Runner) -> None:
        def another_window_replaces_it(_request: object, answer: object) -> None:
            answer()  # type: ignore[operator]
            mode = "group_alerts" if server.dialect == "cloud" else "maintenance"
            server.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 60})

        run("maintenance start service-010 --for 30m")
        age(server)
        server.fail("POST", "maintenance_stop", another_window_replaces_it)
        assert run("maintenance stop service-010 -o json").json[0]["status"] == "stopped"

    def test_lost_response_with_a_failed_read_back_is_unknown(self, server: Serving, run: Runner) -> None:
        server.fail("POST", "maintenance_start", lose)
        server.fail("GET", f"integrations/{ONE}/", status(403, '{"detail": "no"}'))
        done = run("maintenance start service-010 --for 30m -o json", status=9)
        assert f"maintenance status {ONE}" in done.error["hint"]


class TestClock:
    """Times are compared with the server's clock."""

    @pytest.mark.promise("wrong-clock-ends-no-window")
    @pytest.mark.parametrize("local", [timedelta(hours=3), timedelta(hours=-3)], ids=["ahead", "behind"])
    def test_wrong_clock_does_not_stop_a_foreign_window(self, server: Serving, run: Runner, local: timedelta) -> None:
        server.ahead = -local
        mode = "silence_escalations" if server.dialect == "cloud" else "debug"
        server.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 7200})
        done = run("maintenance start service-010 --for 10m -o json")
        assert done.json[0]["status"] == "unchanged"
        assert "this machine's clock is 3h" in done.stderr
        assert run("maintenance status -o json").json[0]["overdue"] is False
        run("maintenance start service-010 --for 3h", status=7)
        assert server.changes() == []

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

    def test_until_is_converted_with_the_servers_clock(self, server: Serving, run: Runner) -> None:
        server.ahead = timedelta(hours=-3)
        end = datetime.now(UTC) - timedelta(hours=1)
        run(f"maintenance start service-010 --until {end:%H:%M:%S}")
        assert 7190 <= server.bodies()[0]["duration"] <= 7200


class TestTargets:
    def test_missing_target_stops_the_command(self, server: Serving, run: Runner) -> None:
        done = run("maintenance start service-010 servce-011 --for 30m -o json", status=6)
        assert "service-011" in done.error["hint"]
        assert server.changes() == []

    def test_ambiguous_target_stops_the_command_with_the_candidates(self, server: Serving, run: Runner) -> None:
        done = run("maintenance start service-010 '[prod] api' --for 30m -o json", status=6)
        assert done.error["code"] == "ambiguous"
        for part in ("C5U5IZGQ48B4M", "platform", "C3VV5L7ASAXEA", "payments"):
            assert part in done.error["hint"]
        assert server.changes() == []

    def test_unknown_id_stops_the_command(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 CAAAAAAAAAAAA --for 30m", status=6)
        assert server.changes() == []

    def test_target_given_twice_is_changed_once(self, server: Serving, run: Runner) -> None:
        assert len(run(f"maintenance start service-010 {ONE} --for 30m -o json").json) == 1
        assert server.changes() == [START]

    def test_targets_on_stdin_are_read(self, server: Serving, run: Runner) -> None:
        run("maintenance start - --for 30m", stdin=f"service-011\n\n{ONE}\r\n")
        assert len(server.changes()) == 2

    @pytest.mark.parametrize("stdin", ["", "\n \n"])
    def test_empty_stdin_is_not_found(self, server: Serving, run: Runner, stdin: str) -> None:
        run("maintenance start - --for 30m", stdin=stdin, status=6)
        assert server.changes() == []

    @pytest.mark.parametrize("selector", ["--match nothing-*", "--team empty-team"])
    def test_selector_without_matches_is_not_found(self, server: Serving, run: Runner, selector: str) -> None:
        run(f"maintenance start {selector} --for 30m --yes", status=6)
        assert server.changes() == []

    @pytest.mark.parametrize("targets", ["", "service-010 --all", "--team platform --match x", "service-010 -"])
    def test_no_targets_or_two_kinds_of_targets_are_refused(self, server: Serving, run: Runner, targets: str) -> None:
        run(f"maintenance start {targets} --for 30m --yes", status=2)
        assert server.changes() == []

    @pytest.mark.parametrize("selector", ["--all", "--match 'service-01*'"])
    def test_all_and_match_without_a_terminal_require_yes(self, server: Serving, run: Runner, selector: str) -> None:
        done = run(f"maintenance start {selector} --for 30m -o json", status=2)
        assert done.error["code"] == "confirmation_needed"
        assert "--yes" in done.error["message"]
        assert server.changes() == []

    def test_more_than_twenty_targets_require_yes(self, server: Serving, run: Runner) -> None:
        names = "".join(f"service-{number:03}\n" for number in range(10, 31))
        run("maintenance start - --for 30m", stdin=names, status=2)
        assert server.changes() == []
        run("maintenance start - --for 30m --yes", stdin=names)
        assert len(server.changes()) == 21

    def test_team_selects_its_integrations(self, server: Serving, run: Runner) -> None:
        outcomes = run("maintenance start --team platform --for 30m --yes -o json").json
        assert {outcome["integration"]["team_id"] for outcome in outcomes} == {"TKPSLLWBFUI9R"}
        assert len(outcomes) > 3

    def test_label_on_cloud_selects_integrations(self, cloud: Serving, run: Runner) -> None:
        outcomes = run("maintenance start --label env=prod --for 30m --yes -o json").json
        labels = [{"key": "env", "value": "prod"}]
        assert outcomes
        for outcome in outcomes:
            pairs = [
                {"key": label["key"]["name"], "value": label["value"]["name"]}
                for label in outcome["integration"]["labels"]
            ]
            assert labels[0] in pairs

    def test_label_on_an_engine_is_refused_before_any_request(self, oss: Serving, run: Runner) -> None:
        run("maintenance start --label env=prod --for 30m --yes", status=2)
        assert oss.seen == []


class TestDirectPaging:
    """Maintenance on a direct paging integration prevents paging by hand."""

    def test_named_direct_paging_integration_requires_yes(self, server: Serving, run: Runner) -> None:
        done = run(f'maintenance start "{DIRECT_PAGING[1:-1]}" --for 30m', status=2)
        assert "--yes" in done.stderr
        assert "direct paging" in done.stderr
        assert server.changes() == []

    def test_named_direct_paging_integration_with_yes_is_started(self, server: Serving, run: Runner) -> None:
        run(f"maintenance start {DIRECT_PAGING} --for 30m --yes")
        assert len(server.changes()) == 1

    @pytest.mark.parametrize(
        ("mode", "effect"),
        [
            ("debug", "people paged by name are still notified, but its escalation chain does not run"),
            ("maintenance", "nobody can be paged by name meanwhile"),
        ],
    )
    def test_prompt_for_direct_paging_without_a_team_describes_the_effect_of_the_mode(
        self, server: Serving, run: Runner, mode: str, effect: str
    ) -> None:
        server.call(
            "POST",
            "escalation/",
            {"users": [{"id": "U6YF83T9HEFKQ", "important": False}], "title": "creates the integration"},
        )
        done = run(f"maintenance start 'Direct paging (No team)' --for 30m --mode {mode}", status=2)
        assert effect in done.stderr
        assert "its team" not in done.stderr

    @pytest.mark.parametrize("selector", ["--all", "--match '*'", "--team platform"])
    def test_selector_of_start_omits_direct_paging(self, server: Serving, run: Runner, selector: str) -> None:
        outcomes = run(f"maintenance start {selector} --for 30m --yes -o json").json
        assert outcomes
        assert all(outcome["integration"]["type"] != "direct_paging" for outcome in outcomes)

    def test_selector_of_stop_includes_direct_paging(self, server: Serving, run: Runner) -> None:
        run(f"maintenance start {DIRECT_PAGING} --for 30m --yes")
        outcomes = run("maintenance stop --team platform --yes -o json").json
        assert [outcome["name"] for outcome in outcomes if outcome["status"] == "stopped"] == [DIRECT_PAGING[1:-1]]


class TestGroupsThatKeepPaging:
    def test_warning_gives_the_command_that_silences_them(self, server: Serving, run: Runner) -> None:
        server.alert(ONE)
        stderr = run("maintenance start service-010 --for 90m").stderr
        assert "keep paging through the window" in stderr
        run(pasted(stderr))
        assert "keep paging" not in run("maintenance start service-010 --for 3h --if-active replace").stderr

    def test_replacement_does_not_warn_of_groups_of_the_old_window(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        age(server)
        server.alert(ONE)
        assert "keep paging" not in run("maintenance start service-010 --for 3h --if-active replace").stderr

    def test_pages_do_not_cause_the_warning(self, server: Serving, run: Runner) -> None:
        server.call("POST", "escalation/", {"team": "TKPSLLWBFUI9R", "title": "call me"})
        assert "keep paging" not in run(f"maintenance start {DIRECT_PAGING} --for 30m --yes").stderr

    def test_unknown_count_of_groups_is_reported_as_more_than(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(13):
            server.alert(ONE, f"fire {number}")
        stderr = run("maintenance start service-010 --for 30m").stderr
        assert "and 3 more; to silence them: oncallctl alert-groups silence --integration" in stderr
        monkeypatch.setattr("oncallctl.maintenance.windows.alerts.MOST", 12)
        stderr = run("maintenance start service-010 --for 3h --if-active replace").stderr
        assert "and more than 2 more" in stderr


class TestSeveral:
    def test_failure_of_some_targets_is_a_partial_failure(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-011 --for 30m")
        done = run("maintenance start service-010 service-011 service-012 --for 2h -o json", status=4)
        assert [outcome["status"] for outcome in done.json] == ["started", "failed", "started"]
        assert done.json[1]["error"]["exit_code"] == 7
        assert done.error["code"] == "partial_failure"
        repeat = pasted(done.error["hint"])
        assert "--if-active replace" in repeat
        assert [outcome["status"] for outcome in run(f"{repeat} -o json").json] == ["replaced"]

    def test_hint_after_a_partial_failure_repeats_only_what_failed(self, server: Serving, run: Runner) -> None:
        server.fail("POST", f"{ONE}/maintenance_start", status(403, '{"detail": "no"}'))
        words = "maintenance start service-010 service-011 --for 2h --mode group_alerts --reason 'a b'"
        repeat = pasted(run(f"{words} -o json", status=4).error["hint"])
        assert "--if-active keep" in repeat
        assert [(outcome["id"], outcome["status"]) for outcome in run(f"{repeat} -o json").json] == [(ONE, "started")]
        assert server.bodies()[-1] == server.bodies()[0]
        server.fail("POST", f"{ONE}/maintenance_stop", status(403, '{"detail": "no"}'))
        repeat = pasted(run("maintenance stop service-010 service-011 -o json", status=4).error["hint"])
        assert [outcome["status"] for outcome in run(f"{repeat} -o json").json] == ["stopped"]

    def test_equal_failures_of_all_targets_have_their_exit_status(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 service-011 --for 30m")
        assert run("maintenance start service-010 service-011 --for 2h -o json", status=7).error["code"] == "conflict"

    def test_quiet_prints_nothing_on_success_and_one_line_on_failure(self, server: Serving, run: Runner) -> None:
        done = run("maintenance start service-010 --for 30m --quiet")
        assert (done.stdout, done.stderr) == ("", "")
        failed = run("maintenance start service-010 --for 2h --quiet", status=7)
        assert failed.stdout == ""
        assert len(failed.stderr.splitlines()) == 1


class TestStatus:
    def test_status_without_targets_shows_active_windows(self, server: Serving, run: Runner) -> None:
        assert run("maintenance status -o json").json == []
        run("maintenance start service-010 --for 30m --mode group_alerts")
        (window,) = run("maintenance status -o json").json
        assert set(window) >= {
            "id",
            "name",
            "team_id",
            "mode",
            "started_at",
            "ends_at",
            "remaining_seconds",
            "overdue",
            "integration",
        }
        assert (window["id"], window["mode"], window["overdue"]) == (ONE, "group_alerts", False)
        assert 1700 < window["remaining_seconds"] <= 1800

    def test_status_with_targets_shows_each(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        windows = run("maintenance status service-011 service-010 -o json").json
        assert [(window["name"], window["mode"]) for window in windows] == [
            ("service-011", None),
            ("service-010", "silence_escalations"),
        ]

    def test_status_require_exits_with_10_if_the_condition_fails(self, server: Serving, run: Runner) -> None:
        run("maintenance status service-010 --require inactive")
        run("maintenance status service-010 --require active", status=10)
        run("maintenance status --require active", status=10)
        run("maintenance status --require inactive")
        run("maintenance start service-010 --for 30m")
        run("maintenance status service-010 --require active")
        run("maintenance status service-010 service-011 --require active", status=10)
        run("maintenance status service-010 service-011 --require active --ending-within 1h", status=10)
        run("maintenance status service-010 --require active --ending-within 1m")
        run("maintenance status --require inactive", status=10)

    def test_ending_within_selects_windows_that_end_soon(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        run("maintenance start service-011 --for 5h")
        windows = run("maintenance status --ending-within 1h -o json").json
        assert [window["name"] for window in windows] == ["service-010"]

    def test_status_masks_links_in_every_format(self, server: Serving, run: Runner) -> None:
        for verb in ("start service-010 --for 30m", "status", "stop service-010"):
            done = run(f"maintenance {verb} -o json")
            assert "/integrations/v1/" not in done.stdout
            assert done.json[0]["integration"]["link"] == "********"


class TestDryRun:
    def test_dry_run_shows_the_request_and_sends_none(self, server: Serving, run: Runner) -> None:
        (outcome,) = run("maintenance start service-010 --for 30m --dry-run -o json").json
        mode = "silence_escalations" if server.dialect == "cloud" else "debug"
        assert outcome["status"] == "would-start"
        assert outcome["requests"] == [
            {"method": "POST", "url": f"{server.url}{START[5:]}", "body": {"mode": mode, "duration": 1800}}
        ]
        assert server.changes() == []

    def test_dry_run_of_a_replacement_shows_both_requests(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        (outcome,) = run("maintenance start service-010 --for 2h --if-active replace --dry-run -o json").json
        assert [request["url"].rpartition("/")[2] for request in outcome["requests"]] == [
            "maintenance_stop",
            "maintenance_start",
        ]
        assert server.changes() == [START]

    def test_dry_run_without_changes_shows_no_request(self, server: Serving, run: Runner) -> None:
        (outcome,) = run("maintenance stop service-010 --dry-run -o json").json
        assert (outcome["status"], outcome["requests"]) == ("unchanged", [])


class TestRoles:
    @pytest.mark.parametrize("command", ["start service-010 --for 5m", "stop service-010"])
    def test_refusal_because_of_the_role_names_the_role(self, oss: Serving, run: Runner, command: str) -> None:
        run("maintenance start service-010 --for 10m" if command.startswith("stop") else "teams list")
        done = run(f"maintenance {command} -o json", status=3, ONCALLCTL_TOKEN=sandbox.EDITOR_TOKEN)
        assert done.error["message"] == "maintenance needs the Admin role; this token's user is editor"

    def test_role_is_fetched_once_for_all_targets(self, oss: Serving, run: Runner) -> None:
        line = "maintenance start service-010 service-011 service-012 --for 5m"
        run(line, status=3, ONCALLCTL_TOKEN=sandbox.EDITOR_TOKEN)
        assert oss.reads().count("GET /api/v1/users/current/") == 1

    def test_another_refusal_is_shown_as_it_is(self, oss: Serving, run: Runner) -> None:
        oss.fail("POST", "maintenance_start", status(403, '{"detail": "no"}'))
        done = run("maintenance start service-010 --for 5m -o json", status=3)
        assert done.error["message"] == "the server refused the token: no"
