"""Responses and lists that are too large: the memory that the program takes while it reads or refuses them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from oncallctl.api.body import LARGEST_BODY
from oncallctl.api.memory import LARGEST_PROCESS, LARGEST_RESPONSE, MIB
from tests.faults.commands import TEAM
from tests.places import ROOT
from tests.unit.api.wire import Arrived, Reaction, Step, Wire, answer

HUGE = 100 * MIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child's peak begins with its parent's")

# Runs the program without waiting between its attempts, and writes last how much memory it took at most.
MEASURED = """
import pathlib, re, sys, time
from oncallctl.__main__ import main
from oncallctl.api import memory
memory.LARGEST_PROCESS = int(sys.argv.pop(1))
time.sleep = lambda _: None
try:
    main()
finally:
    status = pathlib.Path("/proc/self/status").read_text()
    print(re.search("VmHWM:\\s+([0-9]+) kB", status)[1], file=sys.stderr, flush=True)
"""
HEAD = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {HUGE}\r\n\r\n".encode()


class Plain(Iterable[Step]):
    """100 MB of JSON."""

    def __iter__(self) -> Iterator[Step]:
        yield HEAD
        for _ in range(HUGE // MIB):
            yield b" " * MIB


@dataclass(frozen=True)
class Run:
    """What a run of the program left behind; `peak` is in bytes."""

    status: int
    peak: int
    stdout: str
    errors: list[str]
    hints: list[str]


def run(wire: Wire, *words: str, largest_process: int = LARGEST_PROCESS) -> Run:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(largest_process), *words],
        env={"ONCALLCTL_URL": wire.url, "ONCALLCTL_TOKEN": "t" * 40, "ONCALLCTL_API": "cloud", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    *lines, peak = done.stderr.splitlines()
    errors = [line for line in lines if line.startswith(("error:", "Traceback"))]
    hints = [line for line in lines if line.startswith("hint:")]
    return Run(done.returncode, int(peak) * 1024, done.stdout, errors, hints)


@pytest.fixture(scope="module")
def usual() -> int:
    """The memory that a small response takes."""
    with Wire(answer(200, {"id": TEAM, "name": "platform"})) as wire:
        done = run(wire, "teams", "get", TEAM)
    assert done.status == 0
    return done.peak


def zipped(text: bytes, status: int = 200) -> bytes:
    return answer(status, text=gzip.compress(text, 1), content_type="application/json", content_encoding="gzip")


def dense(value: bytes, size: int = 24 * MIB) -> bytes:
    """Write an array of a given size that repeats one small value."""
    return b"[" + (value + b",") * (size // (len(value) + 1)) + b"0]"


HUGE_BODIES: dict[str, Callable[[], Reaction]] = {
    "100 MB": Plain,
    "100 MB from 100 kB of gzip": lambda: zipped(b" " * HUGE),
}
DENSE_BODIES: dict[str, Callable[[], Reaction]] = {
    "objects": lambda: zipped(dense(b'{"":0}')),
    "one wide string": lambda: zipped(b'"' + b"a" * (40 * MIB) + "\N{GRINNING FACE}".encode() + b'"'),
}
either = pytest.mark.parametrize("kind", [*HUGE_BODIES, *DENSE_BODIES])


@pytest.mark.promise("response-cannot-fill-memory-or")
@either
def test_too_large_response_is_refused_in_bounded_memory(kind: str, usual: int) -> None:
    with Wire((HUGE_BODIES | DENSE_BODIES)[kind]()) as wire:
        done = run(wire, "teams", "get", TEAM)
    assert (done.status, len(done.errors)) == (8, 1)
    assert ("more than 64 MiB" if kind in HUGE_BODIES else "more than 256 MiB of memory") in done.errors[0]
    assert len(wire.arrived) == 1
    assert done.peak - usual < 2.5 * LARGEST_BODY


@pytest.mark.parametrize("kind", ["100 MB", "objects"])
def test_too_large_response_to_a_page_is_an_unknown_outcome_in_bounded_memory(kind: str, usual: int) -> None:
    with Wire((HUGE_BODIES | DENSE_BODIES)[kind]()) as wire:
        done = run(wire, "escalate", "--team", TEAM, "--title", "fire", "--anyway")
    assert (done.status, len(done.errors)) == (9, 1)
    assert [each.method for each in wire.arrived if each.method != "GET"] == ["POST"]
    assert done.peak - usual < 2.5 * LARGEST_BODY


def test_dense_error_response_is_not_parsed(usual: int) -> None:
    with Wire(zipped(dense(b'{"":0}'), 400)) as wire:
        done = run(wire, "teams", "get", TEAM)
    assert (done.status, len(done.errors)) == (1, 1)
    assert done.peak - usual < 2.5 * LARGEST_BODY


class Rows:
    """A list whose rows are made by a function; its result pages have as many rows as requested."""

    def __init__(self, count: int, row: Callable[[int], dict[str, Any]]) -> None:
        self._count = count
        self._row = row

    def __call__(self, arrived: Arrived) -> Reaction:
        number, size = int(arrived.query["page"]), int(arrived.query["perpage"])
        total = -(-self._count // size)
        rows = [self._row(each) for each in range((number - 1) * size, min(number * size, self._count))]
        following = f"http://x/?page={number + 1}" if number < total else None
        return answer(200, {"results": rows, "next": following, "total_pages": total})


def team(number: int, **more: object) -> dict[str, Any]:
    return {"id": f"T{number}", "name": f"team {number}", **more}


def test_too_large_result_pages_are_fetched_with_fewer_rows(usual: int) -> None:
    with Wire(decide=Rows(30, lambda number: team(number, filler="x" * MIB))) as wire:
        done = run(wire, "teams", "list", "-o", "id")
    assert (done.status, done.errors) == (0, [])
    assert done.stdout.split() == [f"T{number}" for number in range(30)]
    assert list(dict.fromkeys(each.query["perpage"] for each in wire.arrived)) == ["100", "25", "5"]
    assert done.peak - usual < LARGEST_RESPONSE


def test_too_large_result_page_in_the_middle_loses_no_row(usual: int) -> None:
    large = range(310, 320)
    with Wire(decide=Rows(500, lambda number: team(number, filler="x" * 3 * MIB * (number in large)))) as wire:
        done = run(wire, "teams", "list", "-o", "id")
    assert (done.status, done.errors) == (0, [])
    assert done.stdout.split() == [f"T{number}" for number in range(500)]
    assert done.peak - usual < LARGEST_RESPONSE


def test_dense_result_pages_are_fetched_one_at_a_time(usual: int) -> None:
    with Wire(decide=Rows(300, lambda number: team(number, filler=[{"": 0}] * 1600))) as wire:
        done = run(wire, "teams", "list", "-o", "jsonl")
    assert (done.status, done.errors) == (0, [])
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [f"T{number}" for number in range(300)]
    assert [each.query["page"] for each in wire.arrived] == [str(number) for number in range(1, 4)]
    assert done.peak - usual < LARGEST_RESPONSE


@pytest.mark.promise("response-cannot-fill-memory-or")
@pytest.mark.parametrize("first", [1, 2], ids=["all pages", "all but the first page"])
def test_list_of_nine_dense_pages_is_refused_in_bounded_memory(first: int, usual: int) -> None:
    bomb = zipped(b'{"results": ' + dense(b'{"":0}') + b', "next": "http://x/?page=2", "total_pages": 9}')
    few = answer(200, {"results": [team(number) for number in range(50)], "next": "http://x/?page=2", "total_pages": 9})
    with Wire(decide=lambda arrived: bomb if int(arrived.query["page"]) >= first else few) as wire:
        done = run(wire, "teams", "list", "-o", "csv")
    assert (done.status, len(done.errors)) == (8, 1)
    assert "a row of the list is too large" in done.errors[0]
    assert done.peak - usual < LARGEST_RESPONSE


@pytest.mark.promise("response-cannot-fill-memory-or")
@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_list_larger_than_the_memory_limit_is_refused_unless_streamed(form: str, usual: int) -> None:
    with Wire(decide=Rows(8_000, lambda number: team(number, filler=f"{number} " * 1_600))) as wire:
        done = run(wire, "teams", "list", "-o", form, largest_process=usual + 40 * MIB)
    assert done.peak - usual < 64 * MIB
    if form == "jsonl":
        assert (done.status, len(done.stdout.splitlines())) == (0, 8_000)
    else:
        assert (done.status, len(done.errors), done.stdout) == (8, 1, "")
        assert "--output jsonl" in done.hints[0]
