"""Memory limits: estimates the memory of a parsed response before parsing it."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from oncallctl.errors import Unavailable

MIB = 2**20
LARGEST_RESPONSE = 256 * MIB  # by the estimate: about 25 MB of usual JSON
LARGEST_PROCESS = 1024 * MIB

# Bytes that CPython 3.11 to 3.13 allocates for each of these, rounded up; the tests compare them with tracemalloc.
# A list or a dict costs most when it holds little: {"":0} is 7 bytes of JSON and 192 bytes of memory.
_STRUCTURE = {b"{": 128, b":": 96, b"[": 112, b",": 40, b'"': 32}
_OTHER = bytes(set(range(256)) - set(b"".join(_STRUCTURE)))
_CHUNK = 256 * 1024


class OutOfMemory(Unavailable):
    """A response beyond the memory limit of this program; it is not fetched again."""


class ResponseTooLarge(OutOfMemory):
    """A response beyond the limit for a single response; requesting fewer rows may help."""


def estimate(body: bytes | bytearray, enough: int = LARGEST_RESPONSE) -> int:
    """Return the most memory in bytes that the body and its parsed JSON take together.

    The count of brackets, commas, colons and quotes is a quick upper bound. If it is beyond `enough`, those inside
    strings are not counted, which takes longer; counting stops once `enough` is exceeded.
    """
    quick = _add(_text(body), _chunks(body), enough)
    return quick if quick <= enough else _add(_text(body), _outside_strings(body), enough)


def refuse_too_large(body: bytes | bytearray, limit: int, what: str) -> int:
    """Return the estimated memory of a response, or raise if it is beyond the limit.

    Args:
        body: the complete response.
        limit: bytes that it may take.
        what: the request, such as ``GET /api/v1/teams/``, for the message.

    Raises:
        ResponseTooLarge: the estimate is beyond the limit.
        OutOfMemory: the process would take more than any command needs.
    """
    needed = estimate(body, limit)
    if needed > limit:
        raise ResponseTooLarge(
            f"the response to {what} is too large: parsing it would take more than {limit // MIB} MiB of memory"
        )
    if needed > MIB and needed + process_size() > LARGEST_PROCESS:
        raise OutOfMemory(
            f"the responses do not fit in {LARGEST_PROCESS // MIB} MiB of memory: stopped at {what}",
            hint="narrow the list with a filter or --limit, or use --output jsonl",
        )
    return needed


def process_size() -> int:
    """Return the resident memory of this process in bytes: the present one on Linux, elsewhere the peak."""
    try:
        resident = int(Path("/proc/self/statm").read_bytes().split()[1])
    except (OSError, IndexError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return resident * resource.getpagesize()


def _text(body: bytes | bytearray) -> int:
    """Return the size of the body, of the text it decodes to, and of the strings in it.

    One character decides how many bytes each one of a string takes: 1 in ASCII, 4 beyond U+FFFF.
    """
    width = 1 if body.isascii() else 4 if any(lead in body for lead in b"\xf0\xf1\xf2\xf3\xf4") else 2
    escaped = b"\\" in body and b"\\u" in body  # the search for one byte is ten times as fast
    return len(body) * (1 + width + (4 if escaped else width))


def _add(total: int, parts: Iterator[bytes], enough: int) -> int:
    """Add the memory of the JSON structure in the parts to a total; stop once it exceeds `enough`."""
    for part in parts:
        marks = part.translate(None, _OTHER)
        total += sum(marks.count(mark) * size for mark, size in _STRUCTURE.items())
        if total > enough:
            break
    return total


def _chunks(body: bytes | bytearray) -> Iterator[bytes]:
    for start in range(0, len(body), _CHUNK):
        yield bytes(body[start : start + _CHUNK])


def _outside_strings(body: bytes | bytearray) -> Iterator[bytes]:
    """Yield the body in chunks, with strings emptied except for their quotes."""
    inside, escape = False, b""
    for piece in _chunks(body):
        chunk = escape + piece
        backslashes = len(chunk) - len(chunk.rstrip(b"\\"))
        escape = b"\\" if backslashes % 2 else b""  # it belongs to the next chunk
        chunk = chunk[: len(chunk) - len(escape)].replace(b"\\\\", b"").replace(b'\\"', b"")
        parts = chunk.split(b'"')
        yield b"".join(parts[inside::2]) + b'"' * (len(parts) - 1)
        inside ^= len(parts) % 2 == 0
