"""The cards that `get` shows on a terminal."""

import re

import pytest

from tests.conftest import Runner, on_cloud
from tests.serving import Serving, status

TIME = r"\d+[smhd](?: \d+[smhd])? ago \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)"


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oncallctl.output.card.wanted", lambda _settings: True)
    monkeypatch.setenv("COLUMNS", "80")


def fields(shown: str) -> dict[str, str]:
    """Return label -> value of the lines of a card."""
    pairs = (re.split(r"  +", line.strip(), maxsplit=1) for line in shown.splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


@pytest.fixture
def firing(server: Serving, run: Runner) -> str:
    """The ID of an alert group of `api`, with a payload as monitoring systems send it."""
    integration = server.call("GET", "integrations/?name=service-010")["results"][0]["id"]
    annotations = {"summary": "3.1 % of requests fail", "runbook_url": "https://runbooks.example.com/errors"}
    server.alert(integration, "Errors", labels={"severity": "critical"}, annotations=annotations)
    return run("alert-groups list --integration service-010 --limit 1 -o id").stdout.strip()


def test_alert_group_shows_state_route_severity_links_and_notes(server: Serving, run: Runner, firing: str) -> None:
    run(f"alert-groups note {firing} --text 'Rolled back.' -q")
    shown = run(f"alert-groups get {firing}").stdout
    card = fields(shown)
    assert shown.splitlines()[0].endswith("  firing")
    assert re.fullmatch(r"firing since \d{4}-\d\d-\d\d \d\d:\d\d UTC, \d+[smhd].* ago", card["State"])
    assert card["Severity"] == "critical"
    assert card["Summary"] == "3.1 % of requests fail"
    assert card["Integration"] == "service-010 (C5BPMMTY9FMXJ)"
    assert card["Route"] == "everything else → empty chain"
    assert card["Team"] == "data infra (TUNFSIER6R4P3)"
    assert card["Runbook"] == "https://runbooks.example.com/errors"
    assert card["admin"] == "Rolled back."
    assert len(server.changes()) == 1


@pytest.mark.usefixtures("server")
@on_cloud
def test_acknowledged_alert_group_names_who_acknowledged_it(run: Runner, firing: str) -> None:
    run(f"alert-groups acknowledge {firing} -q")
    card = fields(run(f"alert-groups get {firing}").stdout)
    assert card["State"].startswith("acknowledged by admin since ")
    assert re.fullmatch(TIME, card["Started"])


@on_cloud
def test_alert_group_without_readable_route_and_notes_is_shown_with_warnings(
    server: Serving, run: Runner, firing: str
) -> None:
    server.fail("GET", "/routes/", status(403))
    server.fail("GET", "/resolution_notes/", status(403))
    done = run(f"alert-groups get {firing}")
    assert "Route" not in fields(done.stdout)
    assert "Severity" in fields(done.stdout)
    assert "warning: the route cannot be shown: " in done.stderr
    assert "warning: resolution notes cannot be shown: " in done.stderr


def test_integration_shows_its_window_its_routes_and_changed_templates(server: Serving, run: Runner) -> None:
    run("maintenance start service-011 --for 30m -q")
    run("integrations update service-010 --template 'slack.title=Look: {{ title }}' -q")
    shown = run("integrations get service-011 service-010").stdout
    first, second = shown.split("\nservice-010\n")
    assert first.splitlines()[0] == "service-011  in maintenance"
    assert fields(first)["Mode"] == "silence_escalations"
    assert re.match(r"in (29|30)m \(", fields(first)["Ends"])
    assert fields(second)["1"] == "everything else → empty chain"
    assert fields(second)["slack.title"] == "Look: {{ title }}"
    assert len(server.changes()) == 2


@pytest.mark.promise("links-let-anyone-raise-alerts")
def test_integration_shows_its_links_only_with_show_secrets(server: Serving, run: Runner) -> None:
    link = server.call("GET", "integrations/C5BPMMTY9FMXJ/")["link"]
    masked = run("integrations get service-010").stdout
    assert link not in masked
    assert fields(masked)["URL"] == "********"
    assert fields(run("integrations get service-010 --show-secrets").stdout)["URL"] == link


@pytest.mark.usefixtures("server")
def test_user_shows_contacts_notification_rules_and_shifts(run: Runner) -> None:
    shown = run("users get alice").stdout
    card = fields(shown)
    assert card["Email"] == "alice@example.com"
    assert card["Teams"] == "platform"
    assert re.match(r"(now|in \d)", card["platform-primary"])
    notified = shown.partition("\nNotified\n")[2].partition("\n\n")[0]
    assert [line.split("  ")[-1] for line in notified.splitlines()] == ["by email", "wait 5 minutes"]


@pytest.mark.usefixtures("server")
def test_team_shows_members_and_who_is_on_call(run: Runner) -> None:
    shown = run("teams get platform").stdout
    card = fields(shown)
    assert card["Members"] == "alice, bob, carol, dave"
    assert card["Escalation chains"] == "platform-default"
    on_call = fields(shown.partition("\nOn call\n")[2])
    assert on_call["dave"] == "(named by a step)"


@pytest.mark.usefixtures("server")
@on_cloud
def test_schedule_shows_who_is_on_call_now_and_next(run: Runner) -> None:
    shown = run("schedules get payments-primary").stdout
    now, following, *_ = shown.partition("\nNext shifts\n")[2].splitlines()
    assert fields(shown)["On call now"] in now
    assert "ends in" in now
    assert "starts in" in following


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("command", ["escalation-chains get platform-default", "routes get RMRXVRQ1RJMKS"])
@on_cloud
def test_chain_and_route_show_the_steps_in_words(run: Runner, command: str) -> None:
    assert fields(run(command).stdout)["3"] == "notify alice and dave (important)"


@pytest.mark.usefixtures("server")
@on_cloud
def test_other_object_shows_all_fields_that_are_not_empty(run: Runner) -> None:
    shown = run("webhooks get WH84KLFXI6ZKAD").stdout
    assert fields(shown) == {
        "ID": "WH84KLFXI6ZKAD",
        "Trigger": "escalation",
        "Method": "POST",
        "Enabled": "yes",
        "Team": "platform",
        "URL": "http://127.0.0.1:9/hook",
        "Forward all": "yes",
    }


@pytest.mark.promise("data")
@on_cloud
def test_card_of_a_hostile_title_and_payload_is_plain_text(server: Serving, run: Runner) -> None:
    integration = server.call("GET", "integrations/?name=service-016")["results"][0]["id"]
    server.alert(integration, "a\x1b[31m\nState  resolved", summary="b\x1b]52;c;x\x07\nTeam  evil")
    (ident,) = run("alert-groups list --limit 1 -o id").stdout.split()
    shown = run(f"alert-groups get {ident}").stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert fields(shown)["State"].startswith("firing")
