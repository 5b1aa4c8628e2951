"""Fixtures for `doctor`: the program, its config file and a profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from oncallctl import sandbox
from tests.cli.doctor.setups import Doctor, Rows, write
from tests.conftest import Run, Runner
from tests.serving import Serving

TOKENS = (
    sandbox.ADMIN_TOKEN,
    sandbox.EDITOR_TOKEN,
    sandbox.VIEWER_TOKEN,
    sandbox.SERVICE_ACCOUNT_TOKEN,
    "not-the-right-token",
)


@pytest.fixture(autouse=True)
def _plain_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    for name in ("XDG_DATA_DIRS", "BASH_COMPLETION_USER_DIR", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def doctor(run: Runner) -> Doctor:
    """Run `doctor` and return its rows by check, after checking the properties of every run."""

    def invoke(line: str = "", *, exit_code: int = 0, **environment: str) -> Rows:
        done: Run = run(f"doctor -o json {line}", status=exit_code, **environment)
        assert not [token for token in TOKENS if token in done.stdout + done.stderr]
        failed = [row for row in done.json if row["status"] == "fail"]
        assert bool(failed) == (exit_code != 0)
        for row in done.json:
            assert set(row) == {"check", "status", "message", "hint"}
            assert row["status"] in {"ok", "warn", "fail"}
            assert row["hint"] is None if row["status"] == "ok" else row["status"] == "fail" or row["hint"]
        if failed:
            assert done.error["exit_code"] == exit_code
            assert done.error["message"] == f"{failed[0]['check']}: {failed[0]['message']}"
        rows = {row["check"]: row for row in done.json}
        assert len(rows) == len(done.json)
        return rows

    return invoke


@pytest.fixture
def config(world: Path) -> Path:
    path = world / "home/.config/oncallctl/config.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def work(cloud: Serving, config: Path, world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The token file of a profile that the environment does not name."""
    for name in ("ONCALLCTL_URL", "ONCALLCTL_TOKEN", "ONCALLCTL_API"):
        monkeypatch.delenv(name)
    token = world / "token"
    token.write_text(cloud.token)
    token.chmod(0o600)
    write(config, f'[profiles.work]\nurl = "{cloud.url}"\napi = "cloud"\ntoken_file = "{token}"\n')
    return token
