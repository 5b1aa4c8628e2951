"""Answers that are too large: what the program needs of the memory while it refuses them."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from oncallctl.api.body import LARGEST_BODY
from oncallctl.api.retry import ATTEMPTS
from tests.api.wire import Reaction, Step, Wire, answer
from tests.faults.commands import TEAM

ROOT = Path(__file__).parents[2]
HUGE = 300 * 2**20
MUCH = 1.25 * LARGEST_BODY  # what it may need more than for a small answer, in bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a child's peak begins with its parent's")

# Runs the program without waiting between its tries, and says last how much memory it needed at most.
MEASURED = """
import pathlib, re, sys, time
from oncallctl.__main__ import main
time.sleep = lambda _: None
try:
    main()
finally:
    status = pathlib.Path("/proc/self/status").read_text()
    print(re.search("VmHWM:\\s+([0-9]+) kB", status)[1], file=sys.stderr, flush=True)
"""
HEAD = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {HUGE}\r\n\r\n".encode()


class Plain(Iterable[Step]):
    """300 MB of JSON."""

    def __iter__(self) -> Iterator[Step]:
        yield HEAD
        for _ in range(HUGE // 2**20):
            yield b" " * 2**20


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """An answer of 300 kB that is 300 MB of JSON when it is unpacked."""
    return answer(200, text=gzip.compress(b" " * HUGE, 1), content_type="application/json", content_encoding="gzip")


def run(wire: Wire, *words: str) -> tuple[int, int, list[str]]:
    """Run the program; its exit code, the most memory that it needed in bytes, and the error lines."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *words],
        env={"ONCALLCTL_URL": wire.url, "ONCALLCTL_TOKEN": "t" * 40, "ONCALLCTL_API": "cloud", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    *said, peak = done.stderr.splitlines()
    return done.returncode, int(peak) * 1024, [line for line in said if line.startswith(("error:", "Traceback"))]


@pytest.fixture(scope="module")
def usual() -> int:
    """What a small answer needs."""
    with Wire(answer(200, {"id": TEAM, "name": "platform"})) as wire:
        status, peak, _ = run(wire, "teams", "get", TEAM)
    assert status == 0
    return peak


@pytest.mark.parametrize("kind", ["300 MB", "a gzip bomb"])
def test_a_huge_answer_to_a_read_is_refused_in_little_memory(kind: str, bomb: bytes, usual: int) -> None:
    reaction: Reaction = bomb if kind == "a gzip bomb" else Plain()
    with Wire(reaction) as wire:
        status, peak, errors = run(wire, "teams", "get", TEAM)
    assert (status, len(errors)) == (8, 1)
    assert "more than 64 MiB" in errors[0]
    assert len(wire.arrived) == ATTEMPTS
    assert peak - usual < MUCH


@pytest.mark.parametrize("kind", ["300 MB", "a gzip bomb"])
def test_a_huge_answer_to_a_page_leaves_its_outcome_unknown_in_little_memory(
    kind: str, bomb: bytes, usual: int
) -> None:
    reaction: Reaction = bomb if kind == "a gzip bomb" else Plain()
    with Wire(reaction) as wire:
        status, peak, errors = run(wire, "escalate", "--team", TEAM, "--title", "fire", "--anyway")
    assert (status, len(errors)) == (9, 1)
    assert [each.method for each in wire.arrived] == ["POST"]
    assert peak - usual < MUCH
