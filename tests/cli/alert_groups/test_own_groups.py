"""The own group of a `group_alerts` window: resolving it ends the window."""

from __future__ import annotations

import pytest

from tests.cli.alert_groups.support import COMMANDS, FIRING, SILENCED, groups, state
from tests.conftest import Runner
from tests.serving import Serving, status


@pytest.fixture
def own(cloud: Serving) -> str:
    """The own group of a window that has collected an alert."""
    integration = groups(cloud)[FIRING]["integration_id"]
    window = {"mode": "group_alerts", "duration": 7200}
    cloud.call("POST", f"integrations/{integration}/maintenance_start", window)
    cloud.alert(integration, "collected")
    (ident,) = [ident for ident, each in groups(cloud).items() if each["title"].startswith("Maintenance of ")]
    return ident


def open_windows(cloud: Serving) -> list[str]:
    integrations = cloud.call("GET", "integrations/?perpage=100")["results"]
    return [each["name"] for each in integrations if each["maintenance_mode"] == "group_alerts"]


@pytest.mark.promise("dangerous-asked-about")
@pytest.mark.parametrize("filters", ["--team platform", "--since 10s"])
@pytest.mark.parametrize("command", ["acknowledge", "resolve", "silence --for 1h", "note --text x"])
def test_filter_leaves_out_the_own_group_with_a_note(
    cloud: Serving, run: Runner, own: str, filters: str, command: str
) -> None:
    before = open_windows(cloud)
    done = run(f"alert-groups {command} {filters} --yes -o json", status=None)
    assert done.json
    assert own not in {each["id"] for each in done.json}
    assert f"omitted 1 alert group: {own} 'Maintenance of service-016 for 7200'" in done.stderr
    assert "oncallctl maintenance stop" in done.stderr
    assert open_windows(cloud) == before


def test_filter_that_matches_only_the_own_group_has_nothing_to_do(cloud: Serving, run: Runner, own: str) -> None:
    team = groups(cloud)[own]["team_id"]
    for ident in groups(cloud, team_id=team).keys() - {own}:
        cloud.call("DELETE", f"alert_groups/{ident}/", {"mode": "wipe"})
    done = run(f"alert-groups resolve --team {team} -o json")
    assert done.json == []
    assert "nothing to resolve" in done.stderr
    assert "omitted 1 alert group" in done.stderr


def test_filter_selects_a_group_of_a_listed_integration_with_any_title(cloud: Serving, run: Runner) -> None:
    integration = groups(cloud)[FIRING]["integration_id"]
    cloud.alert(integration, "Maintenance of service-001 for 7200")
    outcomes = run("alert-groups acknowledge --integration service-016 --yes -o json").json
    titles = {each["alert_group"]["last_alert"]["payload"]["title"] for each in outcomes}
    assert "Maintenance of service-001 for 7200" in titles
    table = run("alert-groups list --integration service-016 --columns integration.name --no-header").stdout
    assert set(table.split()) == {"service-016"}


def test_own_group_is_shown_with_the_integration_in_maintenance(cloud: Serving, run: Runner, own: str) -> None:
    for line in (f"get {own}", "list --limit 2"):
        rows = run(f"alert-groups {line} --columns id,integration.name --no-header").stdout.splitlines()
        assert f"{own}\tservice-016" in rows
    assert run(f"alert-groups get {own} -o json").json == cloud.call("GET", f"alert_groups/{own}/")


@pytest.mark.promise("dangerous-asked-about")
@pytest.mark.parametrize("others", ["", SILENCED])
def test_resolving_the_own_group_needs_a_confirmation(cloud: Serving, run: Runner, own: str, others: str) -> None:
    before = open_windows(cloud)
    done = run(f"alert-groups resolve {own} {others} -o json", status=2)
    assert done.error["code"] == "confirmation_needed"
    assert f"1 alert group: {own} 'Maintenance of service-016 for 7200' is not listed" in done.error["message"]
    assert "everything that it collected is resolved" in done.error["message"]
    assert cloud.changes() == []
    assert open_windows(cloud) == before


def test_resolving_the_own_group_with_yes_ends_its_window(cloud: Serving, run: Runner, own: str) -> None:
    before = open_windows(cloud)
    (outcome,) = run(f"alert-groups resolve {own} --yes -o json").json
    assert outcome["status"] == "resolved"
    assert set(before) - set(open_windows(cloud)) == {"service-016"}


def test_resolved_own_group_needs_no_confirmation(cloud: Serving, run: Runner, own: str) -> None:
    cloud.call("POST", f"alert_groups/{own}/resolve/")
    assert run(f"alert-groups resolve {own} -o json").json[0]["status"] == "unchanged"


def test_several_groups_of_one_integration_cause_one_lookup(cloud: Serving, run: Runner) -> None:
    integration = groups(cloud)[FIRING]["integration_id"]
    for number in range(3):
        cloud.alert(integration, f"alert {number}")
    run("alert-groups resolve --integration service-016 -o json", status=2)
    assert cloud.reads().count(f"GET /api/v1/integrations/{integration}/") == 1


def test_group_of_a_deleted_integration_needs_a_confirmation(cloud: Serving, run: Runner) -> None:
    cloud.call("DELETE", f"integrations/{groups(cloud)[FIRING]['integration_id']}/")
    done = run(f"alert-groups resolve {FIRING} -o json", status=2)
    assert FIRING in done.error["message"]
    assert state(cloud, FIRING) == "firing"


def test_failed_lookup_of_integrations_prevents_the_change(cloud: Serving, run: Runner) -> None:
    cloud.fail("GET", "integrations/", status(403, '{"detail": "no"}'))
    run(f"alert-groups resolve {FIRING}", status=3)
    assert cloud.changes() == []


@pytest.mark.parametrize("command", [COMMANDS["acknowledge"], COMMANDS["silence"], "note --text x"])
def test_other_actions_on_the_own_group_leave_the_window_active(
    cloud: Serving, run: Runner, own: str, command: str
) -> None:
    before = open_windows(cloud)
    run(f"alert-groups {command} {own}", status=None)
    assert open_windows(cloud) == before
