"""`alert-groups` against the sandbox behind a socket."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from werkzeug.wrappers import Request, Response

from oncallctl.alert_groups.payloads import title
from oncallctl.sandbox import EDITOR_TOKEN, SERVICE_ACCOUNT_TOKEN
from tests.conftest import Runner
from tests.serving import Fault, Serving, drop, lose, status

PLATFORM, PAYMENTS = "TKPSLLWBFUI9R", "TNFI27MJ312BL"
FIRING, ACKNOWLEDGED, RESOLVED, SILENCED = "IWM9M5WQXRBEN", "ITZS8C3IAPIQD", "IXVZICTNDV9PQ", "ISHJTMEUMF6E6"
GROUP = {"firing": FIRING, "acknowledged": ACKNOWLEDGED, "resolved": RESOLVED, "silenced": SILENCED}
ADMIN = "U9PL1JZN3LQ3F"
EDITORS_TEAMS = {PLATFORM, "TUNFSIER6R4P3"}
NOT_RESOLVED = ("new", "acknowledged", "silenced")  # as the filter says them

DO = {
    "acknowledge": "acknowledge",
    "unacknowledge": "unacknowledge",
    "resolve": "resolve",
    "unresolve": "unresolve",
    "silence": "silence --for 90m",
    "unsilence": "unsilence",
}


class Case(NamedTuple):
    """What a verb does in a state: the status that tells of it, and the state that it leads to."""

    verb: str
    was: str
    told: str
    becomes: str

    @property
    def ident(self) -> str:
        return GROUP[self.was]

    @property
    def line(self) -> str:
        return f"alert-groups {DO[self.verb]} {self.ident} -o json"

    def __str__(self) -> str:
        return f"{self.verb} {self.was}"


CHANGES = [
    Case("acknowledge", "firing", "acknowledged", "acknowledged"),
    Case("acknowledge", "silenced", "acknowledged", "acknowledged"),
    Case("unacknowledge", "acknowledged", "unacknowledged", "firing"),
    Case("resolve", "firing", "resolved", "resolved"),
    Case("resolve", "acknowledged", "resolved", "resolved"),
    Case("resolve", "silenced", "resolved", "resolved"),
    Case("unresolve", "resolved", "unresolved", "firing"),
    Case("silence", "firing", "silenced", "silenced"),
    Case("silence", "silenced", "silenced", "silenced"),
    Case("unsilence", "silenced", "unsilenced", "firing"),
]
EACH_CHANGE = pytest.mark.parametrize("case", CHANGES, ids=str)
ALREADY = [
    ("acknowledge", "acknowledged"),
    ("unacknowledge", "firing"),
    ("unacknowledge", "silenced"),
    ("unacknowledge", "resolved"),
    ("resolve", "resolved"),
    ("unresolve", "firing"),
    ("unresolve", "acknowledged"),
    ("unsilence", "firing"),
    ("unsilence", "resolved"),
]
REFUSED = [
    ("acknowledge", "resolved", "unresolve"),
    ("silence", "acknowledged", "unacknowledge"),
    ("silence", "resolved", "unresolve"),
]
# The states that a filter looks at where it names none.
LOOKS_AT = {
    "acknowledge": {"firing"},
    "unacknowledge": {"acknowledged"},
    "resolve": {"firing", "acknowledged", "silenced"},
    "unresolve": {"resolved"},
    "silence": {"firing"},
    "unsilence": {"silenced"},
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look once where the answer to a change was lost."""
    monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0,))


def groups(server: Serving, **conditions: str | None) -> dict[str, dict[str, Any]]:
    """The groups on the server for which these fields are so, asked around the program."""
    everything = server.call("GET", "alert_groups/?perpage=100")["results"]
    return {each["id"]: each for each in everything if all(each[name] == is_ for name, is_ in conditions.items())}


def state(server: Serving, ident: str) -> str:
    return server.call("GET", f"alert_groups/{ident}/")["state"]


def first(action: Callable[[], object], *, answered: bool) -> Fault:
    """Let something happen when the request arrives; then answer it, or drop it after it was carried out."""

    def fault(_request: Request, answer: Callable[[], Response]) -> Response | None:
        action()
        response = answer()
        return response if answered else None

    return fault


def posts(server: Serving, ident: str, verb: str) -> list[str]:
    return [each for each in server.changes() if each == f"POST /api/v1/alert_groups/{ident}/{verb}/"]


