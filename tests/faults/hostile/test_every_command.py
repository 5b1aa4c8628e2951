"""Every command in every format on a server whose texts are hostile."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run, Runner
from tests.faults.hostile.lines import CHANGES, ELSEWHERE, INTEGRATIONS, READS, Line, leaves
from tests.faults.hostile.spoiling import (
    MARK,
    OBEYED,
    SHOWN,
    TEXT,
    Spoiled,
    cells_of_csv,
    cells_of_tabs,
    exact,
    harmless,
)

LINES = {**READS, **CHANGES}
OUR_OWN_TEXT = {"teams handoff"}  # Markdown, which has a test of its own


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file with a window that is due now for each integration."""
    path = tmp_path / "windows.toml"
    begun = (datetime.now(UTC) - timedelta(minutes=10)).replace(microsecond=0, tzinfo=None).isoformat()
    windows = (
        f'[[window]]\nname = "n{number}"\nintegrations = ["{ident}"]\nat = {begun}\ntimezone = "UTC"\nduration = "2h"\n'
        for number, ident in enumerate(INTEGRATIONS)
    )
    path.write_text("".join(windows))
    return path


def test_tables_of_lines_cover_every_command() -> None:
    assert set(leaves()) == {*READS, *CHANGES, *ELSEWHERE}


class Command:
    """A command that is run in one format after the other."""

    def __init__(self, run: Runner, leaf: str, line: Line, file: Path) -> None:
        self.run, self.leaf, self.line, self.file = run, leaf, line, file
        self.times = 0

    def __call__(self, options: str) -> Run:
        if self.line.before:
            self.run(self.line.filled(self.line.before, self.times, self.file))
        file = self.file
        if self.line.body:
            file = self.file.with_name("body.json")
            file.write_text(self.line.filled(self.line.body, self.times, file))
        words = self.line.filled(f"{self.leaf} {self.line.words} {options}", self.times, file)
        self.times += 1
        return self.run(words, status=self.line.status)


@pytest.mark.promise("data")
@pytest.mark.parametrize("leaf", LINES)
def test_hostile_text_is_harmless_in_every_format(hostile: Spoiled, run: Runner, file: Path, leaf: str) -> None:
    line = LINES[leaf]
    command = Command(run, leaf, line, file)

    done = command("-vv -o table")
    harmless(done.stdout)
    harmless(done.stderr)
    if leaf not in OUR_OWN_TEXT:
        rows = cells_of_tabs(done.stdout)
        assert any(SHOWN in cell for row in rows for cell in row) is line.shown, done.stdout
        for cell in (cell for row in rows for cell in row):
            exact(json.loads(cell)) if cell[:1] in {"{", "["} else exact(cell, SHOWN)

    done = command("-vv -o csv")
    harmless(done.stdout)
    harmless(done.stderr)
    spread = cells_of_csv(done.stdout)
    if leaf not in OUR_OWN_TEXT:
        assert spread[0] == rows[0]
        assert all(len(row) == len(rows[0]) for row in spread)
    assert any(SHOWN in cell for row in spread for cell in row) is line.shown, done.stdout

    done = command("-vv -o id")
    harmless(done.stdout)
    harmless(done.stderr)
    assert MARK not in done.stdout

    hostile.sent.clear()
    done = command("-vv -o json")
    harmless(done.stdout)
    harmless(done.stderr)
    exact(done.json)
    assert (MARK in done.stdout) is (line.shown and line.in_json)
    if line.unchanged:
        assert all(each in hostile.objects() for each in _listed(done.json)), done.stdout

    hostile.sent.clear()
    done = command("-vv -o jsonl")
    harmless(done.stdout)
    harmless(done.stderr)
    found = [json.loads(each) for each in done.stdout.split("\n") if each]
    exact(found)
    assert (MARK in done.stdout) is (line.shown and line.in_json)
    if line.unchanged:
        assert all(each in hostile.objects() for each in found)
    for line in done.stderr.split("\n"):
        if line.startswith("{"):
            exact(json.loads(line))


def _listed(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


@pytest.mark.parametrize("leaf", sorted(CHANGES.keys() - {"maintenance extend"}))  # without a window it has no requests
def test_dry_run_with_hostile_text_is_harmless(hostile: Spoiled, run: Runner, file: Path, leaf: str) -> None:
    for number, output in enumerate(("table", "csv", "json")):
        command = Command(run, leaf, replace(CHANGES[leaf], before="", status=0), file)
        command.times = number
        done = command(f"--dry-run -o {output}")
        harmless(done.stdout + done.stderr)
        if output == "csv":
            cells_of_csv(done.stdout)
        elif output == "json":
            exact(done.json)
    assert hostile.changes() == []


def test_text_of_the_server_in_a_definition_is_sent_unchanged(hostile: Spoiled, run: Runner, tmp_path: Path) -> None:
    hostile.text = TEXT.replace(OBEYED["surrogate"], "")  # which has no form in UTF-8
    definition = tmp_path / "definition.json"
    definition.write_text(run("integrations get C5U5IZGQ48B4M -o json").stdout)
    run(f"integrations update C5U5IZGQ48B4M --file {definition}", status=None)
    (body,) = hostile.bodies()
    assert body["name"] == hostile.text
    exact(body, hostile.text)


def test_text_without_an_encoding_is_refused_unsent(hostile: Spoiled, run: Runner, tmp_path: Path) -> None:
    definition = tmp_path / "definition.json"
    definition.write_text(run("integrations get C5U5IZGQ48B4M -o json").stdout)
    assert "cannot encode" in run(f"integrations update C5U5IZGQ48B4M --file {definition}", status=2).stderr
    assert hostile.changes() == []
