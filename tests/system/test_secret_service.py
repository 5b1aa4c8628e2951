"""The keyring with a real Secret Service, and without one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.system.needs import need
from tests.system.secret_service.session import (
    PROMPTER,
    SECRET_SERVICE,
    Session,
    desktop_session,
    isolated_environment,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ASK = Path(__file__).parent / "secret_service" / "ask.py"
ORIGIN = "https://oncall.example.org"
TOKEN = "glsa_jXkq7hT0notAtokenOfAnybody_0a1b2c3d"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with desktop_session(tmp_path) as session:
        yield session


@pytest.fixture
def unlocked(session: Session) -> Iterator[Session]:
    with session.gnome_keyring("open sesame"):
        yield session


def ask(environment: dict[str, str], verb: str, *, profile: str = "prod", origin: str = ORIGIN) -> Any:
    run = subprocess.run(
        [sys.executable, "-W", "error", str(ASK), verb, profile, origin],
        env=environment,
        input=TOKEN,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""
    return json.loads(run.stdout)


def refused(environment: dict[str, str], verb: str = "read") -> str:
    """Return the error message, after checking code, hint and secrecy."""
    error = ask(environment, verb)["error"]
    assert (error["code"], error["exit_code"]) == ("no_credentials", 3)
    for way_out in ("auth login prod --url URL --token-file FILE", "ONCALLCTL_URL with ONCALLCTL_TOKEN", "cron"):
        assert way_out in error["hint"]
    assert TOKEN not in str(error)
    assert "\n" not in error["message"]
    return str(error["message"])


def test_token_is_stored_read_and_removed(unlocked: Session) -> None:
    assert ask(unlocked.environment, "write") == {"answer": None}
    assert ask(unlocked.environment, "read") == {"answer": TOKEN}
    assert ask(unlocked.environment, "delete") == {"answer": True}
    assert ask(unlocked.environment, "delete") == {"answer": False}
    assert "has no token of profile prod" in ask(unlocked.environment, "read")["error"]["message"]


def test_token_is_found_by_other_programs_under_profile_and_host(unlocked: Session) -> None:
    secret_tool = need("secret-tool", "libsecret-tools")
    ask(unlocked.environment, "write")
    words = [secret_tool, "lookup", "service", "oncallctl", "username", f"prod {ORIGIN}"]
    assert subprocess.run(words, env=unlocked.environment, capture_output=True, text=True, check=True).stdout == TOKEN


def test_changed_url_does_not_get_the_token_of_the_old_host(unlocked: Session) -> None:
    ask(unlocked.environment, "write")
    error = ask(unlocked.environment, "read", origin="https://elsewhere.example.org")["error"]
    assert error["message"] == "the keyring has no token of profile prod for https://elsewhere.example.org"
    assert error["hint"] == "oncallctl auth login prod"


@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_locked_keyring_is_named_without_opening_a_prompt(unlocked: Session, verb: str) -> None:
    ask(unlocked.environment, "write")
    unlocked.lock()
    with unlocked.silent(PROMPTER) as prompts:
        assert refused(unlocked.environment, verb) == "the keyring is locked"
        assert not prompts.exists()


def test_keyring_library_by_default_opens_a_prompt(unlocked: Session) -> None:
    """It is why the lock is checked first, and proves that the test above would notice a prompt."""
    unlocked.lock()
    code = "import keyring; keyring.get_password('oncallctl', 'anybody')"
    with unlocked.silent(PROMPTER) as prompts, unlocked.program(sys.executable, "-c", code) as waiting:
        give_up = time.monotonic() + 30
        while not prompts.exists():
            assert time.monotonic() < give_up, "no prompt was opened"
            assert waiting.poll() is None
            time.sleep(0.02)


@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_service_without_a_keyring_is_not_made_to_create_it(session: Session, verb: str) -> None:
    with session.gnome_keyring(None), session.silent(PROMPTER) as prompts:
        message = refused(session.environment, verb)
        assert message == "no keyring available: the Secret Service has no default keyring yet"
        assert not prompts.exists()


@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_unresponsive_service_is_given_up_before_the_dbus_timeout(session: Session, verb: str) -> None:
    with session.silent(SECRET_SERVICE) as calls:
        began = time.monotonic()
        message = refused(session.environment, verb)
        took = time.monotonic() - began
        assert message == "the keyring did not respond within 3 s"
        assert took < 20  # by default a D-Bus call waits for 25 s
        assert calls.read_text(encoding="utf-8") == "Get\n"


def test_keyring_without_a_session_bus_is_missing(tmp_path: Path) -> None:
    need("gnome-keyring-daemon", "gnome-keyring")  # on macOS there is a keyring without a bus
    assert refused(isolated_environment(tmp_path)) == "no keyring available: there is no D-Bus session"


def test_keyring_on_a_bus_without_a_service_is_missing(session: Session) -> None:
    message = refused(session.environment)
    assert message == "no keyring available: no Secret Service and no other keyring was found"


def test_keyring_on_a_stopped_bus_is_missing(tmp_path: Path) -> None:
    with desktop_session(tmp_path) as session:
        pass
    message = refused(session.environment)
    assert message == "no keyring available: no Secret Service and no other keyring was found"


@pytest.mark.parametrize("where", ["no bus", "an empty bus", "a bus that has gone"])
def test_secret_service_selected_by_name_is_missing_without_a_bus_or_service(tmp_path: Path, where: str) -> None:
    with desktop_session(tmp_path) as session:
        environment = session.environment | {"PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}
        if where == "no bus":
            del environment["DBUS_SESSION_BUS_ADDRESS"]
        if where == "an empty bus":
            assert refused(environment).startswith("no keyring available: The Secret Service daemon is neither")
            return
    assert refused(environment).startswith("no keyring available: ")


def test_missing_program_skips_a_test_and_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONCALLCTL_TEST_NOTHING_SKIPPED", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install some-package"):
        need("no-such-program", "some-package")


def test_missing_program_fails_a_test_if_skipping_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONCALLCTL_TEST_NOTHING_SKIPPED", "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install some-package"):
        need("no-such-program", "some-package")
