"""Output that is the same for every command."""

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
