"""A home of its own for the program as a process, and servers that it can reach."""

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
    """The HOME of the program: nothing outside it is read or written."""
    return world / "home"


@pytest.fixture
def program(home: Path) -> Program:
    """The program for a user who has configured nothing."""
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
    """A file with the sandbox's token that only its owner can read."""
    file = home / "token"
    file.write_text(f"{ADMIN_TOKEN}\n", encoding="utf-8")
    file.chmod(0o600)
    return file


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Serving]:
    """The sandbox as Cloud in this process, with a record and faults; nothing points at it."""
    with Serving(tmp_path / "cloud.sqlite3", "cloud") as serving:
        yield serving


@pytest.fixture
def work(program: Program, cloud: Serving, token_file: Path) -> Program:
    """The program logged in to that server as the profile `work`; the record begins after that."""
    program("auth", "login", "work", "--url", cloud.url, "--token-file", token_file)
    cloud.seen.clear()
    return program
