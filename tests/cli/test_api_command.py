"""`api METHOD PATH` against the sandbox behind a socket."""

import json
from itertools import product
from pathlib import Path

import pytest
from werkzeug.wrappers import Response

from tests.conftest import Runner
from tests.serving import Serving, lose, status

ONE = "C5BPMMTY9FMXJ"

OUTSIDE = [
    "//evil.example/api/v1/teams/",
    "https://evil.example/api/v1/teams/",
    "http:teams",
    "../teams/",
    "teams/../../../x",
    "teams/./x",
    "teams//x",
    "/api/v1//evil.example/",
    "teams/%2e%2e/x",
    "teams/%2F..",
    "teams\\\\..\\\\x",
    "teams/#x",
    "teams/?a=b#x",
    "teams/\tx",
    "'teams/?a=b c'",
    "'teams /'",
    "user@evil.example",
    ".teams",
    "''",
    "/",
    "/api/v1/",
    "?page=1",
    "teams;x",
    "téams",
]
"""Paths that could lead out of the API."""


class TestReading:
    def test_path_with_or_without_the_root_is_the_same(self, cloud: Serving, run: Runner) -> None:
        paths = ["teams/", "/teams/", "api/v1/teams/", "/api/v1/teams/", "'teams/?page=1'", "'/api/v1/teams/?page=1'"]
        for path in paths:
            page = run(f"api GET {path}").json
            assert [team["name"] for team in page["results"]] == ["platform", "payments", "data infra", "empty-team"]
        assert cloud.reads() == ["GET /api/v1/teams/"] * len(paths)

    def test_trailing_slash_is_kept(self, cloud: Serving, run: Runner) -> None:
        run("api get teams")
        assert cloud.reads() == ["GET /api/v1/teams"]

    def test_fields_are_added_to_the_query_of_the_path(self, cloud: Serving, run: Runner) -> None:
        run("api GET 'alert_groups/?state=new&x=%C3%A9%26' --field perpage=007 --field name=true --field y=")
        assert cloud.seen[0].query == {"state": "new", "x": "é&", "perpage": "007", "name": "true", "y": ""}

    def test_repeated_field_of_a_query_is_sent_twice(self, cloud: Serving, run: Runner) -> None:
        request = run("api GET 'users?a=1' --field a=2 --field a=3 --dry-run -o json").json
        assert request == {"method": "GET", "url": f"{cloud.url}/api/v1/users?a=1&a=2&a=3", "body": None}
        assert cloud.seen == []

    def test_response_is_printed_unchanged(self, server: Serving, run: Runner) -> None:
        assert run("api GET users/current/").json == server.call("GET", "users/current/")

    def test_format_of_the_profile_is_ignored(self, cloud: Serving, run: Runner, world: Path) -> None:
        token = world / "token"
        token.write_text(cloud.token)
        token.chmod(0o600)
        config = f'default = "p"\n[profiles.p]\nurl = "{cloud.url}"\napi = "cloud"\noutput = "csv"\n'
        (world / "config.toml").write_text(f'{config}token_source = "file"\ntoken_file = "{token}"\n')
        path = str(world / "config.toml")
        assert run("-p p api GET teams/", ONCALLCTL_CONFIG=path).json["count"] == 4
        assert run("-p p teams list", ONCALLCTL_CONFIG=path).stdout.startswith("ID,")

    def test_note_is_readable_unless_the_user_asks_for_json(self, run: Runner) -> None:
        page = "api POST escalation/ -p sandbox --field title=t --field team=TKPSLLWBFUI9R"
        assert run(page).stderr == "note: sandbox: nobody was paged\n"
        assert json.loads(run(f"{page} -o json").stderr) == {"note": {"message": "sandbox: nobody was paged"}}

    @pytest.mark.parametrize("path", ["teams/", "users"])
    def test_jsonl_has_a_line_per_row(self, cloud: Serving, run: Runner, path: str) -> None:
        lines = run(f"api GET {path} -o jsonl").stdout.splitlines()
        assert [json.loads(line)["id"] for line in lines] == [row["id"] for row in cloud.call("GET", path)["results"]]

    def test_jsonl_of_one_object_is_one_line(self, cloud: Serving, run: Runner) -> None:
        assert json.loads(run(f"api GET integrations/{ONE}/ -o jsonl").stdout)["id"] == ONE

    def test_table_has_the_rows_with_their_fields(self, cloud: Serving, run: Runner) -> None:
        lines = run("api GET teams/ -o table").stdout.splitlines()
        assert lines[0].split("\t")[:3] == ["id", "grafana_id", "name"]
        assert len(lines) == 5
        assert run("api GET teams/ -o csv --columns name,id").stdout.splitlines()[1] == "platform,TKPSLLWBFUI9R"

    def test_format_id_prints_the_ids_of_the_rows(self, cloud: Serving, run: Runner) -> None:
        assert run("api GET teams/ -o id").stdout == run("teams list -o id").stdout

    def test_rows_other_than_objects_are_shown(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "unknown", status(200, '{"results": ["a", 2, null]}'), times=3)
        assert run("api GET unknown -o table").stdout == "value\na\n2\n\n"
        assert run("api GET unknown -o jsonl").stdout == '"a"\n2\nnull\n'
        assert run("api GET unknown").json == {"results": ["a", 2, None]}

    def test_empty_list_prints_nothing(self, cloud: Serving, run: Runner) -> None:
        for output in ("table", "csv", "jsonl", "id"):
            assert run(f"api GET 'schedules/?name=none' -o {output}").stdout == ""

    def test_secrets_are_masked_without_show_secrets(self, cloud: Serving, run: Runner) -> None:
        link = cloud.call("GET", f"integrations/{ONE}/")["link"]
        for path in (f"integrations/{ONE}/", "'integrations/?name=service-010'", "integrations/ --paginate"):
            for output in ("json", "jsonl", "csv"):
                assert link not in run(f"api GET {path} -o {output}").stdout
                assert link in run(f"api GET {path} -o {output} --show-secrets").stdout

    def test_terminal_escapes_are_escaped(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "unknown", status(200, '{"a": "\\u001b[2J", "b\\u001b": 1}'), times=3)
        for output in ("json", "jsonl", "table"):
            assert "\x1b" not in run(f"api GET unknown -o {output}").stdout

    def test_quiet_prints_nothing(self, cloud: Serving, run: Runner) -> None:
        assert run("api GET teams/ -q").stdout == ""


