"""Fixtures for hostile texts: the server, and the program as a process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.hostile.spoiling import Spoiled
from tests.places import ROOT
from tests.system.program import Program


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spoiled]:
    """Start Cloud with hostile texts, and point the environment at it."""
    # No waits before retries, and no randomness beside that of Hypothesis.
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("random.uniform", lambda least, _: least)
    with Spoiled(tmp_path / "cloud.sqlite3", "cloud", rate_limit=100_000) as serving:
        monkeypatch.setenv("ONCALLCTL_URL", serving.url)
        monkeypatch.setenv("ONCALLCTL_TOKEN", serving.token)
        monkeypatch.setenv("ONCALLCTL_API", "cloud")
        yield serving


@pytest.fixture
def program(world: Path, hostile: Spoiled) -> Program:
    """Return the program with an environment that points at the hostile server."""
    return Program(
        {
            "HOME": str(world / "home"),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "ONCALLCTL_URL": hostile.url,
            "ONCALLCTL_TOKEN": hostile.token,
            "ONCALLCTL_API": "cloud",
        },
        folder=world,
    )