class TestListing:
    @pytest.mark.parametrize(
        ("word", "is_"), [("new", "firing"), *((each, each) for each in GROUP)], ids=["new", *GROUP]
    )
    def test_those_in_a_state(self, server: Serving, run: Runner, word: str, is_: str) -> None:
        found = run(f"alert-groups list --state {word} -o id").stdout.split()
        assert found
        assert found == list(groups(server, state=is_))

    @pytest.mark.parametrize("options", ["", "-o table"])
    def test_list_without_a_state_shows_what_is_not_resolved_newest_first(
        self, server: Serving, run: Runner, options: str
    ) -> None:
        expected = [ident for ident, each in groups(server).items() if each["state"] != "resolved"]
        assert len(expected) < len(groups(server))
        listed = run(f"alert-groups list {options} --no-header --columns id").stdout.split()
        assert listed == expected
        states = [each.query["state"] for each in server.seen if each.path.endswith("/alert_groups/")]
        assert sorted(states) == sorted(NOT_RESOLVED)

    def test_several_states_are_merged_newest_first(self, server: Serving, run: Runner) -> None:
        states = {"resolved", "silenced"}
        expected = [ident for ident, each in groups(server).items() if each["state"] in states]
        assert run("alert-groups list --state resolved --state silenced -o id").stdout.split() == expected
        assert run("alert-groups list --state resolved --state silenced --limit 2 -o id").stdout.split() == expected[:2]

    def test_state_that_is_given_twice_is_requested_once(self, server: Serving, run: Runner) -> None:
        found = run("alert-groups list --state new --state firing -o id").stdout.split()
        assert found == list(groups(server, state="firing"))
        assert len(server.seen) == 1

    def test_list_with_a_limit_reads_no_page_beyond_it(self, server: Serving, run: Runner) -> None:
        integration = groups(server)[FIRING]["integration_id"]
        for number in range(210):
            server.alert(integration, f"alert {number}")
        assert len(run("alert-groups list --state firing --limit 99 -o id").stdout.split()) == 99
        assert len(server.seen) == 1
        server.seen.clear()
        assert (
            len(
                run(
                    "alert-groups list --mine --state resolved --limit 1 -o id", ONCALLCTL_TOKEN=EDITOR_TOKEN
                ).stdout.split()
            )
            == 1
        )
        assert all(each.query.get("page") in {None, "1"} for each in server.seen)

    @pytest.mark.parametrize("options", ["--state firing", "", "--mine --state resolved"])
    def test_list_at_a_terminal_reads_the_beginnings_of_the_servers_lists_and_says_so(
        self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch, options: str
    ) -> None:
        terminal = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True))
        monkeypatch.setattr("oncallctl.commands.alert_groups.reads.sys", terminal)
        monkeypatch.setattr("oncallctl.commands.alert_groups.reads.SHOWN_ON_TERMINAL", 1)
        monkeypatch.setattr("oncallctl.alert_groups.choosing.PER_PAGE", 1)
        done = run(f"alert-groups list {options} -o id")
        assert len(done.stdout.split()) <= 1
        assert "use --limit N to show more" in done.stderr
        asked = [each.query for each in server.seen if each.path.endswith("/alert_groups/")]
        assert {(each["page"], int(each["perpage"]) <= 2) for each in asked} == {("1", True)}

    @pytest.mark.parametrize("named", ["service-016", "SERVICE-016", "id:{}"])
    def test_those_of_an_integration(self, server: Serving, run: Runner, named: str) -> None:
        ident = groups(server)[FIRING]["integration_id"]
        found = run(f"alert-groups list --integration {named.format(ident)} -o id").stdout.split()
        assert found == [FIRING]
        assert server.seen[-1].query["integration_id"] == ident

    def test_an_integration_that_there_is_not_is_told_from_one_without_groups(
        self, server: Serving, run: Runner
    ) -> None:
        run("alert-groups list --integration service-01", status=6)
        run("alert-groups list --integration CNOPENOPENOPE", status=6)
        assert run("alert-groups list --integration service-019 -o json").json == []

    def test_title_is_shown_without_the_entities_that_the_server_puts_into_it(
        self, server: Serving, run: Runner
    ) -> None:
        paged = run("escalate --team platform --title '<b>R&D</b>' --anyway -o json").json
        assert paged["title"] == "&lt;b&gt;R&amp;D&lt;/b&gt;"
        ident = paged["id"]
        for line in (f"get {ident}", "list --limit 1", f"acknowledge {ident}"):
            assert "<b>R&D</b>" in run(f"alert-groups {line}").stdout
        assert "<b>R&D</b>" in run("teams handoff platform").stdout
        assert "<b>R&D</b>" in run("teams handoff platform -o csv").stdout
        assert run(f"alert-groups get {ident} -o json").json["title"] == paged["title"]

    def test_filters_combine(self, server: Serving, run: Runner) -> None:
        found = run("alert-groups list --team payments --state acknowledged --since 1h -o id").stdout.split()
        assert set(found) < set(groups(server, team_id=PAYMENTS, state="acknowledged"))
        assert set(found) == {"IP3T28FBB4FUB", "I2N5YL2NUWZ5U"}  # 8 and 36 minutes old; the others more than an hour

    def test_a_group_that_began_this_second_is_one_since_a_minute_ago(self, server: Serving, run: Runner) -> None:
        ident = groups(server)[FIRING]["integration_id"]
        server.alert(ident)
        (found,) = run("alert-groups list --since 50s -o json").json
        assert (found["integration_id"], found["state"]) == (ident, "firing")

    def test_since_is_a_time_in_the_zone(self, server: Serving, run: Runner) -> None:
        run("alert-groups list --since 2020-06-01T12:00 --tz Asia/Kolkata -o json")
        assert server.seen[-1].query["started_at"].startswith("2020-06-01T06:30:00_")

    @pytest.mark.parametrize("since", ["soon", "2999-01-01", "0s"])
    def test_since_is_past(self, server: Serving, run: Runner, since: str) -> None:
        run(f"alert-groups list --since {since}", status=2)
        assert server.seen == []

    @pytest.mark.parametrize("word", ["", *GROUP])
    def test_mine_are_those_of_my_teams_and_open_unless_i_say_else(
        self, server: Serving, run: Runner, word: str
    ) -> None:
        server.call("POST", f"alert_groups/{FIRING}/acknowledge/")
        server.call("POST", "alert_groups/ICT3ZIXZWI2QX/silence/", {"delay": 3600})
        option = f"--state {word}" if word else ""
        found = run(f"alert-groups list --mine {option} -o json", ONCALLCTL_TOKEN=EDITOR_TOKEN).json
        states = {word} if word else {"firing", "acknowledged", "silenced"}
        assert found
        assert found == [
            each for each in groups(server).values() if each["team_id"] in EDITORS_TEAMS and each["state"] in states
        ]

    @pytest.mark.parametrize(
        ("verb", "option", "team"),
        [
            ("acknowledge", "", ""),
            ("acknowledge", "--state acknowledged", "--team platform"),
            ("resolve", "--state resolved", ""),
        ],
    )
    def test_mine_are_those_that_i_took_care_of(
        self, server: Serving, run: Runner, verb: str, option: str, team: str
    ) -> None:
        line = f"alert-groups list --mine {option} {team} -o id"
        assert run(line).stdout == ""
        server.call("POST", f"alert_groups/{FIRING}/{verb}/")
        assert run(line).stdout == f"{FIRING}\n"
        assert run("alert-groups list --mine --team payments -o id").stdout == ""

    def test_what_i_took_care_of_in_my_own_team_is_listed_once(self, server: Serving, run: Runner) -> None:
        run(f"alert-groups acknowledge {FIRING}", ONCALLCTL_TOKEN=EDITOR_TOKEN)
        found = run("alert-groups list --mine -o id", ONCALLCTL_TOKEN=EDITOR_TOKEN).stdout.split()
        assert found.count(FIRING) == 1

    @pytest.mark.parametrize(
        ("options", "asked"),
        [
            ("", {(team, state) for team in EDITORS_TEAMS for state in NOT_RESOLVED} | {(None, "acknowledged")}),
            (
                "--limit 1",
                {(team, state) for team in EDITORS_TEAMS for state in NOT_RESOLVED} | {(None, "acknowledged")},
            ),
            ("--team platform", {(PLATFORM, state) for state in NOT_RESOLVED}),
            ("--team payments", {(PAYMENTS, "acknowledged")}),
            ("--state firing", {(team, "new") for team in EDITORS_TEAMS}),
            ("--state resolved", {*((team, "resolved") for team in EDITORS_TEAMS), (None, "resolved")}),
        ],
    )
    def test_only_what_may_be_mine_is_read(
        self, server: Serving, run: Runner, options: str, asked: set[tuple[str | None, str]]
    ) -> None:
        run(f"alert-groups list --mine {options} -o json", ONCALLCTL_TOKEN=EDITOR_TOKEN)
        queries = [each.query for each in server.seen if each.path.endswith("/alert_groups/")]
        assert {(query.get("team_id"), query.get("state")) for query in queries} == asked
        assert len(queries) == len(asked)

    def test_a_limit_counts_what_is_mine(self, server: Serving, run: Runner) -> None:
        done = run("alert-groups list --mine --limit 2 -o id", ONCALLCTL_TOKEN=EDITOR_TOKEN)
        assert len(done.stdout.split()) == 2
        assert "omit --limit" in done.stderr

    def test_nothing_is_a_service_accounts_own_on_an_engine(self, oss: Serving, run: Runner) -> None:
        done = run("alert-groups list --mine -o json", status=3, ONCALLCTL_TOKEN=SERVICE_ACCOUNT_TOKEN)
        assert "--mine" in done.error["message"]
        assert oss.seen == []

    @pytest.mark.parametrize("options", ["", "-o json", "--quiet", "-o csv"])
    def test_a_live_list_needs_a_terminal_and_a_table(self, server: Serving, run: Runner, options: str) -> None:
        assert "--watch" in run(f"alert-groups list --watch {options}", status=2).stderr
        assert server.seen == []


