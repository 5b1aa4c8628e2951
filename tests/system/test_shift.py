"""A complete shift against a server in another process: from login to a page."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oncallctl.sandbox import ADMIN_TOKEN
from tests.system.program import Program, sandbox_server

NAME = "service-000"


@dataclass(frozen=True)
class Shift:
    """The program with a profile for its own sandbox server."""

    program: Program
    api: str
    url: str
    database: Path

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def paged(self) -> list[str]:
        """Return the users that a real server would have paged, in order."""
        with closing(sqlite3.connect(self.database)) as db:
            query = "SELECT username FROM notifications JOIN users ON users.id = user_id ORDER BY notifications.rowid"
            return [row[0] for row in db.execute(query)]

    def groups(self) -> set[str]:
        return set(self.program("alert-groups", "list", "-o", "id").stdout.split())

    def integration(self, name: str) -> Any:
        return self.program("integrations", "get", name, "-o", "json").json


@pytest.fixture(params=["cloud", "oss"])
def api(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def shift(program: Program, home: Path, api: str, token_file: Path) -> Iterator[Shift]:
    with sandbox_server(program, api) as url:
        program("auth", "login", "work", "--url", url, "--token-file", token_file)
        yield Shift(program, api, url, home / ".local/state/oncallctl/sandbox.sqlite3")


def test_login_detects_the_server_variant_and_stores_no_token(shift: Shift, home: Path, api: str) -> None:
    file = home / ".config/oncallctl/config.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    assert f'api = "{api}"' in text
    assert shift.url in text
    assert ADMIN_TOKEN not in text
    status = shift.program("auth", "status", "-o", "json").json
    assert (status["id"], status["url"], status["api"]) == ("work", shift.url, api)
    assert (status["token_source"], status["user"], status["status"]) == ("file", "admin", "ok")


def test_login_with_a_refused_token_creates_no_profile(shift: Shift, home: Path) -> None:
    wrong = home / "wrong"
    wrong.write_text("not-the-token\n", encoding="utf-8")
    wrong.chmod(0o600)
    refused = shift.program("auth", "login", "other", "--url", shift.url, "--token-file", wrong, "-o", "json", status=3)
    assert refused.error["code"] == "access_denied"
    assert refused.error["http_status"] == 403
    assert "other" not in shift.program("auth", "list", "-o", "id").stdout


def test_on_call_prints_the_document_of_cloud_with_the_team(shift: Shift) -> None:
    document = shift.program("teams", "who-is-on-call", "platform", "-o", "json").json
    assert document["team"] == {"id": "TKPSLLWBFUI9R", "name": "platform"}
    assert document["count"] == len(document["users"])
    person = document["users"][0]
    assert document["shifts"][0]["users"] == [person["id"]]
    table = shift.program("teams", "who-is-on-call", "platform").stdout.splitlines()
    assert table[0].split("\t")[:3] == ["TEAM", "USER", "EMAIL"]
    assert table[1].split("\t")[:3] == ["platform", person["username"], person["email"]]
    several = shift.program("teams", "who-is-on-call", "platform", "payments", "-o", "json").json
    assert [each["team"]["name"] for each in several] == ["platform", "payments"]


def test_window_is_started_shown_and_stopped_and_repeating_changes_nothing(shift: Shift) -> None:
    program = shift.program

    def one(*words: str) -> Any:
        (outcome,) = program("maintenance", *words, "-o", "json").json
        assert outcome.keys() == {"target", "id", "name", "status", "error", "integration"}
        assert (outcome["target"], outcome["name"], outcome["error"]) == (NAME, NAME, None)
        assert outcome["integration"]["id"] == outcome["id"]
        return outcome

    assert program("maintenance", "status", "-o", "json").json == []
    before = datetime.now(UTC)
    started = one("start", NAME, "--for", "30m")
    assert started["status"] == "started"
    again = one("start", NAME, "--for", "30m")
    assert again["status"] == "unchanged"
    assert again["integration"]["maintenance_started_at"] == started["integration"]["maintenance_started_at"]

    (window,) = program("maintenance", "status", "-o", "json").json
    assert window.keys() == {
        *("id", "name", "team_id", "mode", "started_at", "ends_at", "remaining_seconds", "overdue", "integration"),
        *("started_by", "reason"),
    }
    assert (window["id"], window["name"], window["mode"]) == (started["id"], NAME, "silence_escalations")
    assert window["overdue"] is False
    assert 0 < window["remaining_seconds"] <= 1800
    ends = datetime.fromisoformat(window["ends_at"])
    assert ends - datetime.fromisoformat(window["started_at"]) == timedelta(minutes=30)
    assert ends >= before.replace(microsecond=0) + timedelta(minutes=30)

    assert one("stop", NAME)["status"] == "stopped"
    assert one("stop", NAME)["status"] == "unchanged"
    assert program("maintenance", "status", "-o", "json").json == []
    (named,) = program("maintenance", "status", NAME, "-o", "json").json
    assert (named["mode"], named["remaining_seconds"], named["overdue"]) == (None, None, False)


def test_conflicting_window_stays_unchanged(shift: Shift) -> None:
    shift.program("maintenance", "start", NAME, "--for", "30m")
    before = shift.integration(NAME)
    refused = shift.program("maintenance", "start", NAME, "--for", "2h", "-o", "json", status=7)
    assert refused.error["code"] == "conflict"
    assert "--if-active" in refused.error["hint"]
    assert shift.integration(NAME) == before


def test_page_without_a_terminal_is_sent_without_a_prompt_and_printed(shift: Shift) -> None:
    before = shift.groups()
    ran = shift.program("escalate", "--team", "platform", "--title", "disk full", "-o", "json")
    group = ran.json
    assert group["title"] == "disk full"
    assert group["state"] == "firing"
    assert shift.groups() - before == {group["id"]}
    assert shift.program("alert-groups", "get", group["id"], "-o", "json").json["title"] == "disk full"
    assert len(shift.paged()) == 1


def test_page_declined_at_the_prompt_is_not_sent(shift: Shift) -> None:
    before = shift.groups()
    with shift.program.at_terminal("escalate", "--team", "platform", "--title", "disk full") as terminal:
        prompt = terminal.expect("[y/N] ")
        assert "platform" in prompt
        assert "disk full" in prompt
        assert f"work at {shift.host}" in prompt
        terminal.type("n\n")
        assert "declined" in terminal.end(status=5)
    assert shift.groups() == before
    assert shift.paged() == []


@pytest.mark.parametrize("keys", ["\n", "\x04", "yep\n"], ids=["Enter", "Ctrl-D", "anything else"])
def test_prompt_accepts_only_yes(shift: Shift, keys: str) -> None:
    with shift.program.at_terminal("escalate", "--team", "platform", "--title", "disk full") as terminal:
        terminal.expect("[y/N] ")
        terminal.type(keys)
        terminal.end(status=5)
    assert shift.paged() == []


def test_page_accepted_at_the_prompt_is_sent_once(shift: Shift) -> None:
    before = shift.groups()
    with shift.program.at_terminal("escalate", "--team", "platform", "--title", "disk full") as terminal:
        terminal.expect("[y/N] ")
        terminal.type("y\n")
        terminal.end()
        (group,) = shift.groups() - before
        assert group in terminal.plain
    assert len(shift.paged()) == 1
