"""Core dumps, disabled because the memory of the process holds the token."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

_original: list[tuple[int, int]] = []


def disable() -> None:
    """Disable core dumps of this process."""
    with contextlib.suppress(OSError, ValueError):  # a page must be sent even if the limit cannot be lowered
        limits = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, limits[1]))
        _original.append(limits)


@contextlib.contextmanager
def original_limit() -> Iterator[None]:
    """Restore the original limit while a child process is started."""
    if not _original:
        yield
        return
    _set(_original[0])
    try:
        yield
    finally:
        _set((0, _original[0][1]))


def _set(limits: tuple[int, int]) -> None:
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, limits)
