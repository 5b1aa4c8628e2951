"""Names next to IDs in tables and csv; other formats send no request for names."""

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
    """Return the collections that were read, in order."""
    return [each.path.removeprefix("/api/v1/").partition("/")[0] for each in server.seen]


def column(output: str, title: str) -> list[str]:
    """Return the cells of one column of a piped table."""
    header, *rows = (line.split("\t") for line in output.splitlines())
    return [row[header.index(title)] for row in rows]


@pytest.mark.parametrize("command", LISTS)
def test_json_and_ids_print_server_objects_without_name_lookups(cloud: Serving, run: Runner, command: str) -> None:
    as_json, as_jsonl, as_ids = (run(f"{command} -o {output}").stdout for output in ("json", "jsonl", "id"))
    assert {each.path for each in cloud.seen} == {f"/api/v1/{LISTS[command]}"}
    pages = [cloud.call("GET", f"{LISTS[command]}?perpage=100&page={page}") for page in (1, 2)]
    rows = pages[0].get("results", pages[:1]) + (pages[1]["results"] if pages[0].get("total_pages") == 2 else [])
    if command == "alert-groups list":
        rows = [row for row in rows if row["state"] != "resolved"]
    assert json.loads(as_json) == (rows if "results" in pages[0] else pages[0])
    assert [json.loads(line) for line in as_jsonl.splitlines()] == rows
    assert as_ids.split() == [row["id"] for row in rows]


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
def test_table_reads_each_collection_once(cloud: Serving, run: Runner, command: str, read: set[str]) -> None:
    run(command)
    assert set(collections(cloud)) == read
    looked_up = [(each.path, each.query.get("page"), each.query.get("state")) for each in cloud.seen]
    assert len(set(looked_up)) == len(looked_up)


def test_team_column_shows_the_name(cloud: Serving, run: Runner) -> None:
    run("maintenance start service-010 --for 30m")
    team = cloud.call("GET", f"integrations/{ONE}/")["team_id"]
    name = cloud.call("GET", f"teams/{team}/")["name"]
    for command in (f"integrations get {ONE}", "integrations list --match service-010", "maintenance status"):
        assert column(run(command).stdout, "TEAM") == [name]
        assert name in run(f"{command} -o csv").stdout


def test_created_or_updated_object_is_shown_with_its_team(cloud: Serving, run: Runner) -> None:
    made = run("integrations create --type webhook --name mine --team payments").stdout
    assert column(made, "TEAM") == ["payments"]
    changed = run(f"integrations update mine --team {PLATFORM}").stdout
    assert column(changed, "TEAM") == ["platform"]


def test_created_object_is_shown_if_its_team_cannot_be_read(cloud: Serving, run: Runner) -> None:
    cloud.fail("GET", "teams", status(500))
    done = run(f"integrations create --type webhook --name mine --team {PLATFORM}")
    assert column(done.stdout, "TEAM") == [PLATFORM]
    assert cloud.changes() == ["POST /api/v1/integrations/"]


def test_alert_group_is_shown_with_integration_and_team(cloud: Serving, run: Runner) -> None:
    run("escalate --team platform --title mine")
    for command in (
        "alert-groups list --limit 1",
        f"alert-groups get {run('alert-groups list -o id').stdout.split()[0]}",
    ):
        printed = run(command).stdout
        assert column(printed, "INTEGRATION") == ["Direct paging (platform team)"]
        assert column(printed, "TEAM") == ["platform"]


def test_alert_group_list_reads_only_its_integrations(cloud: Serving, run: Runner) -> None:
    run("alert-groups list --limit 2")
    integrations = [each.path for each in cloud.seen if "/integrations/" in each.path]
    assert 1 <= len(integrations) <= 2
    assert "/api/v1/integrations/" not in integrations


def test_repeated_list_looks_up_only_new_names(cloud: Serving) -> None:
    memory = NameLookupCache()
    rows = [{"integration_id": ONE, "team_id": PLATFORM}]
    with connect(Settings()) as oncall:
        first = with_names(oncall, Settings(), rows, ALERT_GROUPS, memory=memory)
        looked_up = cloud.reads()
        again = with_names(oncall, Settings(), rows, ALERT_GROUPS, memory=memory)
        assert first == again
        assert next(iter(first))["integration"] == {"id": ONE, "name": "service-010"}
        assert cloud.reads() == looked_up
        new = [{"integration_id": "C5U5IZGQ48B4M", "team_id": PLATFORM}]
        assert with_names(oncall, Settings(), [*rows, *new], ALERT_GROUPS, memory=memory)
    assert cloud.reads() == [*looked_up, "GET /api/v1/integrations/C5U5IZGQ48B4M/"]


