"""Targets of actions on alert groups: IDs, stdin and filters, and when an action needs a confirmation."""

from __future__ import annotations

import re

import pytest

from tests.cli.alert_groups.support import COMMANDS, EACH_VERB, FIRING, GROUP, SILENCED, Case, groups
from tests.conftest import Runner
from tests.serving import Serving

# The states of the groups that a filter without a state selects.
SELECTED = {
    "acknowledge": {"firing"},
    "unacknowledge": {"acknowledged"},
    "resolve": {"firing", "acknowledged", "silenced"},
    "unresolve": {"resolved"},
    "silence": {"firing"},
    "unsilence": {"silenced"},
}


class TestIds:
    def test_id_given_twice_is_changed_once(self, cloud: Serving, run: Runner) -> None:
        outcomes = run(f"alert-groups acknowledge id:{FIRING} {FIRING} {SILENCED} -o json").json
        assert [each["target"] for each in outcomes] == [f"id:{FIRING}", SILENCED]
        assert len(cloud.changes()) == 2

    def test_ids_are_read_from_stdin(self, cloud: Serving, run: Runner) -> None:
        ids = run("alert-groups list --state acknowledged -o id").stdout
        outcomes = run("alert-groups resolve - -o json", stdin=ids).json
        assert [(each["id"], each["status"]) for each in outcomes] == [(each, "resolved") for each in ids.split()]

    def test_empty_stdin_is_not_found(self, cloud: Serving, run: Runner) -> None:
        run("alert-groups resolve -", stdin="\n", status=6)
        assert cloud.seen == []

    def test_unknown_id_stops_the_command_before_any_change(self, cloud: Serving, run: Runner) -> None:
        done = run(f"alert-groups resolve {FIRING} INOPENOPENOPE -o json", status=6)
        assert "INOPENOPENOPE" in done.error["message"]
        assert done.stdout == ""
        assert cloud.changes() == []

    @pytest.mark.parametrize("word", ["'Alert 016 on service-016'", "../x", "id:"])
    def test_title_is_not_accepted_as_an_id(self, cloud: Serving, run: Runner, word: str) -> None:
        for line in (f"get {word}", f"alerts {word}", f"resolve {FIRING} {word}"):
            assert "identified by ID" in run(f"alert-groups {line}", status=2).stderr
        assert cloud.changes() == []

    @EACH_VERB
    def test_targets_are_ids_or_filters_and_not_both(self, cloud: Serving, run: Runner, case: Case) -> None:
        run(f"alert-groups {COMMANDS[case.verb]} {FIRING} --team platform", status=2)
        run(f"alert-groups {COMMANDS[case.verb]}", status=2)
        assert cloud.seen == []


class TestFilters:
    @EACH_VERB
    def test_filter_selects_the_states_that_the_action_changes_and_nothing_when_repeated(
        self, cloud: Serving, run: Runner, case: Case
    ) -> None:
        line = f"alert-groups {COMMANDS[case.verb]} --since 7d --yes -o json"
        before = groups(cloud)
        expected = [ident for ident, each in before.items() if each["state"] in SELECTED[case.verb]]
        outcomes = run(line).json
        assert [each["id"] for each in outcomes] == [each["target"] for each in outcomes] == expected
        assert "unchanged" not in {each["status"] for each in outcomes}
        after = groups(cloud)
        assert all(after[ident] == each for ident, each in before.items() if ident not in expected)
        repeated = run(line.replace(" --yes", ""))
        assert repeated.json == []
        assert f"nothing to {case.verb}" in repeated.stderr
        assert len(cloud.changes()) == len(expected)

    def test_filter_with_a_state_selects_only_this_state(self, cloud: Serving, run: Runner) -> None:
        outcomes = run("alert-groups resolve --state silenced --integration API -o json").json
        assert [each["id"] for each in outcomes] == ["IA44XW4VEDZVU"]

    def test_filters_combine(self, cloud: Serving, run: Runner) -> None:
        outcomes = run("alert-groups acknowledge --team platform --since 1h --yes -o json").json
        assert [each["id"] for each in outcomes] == ["ICT3ZIXZWI2QX", "IZ13JI6J94RL7"]

    def test_mine_selects_a_group_that_i_acknowledged(self, cloud: Serving, run: Runner) -> None:
        run(f"alert-groups acknowledge {FIRING}")
        (outcome,) = run("alert-groups resolve --mine -o json").json
        assert (outcome["id"], outcome["status"]) == (FIRING, "resolved")

    @pytest.mark.parametrize("line", ["resolve --mine", "acknowledge --state silenced --team platform"])
    def test_filter_without_matches_is_a_success_with_a_note(self, cloud: Serving, run: Runner, line: str) -> None:
        done = run(f"alert-groups {line} -o json")
        assert done.json == []
        assert f"nothing to {line.split(maxsplit=1)[0]}: no alert group matches" in done.stderr
        assert cloud.changes() == []

    def test_filter_that_matches_only_unchanged_groups_needs_no_yes(self, cloud: Serving, run: Runner) -> None:
        done = run("alert-groups acknowledge --state acknowledged -o json")
        assert {each["status"] for each in done.json} == {"unchanged"}
        assert len(done.json) > 1
        assert "already done" in done.stderr
        assert cloud.changes() == []


@pytest.mark.promise("dangerous-asked-about")
class TestConfirmation:
    @pytest.mark.parametrize("filters", ["--state firing", "--since 1h", "--team platform"])
    def test_filter_that_selects_several_groups_needs_a_confirmation(
        self, cloud: Serving, run: Runner, filters: str
    ) -> None:
        done = run(f"alert-groups acknowledge {filters} -o json", status=2)
        assert done.error["code"] == "confirmation_needed"
        assert re.search(r"use --yes: Acknowledge \d+ alert groups: I[A-Z0-9]+ ", done.error["message"])
        assert cloud.changes() == []
        run(f"alert-groups acknowledge {filters} --yes")
        assert len(cloud.changes()) > 1

    def test_filter_that_selects_one_group_needs_no_confirmation(self, cloud: Serving, run: Runner) -> None:
        (outcome,) = run("alert-groups acknowledge --integration service-016 -o json").json
        assert (outcome["id"], outcome["status"]) == (FIRING, "acknowledged")

    def test_more_than_twenty_ids_need_a_confirmation(self, cloud: Serving, run: Runner) -> None:
        cloud.alert(groups(cloud)[FIRING]["integration_id"])
        idents = list(groups(cloud))
        assert len(idents) > 20
        run("alert-groups note - --text x -q", stdin="\n".join(idents[:20]))
        assert len(cloud.changes()) == 20
        done = run("alert-groups note - --text y -o json", status=2, stdin="\n".join(idents))
        assert f"Note {len(idents)} alert groups" in done.error["message"]
        assert len(cloud.changes()) == 20


def test_repeated_action_on_ids_is_unchanged(cloud: Serving, run: Runner) -> None:
    line = f"alert-groups resolve {' '.join(GROUP.values())} -o json"
    run(line)
    sent = len(cloud.changes())
    assert sent == 3
    assert {each["status"] for each in run(line).json} == {"unchanged"}
    assert len(cloud.changes()) == sent
