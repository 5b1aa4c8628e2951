"""`maintenance stop` and `status`, and dry runs."""

from tests.cli.maintenance.support import ONE, START, STOP, silent
from tests.conftest import Runner
from tests.serving import Serving


class TestStopping:
    def test_stop_stops_the_window(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        (outcome,) = run("maintenance stop service-010 -o json").json
        assert outcome["status"] == "stopped"
        assert outcome["integration"]["maintenance_mode"] is None
        assert server.changes() == [START, STOP]
        assert server.bodies()[1] is None

    def test_stop_without_a_window_sends_no_change(self, cloud: Serving, run: Runner) -> None:
        assert run("maintenance stop service-010 -o json").json[0]["status"] == "unchanged"
        assert cloud.changes() == []

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

    def test_replacement_of_a_group_window_requires_yes(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        cloud.alert(ONE)
        run("maintenance start service-010 --for 2h --mode group_alerts --if-active replace", status=2)
        assert cloud.changes() == [START]

    def test_stop_of_an_empty_group_window_does_not_prompt(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        run("maintenance start service-010 --for 2h --mode group_alerts --if-active replace")
        run("maintenance stop service-010")
        assert cloud.changes() == [START, STOP, START, STOP]

    def test_stop_by_a_selector_stops_only_active_windows(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 service-011 --for 30m")
        done = run("maintenance stop --all --yes -o json")
        assert [outcome["name"] for outcome in done.json] == ["service-010", "service-011"]
        assert "2 integrations" in done.stderr
        assert len(cloud.changes()) == 4

    def test_stop_by_a_selector_without_active_windows_succeeds_with_a_note(self, cloud: Serving, run: Runner) -> None:
        done = run("maintenance stop --all -o json")
        assert done.json == []
        assert "nothing to stop" in done.stderr
        assert cloud.changes() == []


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

    def test_status_with_targets_shows_each(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        windows = run("maintenance status service-011 service-010 -o json").json
        assert [(window["name"], window["mode"]) for window in windows] == [
            ("service-011", None),
            ("service-010", "silence_escalations"),
        ]

    def test_status_require_exits_with_10_if_the_condition_fails(self, cloud: Serving, run: Runner) -> None:
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

    def test_ending_within_selects_windows_that_end_soon(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        run("maintenance start service-011 --for 5h")
        windows = run("maintenance status --ending-within 1h -o json").json
        assert [window["name"] for window in windows] == ["service-010"]

    def test_status_masks_links_in_every_format(self, cloud: Serving, run: Runner) -> None:
        for verb in ("start service-010 --for 30m", "status", "stop service-010"):
            done = run(f"maintenance {verb} -o json")
            assert "/integrations/v1/" not in done.stdout
            assert done.json[0]["integration"]["link"] == "********"


class TestDryRun:
    def test_dry_run_shows_the_request_and_sends_none(self, cloud: Serving, run: Runner) -> None:
        (outcome,) = run("maintenance start service-010 --for 30m --dry-run -o json").json
        mode = "silence_escalations"
        assert outcome["status"] == "would-start"
        assert outcome["requests"] == [
            {"method": "POST", "url": f"{cloud.url}{START[5:]}", "body": {"mode": mode, "duration": 1800}}
        ]
        assert cloud.changes() == []

    def test_dry_run_of_a_replacement_shows_both_requests(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        (outcome,) = run("maintenance start service-010 --for 2h --if-active replace --dry-run -o json").json
        assert [request["url"].rpartition("/")[2] for request in outcome["requests"]] == [
            "maintenance_stop",
            "maintenance_start",
        ]
        assert cloud.changes() == [START]

    def test_dry_run_without_changes_shows_no_request(self, cloud: Serving, run: Runner) -> None:
        (outcome,) = run("maintenance stop service-010 --dry-run -o json").json
        assert (outcome["status"], outcome["requests"]) == ("unchanged", [])
