"""The commands that follow from the declaration of a noun, against the sandbox behind a socket."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from oncallctl.api.nouns import NOUNS, SHIFT_SWAPS, Noun
from tests.conftest import Runner
from tests.faults.commands import BODIES, SAMPLES
from tests.serving import Serving, status

BY_NAME = {noun.name: noun for noun in NOUNS}
WEBHOOK, CHAIN, USER = "WH84KLFXI6ZKAD", "F3VV9WSX4RBEK", "U6YF83T9HEFKQ"


@pytest.mark.parametrize("noun", [noun for noun in NOUNS if not noun.own_only], ids=lambda noun: noun.name)
def test_list_of_a_noun_prints_the_servers_objects_and_their_ids(server: Serving, run: Runner, noun: Noun) -> None:
    rows = run(f"{noun.name} list --limit 2 -o json").json
    assert len(rows) == (1 if noun is SHIFT_SWAPS else 2)  # one swap of the sample data has ended
    assert run(f"{noun.name} list --limit 2 -o id").stdout.split() == [row[noun.id_field] for row in rows]
    assert {each.method for each in server.seen} == {"GET"}


@pytest.mark.parametrize("noun", [noun for noun in NOUNS if not noun.has_get], ids=lambda noun: noun.name)
def test_object_that_the_api_cannot_get_is_taken_from_the_list(server: Serving, run: Runner, noun: Noun) -> None:
    by_id = run(f"{noun.name} get {SAMPLES[noun]} -o json").json
    for name in noun.names_of(by_id)[-1:]:
        assert run(f"{noun.name} get '{name.upper()}' -o json").json == by_id
    assert {each.path for each in server.seen} == {f"/api/v1/{noun.path}/"}
    assert noun.singular in run(f"{noun.name} get nothing-like-it", status=6).stderr


def test_slack_channels_of_several_result_pages_are_each_listed_once(cloud: Serving, run: Runner) -> None:
    pages = [[{"name": f"c{page}-{row}", "slack_id": f"C{page}{row}"} for row in range(2)] for page in (1, 2)]
    for number, rows in enumerate(pages, 1):
        document = {"count": 4, "results": rows, "next": "?page=2" if number == 1 else None, "total_pages": 2}
        cloud.fail("GET", "slack_channels", status(200, json.dumps(document)))
    assert run("slack-channels list -o id").stdout.split() == ["C10", "C11", "C20", "C21"]


@pytest.mark.parametrize("server", ["oss"], indirect=True)
def test_organizations_list_on_a_self_hosted_engine_is_refused_unsent(server: Serving, run: Runner) -> None:
    done = run("organizations list", status=2)
    assert "oncallctl organizations get" in done.stderr
    assert server.seen == []
    assert run("organizations get -o id").stdout == "OHZ4Z39JVACNX\n"


def test_organization_of_another_id_is_not_shown(cloud: Serving, run: Runner) -> None:
    run("organizations get OSOMEBODYELSES", status=6)


@pytest.mark.parametrize(
    ("line", "parameter", "value"),
    [
        ("escalation-policies list --chain platform-default", "escalation_chain_id", CHAIN),
        ("on-call-shifts list --schedule platform-primary", "schedule_id", "SN1XIG9SHWR2U"),
        ("personal-notification-rules list --user alice", "user_id", USER),
        ("personal-notification-rules list --important", "important", "true"),
        ("personal-notification-rules list --not-important", "important", "false"),
        ("shift-swaps list --schedule platform-primary", "schedule_id", "SN1XIG9SHWR2U"),
        ("resolution-notes list --alert-group ITZS8C3IAPIQD", "alert_group_id", "ITZS8C3IAPIQD"),
    ],
)
def test_filter_of_a_list_is_sent_to_the_server(
    cloud: Serving, run: Runner, line: str, parameter: str, value: str
) -> None:
    assert run(f"{line} -o json").json
    assert cloud.seen[-1].query[parameter] == value


def test_shift_swap_that_has_begun_is_listed_shown_and_deleted(server: Serving, run: Runner) -> None:
    ident, state, schedule, *_, beneficiary, benefactor, _ = (
        run("shift-swaps list --past --no-header").stdout.splitlines()[0].split("\t")
    )
    assert (ident, state, schedule) == ("SSRB7K2WQ9XN4TE", "taken", "no-team schedule")
    assert (beneficiary, benefactor) == ("dave", "carol")
    assert run("shift-swaps get SSRB7K2WQ9XN4TE -o json").json["status"] == "taken"
    (deleted,) = run("shift-swaps delete SSRB7K2WQ9XN4TE --yes -o json").json
    assert deleted["status"] == "deleted"
    run("shift-swaps get SSRB7K2WQ9XN4TE", status=6)


def test_list_filtered_by_an_unknown_object_is_not_found(cloud: Serving, run: Runner) -> None:
    run("escalation-policies list --chain FNOBODYHAS1T1", status=6)
    run("webhooks list --team nobody", status=6)


def test_webhooks_of_a_team_are_chosen_on_this_machine(server: Serving, run: Runner) -> None:
    assert run("webhooks list --team platform -o id").stdout.split() == [WEBHOOK]
    assert run("webhooks list --team none -o id").stdout.split() != [WEBHOOK]
    assert not any("team" in each.query for each in server.seen)


@pytest.mark.parametrize("noun", BODIES, ids=lambda noun: noun.name)
def test_object_from_json_is_created_updated_and_deleted(server: Serving, run: Runner, noun: Noun) -> None:
    new, changed = BODIES[noun]
    made = run(f"{noun.name} create --file - -o json", stdin=json.dumps(new)).json
    ident = made["id"]
    document = json.dumps({**run(f"{noun.name} get {ident} -o json").json, **changed})
    updated = run(f"{noun.name} update {ident} -f - -o json", stdin=document).json
    assert updated["id"] == ident
    assert updated.items() >= changed.items()
    assert "id" not in server.bodies()[-1]

    refused = run(f"{noun.name} delete {ident}", status=2)
    assert "--yes" in refused.stderr
    (deleted,) = run(f"{noun.name} delete {ident} --yes -o json").json
    assert (deleted["id"], deleted["status"]) == (ident, "deleted")
    assert [each.partition(" ")[0] for each in server.changes()] == ["POST", "PUT", "DELETE"]
    run(f"{noun.name} get {ident} -o json", status=6)


@pytest.mark.parametrize("noun", BODIES, ids=lambda noun: noun.name)
def test_dry_run_shows_the_exact_request_and_sends_nothing(cloud: Serving, run: Runner, noun: Noun) -> None:
    new, changed = BODIES[noun]
    sample = SAMPLES[noun]
    url = f"{cloud.url}/api/v1/{noun.path}/"
    created = run(f"{noun.name} create --file - --dry-run -o json", stdin=json.dumps(new)).json
    assert created == {"method": "POST", "url": url, "body": new}
    updated = run(f"{noun.name} update {sample} --file - --dry-run -o json", stdin=json.dumps(changed)).json
    assert updated == {"method": "PUT", "url": f"{url}{sample}/", "body": changed}
    (deleted,) = run(f"{noun.name} delete {sample} --dry-run -o json").json
    assert deleted["requests"] == [{"method": "DELETE", "url": f"{url}{sample}/", "body": None}]
    assert cloud.changes() == []


def test_file_without_a_json_object_is_wrong_usage(cloud: Serving, run: Runner) -> None:
    for text in ("", "[]", "{", "[{}, {}]", "{}", '{"id": "X"}', "7"):
        assert "--file" in run("webhooks create --file -", stdin=text, status=2).stderr
    assert cloud.seen == []


def test_update_whose_response_shows_another_object_is_unknown(cloud: Serving, run: Runner) -> None:
    cloud.fail("PUT", "webhooks", status(200, '{"id": "WHSOMEOTHER123", "name": "x"}'))
    done = run(f"webhooks update {WEBHOOK} --file -", stdin='{"name": "x"}', status=9)
    assert f"oncallctl webhooks get {WEBHOOK}" in done.stderr


def test_secrets_of_a_webhook_are_masked_outside_json(cloud: Serving, run: Runner) -> None:
    shown = {"id": WEBHOOK, "name": "n", "password": "hunter2", "authorization_header": "Bearer s3cret"}
    line = f"webhooks get {WEBHOOK} --columns name,password,authorization_header"
    secrets = ("hunter2", "s3cret")
    for options, is_shown in (("", False), ("-o csv", False), ("-o csv --show-secrets", True)):
        cloud.fail("GET", "webhooks", status(200, json.dumps(shown)))
        printed = run(f"{line} {options}").stdout
        assert [secret in printed for secret in secrets] == [is_shown] * 2
    cloud.fail("GET", "webhooks", status(200, json.dumps(shown)))
    assert run(f"webhooks get {WEBHOOK} -o json").json == shown


@pytest.mark.parametrize("server", ["oss"], indirect=True)
def test_role_that_a_refused_change_needs_is_named(server: Serving, run: Runner) -> None:
    server.fail("POST", "webhooks", status(403, '{"detail": "You do not have permission to perform this action."}'))
    server.fail("GET", "users/current", status(200, json.dumps({"id": USER, "username": "a", "role": "editor"})))
    done = run("webhooks create --file -", stdin=json.dumps(BODIES[BY_NAME["webhooks"]][0]), status=3)
    assert "creating webhooks needs the Admin role" in done.stderr


@pytest.mark.parametrize("line", ["webhooks create --help", "routes list --help", "slack-channels get --help"])
def test_help_of_a_generic_command_loads_nothing_heavy(line: str) -> None:
    code = (
        "import sys\nfrom oncallctl.cli import app\n"
        f"try: app({line.split()!r})\nexcept SystemExit: pass\n"
        "heavy = ('httpx', 'pydantic', 'rich', 'keyring')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