class TestAlerts:
    def test_they_are_listed_the_newest_first_with_their_titles(self, server: Serving, run: Runner) -> None:
        ident = "IZ13JI6J94RL7"
        whole = run(f"alert-groups alerts {ident} -o json").json
        assert [each["alert_group_id"] for each in whole] == [ident] * 3
        assert [each["created_at"] for each in whole] == sorted((each["created_at"] for each in whole), reverse=True)
        header, *rows = (line.split("\t") for line in run(f"alert-groups alerts id:{ident}").stdout.splitlines())
        assert header == ["ID", "CREATED", "TITLE"]
        assert [[row[0], row[2]] for row in rows] == [[each["id"], each["payload"]["title"]] for each in whole]

    def test_a_limit_is_said(self, server: Serving, run: Runner) -> None:
        done = run("alert-groups alerts IZ13JI6J94RL7 --limit 2 -o json")
        assert len(done.json) == 2
        assert "omit --limit" in done.stderr

    def test_an_unknown_group_is_not_one_without_alerts(self, server: Serving, run: Runner) -> None:
        done = run("alert-groups alerts INOPENOPENOPE -o json", status=6)
        assert done.error["hint"] == "oncallctl alert-groups list"

    @pytest.mark.parametrize(
        ("payload", "said"),
        [
            ({"title": "disk full"}, "disk full"),
            ({"oncall": {"title": "help &amp; me", "message": "me"}}, "help & me"),  # escaped by the engine
            ({"title": "typed &amp;"}, "typed &amp;"),
            ({"labels": {"alertname": "DiskFull"}, "message": "x"}, "DiskFull"),
            ({"commonLabels": {"alertname": "DiskFull"}}, "DiskFull"),
            ({"title": "", "message": "only this"}, "only this"),
            ({"title": 5}, None),
            ({"title": {"title": "x"}}, None),
            ({}, None),
            ([], None),
            (None, None),
        ],
    )
    def test_the_title_is_where_monitoring_systems_put_it(self, payload: object, said: str | None) -> None:
        assert title(payload) == said


class TestHints:
    @pytest.mark.parametrize(
        "line",
        ["get INOPENOPENOPE", "alerts INOPENOPENOPE", "resolve INOPENOPENOPE", "get 'it burns'"],
    )
    def test_they_ask_the_server_that_was_asked(self, run: Runner, line: str) -> None:
        done = run(f"alert-groups {line} -p sandbox-oss -o json", status=None)
        assert done.error["hint"].endswith("oncallctl alert-groups list --profile sandbox-oss")


