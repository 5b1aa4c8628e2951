"""Texts of a megabyte: a terminal gets what fits on it, a program gets them whole."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.conftest import Runner
from tests.faults.hostile.lines import CHAIN, INTEGRATIONS, SCHEDULE, TEAM
from tests.faults.hostile.spoiling import MARK, Spoiled, exact, harmless, plain, spoiled
from tests.system.program import Program

MEGABYTE = 2**20
LONG = {
    "one word": MARK + "x" * MEGABYTE,
    "wide": MARK + "漢" * (MEGABYTE // 3),
}
WIDTH = 120
MOST = 60_000  # bytes that any of these commands may write to a terminal


@pytest.fixture(params=LONG)
def long(request: pytest.FixtureRequest, hostile: Spoiled) -> Spoiled:
    """The server with a megabyte in every text, and two rows in every list."""
    hostile.text, hostile.rows = LONG[request.param], 2
    return hostile


@pytest.mark.parametrize(
    "words",
    [
        ("teams", "rota", TEAM),
        ("users", "list"),
        ("teams", "handoff", TEAM),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_a_terminal_gets_no_more_than_fits_on_it(long: Spoiled, program: Program, words: tuple[str, ...]) -> None:
    with program.at_terminal(*words, width=WIDTH) as terminal:
        terminal.end()
    assert MARK in terminal.plain
    assert len(terminal.shown) < MOST
    harmless(plain(bytes(terminal.shown)))
    if words[-1] == "list":
        assert [len(line) <= WIDTH for line in terminal.plain.splitlines()] == [True] * 3


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("integrations", "delete", INTEGRATIONS[0]), 5),
        (("maintenance", "start", "--match", "*", "--for", "30m"), 5),
        (("escalate", "--team", TEAM, "--title", "t", "--anyway"), 5),
        (("integrations", "get", f"{MARK}*"), 6),
        (("schedules", "shifts", "SFXCICA3QCWD8"), 0),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else None,
)
def test_questions_and_messages_are_short_whatever_they_name(
    long: Spoiled, program: Program, words: tuple[str, ...], status: int
) -> None:
    with program.at_terminal(*words, width=WIDTH) as terminal:
        if status == 5:
            assert terminal.expect("[y/N] ").endswith("Continue? [y/N] ")
            terminal.type("n\n")
        terminal.end(status)
    assert len(terminal.shown) < MOST
    assert long.changes() == []


def test_candidates_are_told_shortly(long: Spoiled, run: Runner) -> None:
    long.change = lambda document: _called(spoiled(document, long.text), "same")
    done = run("integrations get same", status=6)
    assert INTEGRATIONS[0] in done.stderr
    assert len(done.stderr) < MOST


def _called(document: Any, name: str) -> Any:
    """A page of integrations that all have one name; the names of their teams are long."""
    rows = document.get("results", ())
    return {**document, "results": [{**row, "name": name} if "link" in row else row for row in rows]}


@pytest.mark.parametrize("output", ["json", "jsonl", "table", "csv"])
def test_a_program_gets_it_whole(long: Spoiled, run: Runner, output: str) -> None:
    done = run(f"schedules get {SCHEDULE} -o {output}")
    assert long.text in done.stdout
    if output.startswith("json"):
        exact(json.loads(done.stdout), long.text)
    steps = run(f"escalation-chains get {CHAIN} -o {output}")
    assert long.text in steps.stdout


def test_a_drawing_is_no_larger_for_it(long: Spoiled, run: Runner) -> None:
    drawn = run(f"teams rota {TEAM} --svg -").stdout
    assert len(drawn) < 10 * MOST
    assert any(MARK in (element.text or "") for element in ET.fromstring(drawn).iter())