class TestAllPages:
    @pytest.mark.parametrize("fields", ["", "--field perpage=50"])
    def test_paginate_joins_the_pages_to_one_array(self, server: Serving, run: Runner, fields: str) -> None:
        rows = run(f"api GET integrations/ --paginate {fields}").json
        assert len({row["id"] for row in rows}) == len(rows) == 122
        pages = [each.query["page"] for each in server.seen]
        assert sorted(pages) == ["1", "2", "3"] if fields else ["1", "2"]

    def test_paginate_with_jsonl_prints_a_line_per_row(self, cloud: Serving, run: Runner) -> None:
        lines = run("api GET integrations --paginate -o jsonl --field perpage=60").stdout.splitlines()
        assert [json.loads(line)["id"] for line in lines] == run("integrations list -o id").stdout.split()

    def test_paginate_of_an_object_is_wrong_usage(self, cloud: Serving, run: Runner) -> None:
        done = run("api GET users/current/ --paginate -o json", status=2)
        assert "--paginate" in done.error["hint"]

    def test_paginate_of_an_array_reads_one_page(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("GET", "unknown", lambda *_: Response("[1, 2]", content_type="application/json"))
        assert run("api GET unknown --paginate").json == [1, 2]

    def test_paginate_with_a_change_or_a_page_is_wrong_usage(self, cloud: Serving, run: Runner) -> None:
        run("api POST teams/ --paginate", status=2)
        run("api GET teams/ --paginate --field page=2", status=2)
        assert cloud.seen == []


class TestPaths:
    @pytest.mark.promise("goes-to-profiles-own-origin")
    def test_path_that_could_leave_the_api_is_refused_unsent(self, cloud: Serving, run: Runner) -> None:
        for method, path in product(("GET", "POST"), OUTSIDE):
            assert run(f"api {method} {path} -o json", status=2).error["code"] == "invalid_input", path
        assert cloud.seen == []

    def test_path_with_a_line_break_is_refused(self, cloud: Serving, run: Runner) -> None:
        run("api GET 'teams/\n'", status=2)
        run("api GET 'teams/?a=\r\nX-Evil: 1'", status=2)
        assert cloud.seen == []

    def test_unknown_method_is_refused(self, cloud: Serving, run: Runner) -> None:
        run("api HEAD teams/", status=2)
        assert cloud.seen == []

    def test_unknown_path_is_named_in_the_error(self, cloud: Serving, run: Runner) -> None:
        for method in ("GET", "POST"):
            done = run(f"api {method} no_such_thing/ -o json", status=1)
            assert "no_such_thing" in done.error["message"]
            assert "spelling" in done.error["hint"]

    def test_missing_object_is_not_found(self, cloud: Serving, run: Runner) -> None:
        done = run("api GET teams/TNOPENOPENOPE/ -o json", status=6)
        assert done.error["hint"] == "oncallctl api GET teams/ --paginate"


class TestChanging:
    def test_field_of_a_body_is_json_or_else_text(self, cloud: Serving, run: Runner) -> None:
        fields = ["a=true", "b=null", "c=12", "d=1.5", 'e={"x":[1]}', "f=[]", 'g="12"', "h=12a", "i=", "j=NaN", "k=a=b"]
        words = " ".join(f"--field '{each}'" for each in fields)
        request = run(f"api POST unknown/ {words} --dry-run -o json").json
        assert request["body"] == {
            "a": True,
            "b": None,
            "c": 12,
            "d": 1.5,
            "e": {"x": [1]},
            "f": [],
            "g": "12",
            "h": "12a",
            "i": "",
            "j": "NaN",
            "k": "a=b",
        }

    def test_field_from_a_file_or_stdin_is_text(self, cloud: Serving, run: Runner, tmp_path: Path) -> None:
        (tmp_path / "name").write_text("12")
        line = f"api POST integrations/ --field type=webhook --field name=@{tmp_path}/name --field description_short=@-"
        made = run(line, stdin="true").json
        assert (made["name"], made["description_short"]) == ("12", "true")
        assert cloud.bodies() == [{"type": "webhook", "name": "12", "description_short": "true"}]

    def test_method_in_any_case_is_accepted(self, cloud: Serving, run: Runner) -> None:
        run(f"api put integrations/{ONE}/ --field name=other")
        run(f"api Patch integrations/{ONE} --field name=another")
        assert cloud.changes() == [f"PUT /api/v1/integrations/{ONE}/", f"PATCH /api/v1/integrations/{ONE}"]
        assert cloud.call("GET", f"integrations/{ONE}/")["name"] == "another"

    def test_change_without_fields_has_no_body_and_prints_nothing_for_an_empty_response(
        self, cloud: Serving, run: Runner
    ) -> None:
        cloud.alert(ONE)
        ident = run("alert-groups list --limit 1 -o id").stdout.strip()
        assert run(f"api POST alert_groups/{ident}/acknowledge/").stdout == ""
        assert cloud.bodies() == [None]

    def test_query_of_the_path_is_kept_beside_a_body(self, cloud: Serving, run: Runner) -> None:
        run("api POST 'integrations/?x=a%20b&x=c' --field type=webhook")
        assert cloud.seen[0].query["x"] == "a b"
        assert cloud.bodies() == [{"type": "webhook"}]

    def test_invalid_field_is_refused(self, cloud: Serving, run: Runner) -> None:
        for fields in (
            "--field name",
            "--field =x",
            "--field a=1 --field a=2",
            "--field a=@/nowhere",
            "--field a=@- --field b=@-",
            "--field a=1e999",
        ):
            for line in (f"api POST integrations/ {fields}", f"api POST integrations/ --dry-run {fields}"):
                assert run(line, status=2, stdin="x").stdout == ""
        assert cloud.seen == []

    @pytest.mark.promise("dry-run-sends-no-change")
    def test_dry_run_prints_the_request_and_sends_nothing(self, cloud: Serving, run: Runner) -> None:
        request = run(f"api DELETE integrations/{ONE}/ --dry-run -o json").json
        assert request == {"method": "DELETE", "url": f"{cloud.url}/api/v1/integrations/{ONE}/", "body": None}
        assert cloud.seen == []

    def test_delete_without_a_terminal_needs_yes(self, cloud: Serving, run: Runner) -> None:
        assert "--yes" in run(f"api DELETE integrations/{ONE}/", status=2).stderr
        assert cloud.seen == []
        assert run(f"api DELETE integrations/{ONE}/ --yes").stdout == ""
        assert cloud.changes() == [f"DELETE /api/v1/integrations/{ONE}/"]

    def test_lost_response_is_outcome_unknown_and_not_resent(self, cloud: Serving, run: Runner) -> None:
        cloud.fail("POST", "integrations", lose)
        done = run("api POST integrations/ --field type=webhook -o json", status=9)
        assert done.error["hint"] == "oncallctl api GET integrations/"
        assert cloud.changes() == ["POST /api/v1/integrations/"]

    def test_refusal_of_the_server_is_printed(self, cloud: Serving, run: Runner) -> None:
        done = run("api POST integrations/ --field type=nonsense -o json", status=1)
        assert done.error["code"] == "refused"

    def test_change_with_unknown_columns_is_reported(self, cloud: Serving, run: Runner) -> None:
        done = run("api POST integrations/ --field type=webhook -o csv --columns id,nope")
        assert "unknown column: 'nope'" in done.stderr
        assert len(done.stdout.splitlines()) == 2


def test_redirect_to_another_host_is_not_followed(server: Serving, run: Runner) -> None:
    server.fail("GET", "teams", status(302, "", Location="http://evil.example/"))
    assert run("api GET teams/ -o json", status=1).error["code"] == "not_oncall"
