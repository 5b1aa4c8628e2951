"""The body of a response: decompressed within a size limit, then parsed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from oncallctl.api.memory import MIB

LARGEST_BODY = 64 * MIB
PIECE = MIB  # bytes that are decompressed at a time


class BadBody(Exception):
    """A body that is too large, damaged, or compressed with an encoding that was not requested."""


class BodyTooLarge(BadBody):
    """A body beyond the size limit."""


def read_body(chunks: Iterator[bytes], encoding: str, check: Callable[[], None], memory: int) -> bytes:
    """Read and decompress a body.

    Args:
        chunks: the body as the server sent it.
        encoding: the header `Content-Encoding`, or an empty string.
        check: called after each piece; raises if the timeout has passed.
        memory: bytes that the parsed body may take.

    Raises:
        BodyTooLarge: the body is larger than `LARGEST_BODY`, or parsing it would certainly take too much memory.
        BadBody: the body cannot be decompressed.
    """
    limit = min(LARGEST_BODY, memory // 3)  # parsing takes at least the body, its text, and the strings in it
    body = bytearray()
    for chunk in _decompress(chunks, encoding.strip().lower()):
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge(f"more than {limit // MIB} MiB")
        check()
    return bytes(body)


def _decompress(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the decompressed body in bounded pieces: a little gzip may expand to a thousand times its size."""
    if encoding in {"", "identity"}:
        yield from chunks
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise BadBody(f"the response is encoded as {encoding[:20]}, which was not requested")
    gunzip, begun = zlib.decompressobj(zlib.MAX_WBITS | 16), False
    try:
        for chunk in chunks:
            begun, packed = True, chunk
            while packed and not gunzip.eof:
                yield gunzip.decompress(packed, PIECE)
                packed = gunzip.unconsumed_tail
        yield gunzip.flush()
    except zlib.error as error:
        raise BadBody(str(error)) from error
    if begun and not gunzip.eof:
        raise BadBody("the response is truncated")
