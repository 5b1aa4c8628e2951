"""Fixtures for every test: an empty environment, sandbox servers, and `run` for the program in this process."""

from __future__ import annotations

import gc
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from typer.main import get_command
from typer.testing import CliRunner

from tests.places import STAND_INS
from tests.serving import Serving

# Hypothesis limits the time of an example, which would fail on a slow machine.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("tests"), max_examples=15)
settings.load_profile("tests")

# Folders of tests that start processes, wait for timeouts or replay hundreds of requests: not part of `make quick`.
SLOW = {"contract", "faults", "system"}
# Files whose tests wait most of the time. They start first, so that other tests run in the meantime.
WAITING = ("test_cron.py", "test_keyring_login.py", "test_secret_service.py")


def pytest_configure() -> None:
    """Restore signals that a background job of a shell ignores.

    Programs inherit ignored signals: a test that presses Ctrl-C would wait for a program that never ends.
    """
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGQUIT, signal.SIG_DFL),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the slow folders, and put those that wait first."""
    items.sort(key=lambda item: item.path.name not in WAITING)
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in SLOW:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Exclude the collected tests and imported modules from garbage collection, which would visit them repeatedly."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory with an empty HOME and crontab; no variables of the program, no keyring, and UTC."""
    for name in list(os.environ):
        if name.startswith(("ONCALLCTL_", "GRAFANA_")) and name != "ONCALLCTL_TEST_NOTHING_SKIPPED":
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name, folder in (
        ("CONFIG", ".config"),
        ("STATE", ".local/state"),
        ("CACHE", ".cache"),
        ("DATA", ".local/share"),
    ):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("PATH", f"{STAND_INS}:{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path


@dataclass(frozen=True)
class Run:
    """Exit status and output of the program."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def error(self) -> dict[str, Any]:
        """The last line of stderr as the JSON error that scripts read."""
        return json.loads(self.stderr.strip().splitlines()[-1])["error"]


Runner = Callable[..., Run]


@cache
def command_tree() -> Any:
    """Return the root command. Typer takes 20 ms to build the tree."""
    from oncallctl.cli import app

    return get_command(app)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Run the program in this process: ``run("teams list -o json")``."""

    def invoke(line: str, *, stdin: str | None = None, status: int | None = 0, **environment: str) -> Run:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            with CliRunner().isolation(input=stdin) as (stdout, stderr, _):
                with pytest.raises(SystemExit) as ended:
                    command_tree().main(shlex.split(line), prog_name="oncallctl")
                sys.stdout.flush()
                sys.stderr.flush()
                done = Run(ended.value.code, stdout.getvalue().decode(), stderr.getvalue().decode())
        assert "Traceback" not in done.stderr
        if status is not None:
            assert done.status == status, f"exit {done.status}\n{done.stdout}\n{done.stderr}"
        return done

    return invoke


def _serve(dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[Serving]:
    with Serving(tmp_path / f"{dialect}.sqlite3", dialect, **options) as serving:
        monkeypatch.setenv("ONCALLCTL_URL", serving.url)
        monkeypatch.setenv("ONCALLCTL_TOKEN", serving.token)
        monkeypatch.setenv("ONCALLCTL_API", dialect)
        yield serving


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """Start the sandbox as Cloud, and point the environment at it."""
    yield from _serve("cloud", tmp_path, monkeypatch)


@pytest.fixture
def oss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """Start the sandbox as a self-hosted engine, and point the environment at it."""
    yield from _serve("oss", tmp_path, monkeypatch)


@pytest.fixture
def unswept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """Start the sandbox as a self-hosted engine that does not close overdue windows."""
    yield from _serve("oss", tmp_path, monkeypatch, sweeps=False)


@pytest.fixture(params=["cloud", pytest.param("oss", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """Run the test on Cloud and on a self-hosted engine. `make quick` runs it on Cloud only."""
    yield from _serve(request.param, tmp_path, monkeypatch)


on_cloud = pytest.mark.parametrize("server", ["cloud"], indirect=True)
"""Run a test that uses `server` on Cloud only: the variants do not differ in its result."""
