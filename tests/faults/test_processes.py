"""No secrets in the arguments of processes, which other users can see, or in the environment of child processes."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.commands import SERVICE
from tests.serving import Serving
from tests.system.conftest import home, program  # noqa: F401  # fixtures
from tests.system.program import Program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows processes as files")

# Prints the arguments and the environment of this shell and of the program that started it.
PRINT_PROCESS = "cat /proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline /proc/$PPID/environ > {seen}"


@pytest.fixture
def seen(world: Path) -> Path:
    return world / "seen"


def print_process(seen: Path) -> str:
    return PRINT_PROCESS.format(seen=shlex.quote(str(seen)))


@pytest.fixture
def logged_in(program: Program, oss: Serving, world: Path, seen: Path) -> Program:  # noqa: F811
    """Return the program with a profile whose token comes from a command."""
    program = replace(program, forks=False)  # /proc shows the arguments of an interpreter of its own
    token = world / "token"
    token.write_text(oss.token)
    script = world / "say-token"
    script.write_text(f"#!/bin/sh\n{print_process(seen)}\ncat {shlex.quote(str(token))}\n")
    script.chmod(0o700)
    program("auth", "login", "work", "--url", oss.url, "--token-command", str(script))
    return program


def links(serving: Serving) -> list[str]:
    rows = serving.call("GET", "integrations/?perpage=1000")["results"]
    return [row["link"] for row in rows if row["link"]]


def assert_nothing(serving: Serving, seen: Path) -> None:
    text = seen.read_bytes().decode()
    assert "oncallctl" in text
    assert serving.token not in text
    assert not [link for link in links(serving) if link in text]


@pytest.mark.promise("profiles-token-handed-to-no")
def test_token_command_has_the_token_in_no_argument_and_no_variable(
    logged_in: Program, oss: Serving, seen: Path
) -> None:
    seen.unlink()
    logged_in("teams", "list", "-vvv")
    assert_nothing(oss, seen)


@pytest.mark.promise("profiles-token-handed-to-no")
def test_command_of_maintenance_run_does_not_receive_the_token(
    logged_in: Program, oss: Serving, seen: Path, world: Path
) -> None:
    other = world / "seen-by-the-command"
    logged_in("maintenance", "run", SERVICE, "--for", "1h", "-vvv", "--", "sh", "-c", print_process(other))
    assert_nothing(oss, other)
    assert len([each for each in oss.changes() if each.endswith("maintenance_start")]) == 1
