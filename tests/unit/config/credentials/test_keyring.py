"""Tokens in keyrings; the real Secret Service is in tests/system."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordSetError

from oncallctl.config.credentials import (
    delete_keyring,
    read_keyring,
    write_keyring,
)
from tests.places import ROOT
from tests.unit.config.credentials.refusals import ORIGIN, TOKEN, refused

if TYPE_CHECKING:
    from collections.abc import Callable


class Memory(KeyringBackend):
    """A keyring that works but that the library does not recommend."""

    priority = 0.5
    entries: ClassVar[dict[tuple[str, str], str]] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


class Failing(KeyringBackend):
    """A keyring that raises `error`."""

    priority = 0.4
    error: ClassVar[BaseException] = Exception()

    def get_password(self, *_: str) -> str | None:
        raise self.error

    def set_password(self, *_: str) -> None:
        raise self.error


@pytest.fixture(autouse=True)
def no_keyring_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{__name__}.Memory")
    monkeypatch.setattr(Memory, "entries", {})
    return Memory.entries


@pytest.mark.usefixtures("memory")
def test_keyring_token_is_stored_read_and_removed() -> None:
    write_keyring("prod", ORIGIN, TOKEN)
    assert read_keyring("prod", ORIGIN) == TOKEN
    assert delete_keyring("prod", ORIGIN) is True
    assert delete_keyring("prod", ORIGIN) is False


def test_keyring_entry_is_named_by_profile_and_host(memory: dict[tuple[str, str], str]) -> None:
    write_keyring("prod", ORIGIN, f" {TOKEN}\n")
    assert memory == {("oncallctl", f"prod {ORIGIN}"): TOKEN}


@pytest.mark.parametrize(
    ("profile", "origin"),
    [("prod", "https://other.example.org"), ("prod", "http://oncall.example.org"), ("test", ORIGIN)],
)
@pytest.mark.usefixtures("memory")
def test_keyring_token_of_another_host_or_profile_is_not_returned(profile: str, origin: str) -> None:
    write_keyring("prod", ORIGIN, TOKEN)
    error = refused(read_keyring, profile, origin)
    assert error.message == f"the keyring has no token of profile {profile} for {origin}"
    assert error.hint == f"oncallctl auth login {profile}"
    assert delete_keyring(profile, origin) is False
    assert read_keyring("prod", ORIGIN) == TOKEN


@pytest.mark.usefixtures("memory")
def test_keyring_hint_quotes_the_profile() -> None:
    assert refused(read_keyring, "my prod", ORIGIN).hint == "oncallctl auth login 'my prod'"


def test_keyring_entry_not_a_token_is_refused(memory: dict[tuple[str, str], str]) -> None:
    memory["oncallctl", f"prod {ORIGIN}"] = f"{TOKEN}\nand more"
    assert ": not a token: " in refused(read_keyring, "prod", ORIGIN).message


def test_keyring_invalid_token_is_not_stored(memory: dict[tuple[str, str], str]) -> None:
    refused(write_keyring, "prod", ORIGIN, f"Bearer {TOKEN}")
    assert memory == {}


@pytest.mark.parametrize("backend", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
@pytest.mark.parametrize(("call", "arguments"), [(read_keyring, []), (delete_keyring, []), (write_keyring, [TOKEN])])
def test_keyring_backend_without_storage_is_reported_as_absent(
    monkeypatch: pytest.MonkeyPatch, backend: str, call: Callable[..., object], arguments: list[str]
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    error = refused(call, "prod", ORIGIN, *arguments)
    assert error.message.startswith("no keyring available: ")
    for way_out in ("auth login prod --url URL --token-file FILE", "ONCALLCTL_URL with ONCALLCTL_TOKEN", "cron"):
        assert way_out in str(error.hint)


def test_keyring_configuration_file_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = tmp_path / "config/python_keyring/keyringrc.cfg"
    configuration.parent.mkdir(parents=True)
    configuration.write_text(f"[backend]\ndefault-keyring={__name__}.Memory\n", encoding="utf-8")
    monkeypatch.setattr(Memory, "entries", {("oncallctl", f"prod {ORIGIN}"): TOKEN})
    assert read_keyring("prod", ORIGIN) == TOKEN


def test_keyring_backend_not_recommended_is_used_only_by_name(
    memory: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_keyring("prod", ORIGIN, TOKEN)
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    refused(read_keyring, "prod", ORIGIN)
    assert memory


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyringLocked("Failed to unlock"), "the keyring is locked"),
        (PasswordSetError(f"no: {TOKEN}\nmore"), "the keyring failed: PasswordSetError: no: ***"),
        (OSError(5, "Input/output error"), "the keyring failed: OSError: Input/output error"),
        (ValueError(), "the keyring failed: ValueError: no reason given"),
        (TimeoutError("after 25 s"), "the keyring did not respond within 3 s"),
        (SystemExit(1), "the keyring failed: SystemExit: 1"),
    ],
)
def test_keyring_exception_is_reported_with_alternatives(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, message: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{__name__}.Failing")
    monkeypatch.setattr(Failing, "error", error)
    refusal = refused(write_keyring, "prod", ORIGIN, TOKEN)
    assert refusal.message == message
    assert "--token-file FILE" in str(refusal.hint)


def test_keyring_unknown_backend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no_such_module.Keyring")
    message = refused(read_keyring, "prod", ORIGIN).message
    assert message == "the keyring failed: ModuleNotFoundError: No module named 'no_such_module'"


@pytest.mark.parametrize("place", ["while it is imported", "while it is asked"])
def test_keyring_hanging_is_given_up(tmp_path: Path, place: str) -> None:
    (tmp_path / "hanging.py").write_text(
        "import time\n"
        "from keyring.backend import KeyringBackend\n"
        f"time.sleep({60 if place == 'while it is imported' else 0})\n"
        "class Keyring(KeyringBackend):\n"
        "    priority = 9\n"
        "    def get_password(self, service, username): time.sleep(60)\n"
        "    set_password = get_password\n",
        encoding="utf-8",
    )
    code = (
        "from oncallctl.config.credentials import read_keyring\n"
        "from oncallctl.errors import NoCredentials\n"
        "try:\n"
        "    read_keyring('prod', 'https://oncall.example.org')\n"
        "except NoCredentials as error:\n"
        "    print(error.message)\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}",
        "PYTHON_KEYRING_BACKEND": "hanging.Keyring",
    }
    began = time.monotonic()
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert time.monotonic() - began < 30  # the keyring sleeps for 60 s
    assert (run.stdout, run.stderr) == ("the keyring did not respond within 3 s\n", "")


def test_keyring_library_is_imported_only_for_the_keyring(file: Path) -> None:
    code = (
        "import sys; from oncallctl.config.credentials import read_token_file, run_token_command\n"
        "read_token_file(sys.argv[1]); run_token_command('cat ' + sys.argv[1])\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('keyring', 'secretstorage', 'jeepney')])"
    )
    words = [sys.executable, "-c", code, str(file)]
    assert subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"
