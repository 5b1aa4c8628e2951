"""The examples at the end of each command's help work on the sandbox when they are pasted in order."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from oncallctl import sandbox
from oncallctl.cli import app
from oncallctl.process import sent_changes
from tests.conftest import Runner
from tests.places import ROOT


def leaves(command: Any, path: str = "oncallctl") -> dict[str, Any]:
    below = getattr(command, "commands", {})
    if not below:
        return {path: command}
    return {line: leaf for name in below for line, leaf in leaves(below[name], f"{path} {name}").items()}


LEAVES = leaves(get_command(app))

pytestmark = pytest.mark.slow  # every example of every command


# Commands that cannot run here: they need a real server, or run until they are interrupted.
ELSEWHERE = ("oncallctl auth login", "oncallctl sandbox serve")


@pytest.fixture
def home(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home with two profiles, a token and a file of windows; the current directory."""
    home = world / "home"
    sandbox.reset(home / ".local" / "state" / "oncallctl" / "sandbox.sqlite3")
    (toml,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "windows-file.md").read_text("utf-8"), re.DOTALL)
    token = home / ".oncall-token"
    profile = f'url = "https://oncall.example.org"\ntoken_file = "{token}"\n'
    profiles = f"[profiles.prod]\n{profile}[profiles.staging]\n{profile}"
    files = {token: "secret", home / ".config" / "oncallctl" / "config.toml": profiles, home / "windows.toml": toml}
    for path, text in files.items():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
    monkeypatch.chdir(home)
    monkeypatch.setenv("ONCALLCTL_PROFILE", "sandbox")
    return home


@pytest.fixture
def paste(home: Path, run: Runner) -> Callable[[str], None]:
    """Run a line as bash would on the sandbox: programs of a pipeline one after the other, within this process."""

    def pasted(line: str) -> None:
        stdin = None
        for command in split_at("|", shlex.split(line)):
            words, *target = split_at(">", command)
            if words[0] == "echo":
                stdin = " ".join(words[1:]) + "\n"
            else:
                assert words[0] == "oncallctl"
                stdin = run(shlex.join(words[1:]), stdin=stdin).stdout
            if target:
                (home / target[0][0]).write_text(stdin)

    return pasted


def split_at(separator: str, words: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == separator:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def test_help_of_every_command_has_two_to_four_examples() -> None:
    counted = {path: len(leaf.examples) for path, leaf in LEAVES.items()}
    assert {path: count for path, count in counted.items() if not 2 <= count <= 4} == {}


def test_examples_end_the_help_as_they_can_be_pasted(run: Runner) -> None:
    text = run("escalate --help", COLUMNS="40").stdout
    lines = text.partition("\nExamples:\n")[2].splitlines()
    assert lines[0] == '  oncallctl escalate --team platform --title "db down" --dry-run'
    assert all(line.startswith("  oncallctl escalate ") for line in lines)


@pytest.mark.parametrize(("command", "leaf"), LEAVES.items(), ids=LEAVES)
def test_examples_pasted_in_order_succeed(command: str, leaf: Any, paste: Callable[[str], None]) -> None:
    """They also show that only a command that is declared to change the server does so."""
    for line in leaf.examples:
        if not line.startswith(ELSEWHERE):
            paste(line)
            if command in line.split("|")[-1]:
                assert leaf.changes == "server" or not sent_changes.any_sent()
