"""The estimate of the memory that parsing a response takes."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from oncallctl.api.memory import estimate, process_size

SMALL_VALUES = {
    "empty objects": b"{}",
    "objects": b'{"":0}',
    "objects in objects": b'{"":{}}',
    "empty arrays": b"[]",
    "arrays": b"[999]",
    "nested arrays": b"[" * 400 + b"]" * 400,
    "numbers": b"999",
    "long numbers": b"1234567890123456789012",
    "floats": b"1.5",
    "empty strings": b'""',
    "strings": b'"ab"',
    "wide strings": '"\N{GRINNING FACE}"'.encode(),
    "escapes": b'"\\u00ff\\u1234"',
    "an object of six": b'{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0}',
}
KEYS = b"{" + b",".join(b'"%d":0' % number for number in range(45_000)) + b"}"


def array(value: bytes) -> bytes:
    return b"[" + b",".join([value] * (200_000 // (len(value) + 1))) + b"]"


@pytest.mark.promise("response-cannot-fill-memory-or")
@pytest.mark.parametrize("body", [*map(array, SMALL_VALUES.values()), KEYS], ids=[*SMALL_VALUES, "different keys"])
def test_estimate_is_at_least_the_memory_that_parsing_allocates(body: bytes) -> None:
    tracemalloc.start()
    try:
        text = body.decode()
        document = json.loads(text)
        allocated = len(body) + tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert document
    assert allocated <= estimate(body)


@pytest.mark.parametrize("text", ["{[,:" * 200_000, '{"' * 200_000, "\\{" * 200_000, '\\"' * 200_000])
def test_estimate_does_not_count_brackets_in_strings(text: str) -> None:
    body = json.dumps({"title": text}).encode()
    assert estimate(body, 4 * len(body)) <= 4 * len(body)


@pytest.mark.parametrize("padding", range(4))
def test_estimate_handles_escapes_across_chunks(padding: int) -> None:
    body = json.dumps(["x" * padding + '\\"[{' * 100_000, [[]] * 10]).encode()
    assert estimate(body, 4 * len(body)) <= 4 * len(body)


def test_process_size_grows_with_allocated_memory() -> None:
    before = process_size()
    held = bytearray(b"x") * (64 * 2**20)
    assert process_size() - before > 32 * 2**20
    del held
