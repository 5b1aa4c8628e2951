"""A world of its own for each test, the sandbox behind a socket, and the program as `run`."""

from __future__ import annotations

import json
import os
import shlex
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from typer.testing import CliRunner

from tests.serving import Serving

# A slow machine is no reason to fail: neither the time of an example nor that of making examples counts.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# Folders of tests that start processes, wait for timeouts or replay hundreds of requests: not part of `make quick`.
SLOW = {"contract", "faults", "system"}


def pytest_configure() -> None:
    """Let signals arrive also if the suite runs as a background job of a shell, which ignores them for it.

    A program inherits what is ignored: its tests would wait for the effect of a Ctrl-C for ever.
    """
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow folders; the test that waits for cron starts first, so that others run in the meantime."""
    items.sort(key=lambda item: item.path.name != "test_cron.py")
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOME, no variables of this program's or of Grafana's, no keyring, and UTC."""
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
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path


@dataclass(frozen=True)
class Run:
    """What a run of the program left behind."""

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


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Run the program within this process: ``run("teams list -o json")``."""
    from oncallctl.cli import app

    def invoke(line: str, *, stdin: str | None = None, status: int | None = 0, **environment: str) -> Run:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            result = CliRunner().invoke(app, shlex.split(line), input=stdin, prog_name="oncallctl")
        done = Run(result.exit_code, result.stdout, result.stderr)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
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
    """The sandbox as Cloud, behind a socket; the environment points at it."""
    yield from _serve("cloud", tmp_path, monkeypatch)


@pytest.fixture
def oss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """The sandbox as a self-hosted engine, behind a socket; the environment points at it."""
    yield from _serve("oss", tmp_path, monkeypatch)


@pytest.fixture
def unswept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """A self-hosted engine that has not yet ended the windows that are over."""
    yield from _serve("oss", tmp_path, monkeypatch, sweeps=False)


@pytest.fixture(params=["cloud", pytest.param("oss", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """Cloud and a self-hosted engine, in tests of their own; `make quick` runs only those on Cloud."""
    yield from _serve(request.param, tmp_path, monkeypatch)
