"""`escalate` against the sandbox behind a socket."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from oncallctl import sandbox
from oncallctl.errors import Signal
from oncallctl.sandbox.responses import CRASH_PAGE
from tests.conftest import Runner
from tests.serving import Fault, Serving, drop, lose, status
from tests.unit.api.clock import Clock

PLATFORM, ALICE, BOB = "TKPSLLWBFUI9R", "U6YF83T9HEFKQ", "U85BI7ASG8K6E"
PAGE = "POST /api/v1/escalation/"


def fail_after(_request: Request, answer: Callable[[], Response]) -> Response:
    """Carry the request out and respond with 500."""
    answer()
    return Response(CRASH_PAGE, 500, content_type="text/html; charset=utf-8")


def paged(server: Serving) -> int:
    """Return the number of people whom a real server would have paged."""
    with sqlite3.connect(server.database) as database:
        return int(database.execute("SELECT count(*) FROM notifications").fetchone()[0])


def put_into_maintenance(server: Serving, name: str, mode: str) -> None:
    (found,) = [
        each
        for each in server.call("GET", "integrations/?perpage=1000")["results"]
        + server.call("GET", "integrations/?page=2&perpage=1000")["results"]
        if each["name"] == name
    ][:1]
    oss = {"silence_escalations": "debug", "group_alerts": "maintenance"}
    word = mode if server.dialect == "cloud" else oss[mode]
    server.call("POST", f"integrations/{found['id']}/maintenance_start", {"mode": word, "duration": 600})


class TestRequest:
    def test_page_to_a_team_is_sent_and_its_alert_group_printed(self, server: Serving, run: Runner) -> None:
        group = run('escalate --team platform --title "db down" --message help -o json').json
        assert group["state"] == "firing"
        assert server.changes() == [PAGE]
        assert server.bodies() == [
            {"title": "db down", "message": "help", "team": PLATFORM, "important_team_escalation": False}
        ]

    def test_important_page_to_a_team_sets_the_importance_of_the_team(self, server: Serving, run: Runner) -> None:
        run("escalate --team platform --important --title t")
        assert server.bodies()[0]["important_team_escalation"] is True

    def test_page_to_users_has_their_importance_and_a_null_team(self, server: Serving, run: Runner) -> None:
        run(f"escalate --user alice --important-user {BOB} --title t --source-url https://example.com/x")
        assert server.bodies() == [
            {
                "title": "t",
                "source_url": "https://example.com/x",
                "team": None,
                "users": [{"id": ALICE, "important": False}, {"id": BOB, "important": True}],
            }
        ]

    def test_important_page_to_users_makes_every_user_important(self, cloud: Serving, run: Runner) -> None:
        run("escalate --user alice --important --title t")
        assert cloud.bodies()[0]["users"] == [{"id": ALICE, "important": True}]

    def test_user_given_by_name_email_and_id_is_paged_once(self, cloud: Serving, run: Runner) -> None:
        run(f"escalate --user bob --user bob@example.com --user {BOB} --title t")
        assert cloud.bodies()[0]["users"] == [{"id": BOB, "important": False}]
        assert paged(cloud) == 1

    def test_page_to_an_alert_group_adds_the_user(self, server: Serving, run: Runner) -> None:
        group = run("escalate --user alice --title t -o json").json
        assert f"note: paging {BOB}" in run(f"escalate --user {BOB} --alert-group {group['id']}").stderr
        assert server.bodies()[1] == {
            "alert_group_id": group["id"],
            "team": None,
            "users": [{"id": BOB, "important": False}],
        }

    def test_message_is_read_from_a_file_or_stdin(self, cloud: Serving, run: Runner, tmp_path: Path) -> None:
        (tmp_path / "message").write_text("line 1\nline 2 🔥\n", encoding="utf-8")
        run(f"escalate --user alice --message @{tmp_path}/message")
        run("escalate --user alice --message -", stdin="from stdin")
        assert [body["message"] for body in cloud.bodies()] == ["line 1\nline 2 🔥\n", "from stdin"]

    def test_blank_text_is_omitted_with_a_warning(self, cloud: Serving, run: Runner) -> None:
        done = run("escalate --user alice --title '' --message -", stdin="\n")
        assert "blank" in done.stderr
        assert set(cloud.bodies()[0]) == {"team", "users"}

    @pytest.mark.promise("dry-run-sends-no-change")
    def test_dry_run_prints_the_request_and_pages_nobody(self, cloud: Serving, run: Runner) -> None:
        request = run("escalate --team platform --title t --dry-run -o json").json
        assert request == {
            "method": "POST",
            "url": f"{cloud.url}/api/v1/escalation/",
            "body": {"title": "t", "team": PLATFORM, "important_team_escalation": False},
        }
        assert cloud.changes() == []

    def test_page_on_the_sandbox_notes_that_nobody_was_paged(self, run: Runner) -> None:
        assert "sandbox: nobody was paged" in run("escalate --team platform --title t -p sandbox").stderr


class TestInvalidInput:
    @pytest.mark.parametrize(
        "options",
        [
            "",
            "--title t",
            "--team platform --user alice",
            "--team platform --important-user alice",
            "--user alice --important-user alice",
            "--user alice --important-user alice@example.com --title t",
            f"--user {BOB} --important-user {BOB}",
            "--alert-group IAAAAAAAAAAAA",
            "--alert-group IAAAAAAAAAAAA --user alice --title t",
            "--alert-group IAAAAAAAAAAAA --user alice --message ''",
            "--alert-group IAAAAAAAAAAAA --user alice --source-url https://x",
            "--alert-group IAAAAAAAAAAAA --team platform",
            "--user alice --message @/nowhere/at/all",
        ],
    )
    def test_invalid_options_are_refused_before_any_page(self, cloud: Serving, run: Runner, options: str) -> None:
        done = run(f"escalate {options}", status=None)
        assert done.status in {2, 6}
        assert done.stdout == ""
        assert cloud.changes() == []

    def test_contradictory_importance_of_a_user_is_invalid_input(self, cloud: Serving, run: Runner) -> None:
        done = run("escalate --user bob --important-user bob@example.com --title t -o json", status=2)
        assert done.error["code"] == "invalid_input"
        assert cloud.changes() == []

    def test_email_of_two_users_is_ambiguous(self, cloud: Serving, run: Runner) -> None:
        assert run("escalate --user alice@example.com -o json", status=6).error["code"] == "ambiguous"
        assert cloud.changes() == []

    def test_service_account_on_an_engine_is_refused_before_any_request(self, oss: Serving, run: Runner) -> None:
        run("escalate --team platform --title t", status=3, ONCALLCTL_TOKEN=sandbox.SERVICE_ACCOUNT_TOKEN)
        assert oss.seen == []

    @pytest.mark.parametrize("recipient", ["--user UAAAAAAAAAAAA", "--team TAAAAAAAAAAAA --anyway"])
    def test_unknown_id_is_not_found(self, cloud: Serving, run: Runner, recipient: str) -> None:
        run(f"escalate {recipient} --title t", status=6)

    def test_unknown_alert_group_is_not_found(self, cloud: Serving, run: Runner) -> None:
        run("escalate --user alice --alert-group IAAAAAAAAAAAA", status=6)

    def test_resolved_alert_group_is_a_conflict(self, cloud: Serving, run: Runner) -> None:
        groups = run("alert-groups list --state resolved -o json").json
        done = run(f"escalate --user alice --alert-group {groups[0]['id']} -o json", status=7)
        assert done.error["http_status"] == 400


class TestReach:
    """A page that would notify nobody is not sent without --anyway."""

    @pytest.mark.parametrize("team", ["empty-team", "data infra"])
    def test_page_to_an_unreachable_team_is_an_unsent_conflict(self, server: Serving, run: Runner, team: str) -> None:
        done = run(f"escalate --team '{team}' --title t -o json", status=7)
        assert "--anyway" in done.error["hint"]
        assert server.changes() == []

    @pytest.mark.parametrize("mode", ["silence_escalations", "group_alerts"])
    def test_page_to_a_team_in_maintenance_is_an_unsent_conflict(self, server: Serving, run: Runner, mode: str) -> None:
        put_into_maintenance(server, "Direct paging (platform team)", mode)
        done = run("escalate --team platform --title t", status=7)
        assert "maintenance" in done.stderr
        assert server.changes() == []

    def test_page_to_an_unreachable_team_with_anyway_is_sent_with_a_warning(self, cloud: Serving, run: Runner) -> None:
        done = run("escalate --team empty-team --title t --anyway")
        assert "warning: a page to team empty-team" in done.stderr
        assert "would notify nobody: " in done.stderr
        assert cloud.changes() == [PAGE]

    def test_page_after_a_failed_check_is_sent_with_a_warning(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "current_oncall", status(503))
        cloud.fail("GET", "integrations", status(503))
        done = run("escalate --team platform --title t")
        assert "could not check" in done.stderr
        assert cloud.changes() == [PAGE]
        assert sum("current_oncall" in read or "integrations" in read for read in cloud.reads()) == 1

    def test_rate_limited_check_does_not_delay_the_page(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "current_oncall", status(429, '{"detail": "throttled"}', Retry_After="299"))
        cloud.fail("GET", "integrations", status(429, '{"detail": "throttled"}', Retry_After="299"))
        assert "could not check" in run("escalate --team platform --title t").stderr
        assert cloud.changes() == [PAGE]

    def test_check_that_takes_more_than_ten_seconds_does_not_delay_the_page(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waited = []

        def time_out(seconds: float) -> None:
            waited.append(seconds)
            raise TimeoutError

        # Only the name in this module: requests use `parallel` too.
        monkeypatch.setattr("oncallctl.escalation.reach.parallel", SimpleNamespace(begin=lambda _check: time_out))
        done = run(f"escalate --team {PLATFORM} --title t")
        assert "could not check whether anybody would be notified: the server takes too long" in done.stderr
        assert waited == [10]
        assert cloud.changes() == [PAGE]

    def test_page_to_users_through_a_group_window_is_an_unsent_conflict(self, server: Serving, run: Runner) -> None:
        (way,) = [
            each
            for page in (1, 2)
            for each in server.call("GET", f"integrations/?perpage=100&page={page}")["results"]
            if each["type"] == "direct_paging" and each["team_id"] is None
        ]
        put_into_maintenance(server, way["name"], "group_alerts")
        run("escalate --user alice --title t", status=7)
        assert paged(server) == 0

    def test_page_to_users_whose_team_is_in_maintenance_is_sent(self, cloud: Serving, run: Runner) -> None:
        put_into_maintenance(cloud, "Direct paging (platform team)", "group_alerts")
        run("escalate --user alice --title t")
        assert cloud.changes() == [PAGE]


class TestNeverTwice:
    @pytest.mark.promise("nobody-paged-twice")
    @pytest.mark.parametrize("fault", [lose, drop, status(502), status(200, "<html>login</html>")])
    def test_page_whose_response_is_lost_is_unknown_and_never_resent(
        self, server: Serving, run: Runner, fault: Fault
    ) -> None:
        server.fail("POST", "escalation", fault)
        done = run("escalate --team platform --title t -o json", status=9)
        assert done.error["code"] == "outcome_unknown"
        assert done.error["hint"].startswith("oncallctl alert-groups list")
        assert server.changes() == [PAGE]

    @pytest.mark.parametrize("to", ["--team platform", "--user alice"])
    def test_page_without_alert_group_after_the_engines_error_page_is_unavailable(
        self, oss: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch, to: str
    ) -> None:
        monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0, 0.0))
        run(f"escalate {to} --title before")
        oss.fail("POST", "escalation", status(500, CRASH_PAGE))
        done = run(f"escalate {to} --title 'a & b' -o json", status=8)
        assert done.error["message"].endswith("no alert group was created: nobody was paged")
        assert oss.changes() == [PAGE, PAGE]

    @pytest.mark.parametrize("body", ["<h1>500 Internal Server Error</h1>", '{"detail": "Server Error (500)"}', ""])
    def test_page_without_alert_group_after_a_500_response_of_a_proxy_is_unknown(
        self, oss: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch, body: str
    ) -> None:
        monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0, 0.0))
        oss.fail("POST", "escalation", status(500, body))
        done = run("escalate --team platform --title t -o json", status=9)
        assert "reading back found no new alert group" in done.error["message"]
        assert done.error["hint"].startswith("oncallctl alert-groups list")
        assert oss.changes() == [PAGE]

    @pytest.mark.parametrize("to", ["--team platform", "--team platform --important", "--user alice"])
    @pytest.mark.parametrize("texts", ["--title 'a & b' --message '<m>'", ""])
    def test_page_with_alert_group_after_a_500_response_is_unknown(
        self, oss: Serving, run: Runner, to: str, texts: str
    ) -> None:
        oss.fail("POST", "escalation", fail_after)
        done = run(f"escalate {to} {texts} -o json", status=9)
        (group,) = oss.call("GET", "alert_groups/?perpage=1")["results"]
        assert group["id"] in done.error["message"]
        assert oss.changes() == [PAGE]

    def test_page_after_a_500_response_is_unknown_if_the_alert_groups_cannot_be_read(
        self, oss: Serving, run: Runner
    ) -> None:
        oss.fail("POST", "escalation", status(500))
        oss.fail("GET", "alert_groups", status(500), times=9)
        run("escalate --team platform --title t", status=9)
        assert oss.changes() == [PAGE]

    def test_page_to_an_alert_group_after_a_500_response_is_unknown(self, oss: Serving, run: Runner) -> None:
        group = run("escalate --user alice --title t -o json").json
        oss.fail("POST", "escalation", status(500))
        run(f"escalate --user bob --alert-group {group['id']}", status=9)

    def test_page_after_a_500_response_of_cloud_is_unknown(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("POST", "escalation", status(500))
        run("escalate --team platform --title t", status=9)
        assert cloud.changes() == [PAGE]

    def test_rate_limited_page_is_retried_after_the_wait(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.api.retry.time", Clock())
        cloud.fail("POST", "escalation", status(429, '{"detail": "throttled"}', Retry_After="41"))
        done = run("escalate --team platform --title t")
        assert "rate limited, next try in 41 s" in done.stderr
        assert cloud.changes() == [PAGE, PAGE]
        assert paged(cloud) == 1

    def test_rate_limited_page_is_retried_at_most_three_times(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.api.retry.time", Clock())
        cloud.fail("POST", "escalation", status(429, '{"detail": "throttled"}', Retry_After="41"), times=9)
        run("escalate --team platform --title t", status=8)
        assert cloud.changes() == [PAGE] * 4

    def test_page_to_an_unreachable_server_is_unavailable(self, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oncallctl.api.retry.time.sleep", lambda _: None)
        environment = {"ONCALLCTL_URL": "http://127.0.0.1:9", "ONCALLCTL_TOKEN": "t", "ONCALLCTL_API": "oss"}
        done = run(f"escalate --user {BOB} --title t -o json", status=8, **environment)
        assert done.error["code"] == "unavailable"

    def test_ctrl_c_during_the_page_reports_that_it_may_have_been_sent(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from oncallctl.api.transport import Transport

        def interrupted(self: Transport, request: Any, *rest: Any) -> object:
            if request.method == "POST":
                raise Signal(2)
            return exchange(self, request, *rest)

        exchange = Transport._exchange
        monkeypatch.setattr(Transport, "_exchange", interrupted)
        done = run("escalate --team platform --title t -o json", status=130)
        assert "may have been sent" in done.error["message"]
        assert "alert-groups list" in done.error["hint"]

    def test_ctrl_c_before_the_page_sends_nothing(
        self, cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> None:
            raise Signal(2)

        monkeypatch.setattr("oncallctl.escalation.reach.check", interrupted)
        done = run("escalate --team platform --title t", status=130)
        assert "may have been sent" not in done.stderr
        assert cloud.changes() == []


class TestPrompt:
    @pytest.fixture(autouse=True)
    def _at_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("oncallctl.commands.escalate.interactive", lambda: True)

    def test_prompt_names_who_is_on_call(self, cloud: Serving, run: Runner) -> None:
        (user, *_) = cloud.call("GET", "teams/TKPSLLWBFUI9R/current_oncall/")["users"]
        assert f"on call: {user['username']}" in run("escalate --team platform --title t", stdin="n\n", status=5).stderr

    @pytest.mark.parametrize(
        ("typed", "body"),
        [
            ("platform\n", {"team": PLATFORM, "important_team_escalation": False}),
            ("ALI\n1\n", {"team": None, "users": [{"id": ALICE, "important": False}]}),
            ("nobody at all\n\nbob@\n", {"team": None, "users": [{"id": BOB, "important": False}]}),
        ],
    )
    def test_missing_recipient_is_chosen_by_a_part_of_the_name(
        self, cloud: Serving, run: Runner, typed: str, body: dict[str, object]
    ) -> None:
        done = run("escalate --title t", stdin=f"{typed}y\n")
        assert cloud.bodies() == [{"title": "t", **body}]
        assert done.stderr.startswith("Page which team or person?")
        assert ("no match for 'nobody at all'" in done.stderr) is typed.startswith("nobody")

    def test_many_matches_are_numbered_and_abbreviated(self, cloud: Serving, run: Runner) -> None:
        done = run("escalate --title t", stdin="a\n", status=5)
        assert "   1  team platform\n" in done.stderr
        assert re.search(r"  10  .*\n      and \d+ more; type a longer part of the name\n", done.stderr)
        assert "Number, or another part of a name:" in done.stderr
        assert "no recipient was chosen; nobody was paged" in done.stderr
        assert cloud.changes() == []

    def test_recipient_for_an_alert_group_is_a_person(self, cloud: Serving, run: Runner) -> None:
        group = cloud.call("GET", "alert_groups/?state=new")["results"][0]["id"]
        done = run(f"escalate --alert-group {group}", stdin="platform\nbob@\ny\n")
        assert "no match for 'platform'" in done.stderr
        assert [each["users"] for each in cloud.bodies()] == [[{"id": BOB, "important": False}]]

    @pytest.mark.parametrize("option", ["--yes", "--dry-run"])
    def test_missing_recipient_without_prompts_is_refused(self, cloud: Serving, run: Runner, option: str) -> None:
        assert "no recipient" in run(f"escalate --title t {option}", status=2).stderr
        assert cloud.seen == []

    def test_missing_title_is_prompted_for(self, cloud: Serving, run: Runner) -> None:
        done = run("escalate --team platform", stdin=" db down \ny\n")
        assert "title 'db down'" in done.stderr
        assert cloud.bodies()[0]["title"] == "db down"

    def test_empty_title_is_left_to_the_server(self, cloud: Serving, run: Runner) -> None:
        run("escalate --team platform", stdin="\ny\n")
        assert "title" not in cloud.bodies()[0]

    @pytest.mark.parametrize("words", ["--title t", "--yes"])
    def test_given_title_or_yes_skips_the_prompt_for_a_title(self, cloud: Serving, run: Runner, words: str) -> None:
        run(f"escalate --team platform {words}", stdin="y\n")
        assert cloud.changes() == [PAGE]

    def test_prompt_names_title_and_state_of_an_alert_group(self, cloud: Serving, run: Runner) -> None:
        group = cloud.call("GET", "alert_groups/?state=acknowledged")["results"][0]
        done = run(f"escalate --user alice --alert-group {group['id']}", stdin="n\n", status=5)
        assert f"alert group {group['id']} {group['title']!r} (acknowledged)\n" in done.stderr

    def test_prompt_names_an_alert_group_that_cannot_be_read_by_its_id(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "alert_groups", status(503))
        done = run("escalate --user alice --alert-group IAAAAAAAAAAAA", stdin="n\n", status=5)
        assert "alert group IAAAAAAAAAAAA\n" in done.stderr

    def test_prompt_names_recipient_and_host(self, server: Serving, run: Runner) -> None:
        done = run("escalate --team platform --title t", stdin="y\n")
        assert "platform" in done.stderr
        assert server.url.removeprefix("http://") in done.stderr
        assert server.changes() == [PAGE]

    @pytest.mark.parametrize("answer", ["n\n", "\n", "", "yess\n"])
    def test_any_answer_but_yes_declines_the_page(self, cloud: Serving, run: Runner, answer: str) -> None:
        run("escalate --team platform --title t", stdin=answer, status=5)
        assert cloud.changes() == []

    def test_yes_option_skips_the_prompt(self, cloud: Serving, run: Runner) -> None:
        assert "Continue?" not in run("escalate --team platform --title t --yes").stderr


class TestBugAfterThePage:
    """The error message names the page if the program fails after sending it."""

    @pytest.mark.promise("whatever-ends-program-after-change")
    @pytest.mark.parametrize("error", [MemoryError(), ValueError("unexpected")], ids=["MemoryError", "ValueError"])
    def test_bug_after_the_response_reports_the_page(
        self, run: Runner, cloud: Serving, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("oncallctl.commands.escalate.render_done", fail)
        done = run("escalate --team platform -o json", status=1)
        assert "the page (POST /api/v1/escalation/) got response 20" in done.error["message"]
        assert "oncallctl alert-groups list" in done.error["hint"]

    def test_bug_while_the_response_is_read_is_outcome_unknown(
        self, run: Runner, cloud: Serving, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(body: bytes) -> object:
            if b"alerts_count" in body:
                raise MemoryError
            return parse(body)

        from oncallctl.api.strict_json import parse

        monkeypatch.setattr("oncallctl.api.transport.parse", fail)
        done = run("escalate --team platform -o json", status=9)
        assert done.error["code"] == "outcome_unknown"
        assert "the page may have been sent" in done.error["message"]
