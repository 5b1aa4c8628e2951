"""Exported systemd units: checked by systemd-analyze, and run as systemd would."""

from __future__ import annotations

import codecs
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from oncallctl.sandbox import ADMIN_TOKEN
from tests.serving import Serving
from tests.system.needs import need
from tests.system.program import Program, Ran

HOURLY = """\
timezone = "Europe/Berlin"

[[window]]
name = "always"
integrations = ["service-010"]
cron = "* * * * *"
duration = "1h"
"""


@pytest.fixture(params=["windows.toml", '50% of $HOME\'s "own" windows.toml'])
def file(request: pytest.FixtureRequest, home: Path) -> Path:
    file = home / request.param
    file.write_text(HOURLY, encoding="utf-8")
    return file


@pytest.fixture
def units(work: Program, file: Path, tmp_path: Path) -> list[Path]:
    """Return the exported service and timer."""
    work("maintenance", "export", file, "--to", "systemd", "--write", tmp_path / "units")
    return sorted((tmp_path / "units").iterdir())


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [need("systemd-analyze", "systemd"), *words], capture_output=True, text=True, check=False, timeout=60
    )


def settings(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


def test_exported_units_pass_systemd_analyze(units: list[Path]) -> None:
    done = analyze("verify", "--man=no", *units)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_analyze_reports_an_invalid_unit(units: list[Path]) -> None:
    """It proves that the test above can fail."""
    service = units[0]
    service.write_text(service.read_text(encoding="utf-8").replace("ProtectHome=", "ProtectHuman="), encoding="utf-8")
    assert "ProtectHuman" in analyze("verify", "--man=no", *units).stderr


def test_exported_timer_elapses_every_minute(units: list[Path]) -> None:
    (moment,) = settings(units[1], "OnCalendar")
    done = analyze("calendar", "--iterations=3", "--base-time=2026-03-29 00:58:30 UTC", moment)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"00:59:00|01:00:00|01:01:00", done.stdout)


def test_exported_service_is_sandboxed(units: list[Path]) -> None:
    done = analyze("security", "--offline=true", "--threshold=35", units[0])
    assert done.returncode == 0, done.stdout + done.stderr


def run_as_systemd_would(unit: Path, home: Path, *, token: bool = True) -> Ran:
    """Run the command of a service with the credentials and environment of its unit."""
    credentials, state = home / "credentials", home / "state"
    shutil.rmtree(credentials, ignore_errors=True)
    credentials.mkdir()
    for line in settings(unit, "SetCredential"):
        name, _, value = line.partition(":")
        (credentials / name).write_bytes(codecs.escape_decode(value.encode())[0])
    for line in settings(unit, "LoadCredential") if token else []:
        name, _, source = line.partition(":")
        (credentials / name).write_bytes(Path(source.replace("%%", "%")).read_bytes())
        (credentials / name).chmod(0o440)  # how systemd's access list for the unit's user shows
    environment = {"CREDENTIALS_DIRECTORY": str(credentials), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    for line in settings(unit, "Environment"):
        (word,) = shlex.split(line)
        name, _, value = word.partition("=")
        value = value.replace(f"/run/credentials/{unit.name}", str(credentials)).replace("%S", str(state))
        environment[name] = value.replace("%%", "%")
    (start,) = settings(unit, "ExecStart")
    words = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(start)]
    done = subprocess.run(words, env=environment, cwd="/", capture_output=True, check=False, timeout=60)
    return Ran(done.returncode, done.stdout, done.stderr)


def test_exported_service_starts_the_window_silently(units: list[Path], cloud: Serving, home: Path) -> None:
    ran = run_as_systemd_would(units[0], home)
    assert (ran.status, ran.out, ran.err) == (0, b"", b"")
    assert [path for path in cloud.changes() if path.endswith("/maintenance_start")]
    again = run_as_systemd_would(units[0], home)
    assert (again.status, len(cloud.changes())) == (0, 1)


def test_exported_service_without_its_credential_prints_one_error(
    units: list[Path], cloud: Serving, home: Path
) -> None:
    ran = run_as_systemd_would(units[0], home, token=False)
    assert ran.status == 3
    assert ran.out == b""
    assert ran.err.startswith(b"error: ")
    assert ran.err.count(b"\n") == 1
    assert cloud.changes() == []


def test_exported_units_contain_no_token(units: list[Path]) -> None:
    assert not [unit for unit in units if ADMIN_TOKEN in unit.read_text(encoding="utf-8")]
