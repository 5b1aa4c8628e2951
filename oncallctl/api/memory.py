"""Memory limits: estimates the memory of a parsed response before parsing it."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from oncallctl.errors import Unavailable

MIB = 2**20
LARGEST_RESPONSE = 256 * MIB  # of estimated memory, which 25 MB of typical JSON take
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


def estimate(body: bytes | bytearray, limit: int = LARGEST_RESPONSE) -> int:
    """Return an upper bound for the memory that the body and its parsed JSON take together, in bytes.

    Counting all brackets, commas, colons and quotes gives a bound quickly. If that exceeds `limit`, they are counted
    again without those inside strings, which is slower. Counting stops once the result exceeds `limit`.
    """
    text = _text_size(body)
    quick = text + _structure_size(_chunks(body), limit - text)
    return quick if quick <= limit else text + _structure_size(_outside_strings(body), limit - text)


def refuse_too_large(body: bytes | bytearray, limit: int, what: str) -> int:
    """Return the estimated memory of a response, or raise if it is beyond the limit.

    Args:
        body: the complete response.
        limit: the maximum memory, in bytes.
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
    """Return the resident memory of this process in bytes. Outside Linux, return its peak, which is never less."""
    try:
        resident = int(Path("/proc/self/statm").read_bytes().split()[1])
    except (OSError, IndexError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return resident * resource.getpagesize()


def _text_size(body: bytes | bytearray) -> int:
    """Return the size of the body, of its decoded text, and of the strings in that.

    CPython stores all characters of a string with the width of the widest one: 1 byte in ASCII, 4 beyond U+FFFF.
    """
    width = 1 if body.isascii() else 4 if any(lead in body for lead in b"\xf0\xf1\xf2\xf3\xf4") else 2
    escaped = b"\\" in body and b"\\u" in body  # the first search is ten times as fast as the second
    return len(body) * (1 + width + (4 if escaped else width))


def _structure_size(parts: Iterator[bytes], limit: int) -> int:
    """Return the memory of the JSON structure in the parts; stop counting once it exceeds `limit`."""
    total = 0
    for part in parts:
        marks = part.translate(None, _OTHER)
        total += sum(marks.count(mark) * size for mark, size in _STRUCTURE.items())
        if total > limit:
            break
    return total


def _chunks(body: bytes | bytearray) -> Iterator[bytes]:
    for start in range(0, len(body), _CHUNK):
        yield bytes(body[start : start + _CHUNK])


def _outside_strings(body: bytes | bytearray) -> Iterator[bytes]:
    """Yield the body in chunks, without the contents of strings; their quotes stay."""
    inside, escape = False, b""
    for piece in _chunks(body):
        chunk = escape + piece
        backslashes = len(chunk) - len(chunk.rstrip(b"\\"))
        escape = b"\\" if backslashes % 2 else b""  # it belongs to the next chunk
        chunk = chunk[: len(chunk) - len(escape)].replace(b"\\\\", b"").replace(b'\\"', b"")
        parts = chunk.split(b'"')
        outside = parts[1::2] if inside else parts[::2]
        yield b"".join(outside) + b'"' * (len(parts) - 1)
        inside ^= len(parts) % 2 == 0
