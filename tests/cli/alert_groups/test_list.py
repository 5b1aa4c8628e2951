"""`alert-groups list`, `get` and `alerts`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from oncallctl.sandbox import EDITOR_TOKEN, SERVICE_ACCOUNT_TOKEN
from tests.cli.alert_groups.support import FIRING, GROUP, PAYMENTS, PLATFORM, groups
from tests.conftest import Runner
from tests.serving import Serving, status

EDITORS_TEAMS = {PLATFORM, "TUNFSIER6R4P3"}
NOT_RESOLVED = ("new", "acknowledged", "silenced")  # values of the filter


class TestList:
    def test_list_without_a_state_shows_unresolved_groups_newest_first(self, server: Serving, run: Runner) -> None:
        expected = [ident for ident, each in groups(server).items() if each["state"] != "resolved"]
        assert len(expected) < len(groups(server))
        assert run("alert-groups list --no-header --columns id").stdout.split() == expected
        states = [each.query["state"] for each in server.seen if each.path.endswith("/alert_groups/")]
        assert sorted(states) == sorted(NOT_RESOLVED)

    @pytest.mark.parametrize("words", [(each,) for each in GROUP] + [("new", "firing"), ("resolved", "silenced")])
    def test_list_with_states_shows_these_newest_first(self, cloud: Serving, run: Runner, words: tuple[str]) -> None:
        expected = [ident for ident, each in groups(cloud).items() if each["state"] in words]
        assert expected
        line = f"alert-groups list {' '.join(f'--state {word}' for word in words)} -o id"
        assert run(line).stdout.split() == expected
        assert run(f"{line} --limit 1").stdout.split() == expected[:1]

    def test_list_with_a_state_given_twice_requests_it_once(self, cloud: Serving, run: Runner) -> None:
        run("alert-groups list --state new --state firing -o id")
        assert len(cloud.seen) == 1

    @pytest.mark.parametrize("options", ["--state firing", "--mine --state resolved"])
    def test_list_with_a_limit_reads_only_the_first_result_page(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch, options: str
    ) -> None:
        monkeypatch.setattr("oncallctl.api.pagination.PER_PAGE", 2)
        line = f"alert-groups list {options} --limit 1 -o id"
        assert len(run(line, ONCALLCTL_TOKEN=EDITOR_TOKEN).stdout.split()) == 1
        assert {each.query.get("page") for each in cloud.seen if "/alert_groups/" in each.path} == {"1"}

    @pytest.mark.parametrize("options", ["--state firing", "", "--mine --state resolved"])
    def test_list_on_a_terminal_reads_only_the_beginnings_of_lists_and_notes_the_cut(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch, options: str
    ) -> None:
        terminal = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True))
        monkeypatch.setattr("oncallctl.commands.alert_groups.reads.sys", terminal)
        monkeypatch.setattr("oncallctl.commands.alert_groups.reads.SHOWN_ON_TERMINAL", 1)
        monkeypatch.setattr("oncallctl.alert_groups.choosing.PER_PAGE", 1)
        done = run(f"alert-groups list {options} -o id")
        assert len(done.stdout.split()) <= 1
        assert "use --limit N to show more" in done.stderr
        queries = [each.query for each in cloud.seen if each.path.endswith("/alert_groups/")]
        assert {(each["page"], int(each["perpage"]) <= 2) for each in queries} == {("1", True)}

    @pytest.mark.parametrize("name", ["SERVICE-016", "id:{}"])
    def test_list_with_an_integration_shows_its_groups(self, cloud: Serving, run: Runner, name: str) -> None:
        ident = groups(cloud)[FIRING]["integration_id"]
        assert run(f"alert-groups list --integration {name.format(ident)} -o id").stdout.split() == [FIRING]
        assert cloud.seen[-1].query["integration_id"] == ident

    def test_list_with_an_unknown_integration_fails_and_with_one_without_groups_is_empty(
        self, cloud: Serving, run: Runner
    ) -> None:
        run("alert-groups list --integration service-01", status=6)
        run("alert-groups list --integration CNOPENOPENOPE", status=6)
        assert run("alert-groups list --integration service-019 -o json").json == []

    def test_list_with_several_filters_applies_all(self, cloud: Serving, run: Runner) -> None:
        listed = run("alert-groups list --team payments --state acknowledged --since 1h -o id").stdout.split()
        assert set(listed) < set(groups(cloud, team_id=PAYMENTS, state="acknowledged"))
        assert set(listed) == {"IP3T28FBB4FUB", "I2N5YL2NUWZ5U"}  # 8 and 36 minutes old; the others more than an hour

    def test_list_since_a_minute_ago_includes_a_group_that_began_this_second(self, cloud: Serving, run: Runner) -> None:
        ident = groups(cloud)[FIRING]["integration_id"]
        cloud.alert(ident)
        (listed,) = run("alert-groups list --since 50s -o json").json
        assert (listed["integration_id"], listed["state"]) == (ident, "firing")

    def test_list_since_a_time_reads_it_in_the_zone_of_the_option(self, cloud: Serving, run: Runner) -> None:
        run("alert-groups list --since 2020-06-01T12:00 --tz Asia/Kolkata -o json")
        assert cloud.seen[-1].query["started_at"].startswith("2020-06-01T06:30:00_")

    @pytest.mark.parametrize("since", ["soon", "2999-01-01", "0s"])
    def test_list_since_an_invalid_or_future_time_is_refused(self, cloud: Serving, run: Runner, since: str) -> None:
        run(f"alert-groups list --since {since}", status=2)
        assert cloud.seen == []

    @pytest.mark.parametrize("options", ["", "-o json", "--quiet"])
    def test_watch_without_a_terminal_or_a_table_is_refused(self, cloud: Serving, run: Runner, options: str) -> None:
        assert "--watch" in run(f"alert-groups list --watch {options}", status=2).stderr
        assert cloud.seen == []


class TestMine:
    @pytest.mark.parametrize("word", ["", *GROUP])
    def test_mine_shows_the_groups_of_my_teams(self, cloud: Serving, run: Runner, word: str) -> None:
        cloud.call("POST", f"alert_groups/{FIRING}/acknowledge/")
        cloud.call("POST", "alert_groups/ICT3ZIXZWI2QX/silence/", {"delay": 3600})
        option = f"--state {word}" if word else ""
        listed = run(f"alert-groups list --mine {option} -o json", ONCALLCTL_TOKEN=EDITOR_TOKEN).json
        states = {word} if word else {"firing", "acknowledged", "silenced"}
        assert listed
        assert listed == [
            each for each in groups(cloud).values() if each["team_id"] in EDITORS_TEAMS and each["state"] in states
        ]

    @pytest.mark.parametrize(
        ("verb", "option", "team"),
        [
            ("acknowledge", "", ""),
            ("acknowledge", "--state acknowledged", "--team platform"),
            ("resolve", "--state resolved", ""),
        ],
    )
    def test_mine_shows_groups_that_i_acknowledged_or_resolved(
        self, cloud: Serving, run: Runner, verb: str, option: str, team: str
    ) -> None:
        line = f"alert-groups list --mine {option} {team} -o id"
        assert run(line).stdout == ""
        cloud.call("POST", f"alert_groups/{FIRING}/{verb}/")
        assert run(line).stdout == f"{FIRING}\n"
        assert run("alert-groups list --mine --team payments -o id").stdout == ""

    def test_mine_shows_a_group_of_my_team_that_i_acknowledged_once(self, cloud: Serving, run: Runner) -> None:
        run(f"alert-groups acknowledge {FIRING}", ONCALLCTL_TOKEN=EDITOR_TOKEN)
        listed = run("alert-groups list --mine -o id", ONCALLCTL_TOKEN=EDITOR_TOKEN).stdout.split()
        assert listed.count(FIRING) == 1

    @pytest.mark.parametrize(
        ("options", "lists"),
        [
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
    def test_mine_reads_only_lists_with_groups_that_may_be_mine(
        self, cloud: Serving, run: Runner, options: str, lists: set[tuple[str | None, str]]
    ) -> None:
        run(f"alert-groups list --mine {options} -o json", ONCALLCTL_TOKEN=EDITOR_TOKEN)
        queries = [each.query for each in cloud.seen if each.path.endswith("/alert_groups/")]
        assert {(query.get("team_id"), query.get("state")) for query in queries} == lists
        assert len(queries) == len(lists)

    def test_mine_with_a_limit_counts_only_my_groups(self, cloud: Serving, run: Runner) -> None:
        done = run("alert-groups list --mine --limit 2 -o id", ONCALLCTL_TOKEN=EDITOR_TOKEN)
        assert len(done.stdout.split()) == 2
        assert "omit --limit" in done.stderr

    def test_mine_with_a_service_account_on_an_engine_is_refused(self, oss: Serving, run: Runner) -> None:
        done = run("alert-groups list --mine -o json", status=3, ONCALLCTL_TOKEN=SERVICE_ACCOUNT_TOKEN)
        assert "--mine" in done.error["message"]
        assert oss.seen == []


class TestTitles:
    def test_title_with_html_entities_is_shown_as_text_and_kept_in_json(self, server: Serving, run: Runner) -> None:
        paged = run("escalate --team platform --title '<b>R&D</b>' --anyway -o json").json
        assert paged["title"] == "&lt;b&gt;R&amp;D&lt;/b&gt;"
        ident = paged["id"]
        for line in (f"get {ident}", "list --limit 1", f"acknowledge {ident}"):
            assert "<b>R&D</b>" in run(f"alert-groups {line}").stdout
        assert "<b>R&D</b>" in run("teams handoff platform -o csv").stdout
        assert run(f"alert-groups get {ident} -o json").json["title"] == paged["title"]


class TestFolds:
    def test_groups_with_the_same_title_are_folded_into_one_row(self, cloud: Serving, run: Runner) -> None:
        for _ in range(3):
            cloud.call("POST", "escalation/", {"team": PLATFORM, "title": "disk & full"})
        listed = [each for each in groups(cloud).values() if each["title"] == "disk &amp; full"]
        cloud.call("POST", f"alert_groups/{listed[1]['id']}/resolve/")
        line = "alert-groups list --since 1h --team platform --state firing --state resolved --group-by title"
        fold = next(each for each in run(f"{line} -o json").json if each["title"] == listed[0]["title"])
        assert fold == {
            "title": listed[0]["title"],
            "count": 3,
            "states": {"firing": 2, "resolved": 1},
            "latest": listed[0]["created_at"],
            "ids": [each["id"] for each in listed],
        }
        lines = [each.split("\t") for each in run(line).stdout.splitlines()]
        assert lines[0] == ["COUNT", "TITLE", "STATES", "LATEST", "ID"]
        assert ["3", "disk & full", "2 firing, 1 resolved"] in [each[:3] for each in lines]
        assert listed[0]["id"] in run(f"{line} -o id").stdout.split()

    def test_limit_counts_rows(self, cloud: Serving, run: Runner) -> None:
        done = run("alert-groups list --group-by title --limit 2 -o json")
        assert len(done.json) == 2
        assert "showing the first 2" in done.stderr

    @pytest.mark.parametrize("options", ["--group-by title --watch", "--group-by integration", "--bell"])
    def test_invalid_options_are_refused_before_any_request(self, cloud: Serving, run: Runner, options: str) -> None:
        run(f"alert-groups list {options}", status=2)
        assert cloud.seen == []


class TestWebLink:
    LINK = f"https://sandbox.grafana.invalid/a/grafana-irm-app/alert-groups/{FIRING}"

    def test_link_is_printed_without_a_browser(self, cloud: Serving, run: Runner) -> None:
        assert run(f"alert-groups get {FIRING} --web").stdout == f"{self.LINK}\n"
        environment = {"ONCALLCTL_GRAFANA_URL": "https://sandbox.grafana.invalid"}
        assert run(f"alert-groups get {FIRING} --web", **environment).stdout == f"{self.LINK}\n"

    def test_link_is_opened_in_the_browser_on_a_terminal(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened: list[str] = []
        monkeypatch.setattr("webbrowser.open", lambda link: opened.append(link) is None)
        terminal = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True))
        monkeypatch.setattr("oncallctl.commands.alert_groups.reads.sys", terminal)
        done = run(f"alert-groups get {FIRING} --web")
        assert (opened, done.stdout) == ([self.LINK], "")
        assert f"opened {self.LINK}" in done.stderr

    @pytest.mark.parametrize(
        "link",
        [
            "http://sandbox.grafana.invalid/a",
            "javascript:alert(1)",
            "https://user@sandbox.grafana.invalid/a",
            "https://elsewhere.invalid/a",
            "https://sandbox.grafana.invalid/a b",
            "https://sandbox.grafana.invalid/\x1b]0;",
            None,
        ],
    )
    def test_unsafe_link_is_refused(self, cloud: Serving, run: Runner, link: str | None) -> None:
        group = groups(cloud)[FIRING] | {"permalinks": {"web": link}}
        cloud.fail("GET", f"/{FIRING}/", status(200, json.dumps(group)))
        environment = {"ONCALLCTL_GRAFANA_URL": "https://sandbox.grafana.invalid"}
        done = run(f"alert-groups get {FIRING} --web", status=1 if link else 6, **environment)
        assert done.stdout == ""


class TestAlerts:
    def test_alerts_are_listed_newest_first_with_their_titles(self, cloud: Serving, run: Runner) -> None:
        ident = "IZ13JI6J94RL7"
        alerts = run(f"alert-groups alerts {ident} -o json").json
        assert [each["alert_group_id"] for each in alerts] == [ident] * 3
        assert [each["created_at"] for each in alerts] == sorted((each["created_at"] for each in alerts), reverse=True)
        header, *rows = (line.split("\t") for line in run(f"alert-groups alerts id:{ident}").stdout.splitlines())
        assert header == ["ID", "CREATED", "TITLE"]
        assert [[row[0], row[2]] for row in rows] == [[each["id"], each["payload"]["title"]] for each in alerts]

    def test_alerts_with_a_limit_note_the_cut(self, cloud: Serving, run: Runner) -> None:
        done = run("alert-groups alerts IZ13JI6J94RL7 --limit 2 -o json")
        assert len(done.json) == 2
        assert "omit --limit" in done.stderr


@pytest.mark.parametrize("line", ["get INOPENOPENOPE", "alerts INOPENOPENOPE", "get 'it burns'"])
def test_hint_of_an_unknown_group_names_the_profile(run: Runner, line: str) -> None:
    done = run(f"alert-groups {line} -p sandbox-oss -o json", status=None)
    assert done.status == (2 if "burns" in line else 6)
    assert done.error["hint"].endswith("oncallctl alert-groups list --profile sandbox-oss")


@pytest.mark.parametrize(("since", "notes"), [("yesterday 9:00", 1), ("-30m", 1), ("12h", 0), ("2020-06-01T12:00", 0)])
def test_incomplete_time_of_since_is_printed_in_full(cloud: Serving, run: Runner, since: str, notes: int) -> None:
    done = run(f"alert-groups list --since '{since}' -o id")
    assert len(re.findall(r"since 20\d\d-\d\d-\d\d \d\d:\d\d UTC, .* ago", done.stderr)) == notes


class TestFurtherFilters:
    def test_search_takes_titles_with_the_text_in_any_case(self, server: Serving, run: Runner) -> None:
        expected = [ident for ident, each in groups(server).items() if "error" in each["title"].lower()]
        everything = " ".join(f"--state {state}" for state in GROUP)
        assert run(f"alert-groups list {everything} --search ERROR -o id").stdout.split() == expected
        done = run(f"alert-groups list {everything} --search ERROR --limit 1 -o id")
        assert done.stdout.split() == expected[:1]
        assert ("showing the first 1" in done.stderr) == (len(expected) > 1)

    def test_chain_takes_groups_whose_route_leads_to_it(self, server: Serving, run: Runner) -> None:
        chains = {row["id"]: row["escalation_chain_id"] for row in run("routes list -o json").json}
        chain = run("escalation-chains get platform-default -o id").stdout.strip()
        everything = run("alert-groups list -o json").json
        expected = [row["id"] for row in everything if chains.get(row["route_id"]) == chain]
        assert 0 < len(expected) < len(everything)
        assert run("alert-groups list --chain platform-default -o id").stdout.split() == expected

    def test_labels_must_all_match(self, server: Serving, run: Runner) -> None:
        labeled = next(row for row in run("alert-groups list -o json").json if len(row["labels"]) > 1)
        pairs = [f"{each['key']['name']}={each['value']['name']}" for each in labeled["labels"]]
        options = " ".join(f"--label {pair}" for pair in pairs)
        assert labeled["id"] in run(f"alert-groups list {options} -o id").stdout.split()
        assert run(f"alert-groups list {options} --label nobody=has -o id").stdout == ""

    @pytest.mark.parametrize("option", ["--until 2h", "--until -2h", "--older-than 2h"])
    def test_later_groups_are_left_out(self, server: Serving, run: Runner, option: str) -> None:
        found = run(f"alert-groups list {option} -o json").json
        assert 0 < len(found) < len(run("alert-groups list -o json").json)
        limit = datetime.now(UTC) - timedelta(hours=2)
        assert all(datetime.fromisoformat(row["created_at"]) < limit for row in found)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [("--until 1h --older-than 1h", 2), ("--label x", 2), ("--chain nope", 6), ("--older-than soon", 2)],
    )
    def test_invalid_filter_is_refused(self, cloud: Serving, run: Runner, options: str, expected: int) -> None:
        run(f"alert-groups list {options}", status=expected)