class TestActing:
    @EACH_CHANGE
    def test_it_changes_the_group_and_tells_of_it_as_it_is_then(self, server: Serving, run: Runner, case: Case) -> None:
        (outcome,) = run(case.line).json
        group = outcome.pop("alert_group")
        assert outcome == {
            "target": case.ident,
            "id": case.ident,
            "title": group["title"],
            "status": case.told,
            "error": None,
        }
        assert group == server.call("GET", f"alert_groups/{case.ident}/")
        assert group["state"] == case.becomes
        assert server.changes() == [f"POST /api/v1/alert_groups/{case.ident}/{case.verb}/"]
        assert server.bodies() == [{"delay": 5400} if case.verb == "silence" else None]

    @pytest.mark.parametrize(("verb", "was"), ALREADY)
    def test_what_is_so_already_is_unchanged_and_nothing_is_sent(
        self, server: Serving, run: Runner, verb: str, was: str
    ) -> None:
        (outcome,) = run(f"alert-groups {DO[verb]} {GROUP[was]} -o json").json
        assert (outcome["status"], outcome["error"], outcome["alert_group"]["state"]) == ("unchanged", None, was)
        assert server.changes() == []

    @pytest.mark.parametrize("verb", [each for each in DO if each != "silence"])
    def test_a_command_can_be_repeated(self, server: Serving, run: Runner, verb: str) -> None:
        line = f"alert-groups {DO[verb]} {' '.join(GROUP.values())} -o json"
        line = line.replace(RESOLVED, "") if verb == "acknowledge" else line
        run(line)
        sent = len(server.changes())
        assert sent
        assert {each["status"] for each in run(line).json} == {"unchanged"}
        assert len(server.changes()) == sent

    @pytest.mark.parametrize(("verb", "was", "way_back"), REFUSED)
    def test_what_the_server_would_refuse_is_a_conflict_and_not_sent(
        self, server: Serving, run: Runner, verb: str, was: str, way_back: str
    ) -> None:
        done = run(f"alert-groups {DO[verb]} {GROUP[was]} -o json", status=7)
        (outcome,) = done.json
        assert (outcome["status"], outcome["error"]["code"]) == ("failed", "conflict")
        assert outcome["alert_group"]["state"] == was
        assert done.error["hint"] == f"oncallctl alert-groups {way_back} {GROUP[was]}"
        assert server.changes() == []

    def test_of_several_some_succeed_and_some_fail(self, server: Serving, run: Runner) -> None:
        done = run(f"alert-groups acknowledge {RESOLVED} {FIRING} {ACKNOWLEDGED} -o json", status=4)
        assert [each["status"] for each in done.json] == ["failed", "acknowledged", "unchanged"]
        assert "1 of 3 failed" in done.error["message"]

    @pytest.mark.parametrize("length", ["0", "soon", "-5m", "1.5h"])
    def test_a_length_is_checked_before_anything_is_read(self, server: Serving, run: Runner, length: str) -> None:
        run(f"alert-groups silence {FIRING} --for={length}", status=2)
        assert server.seen == []

    @pytest.mark.parametrize(("length", "seconds"), [("30", 30), ("60", 60), ("30s", 30), ("30m", 1800)])
    def test_seconds_that_were_meant_as_minutes_are_warned_of(
        self, server: Serving, run: Runner, length: str, seconds: int
    ) -> None:
        done = run(f"alert-groups silence {FIRING} --for {length}")
        assert ("for minutes use 30m" in done.stderr) is (length == "30")
        assert server.bodies() == [{"delay": seconds}]

    def test_a_silence_has_a_length(self, server: Serving, run: Runner) -> None:
        assert "--for" in run(f"alert-groups silence {FIRING}", status=2).stderr

    def test_a_table_says_what_became_of_each(self, server: Serving, run: Runner) -> None:
        rows = [line.split("\t") for line in run(f"alert-groups resolve {FIRING} {RESOLVED}").stdout.splitlines()]
        assert rows == [
            ["ID", "TITLE", "STATUS", "STATE", "ERROR"],
            [FIRING, "Alert 016 on service-016", "resolved", "resolved", ""],
            [RESOLVED, "Alert 018 on service-018", "unchanged", "resolved", ""],
        ]

    def test_a_token_without_permission_is_refused(self, oss: Serving, run: Runner) -> None:
        done = run(f"alert-groups acknowledge {FIRING} -o json", status=3, ONCALLCTL_TOKEN=SERVICE_ACCOUNT_TOKEN)
        assert "Service accounts are not allowed" in done.error["message"]


