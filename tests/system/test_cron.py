"""An exported crontab line run by a real cron, with its own spool and /run in a mount namespace."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from oncallctl.sandbox import ADMIN_TOKEN
from tests.system.needs import need
from tests.system.program import Program, sandbox_server

FILE = """\
timezone = "Europe/Berlin"

[[window]]
name = "always"
integrations = ["{}"]
cron = "* * * * *"
duration = "1h"
"""
A_MINUTE_AND_SOME = 100.0  # seconds

# The crontabs of the system stay untouched, and another cron does not interfere.
_CAGE = """
set -e
mount --bind "$1" /var/spool/cron/crontabs
mount -t tmpfs none /run
mount -t tmpfs none /etc/cron.d
mount --bind /dev/null /etc/crontab
exec "$2" -f
"""


def may_have_mounts_of_its_own(unshare: str) -> bool:
    words = [unshare, "--mount", "mount", "-t", "tmpfs", "none", "/run"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def cron(jobs: list[str], folder: Path) -> Iterator[None]:
    """Let cron run commands as root every minute: in a mount namespace, or else from a file in cron.d."""
    daemon, unshare = need("cron", "cron"), need("unshare", "util-linux")
    if os.geteuid() != 0:
        if os.environ.get("ONCALLCTL_TEST_NOTHING_SKIPPED") == "1":
            pytest.fail("only root can start cron")
        pytest.skip("only root can start cron")
    if caged := may_have_mounts_of_its_own(unshare):
        (folder / "spool").mkdir(mode=0o700)
        table, user = folder / "spool/root", ""
        words = [unshare, "--mount", "sh", "-c", _CAGE, "sh", str(folder / "spool"), daemon]
    else:
        table, user = Path(f"/etc/cron.d/oncallctl-test-{os.getpid()}"), "root "
        words = [daemon, "-f"]
    try:
        table.write_text("".join(f"* * * * * {user}{job}\n" for job in jobs), encoding="utf-8")
        table.chmod(0o600)
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            try:
                yield
                # Without a mount namespace it exits at once if another cron runs, which then runs the jobs.
                assert process.poll() is None or not caged, "cron ended by itself"
            finally:
                process.terminate()
    finally:
        table.unlink()


def redirected(job: str, out: Path) -> str:
    """Redirect the output of a job to a file, followed by its exit status."""
    return f'( {job} ) >>"{out}" 2>&1; echo "exit $?" >>"{out}"'


def test_exported_crontab_starts_windows_and_prints_only_failures(
    program: Program, home: Path, tmp_path: Path, token_file: Path
) -> None:
    refused = home / "refused"
    refused.write_text("no-token-of-anybody")
    refused.chmod(0o600)
    config = {"ONCALLCTL_CONFIG": str(home / "50% of it/config.toml")}
    state = {"XDG_STATE_HOME": str(home / "its state")}
    jobs: dict[Path, str] = {}
    with sandbox_server(program, "cloud") as url:
        for name, token, integration in (("good", token_file, "service-010"), ("bad", refused, "service-011")):
            file = home / f'{name} 100%\'s "$HOME".toml'
            file.write_text(FILE.format(integration), encoding="utf-8")
            login = ("--url", url, "--api", "cloud", "--token-file", token, "--no-verify")
            program("auth", "login", name, *login, **config)
            exported = program("maintenance", "export", file, "--to", "crontab", "--profile", name, **config, **state)
            assert ADMIN_TOKEN not in exported.stdout
            *comment, line = exported.stdout.splitlines()
            assert all(each.startswith("#") for each in comment)
            assert line.startswith("* * * * * ")
            jobs[tmp_path / f"{name}.out"] = line.removeprefix("* * * * * ")
        with cron([redirected(job, out) for out, job in jobs.items()], tmp_path):
            give_up = time.monotonic() + A_MINUTE_AND_SOME
            while not all(out.exists() and "exit" in out.read_text(encoding="utf-8") for out in jobs):
                assert time.monotonic() < give_up, f"cron has not run {jobs}"
                time.sleep(0.5)
        good, bad = (out.read_text(encoding="utf-8").splitlines() for out in jobs)
        active = program("maintenance", "status", "--profile", "good", "-o", "json", **config).json
    assert good[0] == "exit 0"
    error, ended = bad[:2]
    assert error.startswith("error: ")
    assert "refused the token" in error
    assert ended == "exit 3"
    names = {window["name"] for window in active}
    assert "service-010" in names
    assert "service-011" not in names
    assert (home / "its state/oncallctl").is_dir()
