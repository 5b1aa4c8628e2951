"""`integrations` against the sandbox behind a socket."""

import json
from pathlib import Path

import pytest

from tests.conftest import Runner
from tests.serving import Serving, drop, lose, status

ONE = "C5BPMMTY9FMXJ"


class TestListing:
    def test_list_over_several_result_pages_prints_complete_objects(self, server: Serving, run: Runner) -> None:
        everything = run("integrations list -o json").json
        assert len(everything) == len({each["id"] for each in everything}) == 122
        assert "/integrations/v1/" in everything[0]["link"]

    @pytest.mark.parametrize("output", ["table", "csv"])
    def test_list_as_table_or_csv_masks_links(self, cloud: Serving, run: Runner, output: str) -> None:
        done = run(f"integrations list --columns name,link,inbound_email,heartbeat -o {output}")
        assert "/integrations/v1/" not in done.stdout
        assert "********" in done.stdout

    def test_list_with_several_filters_applies_all(self, cloud: Serving, run: Runner) -> None:
        listed = run("integrations list --team platform --type grafana --match 'SERVICE-*' -o json").json
        assert listed
        for each in listed:
            assert (each["team_id"], each["type"], each["name"][:8]) == ("TKPSLLWBFUI9R", "grafana", "service-")

    def test_list_by_maintenance_separates_active_from_inactive(self, cloud: Serving, run: Runner) -> None:
        run("maintenance start service-010 --for 30m")
        assert run("integrations list --in-maintenance -o id").stdout == f"{ONE}\n"
        assert len(run("integrations list --not-in-maintenance -o json").json) == 121

    def test_list_by_label_on_cloud_filters(self, cloud: Serving, run: Runner) -> None:
        listed = run("integrations list --label env=prod -o json").json
        assert 0 < len(listed) < 122

    def test_list_by_label_on_self_hosted_exits_2_unsent(self, oss: Serving, run: Runner) -> None:
        run("integrations list --label env=prod", status=2)
        assert oss.seen == []

    @pytest.mark.parametrize("conditions", ["", "--type webhook"])
    def test_list_with_a_limit_notes_that_there_are_more(self, cloud: Serving, run: Runner, conditions: str) -> None:
        done = run(f"integrations list {conditions} --limit 3 -o json")
        assert len(done.json) == 3
        assert "omit --limit" in done.stderr

    def test_types_lists_the_types_in_use(self, cloud: Serving, run: Runner) -> None:
        counts = {row["type"]: row["count"] for row in run("integrations types -o json").json}
        assert sum(counts.values()) == 122
        assert "direct_paging" in counts


class TestGetting:
    def test_get_of_one_prints_an_object_and_of_two_an_array(self, cloud: Serving, run: Runner) -> None:
        assert run("integrations get service-010 -o json").json["id"] == ONE
        two = run(f"integrations get {ONE} '🔥 fire-drill' -o json").json
        assert [each["name"] for each in two] == ["service-010", "🔥 fire-drill"]

    @pytest.mark.parametrize(
        "name", ["🔥 fire-drill", "-dash-first", "100% cpu", "café-früh", "日本語 インテグレーション"]
    )
    def test_get_by_an_unusual_name_finds_it(self, cloud: Serving, run: Runner, name: str) -> None:
        assert run(f"integrations get -o json -- '{name}'").json["name"] == name

    def test_get_by_exact_name_sends_one_request(self, cloud: Serving, run: Runner) -> None:
        run("integrations get service-010 -o json")
        assert [(each.path, each.query["name"]) for each in cloud.seen] == [("/api/v1/integrations/", "service-010")]

    def test_get_shows_secrets_in_json_or_with_the_option(self, cloud: Serving, run: Runner) -> None:
        assert "/integrations/v1/" in run("integrations get service-010 -o jsonl").stdout
        assert "/integrations/v1/" not in run("integrations get service-010 --columns link").stdout
        assert "/integrations/v1/" in run("integrations get service-010 --columns link --show-secrets").stdout


