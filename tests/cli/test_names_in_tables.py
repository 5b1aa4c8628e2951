"""Names beside ids: in tables and csv, at the cost of no request anywhere else."""

import json
import time

import pytest
from werkzeug.wrappers import Request, Response

from oncallctl.api.nouns import ALERT_GROUPS, INTEGRATIONS
from oncallctl.config.connect import connect
from oncallctl.config.settings import Format, Settings
from oncallctl.output.linked_names import NameLookupCache, with_names
from tests.conftest import Runner
from tests.serving import Serving, status

ONE, PLATFORM = "C5BPMMTY9FMXJ", "TKPSLLWBFUI9R"

LISTS = {
    "integrations list": "integrations/",
    "schedules list": "schedules/",
    "routes list": "routes/",
    "escalation-chains list": "escalation_chains/",
    "users list": "users/",
    "alert-groups list": "alert_groups/",
    "schedules get S3V631KJV7WQ6": "schedules/S3V631KJV7WQ6/",
    "routes get RMRXVRQ1RJMKS": "routes/RMRXVRQ1RJMKS/",
    f"integrations get {ONE}": f"integrations/{ONE}/",
    "alert-groups get IJK85SL9H9WEU": "alert_groups/IJK85SL9H9WEU/",
    "users get U6YF83T9HEFKQ": "users/U6YF83T9HEFKQ/",
}


def collections(server: Serving) -> list[str]:
    """The collections that were read, each as often as it was."""
    return [each.path.removeprefix("/api/v1/").partition("/")[0] for each in server.seen]


def column(output: str, title: str) -> list[str]:
    """The cells of one column of a piped table."""
    header, *rows = (line.split("\t") for line in output.splitlines())
    return [row[header.index(title)] for row in rows]


@pytest.mark.parametrize("command", LISTS)
@pytest.mark.parametrize("output", ["json", "jsonl", "id"])
def test_a_program_gets_the_servers_objects_and_no_request_is_made_for_names(
    server: Serving, run: Runner, command: str, output: str
) -> None:
    printed = run(f"{command} -o {output}").stdout
    assert {each.path for each in server.seen} == {f"/api/v1/{LISTS[command]}"}
    pages = [server.call("GET", f"{LISTS[command]}?perpage=100&page={page}") for page in (1, 2)]
    rows = pages[0].get("results", pages[:1]) + (pages[1]["results"] if pages[0].get("total_pages") == 2 else [])
    if command == "alert-groups list":
        rows = [row for row in rows if row["state"] != "resolved"]
    if output == "id":
        assert printed.split() == [row["id"] for row in rows]
    elif output == "jsonl":
        assert [json.loads(line) for line in printed.splitlines()] == rows
    else:
        assert json.loads(printed) == (rows if "results" in pages[0] else pages[0])


@pytest.mark.parametrize(
    ("command", "read"),
    [
        ("integrations list", {"integrations", "teams"}),
        ("schedules list", {"schedules", "teams", "users"}),
        ("escalation-chains list", {"escalation_chains", "teams"}),
        ("routes list", {"routes", "integrations", "escalation_chains"}),
        ("users list", {"users", "teams"}),
        ("alert-groups list", {"alert_groups", "integrations", "teams"}),
        ("maintenance status --all", {"integrations", "teams"}),
    ],
)
def test_each_collection_is_read_once(server: Serving, run: Runner, command: str, read: set[str]) -> None:
    run(command)
    assert set(collections(server)) == read
    asked = [(each.path, each.query.get("page"), each.query.get("state")) for each in server.seen]
    assert len(set(asked)) == len(asked)


def test_a_team_stands_by_its_name(server: Serving, run: Runner) -> None:
    run("maintenance start service-010 --for 30m")
    team = server.call("GET", f"integrations/{ONE}/")["team_id"]
    name = server.call("GET", f"teams/{team}/")["name"]
    for command in (f"integrations get {ONE}", "integrations list --match service-010", "maintenance status"):
        assert column(run(command).stdout, "TEAM") == [name]
        assert name in run(f"{command} -o csv").stdout


def test_what_was_made_or_changed_is_shown_with_its_team(server: Serving, run: Runner) -> None:
    made = run("integrations create --type webhook --name mine --team payments").stdout
    assert column(made, "TEAM") == ["payments"]
    changed = run(f"integrations update mine --team {PLATFORM}").stdout
    assert column(changed, "TEAM") == ["platform"]


def test_what_was_made_is_told_where_its_team_cannot_be_read(server: Serving, run: Runner) -> None:
    server.fail("GET", "teams", status(500))
    done = run(f"integrations create --type webhook --name mine --team {PLATFORM}")
    assert column(done.stdout, "TEAM") == [PLATFORM]
    assert server.changes() == ["POST /api/v1/integrations/"]


def test_an_alert_group_stands_with_its_integration_and_team(server: Serving, run: Runner) -> None:
    run("escalate --team platform --title mine")
    for command in (
        "alert-groups list --limit 1",
        f"alert-groups get {run('alert-groups list -o id').stdout.split()[0]}",
    ):
        printed = run(command).stdout
        assert column(printed, "INTEGRATION") == ["Direct paging (platform team)"]
        assert column(printed, "TEAM") == ["platform"]


def test_only_the_integrations_of_the_alert_groups_are_read(server: Serving, run: Runner) -> None:
    run("alert-groups list --limit 2")
    integrations = [each.path for each in server.seen if "/integrations/" in each.path]
    assert 1 <= len(integrations) <= 2
    assert "/api/v1/integrations/" not in integrations


