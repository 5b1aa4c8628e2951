"""Logins with the token in a keyring; each command is a process."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from oncallctl.sandbox import ADMIN_TOKEN, EDITOR_TOKEN
from tests.serving import Serving
from tests.system.needs import need
from tests.system.program import Program
from tests.system.secret_service.session import (
    PROMPTER,
    SECRET_SERVICE,
    Session,
    desktop_session,
    isolated_environment,
)


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    with desktop_session(home) as session:
        yield session


@pytest.fixture
def unlocked(session: Session) -> Iterator[Session]:
    with session.gnome_keyring("open sesame"):
        yield session


def within(session: Session) -> Program:
    """Return the program in a session."""
    return Program({**session.environment, "LC_ALL": "C.UTF-8"})


@pytest.fixture
def desktop(unlocked: Session, cloud: Serving) -> Program:
    """Return the program in a session with an unlocked keyring, with a profile `work`."""
    program = within(unlocked)
    ran = program("auth", "login", "work", "--url", cloud.url, "--token-stdin", stdin=f"{ADMIN_TOKEN}\n")
    assert ADMIN_TOKEN not in ran.stdout + ran.stderr
    cloud.seen.clear()
    return program


@pytest.fixture
def config(home: Path) -> Path:
    return home / ".config/oncallctl/config.toml"


def test_token_in_the_keyring_is_found_by_a_new_process(desktop: Program, cloud: Serving, config: Path) -> None:
    status = desktop("auth", "status", "-o", "json").json
    assert (status["id"], status["token_source"], status["user"]) == ("work", "keyring", "admin")
    assert {each.headers["Authorization"] for each in cloud.seen} == {f"Bearer {ADMIN_TOKEN}"}
    assert ADMIN_TOKEN not in config.read_text(encoding="utf-8")
    assert desktop("auth", "token").stdout == f"{ADMIN_TOKEN}\n"


def test_token_in_the_keyring_is_in_no_file_of_the_home(desktop: Program, home: Path) -> None:
    desktop("auth", "status", "-vv")
    files = [file for file in home.rglob("*") if file.is_file()]
    assert home / ".config/oncallctl/config.toml" in files
    assert [file for file in files if ADMIN_TOKEN.encode() in file.read_bytes()] == []


def test_refused_token_is_not_stored(unlocked: Session, cloud: Serving, config: Path) -> None:
    program = within(unlocked)
    ran = program("auth", "login", "work", "--url", cloud.url, "--token-stdin", stdin="wrong-token\n", status=3)
    assert "wrong-token" not in ran.stdout + ran.stderr
    assert not config.exists()
    assert stored(unlocked, cloud.url) is None


def test_token_in_the_keyring_is_not_sent_to_another_host(
    desktop: Program, config: Path, cloud: Serving, tmp_path: Path
) -> None:
    good = config.read_text(encoding="utf-8")
    with Serving(tmp_path / "other.sqlite3", "cloud") as other:
        config.write_text(good.replace(cloud.url, other.url), encoding="utf-8")
        ran = desktop("teams", "list", "-o", "json", status=3)
        assert other.seen == []
        assert ran.error["code"] == "no_credentials"
        assert f"no token of profile work for {other.url}" in ran.error["message"]
        assert "auth login work" in ran.error["hint"]
    assert cloud.seen == []
    config.write_text(good, encoding="utf-8")
    desktop("teams", "list")


def test_profiles_on_the_same_host_have_separate_tokens(desktop: Program, cloud: Serving) -> None:
    desktop("auth", "login", "second", "--url", cloud.url, "--token-stdin", stdin=f"{EDITOR_TOKEN}\n")
    assert desktop("users", "whoami", "--profile", "second", "-o", "json").json["username"] == "bob"
    assert desktop("users", "whoami", "--profile", "work", "-o", "json").json["username"] == "admin"


def test_second_login_replaces_the_token(desktop: Program, cloud: Serving) -> None:
    desktop("auth", "login", "work", "--url", cloud.url, "--token-stdin", stdin=f"{EDITOR_TOKEN}\n")
    assert desktop("auth", "token").stdout == f"{EDITOR_TOKEN}\n"


def test_logout_removes_the_token_from_the_keyring(desktop: Program, unlocked: Session, cloud: Serving) -> None:
    assert stored(unlocked, cloud.url) == ADMIN_TOKEN
    desktop("auth", "logout", "work")
    assert stored(unlocked, cloud.url) is None
    assert "auth login" in desktop("auth", "status", status=3).stderr
    assert "work" not in desktop("auth", "list", "-o", "id").stdout.split()


def stored(session: Session, url: str) -> str | None:
    """Return the token that another program finds for the profile `work` and a URL."""
    words = [need("secret-tool", "libsecret-tools"), "lookup", "service", "oncallctl", "username", f"work {url}"]
    done = subprocess.run(words, env=session.environment, capture_output=True, text=True, check=False)
    return done.stdout or None


@pytest.mark.promise("never-an-argument-printed-logged")
def test_token_typed_at_the_prompt_is_not_shown(unlocked: Session, cloud: Serving) -> None:
    program = within(unlocked)
    with program.at_terminal("auth", "login", "work", "--url", cloud.url) as terminal:
        terminal.expect(f"API token for {cloud.url.removeprefix('http://')}: ")
        terminal.type(f"{ADMIN_TOKEN}\n")
        assert ADMIN_TOKEN not in terminal.end()
    assert stored(unlocked, cloud.url) == ADMIN_TOKEN


@contextmanager
def locked(session: Session) -> Iterator[Session]:
    with session.gnome_keyring("open sesame"):
        session.lock()
        with session.silent(PROMPTER) as prompts:
            yield session
            assert not prompts.exists(), "a prompt was opened that nobody may see"


@contextmanager
def hung(session: Session) -> Iterator[Session]:
    with session.silent(SECRET_SERVICE):
        yield session


@contextmanager
def nobody_on_the_bus(session: Session) -> Iterator[Session]:
    yield session


@contextmanager
def no_bus(session: Session) -> Iterator[Session]:
    yield Session(isolated_environment(session.directory), session.directory)


Keyring = Callable[[Session], AbstractContextManager[Session]]
KEYRINGS = [
    pytest.param(locked, "the keyring is locked", id="locked"),
    pytest.param(hung, "the keyring did not respond within 3 s", id="hung"),
    pytest.param(nobody_on_the_bus, "no Secret Service and no other keyring was found", id="no service"),
    pytest.param(no_bus, "there is no D-Bus session", id="no bus"),
]


@pytest.mark.parametrize("verb", ["login", "status", "logout", "a command"])
@pytest.mark.parametrize(("keyring", "reason"), KEYRINGS)
def test_keyring_that_does_not_open_exits_3_before_the_dbus_timeout(
    session: Session, cloud: Serving, keyring: Keyring, reason: str, verb: str
) -> None:
    config = session.directory / ".config/oncallctl/config.toml"
    words = {
        "login": ("auth", "login", "work", "--url", cloud.url, "--token-stdin", "--no-verify"),
        "status": ("auth", "status"),
        "logout": ("auth", "logout", "work"),
        "a command": ("escalate", "--team", "platform"),
    }[verb]
    before = f'default_profile = "work"\n[profiles.work]\nurl = "{cloud.url}"\n'
    config.parent.mkdir(parents=True)
    config.write_text(before, encoding="utf-8")
    with keyring(session) as broken:
        began = time.monotonic()
        ran = within(broken)(*words, "-o", "json", stdin=f"{ADMIN_TOKEN}\n", status=3)
        took = time.monotonic() - began
    assert took < 20  # by default a D-Bus call waits for 25 s
    assert ran.error["code"] == "no_credentials"
    assert reason in ran.error["message"]
    for way_out in ("--token-file ", "ONCALLCTL_URL with ONCALLCTL_TOKEN"):
        assert way_out in ran.error["hint"]
    assert ADMIN_TOKEN not in ran.stdout + ran.stderr
    assert cloud.seen == []
    assert config.read_text(encoding="utf-8") == before


def test_token_in_the_environment_bypasses_a_broken_keyring(session: Session, cloud: Serving) -> None:
    with session.silent(SECRET_SERVICE) as calls:
        environment = {"ONCALLCTL_URL": cloud.url, "ONCALLCTL_TOKEN": ADMIN_TOKEN, "ONCALLCTL_API": "cloud"}
        assert "platform" in within(session)("teams", "list", **environment).stdout
        assert not calls.exists()