class TestCreating:
    def test_create_prints_the_integration(self, server: Serving, run: Runner) -> None:
        made = run(
            "integrations create --type webhook --name mine --team platform --description why"
            " --template slack.title=T --template grouping_key=K -o json"
        ).json
        assert made["name"] == "mine"
        assert made["templates"]["slack"]["title"] == "T"
        assert server.bodies() == [
            {
                "type": "webhook",
                "name": "mine",
                "team_id": "TKPSLLWBFUI9R",
                "description_short": "why",
                "templates": {"slack": {"title": "T"}, "grouping_key": "K"},
            }
        ]

    def test_escalation_chain_is_set_on_the_default_route(self, cloud: Serving, run: Runner) -> None:
        made = run("integrations create --type webhook --name m --escalation-chain F3VV9WSX4RBEK -o json").json
        assert made["default_route"]["escalation_chain_id"] == "F3VV9WSX4RBEK"

    @pytest.mark.parametrize("given", ["platform-default", "PLATFORM-default", "name:platform-default"])
    @pytest.mark.parametrize("verb", ["create --type webhook --name m", "update service-010"])
    def test_escalation_chain_is_found_by_name(self, cloud: Serving, run: Runner, verb: str, given: str) -> None:
        made = run(f"integrations {verb} --escalation-chain {given} -o json").json
        assert made["default_route"]["escalation_chain_id"] == "F3VV9WSX4RBEK"

    def test_escalation_chain_with_an_unknown_name_is_not_found_and_nothing_is_sent(
        self, cloud: Serving, run: Runner
    ) -> None:
        done = run("integrations create --type webhook --name m --escalation-chain platform-defualt -o json", status=6)
        assert "'platform-default'" in done.error["hint"]
        assert cloud.changes() == []

    @pytest.mark.parametrize("verb", ["create --type webhook --name m", "update service-010"])
    def test_id_of_no_team_or_chain_is_not_found_and_changes_nothing(
        self, cloud: Serving, run: Runner, verb: str
    ) -> None:
        before = cloud.call("GET", "integrations/?perpage=100")
        run(f"integrations {verb} --team TNXPENXPENXPE", status=6)
        assert cloud.call("GET", "integrations/?perpage=100") == before
        cloud.seen.clear()
        run(f"integrations {verb} --escalation-chain FNXPENXPENXPE", status=6)
        assert cloud.changes() == []

    def test_team_none_gives_an_integration_to_no_team(self, cloud: Serving, run: Runner) -> None:
        assert run("integrations create --type webhook --name mine --team none -o json").json["team_id"] is None
        made = run("integrations create --type webhook --name theirs --team platform -o json").json
        assert made["team_id"] == "TKPSLLWBFUI9R"
        assert run("integrations update theirs --team none -o json").json["team_id"] is None
        assert cloud.bodies()[-1] == {"team_id": None}

    def test_template_from_a_file_is_sent(self, cloud: Serving, run: Runner, tmp_path: Path) -> None:
        (tmp_path / "title.j2").write_text("{{ payload.title }}")
        run(f"integrations create --type webhook --name m --template web.title=@{tmp_path}/title.j2")
        assert cloud.bodies()[0]["templates"] == {"web": {"title": "{{ payload.title }}"}}

    def test_labels_on_cloud_are_sent(self, cloud: Serving, run: Runner) -> None:
        run("integrations create --type webhook --name m --label env=prod --dynamic-label 'sev={{ payload.s }}'")
        assert cloud.bodies()[0]["labels"] == [{"key": {"name": "env"}, "value": {"name": "prod"}}]
        assert cloud.bodies()[0]["dynamic_labels"] == [{"key": {"name": "sev"}, "value": {"name": "{{ payload.s }}"}}]

    @pytest.mark.parametrize("option", ["--label env=prod", "--dynamic-label 'sev={{ x }}'"])
    def test_labels_on_self_hosted_exit_2_unsent(self, oss: Serving, run: Runner, option: str) -> None:
        run(f"integrations create --type webhook --name m {option}", status=2)
        run(f"integrations update service-010 {option}", status=2)
        assert oss.changes() == []

    @pytest.mark.parametrize(
        "options",
        [
            "--name m",
            "--type webhook --template nope=1",
            "--type webhook --template slack=1",
            "--type webhook --template slack.tile=1",
            "--type webhook --template slack.title",
            "--type webhook --template web.title=@/nowhere",
            "--type webhook --label prod",
            "--type webhook --label 1x=y",
            "--type webhook --label x_=y",
            "--type webhook --label x=1",
            "--type webhook --label 'x=a b'",
            "--type webhook --label x=a --label x=b",
            "--type webhook --file /nowhere",
        ],
    )
    def test_invalid_options_exit_2_unsent(self, cloud: Serving, run: Runner, options: str) -> None:
        run(f"integrations create {options}", status=2)
        assert cloud.changes() == []

    def test_refusal_of_the_server_is_the_error_message(self, cloud: Serving, run: Runner) -> None:
        done = run("integrations create --type webhook --name x --template 'web.title={{'  -o json", status=1)
        assert done.error["code"] == "refused"
        assert done.error["http_status"] == 400

    def test_create_with_a_taken_name_exits_7(self, cloud: Serving, run: Runner) -> None:
        run("integrations create --type webhook --name '🔥 fire-drill'", status=7)

    def test_create_from_the_json_of_another_copies_it(self, cloud: Serving, run: Runner) -> None:
        source = run("integrations get service-010 -o json").stdout
        made = run("integrations create --file - --name copy -o json", stdin=source).json
        assert made["name"] == "copy"
        assert made["id"] != ONE
        assert not {"id", "link", "maintenance_mode", "heartbeat", "inbound_email"} & set(cloud.bodies()[0])
        assert "id" not in cloud.bodies()[0]["default_route"]

    @pytest.mark.parametrize("stdin", ["", "{", "[]", "3", '"x"', "[{}, {}]", '{"name": 1e400}', "[" * 99_999])
    def test_create_from_an_invalid_document_exits_2(self, cloud: Serving, run: Runner, stdin: str) -> None:
        run("integrations create --file - --type webhook", stdin=stdin, status=2)
        assert cloud.changes() == []

    def test_create_with_a_lost_response_exits_9_and_is_sent_once(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("POST", "integrations", lose)
        done = run("integrations create --type webhook --name m -o json", status=9)
        assert "integrations list --match m" in done.error["hint"]
        assert cloud.changes() == ["POST /api/v1/integrations/"]

    def test_dry_run_shows_the_request(self, cloud: Serving, run: Runner) -> None:
        request = run("integrations create --type webhook --name m --dry-run -o json").json
        assert request == {
            "method": "POST",
            "url": f"{cloud.url}/api/v1/integrations/",
            "body": {"type": "webhook", "name": "m"},
        }
        assert cloud.changes() == []


class TestUpdating:
    def test_update_sends_only_the_given_fields(self, server: Serving, run: Runner) -> None:
        run("integrations update service-010 --description new --template sms.title=S --reset-template slack.title")
        assert server.changes() == [f"PUT /api/v1/integrations/{ONE}/"]
        assert server.bodies() == [
            {"description_short": "new", "templates": {"sms": {"title": "S"}, "slack": {"title": None}}}
        ]

    def test_update_of_labels_keeps_the_others(self, cloud: Serving, run: Runner) -> None:
        run("integrations update service-010 --label a=x --label b=y")
        run("integrations update service-010 --label c=z --remove-label a")
        labels = run("integrations get service-010 -o json").json["labels"]
        pairs = {label["key"]["name"]: label["value"]["name"] for label in labels}
        assert pairs["b"] == "y"
        assert pairs["c"] == "z"
        assert "a" not in pairs

    def test_removing_a_missing_label_exits_2(self, cloud: Serving, run: Runner) -> None:
        run("integrations update service-010 --remove-label nope", status=2)
        assert cloud.changes() == []

    def test_update_without_fields_exits_2(self, cloud: Serving, run: Runner) -> None:
        run("integrations update service-010", status=2)
        assert cloud.changes() == []

    def test_dry_run_shows_the_request(self, cloud: Serving, run: Runner) -> None:
        request = run("integrations update service-010 --name new --dry-run -o json").json
        assert (request["method"], request["body"]) == ("PUT", {"name": "new"})
        assert cloud.changes() == []


class TestDeleting:
    def test_delete_without_yes_and_terminal_exits_2_unsent(self, cloud: Serving, run: Runner) -> None:
        assert "--yes" in run("integrations delete service-010", status=2).stderr
        assert cloud.changes() == []

    def test_delete_of_several_deletes_each(self, server: Serving, run: Runner) -> None:
        outcomes = run("integrations delete service-010 service-011 --yes -o json").json
        assert [outcome["status"] for outcome in outcomes] == ["deleted", "deleted"]
        run("integrations get service-010", status=6)

    def test_delete_with_an_unknown_name_deletes_nothing(self, cloud: Serving, run: Runner) -> None:
        run("integrations delete service-010 nope --yes", status=6)
        assert cloud.changes() == []

    def test_delete_of_direct_paging_is_refused(self, cloud: Serving, run: Runner) -> None:
        done = run("integrations delete service-010 'Direct paging (platform team)' --yes -o json", status=4)
        assert [outcome["status"] for outcome in done.json] == ["deleted", "failed"]

    def test_delete_with_a_lost_response_is_read_back(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("DELETE", ONE, lose)
        assert run("integrations delete service-010 --yes -o json").json[0]["status"] == "deleted"
        assert cloud.changes() == [f"DELETE /api/v1/integrations/{ONE}/"]

    def test_delete_that_did_not_arrive_exits_9(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("DELETE", ONE, drop)
        run("integrations delete service-010 --yes", status=9)
        assert cloud.changes() == [f"DELETE /api/v1/integrations/{ONE}/"]

    def test_delete_as_a_dry_run_deletes_nothing(self, cloud: Serving, run: Runner) -> None:
        (outcome,) = run("integrations delete service-010 --dry-run -o json").json
        assert outcome["status"] == "would-delete"
        assert outcome["requests"][0]["method"] == "DELETE"
        assert cloud.changes() == []


def test_url_of_another_server_exits_1(cloud: Serving, run: Runner) -> None:
    cloud.fail("GET", "integrations", status(404))
    done = run("integrations list -o json", status=1)
    assert done.error["code"] == "not_oncall"


def test_jsonl_prints_one_object_per_line(cloud: Serving, run: Runner) -> None:
    lines = run("integrations list -o jsonl").stdout.splitlines()
    assert len(lines) == 122
    assert json.loads(lines[0])["name"] == "[prod] api"
