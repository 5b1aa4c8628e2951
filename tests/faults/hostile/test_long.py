"""Texts of 256 KiB: truncated at a terminal, complete in a pipe."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.conftest import Runner
from tests.faults.hostile.lines import CHAIN, INTEGRATIONS, SCHEDULE, TEAM
from tests.faults.hostile.spoiling import MARK, Spoiled, exact, harmless, plain, spoiled
from tests.system.program import Program

SIZE = 2**18  # bytes, four times as many as a terminal may get
LONG = {
    "one word": MARK + "x" * SIZE,
    "wide": MARK + "漢" * (SIZE // 3),
}
WIDTH = 120
MOST = 60_000  # bytes that a command may write to a terminal


@pytest.fixture(params=LONG)
def long(request: pytest.FixtureRequest, hostile: Spoiled) -> Spoiled:
    """Return a server with a long text in every field, and two rows in every list."""
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
def test_long_texts_at_a_terminal_are_truncated(long: Spoiled, program: Program, words: tuple[str, ...]) -> None:
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
def test_prompts_and_messages_with_long_names_are_short(
    long: Spoiled, program: Program, words: tuple[str, ...], status: int
) -> None:
    with program.at_terminal(*words, width=WIDTH) as terminal:
        if status == 5:
            assert terminal.expect("[y/N] ").endswith("Continue? [y/N] ")
            terminal.type("n\n")
        terminal.end(status)
    assert len(terminal.shown) < MOST
    assert long.changes() == []


def test_candidates_with_long_names_are_abbreviated(long: Spoiled, run: Runner) -> None:
    long.change = lambda document: _called(spoiled(document, long.text), "same")
    done = run("integrations get same", status=6)
    assert INTEGRATIONS[0] in done.stderr
    assert len(done.stderr) < MOST


def _called(document: Any, name: str) -> Any:
    """Return a result page of integrations with the same name."""
    rows = document.get("results", ())
    return {**document, "results": [{**row, "name": name} if "link" in row else row for row in rows]}


@pytest.mark.parametrize("output", ["json", "jsonl", "table", "csv"])
def test_long_texts_in_a_pipe_are_complete(long: Spoiled, run: Runner, output: str) -> None:
    done = run(f"schedules get {SCHEDULE} -o {output}")
    assert long.text in done.stdout
    if output.startswith("json"):
        exact(json.loads(done.stdout), long.text)
    steps = run(f"escalation-chains get {CHAIN} -o {output}")
    assert long.text in steps.stdout


def test_drawing_with_long_names_stays_small(long: Spoiled, run: Runner) -> None:
    drawn = run(f"teams rota {TEAM} --svg -").stdout
    assert len(drawn) < 10 * MOST
    assert any(MARK in (element.text or "") for element in ET.fromstring(drawn).iter())