class TestTargets:
    def test_an_id_may_say_that_it_is_one_and_counts_once(self, server: Serving, run: Runner) -> None:
        outcomes = run(f"alert-groups acknowledge id:{FIRING} {FIRING} {SILENCED} -o json").json
        assert [each["target"] for each in outcomes] == [f"id:{FIRING}", SILENCED]
        assert len(server.changes()) == 2

    def test_ids_come_from_stdin(self, server: Serving, run: Runner) -> None:
        ids = run("alert-groups list --state acknowledged -o id").stdout
        outcomes = run("alert-groups resolve - -o json", stdin=ids).json
        assert [each["id"] for each in outcomes] == ids.split()
        assert {each["status"] for each in outcomes} == {"resolved"}

    def test_an_empty_stdin_is_not_found(self, server: Serving, run: Runner) -> None:
        run("alert-groups resolve -", stdin="\n", status=6)
        assert server.seen == []

    def test_an_unknown_id_stops_everything(self, server: Serving, run: Runner) -> None:
        done = run(f"alert-groups resolve {FIRING} INOPENOPENOPE -o json", status=6)
        assert "INOPENOPENOPE" in done.error["message"]
        assert done.stdout == ""
        assert server.changes() == []

    @pytest.mark.parametrize("word", ["'Alert 016 on service-016'", "name:x", "../x", "id:"])
    def test_a_title_is_no_name(self, server: Serving, run: Runner, word: str) -> None:
        for line in (f"get {word}", f"alerts {word}", f"resolve {FIRING} {word}"):
            assert "identified by ID" in run(f"alert-groups {line}", status=2).stderr
        assert server.changes() == []

    @pytest.mark.parametrize("verb", DO)
    def test_ids_and_filters_exclude_each_other(self, server: Serving, run: Runner, verb: str) -> None:
        run(f"alert-groups {DO[verb]} {FIRING} --team platform", status=2)
        run(f"alert-groups {DO[verb]}", status=2)
        assert server.seen == []

    @pytest.mark.parametrize("verb", DO)
    def test_a_filter_looks_at_what_the_verb_can_change(self, server: Serving, run: Runner, verb: str) -> None:
        everything = groups(server)
        expected = {ident for ident, each in everything.items() if each["state"] in LOOKS_AT[verb]}
        outcomes = run(f"alert-groups {DO[verb]} --since 7d --yes -o json").json
        assert {each["id"] for each in outcomes} == {each["target"] for each in outcomes} == expected
        assert "unchanged" not in {each["status"] for each in outcomes}
        left = groups(server)
        assert all(left[ident] == each for ident, each in everything.items() if ident not in expected)

    def test_several_states_are_told_the_newest_first(self, server: Serving, run: Runner) -> None:
        newest_first = [ident for ident, each in groups(server).items() if each["state"] != "resolved"]
        assert run("alert-groups resolve --since 7d --dry-run -o id").stdout.split() == newest_first

    def test_a_state_that_is_named_is_the_one(self, server: Serving, run: Runner) -> None:
        outcomes = run("alert-groups resolve --state silenced --integration API -o json").json
        assert [each["id"] for each in outcomes] == ["IA44XW4VEDZVU"]
        outcomes = run("alert-groups acknowledge --state acknowledged --team payments -o json").json
        assert {each["status"] for each in outcomes} == {"unchanged"}

    def test_filters_combine(self, server: Serving, run: Runner) -> None:
        outcomes = run("alert-groups acknowledge --team platform --since 1h --yes -o json").json
        assert [each["id"] for each in outcomes] == ["ICT3ZIXZWI2QX", "IZ13JI6J94RL7"]

    def test_mine_are_what_i_acknowledged(self, server: Serving, run: Runner) -> None:
        run(f"alert-groups acknowledge {FIRING}")
        (outcome,) = run("alert-groups resolve --mine -o json").json
        assert (outcome["id"], outcome["status"]) == (FIRING, "resolved")

    @pytest.mark.parametrize(
        "line", ["resolve --mine", "unsilence --team platform", "acknowledge --state silenced --team platform"]
    )
    def test_filter_that_nothing_matches_is_done_with_a_note(self, server: Serving, run: Runner, line: str) -> None:
        done = run(f"alert-groups {line} -o json")
        assert done.json == []
        assert f"nothing to {line.split(maxsplit=1)[0]}: no alert group matches" in done.stderr
        assert server.changes() == []

    @pytest.mark.parametrize("verb", DO)
    def test_action_on_a_filter_can_be_repeated_and_finds_nothing_left_to_do(
        self, server: Serving, run: Runner, verb: str
    ) -> None:
        line = f"alert-groups {DO[verb]} --since 7d --yes -o json"
        assert run(line).json
        sent = len(server.changes())
        repeated = run(line.replace(" --yes", ""))
        assert repeated.json == []
        assert f"nothing to {verb}" in repeated.stderr
        assert len(server.changes()) == sent

    def test_filter_that_matches_only_what_is_so_already_needs_no_yes(self, server: Serving, run: Runner) -> None:
        done = run("alert-groups acknowledge --state acknowledged -o json")
        assert {each["status"] for each in done.json} == {"unchanged"}
        assert len(done.json) > 1
        assert "already done" in done.stderr
        assert server.changes() == []

    @pytest.mark.promise("dangerous-asked-about")
    @pytest.mark.parametrize(
        "filters", ["--state firing", "--since 1h", "--state firing --since 1h", "--team platform"]
    )
    def test_more_than_one_group_that_a_filter_chose_is_asked_about(
        self, server: Serving, run: Runner, filters: str
    ) -> None:
        done = run(f"alert-groups acknowledge {filters} -o json", status=2)
        assert done.error["code"] == "confirmation_needed"
        assert re.match(r"Acknowledge \d+ alert groups: I[A-Z0-9]+ 'Alert ", done.error["message"])
        assert server.changes() == []
        run(f"alert-groups acknowledge {filters} --yes")
        assert len(server.changes()) > 1

    def test_one_group_that_a_filter_chose_is_changed_unasked(self, server: Serving, run: Runner) -> None:
        (outcome,) = run("alert-groups acknowledge --integration service-016 -o json").json
        assert (outcome["id"], outcome["status"]) == (FIRING, "acknowledged")

    def test_more_than_twenty_ids_are_asked_about(self, server: Serving, run: Runner) -> None:
        integration = groups(server)[FIRING]["integration_id"]
        for number in range(20):
            server.alert(integration, f"alert {number}")
        idents = list(groups(server, integration_id=integration))
        run("alert-groups acknowledge - -q", stdin="\n".join(idents[:20]))
        assert len(server.changes()) == 20
        done = run("alert-groups resolve - -o json", status=2, stdin="\n".join(idents))
        assert "Resolve 21 alert groups" in done.error["message"]
        assert len(server.changes()) == 20
        run("alert-groups resolve - --yes -q", stdin="\n".join(idents))
        assert len(server.changes()) == 41


