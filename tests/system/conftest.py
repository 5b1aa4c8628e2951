"""Fixtures for tests of real processes: a HOME, the program, and a server with a profile for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from oncallctl.sandbox import ADMIN_TOKEN
from tests.places import ROOT
from tests.serving import Serving
from tests.system.program import Program


@pytest.fixture
def home(world: Path) -> Path:
    """Return the HOME of the program, which reads and writes nothing outside."""
    return world / "home"


@pytest.fixture
def program(home: Path) -> Program:
    """Return the program for a user without any configuration."""
    return Program(
        {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }
    )


@pytest.fixture
def token_file(home: Path) -> Path:
    """Return a file with the token of the sandbox, readable only by its owner."""
    file = home / "token"
    file.write_text(f"{ADMIN_TOKEN}\n", encoding="utf-8")
    file.chmod(0o600)
    return file


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Serving]:
    """Start the sandbox as Cloud in this process. The environment does not point at it."""
    with Serving(tmp_path / "cloud.sqlite3", "cloud") as serving:
        yield serving


@pytest.fixture
def work(program: Program, home: Path, cloud: Serving, token_file: Path) -> Program:
    """Return the program with a default profile `work` for the server `cloud`, as `auth login` stores it."""
    config = home / ".config/oncallctl/config.toml"
    config.parent.mkdir(mode=0o700, parents=True)
    config.write_text(
        'default_profile = "work"\n\n[profiles.work]\n'
        f'url = "{cloud.url}"\napi = "cloud"\ntoken_source = "file"\ntoken_file = "{token_file}"\n',
        encoding="utf-8",
    )
    config.chmod(0o600)
    return program
