"""`maintenance run`: windows that are shared by runs, renewed while the command runs, and stopped after it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.wrappers import Response

from oncallctl import times
from oncallctl.api.client import OnCall
from oncallctl.api.resources.base import Change
from oncallctl.api.resources.integrations import Integration
from oncallctl.batch import Target
from oncallctl.config.connect import connect
from oncallctl.config.private_files import state_folder
from oncallctl.config.settings import Settings
from oncallctl.errors import InvalidInput
from oncallctl.maintenance import IfActive
from oncallctl.maintenance.journal import Author, Journal
from oncallctl.maintenance.run import shared as shared_module
from oncallctl.maintenance.run.leases import LeasePolicy, renew_until_stopped
from oncallctl.maintenance.run.member import RunRequest
from oncallctl.maintenance.run.run_windows import RunWindows
from oncallctl.maintenance.run.shared import SharedWindow, WindowRecord
from oncallctl.maintenance.windows.change import WindowService
from oncallctl.maintenance.windows.model import Window
from tests.conftest import Runner
from tests.serving import Serving, status

ONE = "C5BPMMTY9FMXJ"  # service-010
DIRECT_PAGING = "'Direct paging (platform team)'"
START = f"POST /api/v1/integrations/{ONE}/maintenance_start"
STOP = f"POST /api/v1/integrations/{ONE}/maintenance_stop"
REFUSED = status(403, '{"detail": "no"}')
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)


def window(serving: Serving, ident: str = ONE) -> dict[str, object] | None:
    found = serving.call("GET", f"integrations/{ident}/")
    return found if found["maintenance_mode"] else None


class Clock:
    """The clock of the program, which tests move forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        monkeypatch.setattr("oncallctl.api.clock.now", self.now)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, time: timedelta) -> None:
        self.ahead += time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


RunMaker = Callable[..., RunWindows]


@pytest.fixture
def make_run(cloud: Serving) -> RunMaker:
    """Return a function that creates the windows of a new run. Their warnings are in `WARNED`."""

    def make(
        until: timedelta = HOUR, lease: timedelta | None = None, if_active: IfActive = IfActive.FAIL, mode: str = ""
    ) -> RunWindows:
        oncall = connect(Settings())
        policy = LeasePolicy(mode or "silence_escalations", times.now() + until, lease)
        service = WindowService(oncall, Journal(), Author("upgrade"), WARNED.append)
        return RunWindows(RunRequest(service, policy, if_active, state_folder()))

    WARNED.clear()
    return make


WARNED: list[str] = []


def join(windows: RunWindows, ident: str = ONE) -> str:
    """Join one integration; return the outcome."""
    (outcome,) = windows.join([Target(ident, windows.oncall.integrations.get(ident))]).outcomes
    return outcome.status if outcome.error is None else outcome.error.code


def leave(windows: RunWindows) -> str:
    (outcome,) = windows.leave().outcomes
    return outcome.status if outcome.error is None else outcome.error.code