class TestWindows:
    """A `group_alerts` window has a group of its own, whose end is the end of the window."""

    @pytest.fixture
    def own(self, server: Serving) -> str:
        """The own group of a window that has collected an alert."""
        integration = groups(server)[FIRING]["integration_id"]
        mode = "maintenance" if server.dialect == "oss" else "group_alerts"
        server.call("POST", f"integrations/{integration}/maintenance_start", {"mode": mode, "duration": 7200})
        server.alert(integration, "collected")
        (ident,) = [ident for ident, each in groups(server).items() if each["title"].startswith("Maintenance of ")]
        return ident

    def open_windows(self, server: Serving) -> list[str]:
        integrations = server.call("GET", "integrations/?perpage=100")["results"]
        return [each["name"] for each in integrations if each["maintenance_mode"] in {"maintenance", "group_alerts"}]

    @pytest.mark.promise("dangerous-asked-about")
    @pytest.mark.parametrize("filters", ["--team platform", "--since 10s", "--team platform --state firing"])
    @pytest.mark.parametrize("verb", ["acknowledge", "resolve", "silence", "note"])
    def test_no_filter_chooses_it_and_a_note_says_so(
        self, server: Serving, run: Runner, own: str, filters: str, verb: str
    ) -> None:
        before = self.open_windows(server)
        words = "note --text x" if verb == "note" else DO[verb]
        done = run(f"alert-groups {words} {filters} --yes -o json", status=None)
        assert done.json
        assert own not in {each["id"] for each in done.json}
        assert f"left out 1 alert group: {own} 'Maintenance of service-016 for 7200'" in done.stderr
        assert "oncallctl maintenance stop" in done.stderr
        assert self.open_windows(server) == before

    def test_filter_that_matches_nothing_else_has_nothing_to_do(self, server: Serving, run: Runner, own: str) -> None:
        team = groups(server)[own]["team_id"]
        for ident in groups(server, team_id=team).keys() - {own}:
            server.call("DELETE", f"alert_groups/{ident}/", {"mode": "wipe"})
        done = run(f"alert-groups resolve --team {team} -o json")
        assert done.json == []
        assert "nothing to resolve" in done.stderr
        assert "left out 1 alert group" in done.stderr

    def test_title_alone_hides_no_group_of_a_listed_integration(self, server: Serving, run: Runner) -> None:
        integration = groups(server)[FIRING]["integration_id"]
        server.alert(integration, "Maintenance of service-001 for 7200")
        outcomes = run("alert-groups acknowledge --integration service-016 --yes -o json").json
        titles = {each["alert_group"]["last_alert"]["payload"]["title"] for each in outcomes}
        assert "Maintenance of service-001 for 7200" in titles
        table = run("alert-groups list --integration service-016 --columns integration.name --no-header").stdout
        assert set(table.split()) == {"service-016"}

    def test_it_is_shown_with_the_integration_in_maintenance(self, server: Serving, run: Runner, own: str) -> None:
        for line in (f"get {own}", "list --limit 2"):
            rows = run(f"alert-groups {line} --columns id,integration.name --no-header").stdout.splitlines()
            assert f"{own}\tservice-016" in rows
        assert run(f"alert-groups get {own} -o json").json == server.call("GET", f"alert_groups/{own}/")

    @pytest.mark.parametrize("targets", ["{}", "{} " + SILENCED])
    def test_it_is_not_resolved_unasked(self, server: Serving, run: Runner, own: str, targets: str) -> None:
        before = self.open_windows(server)
        done = run(f"alert-groups resolve {targets.format(own)} -o json", status=2)
        assert done.error["code"] == "confirmation_needed"
        assert f"1 alert group: {own} 'Maintenance of service-016 for 7200'" in done.error["message"]
        assert "everything that it collected is resolved" in done.error["message"]
        assert server.changes() == []
        assert self.open_windows(server) == before

    def test_it_is_resolved_with_yes_and_its_window_ends(self, server: Serving, run: Runner, own: str) -> None:
        before = self.open_windows(server)
        (outcome,) = run(f"alert-groups resolve {own} --yes -o json").json
        assert outcome["status"] == "resolved"
        assert set(before) - set(self.open_windows(server)) == {"service-016"}

    def test_many_of_one_integration_are_looked_up_once(self, server: Serving, run: Runner) -> None:
        integration = groups(server)[FIRING]["integration_id"]
        for number in range(3):
            server.alert(integration, f"alert {number}")
        run("alert-groups resolve --integration service-016 -o json", status=2)
        assert server.reads().count(f"GET /api/v1/integrations/{integration}/") == 1

    def test_a_group_whose_integration_was_deleted_might_be_one(self, server: Serving, run: Runner) -> None:
        integration = groups(server)[FIRING]["integration_id"]
        server.call("DELETE", f"integrations/{integration}/")
        done = run(f"alert-groups resolve {FIRING} -o json", status=2)
        assert FIRING in done.error["message"]
        assert state(server, FIRING) == "firing"

    def test_what_is_resolved_already_is_not_asked_about(self, server: Serving, run: Runner, own: str) -> None:
        server.call("POST", f"alert_groups/{own}/resolve/")
        assert run(f"alert-groups resolve {own} -o json").json[0]["status"] == "unchanged"

    def test_where_integrations_cannot_be_looked_up_nothing_is_done(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "integrations/", status(403, '{"detail": "no"}'))
        run(f"alert-groups resolve {FIRING}", status=3)
        assert server.changes() == []

    @pytest.mark.parametrize("verb", ["acknowledge", "silence", "note"])
    def test_the_other_verbs_leave_its_window_open(self, server: Serving, run: Runner, own: str, verb: str) -> None:
        before = self.open_windows(server)
        run(f"alert-groups {'note --text x' if verb == 'note' else DO[verb]} {own}", status=None)
        assert self.open_windows(server) == before


