"""`maintenance extend` against the sandbox behind a socket."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.maintenance.support import ONE, START, STOP, pasted
from tests.conftest import Runner
from tests.serving import Serving, lose, status


def window(server: Serving) -> dict[str, Any]:
    return server.call("GET", f"integrations/{ONE}/")


def ends_at(server: Serving) -> datetime:
    return datetime.fromisoformat(window(server)["maintenance_end_at"])


class TestExtending:
    def test_window_ends_later_by_the_duration_and_keeps_its_mode(self, server: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        before = ends_at(server)
        (outcome,) = run("maintenance extend service-010 --by 1h -o json").json
        assert (outcome["status"], outcome["error"]) == ("extended", None)
        assert abs(ends_at(server) - before - timedelta(hours=1)) <= timedelta(seconds=2)
        assert server.changes() == [START, STOP, START]
        first, _, second = server.bodies()
        assert first["mode"] == second["mode"]

    def test_window_extended_until_a_time_twice_is_unchanged_the_second_time(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        end = f"{datetime.now().astimezone() + timedelta(hours=2):%Y-%m-%dT%H:%M:%S%z}"
        for expected in ("extended", "unchanged"):
            (outcome,) = run(f"maintenance extend service-010 --until {end} -o json").json
            assert outcome["status"] == expected
        assert cloud.changes() == [START, STOP, START]

    def test_window_that_lasts_longer_is_not_shortened(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 5h")
        end = f"{datetime.now().astimezone() + timedelta(hours=1):%Y-%m-%dT%H:%M:%S%z}"
        assert run(f"maintenance extend service-010 --until {end} -o json").json[0]["status"] == "unchanged"
        assert cloud.changes() == [START]

    def test_overdue_window_is_extended_from_now(self, unswept: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        unswept.ahead = timedelta(hours=3)
        (outcome,) = run("maintenance extend service-010 --by 1h -o json").json
        assert outcome["status"] == "extended"
        assert 3595 <= unswept.bodies()[-1]["duration"] <= 3600

    def test_reason_of_the_window_is_kept(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --reason 'db upgrade'")
        run("maintenance extend service-010 --by 1h")
        assert run("maintenance status -o json").json[0]["reason"] == "db upgrade"
        run("maintenance extend service-010 --by 1h --reason 'it takes longer'")
        assert run("maintenance status -o json").json[0]["reason"] == "it takes longer"


class TestRefusals:
    def test_integration_without_a_window_is_a_conflict_with_the_start_command(
        self, cloud: Serving, run: Runner
    ) -> None:
        error = run("maintenance extend service-010 --by 1h -o json", status=7).error
        assert error["message"] == "'service-010' is not in maintenance"
        assert cloud.changes() == []
        run(pasted(error["hint"]))
        assert cloud.changes() == [START]

    def test_selector_without_active_windows_is_a_conflict(self, cloud: Serving, run: Runner) -> None:
        assert "none of the " in run("maintenance extend --team 'data infra' --by 1h", status=7).stderr
        assert cloud.changes() == []

    def test_selector_extends_active_windows_only(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        (outcome,) = run("maintenance extend --team 'data infra' --by 1h -o json").json
        assert (outcome["id"], outcome["status"]) == (ONE, "extended")

    def test_window_held_by_a_run_is_refused(self, cloud: Serving, run: Runner) -> None:
        extend = f"{sys.executable} -m oncallctl maintenance extend {ONE} --by 1h"
        run(f"maintenance run service-010 --for 30m -- {extend}", status=7)
        assert cloud.changes() == [START, STOP]

    @pytest.mark.parametrize("options", ["", "--by 1h --until 18:00", "--by 0", "--until 1999-01-01T00:00"])
    def test_invalid_length_is_refused_before_any_request(self, cloud: Serving, run: Runner, options: str) -> None:
        run(f"maintenance extend service-010 {options}", status=2)
        assert cloud.changes() == []

    def test_max_counts_from_now(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        assert "longer than the 1h" in run("maintenance extend service-010 --by 31m --max 1h", status=2).stderr
        assert run("maintenance extend service-010 --by 29m --max 1h -o json").json[0]["status"] == "extended"

    @pytest.mark.parametrize(
        ("rail", "message"),
        [
            ('longest_window = "1h"', "longer than the 1h"),
            ("reason_required = true", "requires a reason"),
            ('modes_allowed = ["group_alerts"]', "does not allow silence_escalations"),
            ("most_targets = 0", "more than the 0"),
        ],
    )
    def test_guard_rails_of_the_profile_apply(
        self, cloud: Serving, run: Runner, tmp_path: Path, rail: str, message: str
    ) -> None:
        run("maintenance start service-010 --for 30m")
        token, config = tmp_path / "token", tmp_path / "config.toml"
        token.write_text(cloud.token)
        token.chmod(0o600)
        config.write_text(f'[profiles.p]\nurl = "{cloud.url}"\napi = "cloud"\ntoken_file = "{token}"\n{rail}\n')
        done = run("maintenance extend service-010 --by 1h -p p", status=2, ONCALLCTL_CONFIG=str(config))
        assert message in done.stderr
        assert cloud.changes() == [START]

    def test_group_window_with_alert_groups_needs_yes(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        cloud.alert(ONE)
        assert "1 alert group" in run("maintenance extend service-010 --by 1h", status=2).stderr
        assert cloud.changes() == [START]
        run("maintenance extend service-010 --by 1h --yes")
        assert cloud.changes() == [START, STOP, START]


class TestOutcome:
    def test_failed_start_after_the_stop_is_an_error_with_the_start_command(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        cloud.fail("POST", "maintenance_start", status(403, '{"detail": "no"}'))
        error = run("maintenance extend service-010 --by 1h -o json", status=3).error
        assert "was stopped and the new one did not start" in error["message"]
        assert "'service-010' is NOT in maintenance" in error["message"]
        run(pasted(error["hint"]))
        assert 85 * 60 < cloud.bodies()[-1]["duration"] <= 90 * 60

    def test_lost_response_to_the_start_is_read_back(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        cloud.fail("POST", "maintenance_start", lose)
        assert run("maintenance extend service-010 --by 1h -o json").json[0]["status"] == "extended"
        assert cloud.changes() == [START, STOP, START]

    def test_dry_run_shows_both_requests_and_sends_none(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        (outcome,) = run("maintenance extend service-010 --by 1h --dry-run -o json").json
        assert outcome["status"] == "would-extend"
        assert [request["url"].rpartition("/")[2] for request in outcome["requests"]] == [
            "maintenance_stop",
            "maintenance_start",
        ]
        assert cloud.changes() == [START]

    def test_journal_has_the_replacement(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        run("maintenance extend service-010 --by 1h")
        assert [(each["event"], each["cause"]) for each in run("maintenance history -o json").json] == [
            ("started", None),
            ("stopped", "replace"),
            ("started", None),
        ]


def test_start_on_a_shorter_window_gives_the_extend_command(cloud: Serving, run: Runner) -> None:
    run("maintenance start service-010 --for 30m")
    error = run("maintenance start service-010 --for 2h -o json", status=7).error
    (outcome,) = run(f"{pasted(error['hint'])} -o json").json
    assert outcome["status"] == "extended"
    assert 119 * 60 < cloud.bodies()[-1]["duration"] <= 120 * 60