def test_repeated_list_warns_once(cloud: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    memory = NameLookupCache()
    cloud.fail("GET", "teams", status(403))
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


def test_user_is_shown_with_teams(cloud: Serving, run: Runner) -> None:
    assert column(run("users get bob").stdout, "TEAMS") == ["platform, data infra"]
    assert column(run("users whoami").stdout, "TEAMS") == [""]


@pytest.mark.parametrize(
    ("columns", "looked_up"),
    [("name", False), ("name,team_id", False), ("name,team.name", True), ("team", True), ("team.id,team_id", True)],
)
def test_columns_option_decides_which_names_are_looked_up(
    cloud: Serving, run: Runner, columns: str, *, looked_up: bool
) -> None:
    header, row = run(f"integrations get {ONE} --columns {columns}").stdout.splitlines()
    assert header.split("\t") == columns.split(",")
    assert "" not in row.split("\t")
    assert ("teams" in collections(cloud)) is looked_up


def test_columns_option_can_show_id_and_name(cloud: Serving, run: Runner) -> None:
    done = run("escalation-chains list --limit 1 --no-header --columns team_id,team.id,team.name -o csv")
    assert done.stdout == f"{PLATFORM},{PLATFORM},platform\n"


def test_unknown_column_exits_2(cloud: Serving, run: Runner) -> None:
    done = run("integrations list --columns tem.name", status=2)
    assert "team" in done.stderr


def test_teams_are_not_read_if_no_row_has_a_team(cloud: Serving, run: Runner) -> None:
    lines = run("schedules get 'no-team schedule'").stdout.splitlines()
    assert lines[1].split("\t")[2] == ""
    assert "teams" not in collections(cloud)
    run("integrations list --match none-of-them")
    assert "teams" not in collections(cloud)


def test_team_of_a_filter_is_not_read_again(cloud: Serving, run: Runner) -> None:
    run("integrations list --team platform")
    assert collections(cloud).count("teams") == 1


def test_unreadable_names_are_one_warning_and_ids(cloud: Serving, run: Runner) -> None:
    cloud.fail("GET", "/teams/", status(403))
    cloud.fail("GET", "/users/", status(403))
    done = run("schedules get payments-primary")
    schedule = cloud.call("GET", "schedules/S3V631KJV7WQ6/")
    assert column(done.stdout, "TEAM") == [schedule["team_id"]]
    assert column(done.stdout, "ON CALL NOW") == [", ".join(schedule["on_call_now"])]
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("warning: ids are shown: ")
    assert "teams" in warning
    assert "users" in warning


def test_id_without_a_name_is_shown_unchanged(server: Serving, run: Runner) -> None:
    server.fail("GET", "/teams/", status(200, '{"results": []}'))
    done = run("integrations list --match service-010")
    assert column(done.stdout, "TEAM") == [server.call("GET", f"integrations/{ONE}/")["team_id"]]
    assert done.stderr == ""


def test_hostile_name_is_escaped(cloud: Serving, run: Runner) -> None:
    team = json.dumps({"results": [{"id": PLATFORM, "name": "=\x1b[2J[red]"}]})
    cloud.fail("GET", "/teams/", status(200, team), times=2)
    assert column(run("escalation-chains list --limit 1").stdout, "TEAM") == ["'=\\x1b[2J[red]"]
    assert "'=\\x1b[2J[red]" in run("escalation-chains list --limit 1 -o csv").stdout


def test_names_are_read_while_rows_still_arrive(cloud: Serving, run: Runner) -> None:
    seen_in_time = []

    def wait_for_teams(_request: Request, answer: object) -> Response:
        deadline = time.monotonic() + 5
        while "teams" not in collections(cloud) and time.monotonic() < deadline:
            time.sleep(0.01)
        seen_in_time.append("teams" in collections(cloud))
        return answer()  # type: ignore[operator]

    cloud.fail("GET", "/integrations/", lambda _request, answer: answer())
    cloud.fail("GET", "/integrations/", wait_for_teams)
    run("integrations list")
    assert seen_in_time == [True]


@pytest.mark.parametrize("output", [Format.JSON, Format.JSONL, Format.ID])
def test_json_rows_pass_through_unbuffered(output: Format) -> None:
    objects = iter([{"team_id": PLATFORM}])
    assert with_names(None, Settings(output=output), objects, INTEGRATIONS) is objects  # type: ignore[arg-type]


def test_quiet_looks_up_no_names(cloud: Serving, run: Runner) -> None:
    run("integrations list -q")
    assert set(collections(cloud)) == {"integrations"}