class TestRehearsing:
    @EACH_CHANGE
    def test_it_shows_the_exact_request_and_sends_none(self, server: Serving, run: Runner, case: Case) -> None:
        (outcome,) = run(f"{case.line} --dry-run").json
        assert outcome["status"] == f"would-{case.verb}"
        assert outcome["alert_group"]["state"] == case.was
        assert server.changes() == []
        run(case.line)
        (sent,) = [each for each in server.seen if each.method != "GET"]
        assert outcome["requests"] == [{"method": "POST", "url": f"{server.url}{sent.path}", "body": sent.body}]

    def test_what_would_not_be_sent_has_no_request(self, server: Serving, run: Runner) -> None:
        outcomes = run(f"alert-groups acknowledge {ACKNOWLEDGED} {RESOLVED} --dry-run -o json", status=4).json
        assert [(each["status"], each["requests"]) for each in outcomes] == [("unchanged", []), ("failed", [])]

    def test_the_whole_organisation_needs_no_yes(self, server: Serving, run: Runner) -> None:
        assert len(run("alert-groups resolve --state firing --dry-run -o json").json) == 11
        assert server.changes() == []


class TestLostAnswers:
    @EACH_CHANGE
    def test_one_that_was_carried_out_is_done_and_not_sent_again(
        self, server: Serving, run: Runner, case: Case
    ) -> None:
        server.fail("POST", f"/{case.verb}/", lose)
        (outcome,) = run(case.line).json
        assert (outcome["status"], outcome["alert_group"]["state"]) == (case.told, case.becomes)
        assert len(server.changes()) == 1

    @pytest.mark.usefixtures("impatient")
    @EACH_CHANGE
    def test_one_that_does_not_show_is_unknown(self, server: Serving, run: Runner, case: Case) -> None:
        server.fail("POST", f"/{case.verb}/", drop)
        done = run(case.line, status=9)
        (outcome,) = done.json
        assert (outcome["status"], outcome["error"]["code"]) == ("unknown", "outcome_unknown")
        assert done.error["hint"] == f"oncallctl alert-groups get {case.ident}"
        assert len(server.changes()) == 1

    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize("code", [500, 502, 503])
    def test_an_error_of_the_server_says_nothing_of_the_change(self, server: Serving, run: Runner, code: int) -> None:
        server.fail("POST", "/resolve/", status(code))
        run(f"alert-groups resolve {FIRING}", status=9)
        assert len(server.changes()) == 1

    def test_one_that_shows_late_is_done(self, server: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0, 0.0, 0.0))
        looks = []

        def late(_request: Request, answer: Callable[[], Response]) -> Response:
            looks.append(1)
            if len(looks) == 3:
                server.call("POST", f"alert_groups/{FIRING}/resolve/")
            return answer()

        def begin(_request: Request, _answer: Callable[[], Response]) -> None:
            server.fail("GET", f"/{FIRING}/", late, times=3)

        server.fail("POST", "/resolve/", begin)
        assert run(f"alert-groups resolve {FIRING} -o json").json[0]["status"] == "resolved"
        assert len(looks) == 3
        assert len(server.changes()) == 1

    def test_where_reading_back_fails_too_it_is_unknown(self, server: Serving, run: Runner) -> None:
        def blind() -> None:
            server.fail("GET", f"/{FIRING}/", status(403, '{"detail": "no"}'))

        server.fail("POST", "/resolve/", first(blind, answered=False))
        done = run(f"alert-groups resolve {FIRING} -o json", status=9)
        assert "reading back failed" in done.error["message"]
        assert done.error["hint"] == f"oncallctl alert-groups get {FIRING}"

    def test_one_that_was_answered_is_done_also_where_it_cannot_be_read_again(
        self, server: Serving, run: Runner
    ) -> None:
        def blind() -> None:
            server.fail("GET", f"/{FIRING}/", status(403, '{"detail": "no"}'))

        server.fail("POST", "/resolve/", first(blind, answered=True))
        (outcome,) = run(f"alert-groups resolve {FIRING} -o json").json
        assert (outcome["id"], outcome["status"], outcome["alert_group"]) == (FIRING, "resolved", None)

    def test_one_does_not_keep_the_others_from_being_done(self, server: Serving, run: Runner) -> None:
        server.fail("POST", f"/{FIRING}/resolve/", status(403, '{"detail": "no"}'))
        done = run(f"alert-groups resolve {FIRING} {SILENCED} {ACKNOWLEDGED} -o json", status=4)
        assert [each["status"] for each in done.json] == ["failed", "resolved", "resolved"]
        assert [state(server, ident) for ident in (FIRING, SILENCED, ACKNOWLEDGED)] == [
            "firing",
            "resolved",
            "resolved",
        ]


