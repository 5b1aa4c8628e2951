"""`maintenance start`: windows that are active already, lengths, modes and roles."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from werkzeug.wrappers import Response

from oncallctl import sandbox
from tests.cli.maintenance.support import DIRECT_PAGING, ONE, START, STOP, age, expire, pasted, silent
from tests.conftest import Runner
from tests.serving import Serving, status


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

    def test_window_that_ends_later_is_left_alone(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 2h")
        assert run("maintenance start service-010 --for 30m -o json").json[0]["status"] == "unchanged"
        assert cloud.changes() == [START]

    def test_window_that_ends_sooner_is_a_conflict(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        done = run("maintenance start service-010 --for 2h -o json", status=7)
        assert done.json[0]["status"] == "failed"
        assert done.error["code"] == "conflict"
        assert "--if-active" in done.error["hint"]
        assert cloud.changes() == [START]

    def test_window_in_another_mode_is_a_conflict(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 2h")
        run("maintenance start service-010 --for 30m --mode group_alerts", status=7)
        assert cloud.changes() == [START]

    def test_if_active_keep_leaves_another_window_with_a_warning(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        done = run("maintenance start service-010 --for 2h --if-active keep -o json")
        assert done.json[0]["status"] == "unchanged"
        assert "warning" in done.stderr
        assert cloud.changes() == [START]

    def test_if_active_replace_stops_the_other_window_first(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        assert run("maintenance start service-010 --for 2h --if-active replace -o json").json[0]["status"] == "replaced"
        assert server.changes() == [START, STOP, START]
        assert server.bodies()[2]["duration"] == 7200

    def test_failed_start_after_the_stop_says_that_there_is_no_window(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        server.fail("POST", "maintenance_start", status(403, '{"detail": "no"}'))
        done = run("maintenance start service-010 --for 2h --if-active replace", status=3)
        assert "NOT in maintenance" in done.stderr
        assert not silent(server)

    def test_start_after_a_stop_that_finds_another_window_does_not_say_that_there_is_none(
        self, cloud: Serving, run: Runner
    ) -> None:
        def somebody_starts_first(_request: object, answer: Callable[[], Response]) -> Response:
            mode = "group_alerts"
            cloud.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": mode, "duration": 60})
            return answer()

        run("maintenance start service-010 --for 30m")
        cloud.fail("POST", "maintenance_start", somebody_starts_first)
        done = run("maintenance start service-010 --for 2h --if-active replace", status=7)
        assert "was stopped and the new one did not start" in done.stderr
        assert "NOT in maintenance" not in done.stderr

    def test_until_sets_the_end(self, cloud: Serving, run: Runner) -> None:
        end = (datetime.now(UTC) + timedelta(hours=3)).replace(microsecond=0)
        run(f"maintenance start service-010 --until {end:%Y-%m-%dT%H:%M:%SZ}")
        assert 3 * 3600 - 10 <= cloud.bodies()[0]["duration"] <= 3 * 3600
        run(f"maintenance start service-010 --until {end:%Y-%m-%dT%H:%M:%SZ}")
        assert cloud.changes() == [START]

    @pytest.mark.parametrize(("earlier", "outcome"), [(50, "unchanged"), (70, "failed")])
    def test_window_that_ends_at_most_a_minute_earlier_is_unchanged(
        self, cloud: Serving, run: Runner, earlier: int, outcome: str
    ) -> None:
        run(f"maintenance start service-010 --for {1800 - earlier}")
        done = run("maintenance start service-010 --for 1800 -o json", status=None)
        assert done.json[0]["status"] == outcome

    def test_until_is_parsed_in_the_requested_zone(self, cloud: Serving, run: Runner) -> None:
        moment = datetime.now(UTC) + timedelta(hours=3)
        wall = moment.astimezone(ZoneInfo("Asia/Kathmandu")).strftime("%Y-%m-%dT%H:%M:%S")
        run(f"maintenance start service-010 --until {wall} --tz Asia/Kathmandu")
        assert 3 * 3600 - 10 <= cloud.bodies()[0]["duration"] <= 3 * 3600

    def test_until_on_another_day_is_noted(self, cloud: Serving, run: Runner) -> None:
        now = datetime.now(UTC)
        done = run(f"maintenance start service-010 --until {now - timedelta(minutes=2):%H:%M}")
        assert "23h 5" in done.stderr or "1d" in done.stderr

    def test_small_number_of_seconds_causes_a_warning(self, cloud: Serving, run: Runner) -> None:
        assert "30 seconds" in run("maintenance start service-010 --for 30").stderr

    def test_length_is_computed_when_the_request_is_sent(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The wait for a rate limit does not make the window end later."""
        late = timedelta()
        monkeypatch.setattr("oncallctl.api.clock.now", lambda: datetime.now(UTC) + late)

        def wait(_seconds: float) -> None:
            nonlocal late
            late = timedelta(minutes=10)

        monkeypatch.setattr("oncallctl.api.retry.time.sleep", wait)
        monkeypatch.setattr("oncallctl.api.retry.Retries._rest", lambda _: wait(0) if cloud.changes() else None)
        cloud.fail("POST", "maintenance_start", status(429, '{"detail": "throttled"}', Retry_After="60"))
        end = datetime.now(UTC) + timedelta(hours=1)
        run(f"maintenance start service-010 --until {end:%Y-%m-%dT%H:%M:%SZ}")
        first, second = (body["duration"] for body in cloud.bodies())
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
            "--until someday",
            "--for 2h --max 1h",
        ],
    )
    def test_invalid_length_is_refused_before_any_request(self, cloud: Serving, run: Runner, options: str) -> None:
        run(f"maintenance start service-010 {options}", status=2)
        assert cloud.seen == []

    def test_max_allows_a_longer_window(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 10d --max 10d")
        assert cloud.bodies() == [{**cloud.bodies()[0], "duration": 10 * 86400}]


class TestOverdue:
    """A window past its end that the server has not closed still suppresses pages."""

    def test_overdue_window_counts_as_active(self, unswept: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        expire(unswept)
        (window,) = run("maintenance status -o json").json
        assert window["overdue"] is True
        assert window["remaining_seconds"] == 0
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


class TestGroupsThatKeepPaging:
    def test_warning_gives_the_command_that_silences_them(self, cloud: Serving, run: Runner) -> None:
        cloud.alert(ONE)
        stderr = run("maintenance start service-010 --for 90m").stderr
        assert "keep paging through the window" in stderr
        run(pasted(stderr))
        assert "keep paging" not in run("maintenance start service-010 --for 3h --if-active replace").stderr

    def test_replacement_does_not_warn_of_groups_of_the_old_window(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        age(cloud)
        cloud.alert(ONE)
        assert "keep paging" not in run("maintenance start service-010 --for 3h --if-active replace").stderr

    def test_pages_do_not_cause_the_warning(self, cloud: Serving, run: Runner) -> None:
        cloud.call("POST", "escalation/", {"team": "TKPSLLWBFUI9R", "title": "call me"})
        assert "keep paging" not in run(f"maintenance start {DIRECT_PAGING} --for 30m --yes").stderr

    def test_unknown_count_of_groups_is_reported_as_more_than(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(13):
            cloud.alert(ONE, f"fire {number}")
        stderr = run("maintenance start service-010 --for 30m").stderr
        assert "and 3 more; to silence them: oncallctl alert-groups silence --integration" in stderr
        monkeypatch.setattr("oncallctl.maintenance.windows.alerts.MOST", 12)
        stderr = run("maintenance start service-010 --for 3h --if-active replace").stderr
        assert "and more than 2 more" in stderr


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

    def test_refusal_for_another_reason_is_shown_unchanged(self, oss: Serving, run: Runner) -> None:
        oss.fail("POST", "maintenance_start", status(403, '{"detail": "no"}'))
        done = run("maintenance start service-010 --for 5m -o json", status=3)
        assert done.error["message"] == "the server refused the token: no"