def test_a_list_that_is_read_again_asks_for_new_names_only(server: Serving) -> None:
    memory = NameLookupCache()
    rows = [{"integration_id": ONE, "team_id": PLATFORM}]
    with connect(Settings()) as oncall:
        first = with_names(oncall, Settings(), rows, ALERT_GROUPS, memory=memory)
        asked = server.reads()
        again = with_names(oncall, Settings(), rows, ALERT_GROUPS, memory=memory)
        assert first == again
        assert next(iter(first))["integration"] == {"id": ONE, "name": "service-010"}
        assert server.reads() == asked
        new = [{"integration_id": "C5U5IZGQ48B4M", "team_id": PLATFORM}]
        assert with_names(oncall, Settings(), [*rows, *new], ALERT_GROUPS, memory=memory)
    assert server.reads() == [*asked, "GET /api/v1/integrations/C5U5IZGQ48B4M/"]


def test_a_list_that_is_read_again_warns_once(server: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    memory = NameLookupCache()
    server.fail("GET", "teams", status(403))
    with connect(Settings()) as oncall:
        for _ in range(2):
            (row,) = with_names(
                oncall,
                Settings(),
                [{"team_id": PLATFORM}],
                INTEGRATIONS,
                memory=memory,
            )
            assert row["team"] == {"id": PLATFORM, "name": PLATFORM}
    assert capsys.readouterr().err.count("warning") == 1


def test_people_stand_with_their_teams(server: Serving, run: Runner) -> None:
    assert column(run("users get bob").stdout, "TEAMS") == ["platform, data infra"]
    assert column(run("users whoami").stdout, "TEAMS") == [""]


@pytest.mark.parametrize(
    ("columns", "asked"),
    [("name", False), ("name,team_id", False), ("name,team.name", True), ("team", True), ("team.id,team_id", True)],
)
def test_columns_decide_what_is_looked_up(server: Serving, run: Runner, columns: str, asked: bool) -> None:  # noqa: FBT001
    header, row = run(f"integrations get {ONE} --columns {columns}").stdout.splitlines()
    assert header.split("\t") == columns.split(",")
    assert "" not in row.split("\t")
    assert ("teams" in collections(server)) is asked


def test_the_id_and_the_name_can_stand_side_by_side(server: Serving, run: Runner) -> None:
    done = run("escalation-chains list --limit 1 --no-header --columns team_id,team.id,team.name -o csv")
    assert done.stdout == f"{PLATFORM},{PLATFORM},platform\n"


def test_a_column_that_there_is_not_is_refused(server: Serving, run: Runner) -> None:
    done = run("integrations list --columns tem.name", status=2)
    assert "team" in done.stderr


def test_no_teams_are_asked_for_where_no_row_has_one(server: Serving, run: Runner) -> None:
    lines = run("schedules get 'no-team schedule'").stdout.splitlines()
    assert lines[1].split("\t")[2] == ""
    assert "teams" not in collections(server)
    run("integrations list --match none-of-them")
    assert "teams" not in collections(server)


def test_a_team_that_was_asked_for_by_name_is_not_read_again(server: Serving, run: Runner) -> None:
    run("integrations list --team platform")
    assert collections(server).count("teams") == 1


def test_names_that_cannot_be_read_are_one_warning_and_ids(server: Serving, run: Runner) -> None:
    server.fail("GET", "/teams/", status(403))
    server.fail("GET", "/users/", status(403))
    done = run("schedules get payments-primary")
    schedule = server.call("GET", "schedules/S3V631KJV7WQ6/")
    assert column(done.stdout, "TEAM") == [schedule["team_id"]]
    assert column(done.stdout, "ON CALL NOW") == [", ".join(schedule["on_call_now"])]
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("warning: ids are shown: ")
    assert "teams" in warning
    assert "users" in warning


def test_an_id_that_has_no_name_any_more_stays(server: Serving, run: Runner) -> None:
    server.fail("GET", "/teams/", status(200, '{"results": []}'))
    done = run("integrations list --match service-010")
    assert column(done.stdout, "TEAM") == [server.call("GET", f"integrations/{ONE}/")["team_id"]]
    assert done.stderr == ""


def test_a_name_is_data(server: Serving, run: Runner) -> None:
    team = json.dumps({"results": [{"id": PLATFORM, "name": "=\x1b[2J[red]"}]})
    server.fail("GET", "/teams/", status(200, team), times=2)
    assert column(run("escalation-chains list --limit 1").stdout, "TEAM") == ["'=\\x1b[2J[red]"]
    assert "'=\\x1b[2J[red]" in run("escalation-chains list --limit 1 -o csv").stdout


def test_names_are_read_while_the_list_still_comes(server: Serving, run: Runner) -> None:
    seen_in_time = []

    def wait_for_teams(_request: Request, answer: object) -> Response:
        deadline = time.monotonic() + 5
        while "teams" not in collections(server) and time.monotonic() < deadline:
            time.sleep(0.01)
        seen_in_time.append("teams" in collections(server))
        return answer()  # type: ignore[operator]

    server.fail("GET", "/integrations/", lambda _request, answer: answer())
    server.fail("GET", "/integrations/", wait_for_teams)
    run("integrations list")
    assert seen_in_time == [True]


@pytest.mark.parametrize("output", [Format.JSON, Format.JSONL, Format.ID])
def test_objects_for_a_program_are_passed_on_as_they_come(output: Format) -> None:
    objects = iter([{"team_id": PLATFORM}])
    assert with_names(None, Settings(output=output), objects, INTEGRATIONS) is objects  # type: ignore[arg-type]


def test_nothing_is_looked_up_for_nobody(server: Serving, run: Runner) -> None:
    run("integrations list -q")
    assert set(collections(server)) == {"integrations"}
