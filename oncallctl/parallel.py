"""Several requests at once, in threads that never keep the program from ending."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

WORKERS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Result]]:
    """Call the function for every item, eight at a time; yield ``(index, result)`` as they come.

    The first exception of a call is raised here, and items not yet begun are left alone. The threads are daemons: a
    ThreadPoolExecutor would keep an interrupted program alive until its last request has timed out.
    """
    if len(items) <= 1:
        for index, item in enumerate(items):
            yield index, function(item)
        return
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Result | None, BaseException | None]] = queue.SimpleQueue()
    stopped = threading.Event()
    for index in range(len(items)):
        waiting.put(index)

    def work() -> None:
        with contextlib.suppress(queue.Empty):
            while not stopped.is_set():
                index = waiting.get_nowait()
                try:
                    done.put((index, function(items[index]), None))
                except BaseException as error:  # noqa: BLE001  # raised again in the thread that asked
                    done.put((index, None, error))

    for _ in range(min(WORKERS, len(items))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in items:
            index, result, error = done.get()
            if error is not None:
                raise error
            yield index, result  # type: ignore[misc]  # no error: the result is there
    finally:
        stopped.set()


def in_order(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Call the function for every item, eight at a time; yield the results in the items' order, as soon as can be."""
    early: dict[int, Result] = {}
    turn = 0
    for index, result in each(function, items):
        early[index] = result
        while turn in early:
            yield early.pop(turn)
            turn += 1
