"""`maintenance export --to crontab --install` with a stand-in for the command `crontab`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Runner

WINDOWS = """\
[[window]]
name = "nights"
match = "service-*"
cron = "0 2 * * *"
timezone = "UTC"
duration = "1h"
"""
OTHERS = "MAILTO=me\n# backups\n0 3 * * * /bin/backup caf\udce9\n"  # not UTF-8


@pytest.fixture
def file(world: Path) -> Path:
    path = world / "windows.toml"
    path.write_text(WINDOWS)
    return path


@pytest.fixture
def crontab(world: Path) -> Path:
    """The crontab of the stand-in, which does not exist yet."""
    return world / "home" / "crontab"


def read(crontab: Path) -> str:
    return crontab.read_text(encoding="utf-8", errors="surrogateescape")


def write(crontab: Path, text: str) -> None:
    crontab.write_text(text, encoding="utf-8", errors="surrogateescape")


def install(run: Runner, file: Path, more: str = "", status: int = 0) -> str:
    done = run(f"maintenance export {file} --to crontab --install -p sandbox -o csv {more}", status=status)
    return done.stdout if status == 0 else done.stderr


@pytest.mark.parametrize("before", ["", OTHERS, OTHERS.rstrip("\n")])
def test_job_is_appended_to_the_crontab_once(run: Runner, file: Path, crontab: Path, before: str) -> None:
    if before:
        write(crontab, before)
    assert "installed" in install(run, file)
    text = read(crontab)
    assert text.startswith(before)
    assert text.count("maintenance apply") == 3  # the job, and the two lines that mark its block
    assert "unchanged" in install(run, file)
    assert read(crontab) == text


def test_changed_job_replaces_only_its_block(run: Runner, file: Path, crontab: Path) -> None:
    install(run, file)
    outdated = read(crontab).replace("* * * * *", "*/5 * * * *")
    write(crontab, f"{OTHERS}{outdated}0 4 * * * after\n")
    install(run, file)
    text = read(crontab)
    assert text.startswith(OTHERS)
    assert text.endswith("\n0 4 * * * after\n")
    assert "*/5" not in text


def test_job_of_another_file_has_a_block_of_its_own(run: Runner, file: Path, crontab: Path) -> None:
    other = file.with_name("other.toml")
    other.write_text(WINDOWS)
    install(run, file)
    install(run, other)
    assert read(crontab).count("# BEGIN oncallctl") == 2


def test_dry_run_prints_the_crontab_and_changes_nothing(run: Runner, file: Path, crontab: Path) -> None:
    write(crontab, "0 3 * * * backup\n")
    shown = install(run, file, "--dry-run")
    assert read(crontab) == "0 3 * * * backup\n"
    install(run, file)
    assert read(crontab) == shown


def test_block_without_an_end_is_refused_and_nothing_is_changed(run: Runner, file: Path, crontab: Path) -> None:
    install(run, file)
    damaged = "".join(line for line in read(crontab).splitlines(keepends=True) if "# END" not in line)
    write(crontab, damaged)
    assert "line 1 of the crontab begins a block that does not end" in install(run, file, status=2)
    assert read(crontab) == damaged


def test_crontab_that_cannot_be_read_is_an_error(
    run: Runner, file: Path, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world / "crontab").write_text("#!/bin/sh\necho 'you are not allowed to use this' >&2; exit 1\n")
    (world / "crontab").chmod(0o755)
    monkeypatch.setenv("PATH", str(world))
    assert "cannot read the crontab: you are not allowed to use this" in install(run, file, status=1)


def test_missing_crontab_command_is_an_error(
    run: Runner, file: Path, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(world))
    assert "crontab is not installed" in install(run, file, status=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--to systemd --install", "/etc/systemd/system/"),
        ("--to kubernetes --image i --install", "kubectl apply -f -"),
        ("--to crontab --install --write units", "--install and --write exclude each other"),
        ("--to crontab --dry-run", "--dry-run needs --install"),
    ],
)
def test_install_in_another_way_is_refused_with_the_command(
    run: Runner, file: Path, options: str, message: str
) -> None:
    assert message in run(f"maintenance export {file} {options} -p sandbox", status=2).stderr