class TestCommand:
    def test_run_that_needs_a_confirmation_requires_yes(self, cloud: Serving, run: Runner) -> None:
        done = run(f"maintenance run {DIRECT_PAGING} --for 30m -- true", status=2)
        assert "--yes" in done.stderr
        run("maintenance run --all --for 30m -- true", status=2)
        assert cloud.changes() == []

    def test_selector_omits_direct_paging_integrations(self, cloud: Serving, run: Runner) -> None:
        run("maintenance run --match 'Direct paging*' --for 30m --yes -- true", status=125)
        assert cloud.changes() == []

    def test_lease_with_group_alerts_is_refused(self, cloud: Serving, run: Runner) -> None:
        done = run("maintenance run service-010 --for 1h --mode maintenance --lease 15m -- true", status=2)
        assert "resolve" in done.stderr
        assert cloud.seen == []

    @pytest.mark.parametrize("words", ["--lease 59", "--lease soon", "--for 8d", "--tail -1", "--mode x"])
    def test_invalid_duration_is_refused_before_any_change(self, cloud: Serving, run: Runner, words: str) -> None:
        length = "" if "--for" in words else "--for 30m"
        run(f"maintenance run service-010 {length} {words} -- false", status=2)
        assert cloud.changes() == []

    def test_shorter_active_window_is_a_conflict_with_exit_125(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        done = run("maintenance run service-010 --for 2h -o json -- false", status=125)
        assert done.error["code"] == "conflict"
        assert cloud.changes() == [START]

    def test_active_window_that_lasts_long_enough_is_kept(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 2h")
        run("maintenance run service-010 --for 30m -- true")
        assert cloud.changes() == [START]

    def test_kept_window_is_not_stopped(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        run("maintenance run service-010 --for 2h --if-active keep -- true")
        assert cloud.changes() == [START]

    def test_window_that_replaced_another_is_stopped_after_the_run(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        run("maintenance run service-010 --for 2h --if-active replace -- true")
        assert cloud.changes() == [START, STOP, START, STOP]

    def test_replacement_that_does_not_start_says_that_the_old_window_is_gone(
        self, cloud: Serving, run: Runner
    ) -> None:
        run("maintenance start service-010 --for 30m")
        cloud.fail("POST", "maintenance_start", REFUSED)
        done = run("maintenance run service-010 --for 2h --if-active replace -- true", status=125)
        assert "the silence_escalations window of 'service-010' (until " in done.stderr
        assert "was stopped and the new one did not start" in done.stderr
        assert "'service-010' is NOT in maintenance" in done.stderr

    def test_each_replacement_that_does_not_start_says_that_the_old_window_is_gone(
        self, cloud: Serving, run: Runner
    ) -> None:
        run("maintenance start service-010 service-011 --for 30m")
        cloud.fail("POST", "maintenance_start", REFUSED, times=2)
        words = "maintenance run service-010 service-011 --for 2h --if-active replace"
        done = run(f"{words} --if-start-fails continue -- true")
        assert "'service-010' is NOT in maintenance" in done.stderr
        assert "'service-011' is NOT in maintenance" in done.stderr

    def test_replacement_that_finds_another_new_window_says_that_the_old_one_is_gone(
        self, cloud: Serving, run: Runner
    ) -> None:
        def somebody_starts_first(_request: object, answer: Callable[[], Response]) -> Response:
            body = {"mode": "group_alerts", "duration": 60}
            cloud.call("POST", f"integrations/{ONE}/maintenance_start", body)
            return answer()

        run("maintenance start service-010 --for 30m")
        cloud.fail("POST", "maintenance_start", somebody_starts_first)
        done = run("maintenance run service-010 --for 2h --if-active replace -- true", status=125)
        assert "was stopped and the new one did not start" in done.stderr
        assert window(cloud) is not None

    def test_own_group_alerts_window_is_stopped_without_a_prompt(self, cloud: Serving, run: Runner) -> None:
        run("maintenance run service-010 --for 2h --mode group_alerts -- true")
        assert cloud.changes() == [START, STOP]

    def test_replacement_of_a_foreign_group_alerts_window_requires_yes(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m --mode group_alerts")
        cloud.alert(ONE)
        words = "maintenance run service-010 --for 2h --if-active replace"
        run(f"{words} -- true", status=2)
        run(f"{words} --yes -- true")
        assert window(cloud) is None

    def test_journal_has_the_reason_and_the_run(self, cloud: Serving, run: Runner) -> None:
        run("maintenance run service-010 --for 30m --reason upgrade -- true")
        start, stop = run("maintenance history -o json").json
        assert (start["event"], stop["event"]) == ("started", "stopped")
        assert start["reason"] == stop["reason"] == "upgrade"
        assert start["run"] == stop["run"]

    def test_run_on_a_self_hosted_engine_starts_and_stops_its_window(self, oss: Serving, run: Runner) -> None:
        run("maintenance run service-010 --for 30m -- true")
        assert oss.bodies() == [{"mode": "debug", "duration": 1800}, None]

    def test_orphans_without_orphaned_windows_prints_an_empty_list(self, cloud: Serving, run: Runner) -> None:
        assert run("maintenance orphans -o json").json == []


class TestOwnership:
    def test_window_that_somebody_else_started_meanwhile_is_not_stopped(
        self, cloud: Serving, make_run: RunMaker
    ) -> None:
        windows = make_run()
        assert join(windows) == "started"
        cloud.call("POST", f"integrations/{ONE}/maintenance_stop")
        cloud.call("POST", f"integrations/{ONE}/maintenance_start", {"mode": "silence_escalations", "duration": 3600})
        with sqlite3.connect(cloud.database) as database:
            database.execute("UPDATE integrations SET maintenance_started_at = maintenance_started_at + 5")
        assert leave(windows) == "left"
        assert window(cloud) is not None

    def test_window_that_somebody_stopped_is_not_stopped_again(self, cloud: Serving, make_run: RunMaker) -> None:
        windows = make_run()
        join(windows)
        cloud.call("POST", f"integrations/{ONE}/maintenance_stop")
        assert leave(windows) == "left"
        assert cloud.changes() == [START]

    def test_equivalent_window_of_another_program_is_not_owned(self, cloud: Serving, make_run: RunMaker) -> None:
        def first(_request: object, answer: Callable[[], Response]) -> Response:
            cloud.call(
                "POST", f"integrations/{ONE}/maintenance_start", {"mode": "silence_escalations", "duration": 3600}
            )
            return answer()

        cloud.fail("POST", "maintenance_start", first)
        windows = make_run()
        assert join(windows) == "unchanged"
        assert leave(windows) == "left"
        assert window(cloud) is not None

    def test_window_without_a_known_start_is_recognized_by_mode_length_and_time(self) -> None:
        at = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
        record = WindowRecord("host", ONE, "one", "silence_escalations", 1800, at, "run", None)
        end = at + timedelta(seconds=1801)
        assert record.matches(Window("silence_escalations", at + timedelta(seconds=1), end))
        assert not record.matches(Window("group_alerts", at + timedelta(seconds=1), end))
        assert not record.matches(Window("silence_escalations", at + timedelta(seconds=9), end))
        later = timedelta(minutes=10)
        assert not record.matches(Window("silence_escalations", at + later, at + later + timedelta(seconds=1800)))
        assert not record.matches(None)


class TestSharing:
    def test_last_run_to_leave_stops_the_window(self, cloud: Serving, make_run: RunMaker) -> None:
        first, second = make_run(), make_run()
        assert (join(first), join(second)) == ("started", "shared")
        assert leave(first) == "left"
        assert window(cloud) is not None
        assert leave(second) == "stopped"
        assert cloud.changes() == [START, STOP]

    def test_run_that_needs_the_window_longer_replaces_it(self, cloud: Serving, make_run: RunMaker) -> None:
        first, second = make_run(HOUR), make_run(2 * HOUR)
        assert (join(first), join(second)) == ("started", "replaced")
        assert cloud.bodies()[-1]["duration"] == 7200
        assert leave(second) == "left", "the first run still needs the window"
        assert window(cloud) is not None
        assert leave(first) == "stopped"

    def test_shared_window_is_started_again_if_the_longer_one_does_not_start(
        self, cloud: Serving, make_run: RunMaker
    ) -> None:
        first, second = make_run(HOUR), make_run(2 * HOUR)
        join(first)
        before = window(cloud)
        assert before is not None
        cloud.fail("POST", "maintenance_start", REFUSED)
        (outcome,) = second.join([Target(ONE, second.oncall.integrations.get(ONE))]).outcomes
        assert outcome.error is not None
        ends = str(before["maintenance_end_at"])[:19]
        assert f"the silence_escalations window of 'service-010' (until {ends}" in outcome.error.message
        assert outcome.error.message.endswith("the old one was started again")
        again = window(cloud)
        assert again is not None
        assert str(again["maintenance_end_at"])[:18] == str(before["maintenance_end_at"])[:18]
        assert leave(first) == "stopped", "the first run owns the restored window"

    def test_shared_window_that_cannot_be_restarted_is_reported_as_gone(
        self, cloud: Serving, make_run: RunMaker
    ) -> None:
        first, second = make_run(HOUR), make_run(2 * HOUR)
        join(first)
        cloud.fail("POST", "maintenance_start", REFUSED, times=2)
        (outcome,) = second.join([Target(ONE, second.oncall.integrations.get(ONE))]).outcomes
        assert outcome.error is not None
        assert "starting the old one again failed too" in outcome.error.message
        assert outcome.error.message.endswith("'service-010' is NOT in maintenance")
        assert outcome.error.exit_code == 3

    def test_run_that_needs_the_window_a_few_seconds_longer_shares_it(self, cloud: Serving, make_run: RunMaker) -> None:
        assert join(make_run(HOUR)) == "started"
        assert join(make_run(HOUR + timedelta(seconds=30))) == "shared"

    def test_other_mode_is_a_conflict_even_with_replace(self, cloud: Serving, make_run: RunMaker) -> None:
        first = make_run()
        join(first)
        assert join(make_run(mode="disable_alerts")) == "conflict"
        assert join(make_run(mode="disable_alerts", if_active=IfActive.REPLACE)) == "conflict"
        assert cloud.changes() == [START]
        assert leave(first) == "stopped", "runs that could not join do not need the window"

    def test_window_kept_in_another_mode_is_not_stopped_by_others(self, cloud: Serving, make_run: RunMaker) -> None:
        first, second = make_run(), make_run(mode="disable_alerts", if_active=IfActive.KEEP)
        join(first)
        assert join(second) == "unchanged"
        assert leave(first) == "left"
        assert leave(second) == "stopped"

    def test_runs_share_each_integration_separately(self, cloud: Serving, make_run: RunMaker) -> None:
        first, second = make_run(), make_run()
        join(first)
        other = cloud.call("GET", "integrations/?perpage=1")["results"][0]["id"]
        assert other != ONE
        join(second, other)
        assert leave(first) == "stopped"
        assert window(cloud, other) is not None

    def test_damaged_window_file_is_ignored(self, world: Path) -> None:
        shared = SharedWindow.of(state_folder(), "host", ONE)
        shared._window.write_text('{"server": ', encoding="utf-8")
        assert shared.record() is None

    def test_window_of_an_integration_with_half_of_a_surrogate_pair_in_its_name_is_remembered(self) -> None:
        shared = SharedWindow.of(state_folder(), "host", ONE)
        record = WindowRecord("host", ONE, "one \ud800", "group_alerts", 1800, datetime.now(UTC), "run", None)
        shared.save(record)
        assert shared.record(pytest.fail) == record

    def test_window_with_an_incomplete_record_is_stopped(
        self, cloud: Serving, make_run: RunMaker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = shared_module.replace_private

        def fills_up(path: Path, data: bytes) -> None:
            if window(cloud):
                raise OSError(errno.ENOSPC, "No space left on device")
            write(path, data)

        monkeypatch.setattr(shared_module, "replace_private", fills_up)
        windows = make_run()
        assert join(windows) == "started"
        assert any("No space left" in warning for warning in WARNED)
        assert leave(windows) == "stopped"
        assert window(cloud) is None

    def test_state_of_runs_is_readable_only_by_its_owner(self, cloud: Serving, make_run: RunMaker) -> None:
        join(make_run())
        for path in (state_folder() / shared_module.FOLDER).rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path


class TestLeases:
    def test_lease_is_renewed_early_until_the_end(self, cloud: Serving, make_run: RunMaker, clock: Clock) -> None:
        windows = make_run(timedelta(minutes=20), QUARTER)
        join(windows)
        due = windows.next_renewal()
        assert due is not None
        assert QUARTER / 2 < due - clock.now() < QUARTER
        clock.advance(due - clock.now())
        windows.renew()
        assert cloud.changes() == [START, STOP, START]
        assert cloud.bodies()[-1]["duration"] <= 601, "the renewed window ends with --for"
        assert windows.next_renewal() is None, "the last window needs no renewal"
        assert leave(windows) == "stopped"
        events = [entry.event for entry in Journal().entries(pytest.fail)]
        assert events == ["started", "renewed", "stopped"]

    def test_window_renewed_by_another_run_is_not_renewed_again(
        self, cloud: Serving, make_run: RunMaker, clock: Clock
    ) -> None:
        first, second = make_run(HOUR, QUARTER), make_run(HOUR, QUARTER)
        assert (join(first), join(second)) == ("started", "shared")
        clock.advance(timedelta(minutes=11))
        first.renew()
        second.renew()
        assert cloud.changes() == [START, STOP, START]
        assert first.next_renewal() == second.next_renewal()

    def test_failed_renewal_warns_and_is_retried(self, cloud: Serving, make_run: RunMaker, clock: Clock) -> None:
        windows = make_run(HOUR, QUARTER)
        join(windows)
        clock.advance(timedelta(minutes=11))
        cloud.fail("POST", "maintenance_start", REFUSED)
        windows.renew()
        assert window(cloud) is None
        assert "failed, next try in 15s" in WARNED[-1]
        due = windows.next_renewal()
        assert due is not None
        assert due - clock.now() <= timedelta(seconds=15)
        clock.advance(timedelta(seconds=15))
        windows.renew()
        assert window(cloud) is not None
        assert leave(windows) == "stopped"

    def test_expired_lease_is_started_again(self, cloud: Serving, make_run: RunMaker, clock: Clock) -> None:
        windows = make_run(HOUR, QUARTER)
        join(windows)
        clock.advance(timedelta(minutes=16))
        cloud.call("POST", f"integrations/{ONE}/maintenance_stop")  # as the server does when the window expires
        windows.renew()
        assert window(cloud) is not None

    def test_lease_that_somebody_stopped_is_not_restarted(
        self, cloud: Serving, make_run: RunMaker, clock: Clock
    ) -> None:
        windows = make_run(HOUR, QUARTER)
        join(windows)
        cloud.call("POST", f"integrations/{ONE}/maintenance_stop")
        clock.advance(timedelta(minutes=11))
        windows.renew()
        assert windows.next_renewal() is None
        assert "somebody stopped it" in WARNED[-1]
        assert window(cloud) is None

    def test_window_replaced_by_somebody_else_is_left_alone(
        self, cloud: Serving, make_run: RunMaker, clock: Clock
    ) -> None:
        windows = make_run(HOUR, QUARTER)
        join(windows)
        with sqlite3.connect(cloud.database) as database:
            database.execute("UPDATE integrations SET maintenance_started_at = maintenance_started_at + 60")
        clock.advance(timedelta(minutes=11))
        windows.renew()
        assert windows.next_renewal() is None
        assert cloud.changes() == [START]
        assert leave(windows) == "left"

    def test_renewal_that_a_guard_rail_forbids_does_not_stop_the_window(
        self, cloud: Serving, make_run: RunMaker, clock: Clock
    ) -> None:
        windows = make_run(HOUR, QUARTER)
        join(windows)
        for member in windows.members.values():
            member._service = replace(member._service, longest="1m")
        clock.advance(timedelta(minutes=11))
        windows.renew()
        assert "longer than the 1m" in WARNED[-1]
        assert cloud.changes() == [START]

    def test_renewal_whose_start_fails_names_the_window_that_it_stopped(
        self, cloud: Serving, make_run: RunMaker, clock: Clock
    ) -> None:
        windows = make_run(HOUR, QUARTER)
        join(windows)
        clock.advance(timedelta(minutes=11))
        cloud.fail("POST", "maintenance_start", REFUSED)
        windows.renew()
        assert "the silence_escalations window of 'service-010'" in WARNED[-1]
        assert WARNED[-1].endswith("'service-010' is NOT in maintenance")

    def test_run_without_a_lease_extends_a_shared_lease(self, cloud: Serving, make_run: RunMaker) -> None:
        leased, plain = make_run(HOUR, QUARTER), make_run(2 * HOUR)
        join(leased)
        assert join(plain) == "replaced"
        assert cloud.bodies()[-1]["duration"] == 7200

    def test_lease_shorter_than_a_minute_is_refused(self) -> None:
        with pytest.raises(InvalidInput):
            LeasePolicy("silence_escalations", times.now() + HOUR, timedelta(seconds=59))

    @pytest.mark.parametrize("lease", [60, 120, 900, 7200])
    def test_renewal_leaves_time_for_a_retry(self, lease: int) -> None:
        length = timedelta(seconds=lease)
        at = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
        due = LeasePolicy("silence_escalations", at + timedelta(days=1), length).renewal(at + length)
        assert due is not None
        assert at < due <= at + length - timedelta(seconds=30)

    def test_wait_for_a_renewal_rechecks_the_clock_and_can_be_stopped(self) -> None:
        at = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
        moments = {"now": at, "due": at + timedelta(seconds=70)}
        waits: list[float] = []
        renewed: list[datetime] = []

        def wait(seconds: float) -> bool:
            waits.append(seconds)
            moments["now"] += timedelta(seconds=seconds)
            return len(waits) > 5

        def renew() -> None:
            renewed.append(moments["now"])
            moments["due"] += timedelta(seconds=100)

        renew_until_stopped(lambda: moments["due"], renew, wait, lambda: moments["now"])
        assert waits == [30, 30, 10, 30, 30, 30]
        assert renewed == [at + timedelta(seconds=70)]


class TestOrphans:
    def test_orphaned_windows_are_found_with_a_wrong_server_clock(
        self, cloud: Serving, make_run: RunMaker, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cloud.ahead = timedelta(minutes=-3)
        windows = make_run()

        def send(change: Change[Integration]) -> Integration:
            OnCall.send(windows.oncall, change)
            raise KeyboardInterrupt

        monkeypatch.setattr(windows.oncall, "send", send)
        with pytest.raises(KeyboardInterrupt):
            join(windows)
        assert [each["id"] for each in run("maintenance orphans -o json").json] == [ONE]

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\xff",
            b"[]",
            b'{"server": 1}',
            b'{"server": "HOST", "id": "../x", "seconds": 1, "asked_at": "2026-01-01T00:00:00Z", REST}',
            b'{"server": "HOST", "id": "C1", "seconds": 1e99, "asked_at": "2026-01-01T00:00:00Z", REST}',
            b'{"server": "HOST", "id": "C1", "seconds": 1, "asked_at": "soon", REST}',
        ],
    )
    def test_bad_window_file_is_skipped_with_a_warning(
        self, cloud: Serving, make_run: RunMaker, run: Runner, content: bytes
    ) -> None:
        windows = make_run()
        join(windows)
        for member in windows.members.values():
            os.close(member._lock._descriptor)  # as the system does when a process ends
        bad = SharedWindow.of(state_folder(), "another", "AAA")
        content = content.replace(b"HOST", windows.oncall.profile.host.encode())
        bad._window.write_bytes(content.replace(b"REST", b'"name": "", "mode": "", "run": "", "reason": null'))
        done = run("maintenance orphans -o json")
        assert [each["id"] for each in done.json] == [ONE]
        assert str(bad._window) in done.stderr

    def test_window_file_that_is_a_link_is_skipped_with_a_warning(
        self, cloud: Serving, make_run: RunMaker, run: Runner
    ) -> None:
        bad = SharedWindow.of(state_folder(), "another", "AAA")
        bad._window.symlink_to("/etc/passwd")
        done = run("maintenance orphans -o json")
        assert done.json == []
        assert "is a link; it is skipped" in done.stderr


class TestKilledRuns:
    def test_window_of_a_killed_run_is_known_before_its_start(
        self, cloud: Serving, make_run: RunMaker, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from oncallctl.maintenance.run.shared import orphaned

        windows = make_run()

        def send(change: Change[Integration]) -> Integration:
            OnCall.send(windows.oncall, change)
            raise KeyboardInterrupt

        monkeypatch.setattr(windows.oncall, "send", send)
        with pytest.raises(KeyboardInterrupt):
            join(windows)
        ((record, integration),) = orphaned(windows.oncall, state_folder(), pytest.fail)
        assert (record.id, record.started_at, integration.id) == (ONE, None, ONE)

    def test_run_lock_is_released_when_its_file_is_closed(self, world: Path) -> None:
        shared = SharedWindow.of(state_folder(), "host", ONE)
        with shared.mutex():
            lock = shared.lock("killed")
            assert shared.is_needed()
            assert not shared.is_needed(besides="killed")
            os.close(lock._descriptor)  # as the system does when a process ends
            assert not shared.is_needed()
