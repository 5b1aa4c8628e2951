"""Output that is the same for every command."""

import json

import pytest

from tests.conftest import Runner
from tests.serving import Serving

ONE = "C5BPMMTY9FMXJ"


def test_dry_run_of_one_request_shows_method_url_and_indented_body(cloud: Serving, run: Runner) -> None:
    printed = run("escalation-chains create --file - --dry-run", stdin='{"name": "night shift"}').stdout
    assert printed == f'POST {cloud.url}/api/v1/escalation_chains/\n  {{\n    "name": "night shift"\n  }}\n'
    assert cloud.changes() == []


def test_dry_run_of_several_targets_shows_a_block_for_each(cloud: Serving, run: Runner) -> None:
    printed = run("integrations delete service-010 service-011 --dry-run").stdout
    first, second = printed.split("\n\n")
    assert first == f"# service-010: would-delete\nDELETE {cloud.url}/api/v1/integrations/{ONE}/"
    assert second.startswith("# service-011: would-delete\nDELETE ")
    assert cloud.changes() == []


def test_dry_run_with_columns_shows_fields(cloud: Serving, run: Runner) -> None:
    printed = run("integrations delete service-010 --dry-run --columns name,status").stdout
    assert printed == "name\tstatus\nservice-010\twould-delete\n"
    assert cloud.changes() == []


@pytest.mark.parametrize("output", ["table", "csv"])
def test_columns_by_header_in_any_case_show_the_same_as_the_default_table(
    cloud: Serving, run: Runner, output: str
) -> None:
    separator = "," if output == "csv" else "\t"
    default = run(f"integrations get {ONE} -o {output}").stdout.splitlines()[1].split(separator)
    chosen = run(f"integrations get {ONE} -o {output} --columns name,Team,ID").stdout.splitlines()
    assert chosen == [separator.join(["name", "Team", "ID"]), separator.join([default[1], default[3], default[0]])]
    assert cloud.changes() == []


@pytest.mark.usefixtures("cloud")
def test_columns_in_json_are_the_only_keys(run: Runner) -> None:
    chosen = run(f"integrations get {ONE} --columns id,TEAM,default_route.id -o json").json
    assert chosen == {"id": ONE, "TEAM": "data infra", "default_route.id": "R72B9QZP2Q2Z4"}
    (line,) = run("integrations list --match service-010 --columns id,n -o jsonl", status=2).stderr.splitlines()
    assert json.loads(line)["error"]["message"] == "unknown column: 'n'"
    lines = run("integrations list --match service-01? --columns name -o jsonl").stdout.splitlines()
    assert json.loads(lines[0]) == {"name": "service-010"}


@pytest.mark.usefixtures("server")
def test_columns_in_json_pick_from_the_rows_of_the_table(run: Runner) -> None:
    people = run("teams who-is-on-call platform --columns email -o json").json
    assert people == [{"email": "alice@example.com"}, {"email": "dave@example.com"}]
    (page,) = [run("escalate --user alice --title t --columns id,title -o json").json]
    assert page["title"] == "t"


@pytest.mark.usefixtures("cloud")
def test_column_that_is_a_field_of_the_server_is_that_field_and_not_the_header(run: Runner) -> None:
    chosen = run("users get bob --columns teams,TEAMS -o json").json
    assert chosen == {"teams": ["TKPSLLWBFUI9R", "TUNFSIER6R4P3"], "TEAMS": "platform, data infra"}


@pytest.mark.usefixtures("cloud")
def test_unknown_column_lists_headers_and_fields(run: Runner) -> None:
    done = run("teams list --columns nme", status=2)
    assert done.stderr == "error: unknown column: 'nme'\nhint: use id, name, email, grafana_id, avatar_url\n"


@pytest.mark.usefixtures("cloud")
def test_empty_list_in_a_pipe_is_a_header(run: Runner) -> None:
    assert run("integrations list --match nothing").stdout == "ID\tNAME\tTYPE\tTEAM\tMAINTENANCE\tUNTIL\n"
