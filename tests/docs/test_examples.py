"""The examples at the end of each command's help work on the sandbox when they are pasted in order."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from oncallctl import sandbox
from oncallctl.cli import app
from tests.conftest import Runner


def leaves(command: Any, path: str = "oncallctl") -> list[Any]:
    below = getattr(command, "commands", {})
    found = [pytest.param(command, id=path)] if not below else []
    return [*found, *(leaf for name in below for leaf in leaves(below[name], f"{path} {name}"))]


LEAVES = leaves(get_command(app))


@pytest.fixture
def paste(world: Path, run: Runner, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Run a line as bash would on the sandbox: programs of a pipeline one after the other, within this process."""
    sandbox.reset(world / "home" / ".local" / "state" / "oncallctl" / "sandbox.sqlite3")
    monkeypatch.chdir(world)

    def pasted(line: str) -> None:
        stdin = None
        for command in split_at("|", shlex.split(line)):
            words, *target = split_at(">", command)
            if words[0] == "echo":
                stdin = " ".join(words[1:]) + "\n"
            else:
                assert words[0] == "oncallctl"
                stdin = run(shlex.join(words[1:]), stdin=stdin, ONCALLCTL_PROFILE="sandbox").stdout
            if target:
                (world / target[0][0]).write_text(stdin)

    return pasted


def split_at(separator: str, words: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == separator:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


@pytest.mark.parametrize("leaf", [each for each in LEAVES if each.values[0].examples])
def test_examples_pasted_in_order_succeed(leaf: Any, paste: Callable[[str], None]) -> None:
    for line in leaf.examples:
        paste(line)
