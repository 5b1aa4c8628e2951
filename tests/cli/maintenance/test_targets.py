"""Targets of `maintenance start` and `stop`: names, selectors, direct paging, several at once."""

import pytest

from tests.cli.maintenance.support import DIRECT_PAGING, ONE, START, pasted
from tests.conftest import Runner
from tests.serving import Serving, status


class TestTargets:
    def test_missing_target_stops_the_command(self, cloud: Serving, run: Runner) -> None:
        done = run("maintenance start service-010 servce-011 --for 30m -o json", status=6)
        assert "service-011" in done.error["hint"]
        assert cloud.changes() == []

    def test_ambiguous_target_stops_the_command_with_the_candidates(self, cloud: Serving, run: Runner) -> None:
        done = run("maintenance start service-010 '[prod] api' --for 30m -o json", status=6)
        assert done.error["code"] == "ambiguous"
        for part in ("C5U5IZGQ48B4M", "platform", "C3VV5L7ASAXEA", "payments"):
            assert part in done.error["hint"]
        assert cloud.changes() == []

    def test_unknown_id_stops_the_command(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 CAAAAAAAAAAAA --for 30m", status=6)
        assert cloud.changes() == []

    def test_target_given_twice_is_changed_once(self, cloud: Serving, run: Runner) -> None:
        assert len(run(f"maintenance start service-010 {ONE} --for 30m -o json").json) == 1
        assert cloud.changes() == [START]

    def test_targets_on_stdin_are_read(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start - --for 30m", stdin=f"service-011\n\n{ONE}\r\n")
        assert len(cloud.changes()) == 2

    @pytest.mark.parametrize("stdin", ["", "\n \n"])
    def test_empty_stdin_is_not_found(self, cloud: Serving, run: Runner, stdin: str) -> None:
        run("maintenance start - --for 30m", stdin=stdin, status=6)
        assert cloud.changes() == []

    @pytest.mark.parametrize("selector", ["--match nothing-*", "--team empty-team"])
    def test_selector_without_matches_is_not_found(self, cloud: Serving, run: Runner, selector: str) -> None:
        run(f"maintenance start {selector} --for 30m --yes", status=6)
        assert cloud.changes() == []

    @pytest.mark.parametrize("targets", ["", "service-010 --all", "--team platform --match x", "service-010 -"])
    def test_targets_missing_or_of_two_kinds_are_refused(self, cloud: Serving, run: Runner, targets: str) -> None:
        run(f"maintenance start {targets} --for 30m --yes", status=2)
        assert cloud.changes() == []

    @pytest.mark.parametrize("selector", ["--all", "--match 'service-01*'"])
    def test_all_and_match_without_a_terminal_require_yes(self, cloud: Serving, run: Runner, selector: str) -> None:
        done = run(f"maintenance start {selector} --for 30m -o json", status=2)
        assert done.error["code"] == "confirmation_needed"
        assert "--yes" in done.error["message"]
        assert cloud.changes() == []

    def test_more_than_twenty_targets_require_yes(self, cloud: Serving, run: Runner) -> None:
        names = "".join(f"service-{number:03}\n" for number in range(10, 31))
        run("maintenance start - --for 30m", stdin=names, status=2)
        assert cloud.changes() == []
        run("maintenance start - --for 30m --yes", stdin=names)
        assert len(cloud.changes()) == 21

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

    def test_named_direct_paging_integration_requires_yes(self, cloud: Serving, run: Runner) -> None:
        done = run(f'maintenance start "{DIRECT_PAGING[1:-1]}" --for 30m', status=2)
        assert "--yes" in done.stderr
        assert "direct paging" in done.stderr
        assert cloud.changes() == []

    def test_named_direct_paging_integration_with_yes_is_started(self, cloud: Serving, run: Runner) -> None:
        run(f"maintenance start {DIRECT_PAGING} --for 30m --yes")
        assert len(cloud.changes()) == 1

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
    def test_selector_of_start_omits_direct_paging(self, cloud: Serving, run: Runner, selector: str) -> None:
        outcomes = run(f"maintenance start {selector} --for 30m --yes -o json").json
        assert outcomes
        assert all(outcome["integration"]["type"] != "direct_paging" for outcome in outcomes)

    def test_selector_of_stop_includes_direct_paging(self, cloud: Serving, run: Runner) -> None:
        run(f"maintenance start {DIRECT_PAGING} --for 30m --yes")
        outcomes = run("maintenance stop --team platform --yes -o json").json
        assert [outcome["name"] for outcome in outcomes if outcome["status"] == "stopped"] == [DIRECT_PAGING[1:-1]]

    def test_selector_of_status_includes_direct_paging(self, cloud: Serving, run: Runner) -> None:
        names = [each["name"] for each in run("maintenance status --team platform -o json").json]
        assert DIRECT_PAGING[1:-1] in names


class TestSeveral:
    def test_failure_of_some_targets_is_a_partial_failure(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-011 --for 30m")
        done = run("maintenance start service-010 service-011 service-012 --for 2h -o json", status=4)
        assert [outcome["status"] for outcome in done.json] == ["started", "failed", "started"]
        assert done.json[1]["error"]["exit_code"] == 7
        assert done.error["code"] == "partial_failure"
        repeat = pasted(done.error["hint"])
        assert "--if-active replace" in repeat
        assert [outcome["status"] for outcome in run(f"{repeat} -o json").json] == ["replaced"]

    def test_hint_after_a_partial_failure_repeats_only_what_failed(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("POST", f"{ONE}/maintenance_start", status(403, '{"detail": "no"}'))
        words = "maintenance start service-010 service-011 --for 2h --mode group_alerts --reason 'a b'"
        repeat = pasted(run(f"{words} -o json", status=4).error["hint"])
        assert "--if-active keep" in repeat
        assert [(outcome["id"], outcome["status"]) for outcome in run(f"{repeat} -o json").json] == [(ONE, "started")]
        assert cloud.bodies()[-1] == cloud.bodies()[0]
        cloud.fail("POST", f"{ONE}/maintenance_stop", status(403, '{"detail": "no"}'))
        repeat = pasted(run("maintenance stop service-010 service-011 -o json", status=4).error["hint"])
        assert [outcome["status"] for outcome in run(f"{repeat} -o json").json] == ["stopped"]

    def test_equal_failures_of_all_targets_have_their_exit_status(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 service-011 --for 30m")
        assert run("maintenance start service-010 service-011 --for 2h -o json", status=7).error["code"] == "conflict"

    def test_quiet_prints_nothing_on_success_and_one_line_on_failure(self, cloud: Serving, run: Runner) -> None:
        done = run("maintenance start service-010 --for 30m --quiet")
        assert (done.stdout, done.stderr) == ("", "")
        failed = run("maintenance start service-010 --for 2h --quiet", status=7)
        assert failed.stdout == ""
        assert len(failed.stderr.splitlines()) == 1
