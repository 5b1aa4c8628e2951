"""Actions on alert groups: acknowledge, resolve, silence and their opposites."""

from __future__ import annotations

import pytest

from oncallctl.sandbox import SERVICE_ACCOUNT_TOKEN
from tests.cli.alert_groups.support import (
    ACKNOWLEDGED,
    CHANGES,
    COMMANDS,
    EACH_CHANGE,
    EACH_VERB,
    FIRING,
    GROUP,
    RESOLVED,
    SILENCED,
    Case,
    first,
    state,
)
from tests.conftest import Runner
from tests.serving import Serving, status


class TestOutcomes:
    @EACH_CHANGE
    def test_action_changes_the_group_and_prints_its_new_state(self, server: Serving, run: Runner, case: Case) -> None:
        (outcome,) = run(case.line).json
        group = outcome.pop("alert_group")
        assert outcome == {
            "target": case.ident,
            "id": case.ident,
            "title": group["title"],
            "status": case.status,
            "error": None,
        }
        assert group == server.call("GET", f"alert_groups/{case.ident}/")
        assert group["state"] == case.after
        assert server.changes() == [f"POST /api/v1/alert_groups/{case.ident}/{case.verb}/"]
        assert server.bodies() == [{"delay": 5400} if case.verb == "silence" else None]

    @pytest.mark.parametrize(
        ("verb", "states"),
        [
            ("acknowledge", ["acknowledged"]),
            ("unacknowledge", ["firing", "silenced", "resolved"]),
            ("resolve", ["resolved"]),
            ("unresolve", ["firing", "acknowledged"]),
            ("unsilence", ["firing", "resolved"]),
        ],
    )
    def test_action_on_groups_in_the_wanted_state_sends_nothing(
        self, cloud: Serving, run: Runner, verb: str, states: list[str]
    ) -> None:
        outcomes = run(f"alert-groups {verb} {' '.join(GROUP[each] for each in states)} -o json").json
        assert [(each["status"], each["alert_group"]["state"]) for each in outcomes] == [
            ("unchanged", each) for each in states
        ]
        assert cloud.changes() == []

    @pytest.mark.parametrize(
        ("verb", "before", "way_back"),
        [
            ("acknowledge", "resolved", "unresolve"),
            ("silence", "acknowledged", "unacknowledge"),
            ("silence", "resolved", "unresolve"),
        ],
    )
    def test_action_that_the_server_refuses_in_this_state_is_an_unsent_conflict(
        self, cloud: Serving, run: Runner, verb: str, before: str, way_back: str
    ) -> None:
        done = run(f"alert-groups {COMMANDS[verb]} {GROUP[before]} -o json", status=7)
        (outcome,) = done.json
        assert (outcome["status"], outcome["error"]["code"]) == ("failed", "conflict")
        assert outcome["alert_group"]["state"] == before
        assert done.error["hint"] == f"oncallctl alert-groups {way_back} {GROUP[before]}"
        assert cloud.changes() == []

    def test_action_on_several_groups_reports_each_outcome(self, cloud: Serving, run: Runner) -> None:
        done = run(f"alert-groups acknowledge {RESOLVED} {FIRING} {ACKNOWLEDGED} -o json", status=4)
        assert [each["status"] for each in done.json] == ["failed", "acknowledged", "unchanged"]
        assert "1 of 3 failed" in done.error["message"]

    def test_failure_on_one_group_does_not_stop_the_others(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("POST", f"/{FIRING}/resolve/", status(403, '{"detail": "no"}'))
        done = run(f"alert-groups resolve {FIRING} {SILENCED} -o json", status=4)
        assert [each["status"] for each in done.json] == ["failed", "resolved"]
        assert (state(cloud, FIRING), state(cloud, SILENCED)) == ("firing", "resolved")

    def test_table_shows_the_outcome_of_each_group(self, cloud: Serving, run: Runner) -> None:
        rows = [line.split("\t") for line in run(f"alert-groups resolve {FIRING} {RESOLVED}").stdout.splitlines()]
        assert rows == [
            ["ID", "TITLE", "STATUS", "STATE", "ERROR"],
            [FIRING, "Alert 016 on service-016", "resolved", "resolved", ""],
            [RESOLVED, "Alert 018 on service-018", "unchanged", "resolved", ""],
        ]

    def test_token_of_a_service_account_is_refused_by_an_engine(self, oss: Serving, run: Runner) -> None:
        done = run(f"alert-groups acknowledge {FIRING} -o json", status=3, ONCALLCTL_TOKEN=SERVICE_ACCOUNT_TOKEN)
        assert "Service accounts are not allowed" in done.error["message"]


class TestSilence:
    @pytest.mark.parametrize("length", ["0", "soon", "-5m", "1.5s"])
    def test_invalid_duration_is_refused_before_any_request(self, cloud: Serving, run: Runner, length: str) -> None:
        run(f"alert-groups silence {FIRING} --for={length}", status=2)
        assert cloud.seen == []

    @pytest.mark.parametrize(("length", "seconds"), [("30", 30), ("60", 60), ("30s", 30), ("30m", 1800)])
    def test_few_seconds_without_a_unit_cause_a_warning(
        self, cloud: Serving, run: Runner, length: str, seconds: int
    ) -> None:
        done = run(f"alert-groups silence {FIRING} --for {length}")
        assert ("for minutes use 30m" in done.stderr) is (length == "30")
        assert cloud.bodies() == [{"delay": seconds}]

    def test_duration_may_follow_a_single_id(self, cloud: Serving, run: Runner) -> None:
        (outcome,) = run(f"alert-groups silence {FIRING} 1.5h -o json").json
        assert (outcome["id"], outcome["status"]) == (FIRING, "silenced")
        assert cloud.bodies() == [{"delay": 5400}]

    @pytest.mark.parametrize("words", ["", SILENCED, f"{SILENCED} 1h"])
    def test_missing_duration_is_refused(self, cloud: Serving, run: Runner, words: str) -> None:
        assert "--for" in run(f"alert-groups silence {FIRING} {words}", status=2).stderr
        assert cloud.seen == []


class TestDryRun:
    @EACH_VERB
    def test_dry_run_prints_the_exact_request_and_sends_none(self, cloud: Serving, run: Runner, case: Case) -> None:
        (outcome,) = run(f"{case.line} --dry-run").json
        assert outcome["status"] == f"would-{case.verb}"
        assert outcome["alert_group"]["state"] == case.before
        assert cloud.changes() == []
        run(case.line)
        (sent,) = [each for each in cloud.seen if each.method != "GET"]
        assert outcome["requests"] == [{"method": "POST", "url": f"{cloud.url}{sent.path}", "body": sent.body}]

    def test_dry_run_of_changes_that_would_not_be_sent_prints_no_request(self, cloud: Serving, run: Runner) -> None:
        outcomes = run(f"alert-groups acknowledge {ACKNOWLEDGED} {RESOLVED} --dry-run -o json", status=4).json
        assert [(each["status"], each["requests"]) for each in outcomes] == [("unchanged", []), ("failed", [])]

    def test_dry_run_on_many_groups_needs_no_yes(self, cloud: Serving, run: Runner) -> None:
        assert len(run("alert-groups resolve --state firing --dry-run -o json").json) == 11
        assert cloud.changes() == []


class TestConcurrentChange:
    """Somebody else changes the group after it was read."""

    @pytest.mark.parametrize(
        "case", [each for each in CHANGES if each.verb != "silence" and each.before != "silenced"], ids=str
    )
    def test_same_change_by_somebody_else_is_unchanged(self, cloud: Serving, run: Runner, case: Case) -> None:
        path = f"alert_groups/{case.ident}/{case.verb}/"
        cloud.fail("POST", f"/{case.verb}/", first(lambda: cloud.call("POST", path), answered=True))
        (outcome,) = run(case.line).json
        assert outcome["status"] == "unchanged"
        assert outcome["alert_group"] == cloud.call("GET", f"alert_groups/{case.ident}/")
        assert cloud.changes() == [f"POST /api/v1/{path}"]

    @pytest.mark.parametrize(
        ("verb", "other"), [("acknowledge", "resolve"), ("silence", "acknowledge"), ("silence", "resolve")]
    )
    def test_other_change_by_somebody_else_is_a_conflict(
        self, cloud: Serving, run: Runner, verb: str, other: str
    ) -> None:
        change = f"alert_groups/{FIRING}/{other}/"
        cloud.fail("POST", f"/{verb}/", first(lambda: cloud.call("POST", change), answered=True))
        done = run(f"alert-groups {COMMANDS[verb]} {FIRING} -o json", status=7)
        assert done.json[0]["status"] == "failed"
        assert f"Can't {verb}" in done.error["message"]
        assert done.error["http_status"] == 400
        assert done.error["hint"] == f"oncallctl alert-groups get {FIRING}"