class TestSomebodyQuicker:
    """Between looking at a group and changing it."""

    @pytest.mark.parametrize(
        ("verb", "was"),
        [(case.verb, case.was) for case in CHANGES if case.verb != "silence" and case.was != "silenced"],
    )
    def test_who_did_the_same_leaves_it_unchanged(self, server: Serving, run: Runner, verb: str, was: str) -> None:
        def quicker() -> None:
            server.call("POST", f"alert_groups/{GROUP[was]}/{verb}/")

        server.fail("POST", f"/{verb}/", first(quicker, answered=True))
        (outcome,) = run(f"alert-groups {verb} {GROUP[was]} -o json").json
        assert outcome["status"] == "unchanged"
        assert outcome["alert_group"] == server.call("GET", f"alert_groups/{GROUP[was]}/")
        assert len(posts(server, GROUP[was], verb)) == 1

    @pytest.mark.parametrize(
        ("verb", "did"), [("acknowledge", "resolve"), ("silence", "acknowledge"), ("silence", "resolve")]
    )
    def test_who_did_something_else_is_in_the_way(self, server: Serving, run: Runner, verb: str, did: str) -> None:
        def quicker() -> None:
            server.call("POST", f"alert_groups/{FIRING}/{did}/")

        server.fail("POST", f"/{verb}/", first(quicker, answered=True))
        done = run(f"alert-groups {DO[verb]} {FIRING} -o json", status=7)
        assert done.json[0]["status"] == "failed"
        assert f"Can't {verb}" in done.error["message"]
        assert done.error["http_status"] == 400
        assert done.error["hint"] == f"oncallctl alert-groups get {FIRING}"


class TestNoting:
    def notes(self, server: Serving, ident: str) -> list[str]:
        return [each["text"] for each in server.call("GET", f"resolution_notes/?alert_group_id={ident}")["results"]]

    def test_it_is_written(self, server: Serving, run: Runner) -> None:
        (outcome,) = run(f"alert-groups note {FIRING} --text 'it was the disk' -o json").json
        assert (outcome["id"], outcome["status"], outcome["error"]) == (FIRING, "noted", None)
        assert outcome["alert_group"]["id"] == FIRING
        assert server.changes() == ["POST /api/v1/resolution_notes/"]
        assert server.bodies() == [{"alert_group_id": FIRING, "text": "it was the disk"}]
        assert self.notes(server, FIRING) == ["it was the disk"]

    def test_the_same_is_not_written_twice_whoever_wrote_it(self, server: Serving, run: Runner) -> None:
        run(f"alert-groups note {FIRING} --text same", ONCALLCTL_TOKEN=EDITOR_TOKEN)
        (outcome,) = run(f"alert-groups note {FIRING} --text same -o json").json
        assert outcome["status"] == "unchanged"
        run(f"alert-groups note {FIRING} --text another")
        run(f"alert-groups note {SILENCED} --text same")
        assert sorted(self.notes(server, FIRING)) == ["another", "same"]
        assert self.notes(server, SILENCED) == ["same"]

    def test_the_text_comes_from_a_file_or_stdin_without_the_white_space_around_it(
        self, server: Serving, run: Runner, tmp_path: Path
    ) -> None:
        (tmp_path / "note").write_text("first\n\nlast\n", encoding="utf-8")
        run(f"alert-groups note {FIRING} --text @{tmp_path}/note")
        (outcome,) = run(f"alert-groups note {FIRING} --text - -o json", stdin=" first\n\nlast\n\n").json
        assert outcome["status"] == "unchanged"
        assert self.notes(server, FIRING) == ["first\n\nlast"]

    def test_ids_come_from_stdin_unless_the_text_does(self, server: Serving, run: Runner) -> None:
        run("alert-groups note - --text x", stdin=f"{FIRING}\n{SILENCED}\n")
        assert len(server.changes()) == 2
        server.seen.clear()
        run("alert-groups note - --text -", stdin=f"{FIRING}\n", status=2)
        assert server.seen == []

    @pytest.mark.parametrize("text", ["''", "' '", "-"])
    def test_a_blank_text_is_refused(self, server: Serving, run: Runner, text: str) -> None:
        run(f"alert-groups note {FIRING} --text {text}", stdin="\n", status=2)
        run(f"alert-groups note {FIRING}", status=2)
        assert server.seen == []

    def test_a_filter_looks_at_what_is_not_resolved(self, server: Serving, run: Runner) -> None:
        outcomes = run("alert-groups note --team payments --text x --yes -o json").json
        assert {each["id"] for each in outcomes} == set(groups(server, team_id=PAYMENTS))
        outcomes = run("alert-groups note --state resolved --since 1h --text x -o json").json
        assert [each["id"] for each in outcomes] == ["ICRA95TYN2LTV"]

    def test_a_rehearsal_looks_and_writes_nothing(self, server: Serving, run: Runner) -> None:
        server.call("POST", "resolution_notes/", {"alert_group_id": SILENCED, "text": "x"})
        there, missing = run(f"alert-groups note {SILENCED} {FIRING} --text x --dry-run -o json").json
        assert (there["status"], there["requests"]) == ("unchanged", [])
        assert missing["status"] == "would-note"
        assert missing["requests"] == [
            {
                "method": "POST",
                "url": f"{server.url}/api/v1/resolution_notes/",
                "body": {"alert_group_id": FIRING, "text": "x"},
            }
        ]
        assert server.changes() == []

    def test_an_answer_that_was_lost_is_settled_by_looking(self, server: Serving, run: Runner) -> None:
        server.fail("POST", "resolution_notes/", lose)
        assert run(f"alert-groups note {FIRING} --text x -o json").json[0]["status"] == "noted"
        assert self.notes(server, FIRING) == ["x"]

    @pytest.mark.usefixtures("impatient")
    def test_one_that_does_not_show_is_unknown(self, server: Serving, run: Runner) -> None:
        server.fail("POST", "resolution_notes/", drop)
        done = run(f"alert-groups note {FIRING} --text x -o json", status=9)
        assert done.json[0]["status"] == "unknown"
        assert "--dry-run" in done.error["hint"]
        assert len(server.changes()) == 1
