"""`auth login` at a terminal without a keyring: the token may go into a file instead."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from oncallctl.sandbox import ADMIN_TOKEN
from tests.serving import Serving
from tests.system.program import Program


@pytest.fixture
def file(home: Path) -> Path:
    """The file in which a login as `work` offers to store the token."""
    return home / ".config/oncallctl/work.token"


def log_in(program: Program, cloud: Serving, file: Path, token: str = ADMIN_TOKEN) -> str:
    """Accept the offer and type a token; return what the terminal showed."""
    with program.at_terminal("auth", "login", "work", "--url", cloud.url) as terminal:
        shown = terminal.expect(f"Store the token in {file} instead, readable only by you? [y/N] ")
        terminal.type("y\n")
        terminal.expect("API token for ")
        terminal.type(f"{token}\n")
        return shown + terminal.end(status=None)


@pytest.mark.promise("never-an-argument-printed-logged")
def test_login_without_a_keyring_stores_the_token_in_a_private_file(
    program: Program, cloud: Serving, file: Path
) -> None:
    shown = log_in(program, cloud, file)
    assert "no keyring available" in shown
    assert ADMIN_TOKEN not in shown
    assert file.read_text() == f"{ADMIN_TOKEN}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ADMIN_TOKEN not in (file.parent / "config.toml").read_text()
    status = program("auth", "status", "-o", "json").json
    assert (status["token_source"], status["user"]) == ("file", "admin")


def test_login_declined_offer_stores_nothing(program: Program, cloud: Serving, file: Path) -> None:
    with program.at_terminal("auth", "login", "work", "--url", cloud.url) as terminal:
        terminal.expect("[y/N] ")
        terminal.type("\n")
        shown = terminal.end(status=5)
    assert "API token" not in shown
    assert f"oncallctl auth login work --url {cloud.url} --token-file {file}" in shown.replace("\r\n", "")
    assert not file.parent.exists()
    assert cloud.seen == []


def test_login_with_a_refused_token_writes_no_file(program: Program, cloud: Serving, file: Path) -> None:
    assert "the server refused the token" in log_in(program, cloud, file, token="wrong-token")
    assert not file.exists()


def test_logout_and_login_with_another_source_remove_the_token_file(
    program: Program, cloud: Serving, file: Path, token_file: Path
) -> None:
    log_in(program, cloud, file)
    program("auth", "login", "work", "--url", cloud.url, "--token-file", token_file)
    assert not file.exists()
    log_in(program, cloud, file)
    program("auth", "logout", "work")
    assert not file.exists()
    assert token_file.exists()


def test_login_without_a_terminal_names_a_command_that_works(program: Program, cloud: Serving, file: Path) -> None:
    hint = program("auth", "login", "work", "--url", cloud.url, "-o", "json", status=2).error["hint"]
    command = hint.partition("then ")[2].partition(";")[0]
    file.parent.mkdir(parents=True)
    file.touch(0o600)
    file.write_text(ADMIN_TOKEN)
    program(*command.split()[1:])
    assert program("auth", "status", "-o", "json").json["user"] == "admin"
    assert file.read_text() == ADMIN_TOKEN
