"""Several requests at once, in threads that never keep the program from ending."""

from __future__ import annotations

import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

WORKERS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Result]]:
    """Call the function for every item, eight at a time; yield ``(index, result)`` as they come.

    The first exception of a call is raised here, and items not yet begun are left alone. An item is begun only by the
    thread that asked, so that a signal, which arrives there, stops what is to come. The workers are daemons: a
    ThreadPoolExecutor would keep an interrupted program alive until its last request has timed out.
    """
    return _each(function, items, lambda _: True)


def _each(
    function: Callable[[Item], Result], items: Sequence[Item], may_begin: Callable[[int], bool]
) -> Iterator[tuple[int, Result]]:
    """Do what `each` does; an item is begun once `may_begin`, given its index, allows it."""
    if len(items) <= 1:
        for index, item in enumerate(items):
            yield index, function(item)
        return
    workers = min(WORKERS, len(items))
    waiting, done = _start(workers, function, items)
    begun = 0

    def begin_more(finished: int) -> None:
        nonlocal begun
        while begun < min(finished + workers, len(items)) and may_begin(begun):
            waiting.put(begun)
            begun += 1

    try:
        for finished in range(len(items)):
            begin_more(finished)  # what the last result has made room for
            index, result, error = done.get()
            if error is not None:
                raise error
            begin_more(finished + 1)  # before the caller takes its time with the result
            yield index, result  # type: ignore[misc]  # no error: the result is there
    finally:
        for _ in range(workers):
            waiting.put(None)


def _start(
    workers: int, function: Callable[[Item], Result], items: Sequence[Item]
) -> tuple[queue.SimpleQueue[int | None], queue.SimpleQueue[tuple[int, Result | None, BaseException | None]]]:
    """Start workers that take the index of an item, or None to end, and give its result or its exception."""
    waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Result | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        _leave_signals()
        while (index := waiting.get()) is not None:
            done.put((index, *_outcome(function, items[index])))

    for _ in range(workers):
        threading.Thread(target=work, daemon=True).start()
    return waiting, done


def begin(call: Callable[[], Result]) -> Callable[..., Result]:
    """Start a call in a thread of its own; what is returned waits for its result, or raises its exception here.

    It waits so many seconds, or for ever (None), and raises TimeoutError when there is no result by then.
    """
    done: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        _leave_signals()
        done.put(_outcome(lambda _: call(), None))

    def wait(seconds: float | None = None) -> Result:
        try:
            result, error = done.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None
        if error is not None:
            raise error
        return result  # type: ignore[return-value]  # no error: the result is there

    threading.Thread(target=work, daemon=True).start()
    return wait


def _leave_signals() -> None:
    """Leave signals to the main thread: taken in another one, they would not wake it up."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def _outcome(function: Callable[[Item], Result], item: Item) -> tuple[Result | None, BaseException | None]:
    try:
        return function(item), None
    except BaseException as error:  # noqa: BLE001  # raised again in the thread that asked
        return None, error


def in_order(function: Callable[[Item], Result], items: Sequence[Item], ahead: int = sys.maxsize) -> Iterator[Result]:
    """Call the function for every item, eight at a time; yield the results in the items' order, as soon as can be.

    At most `ahead` items are begun and not yet yielded, so that one slow call does not let all later results pile up.
    """
    early: dict[int, Result] = {}
    turn = 0
    for index, result in _each(function, items, lambda upcoming: upcoming < turn + ahead):  # noqa: B023  # as it is then
        early[index] = result
        del result
        while turn in early:
            yield early.pop(turn)
            turn += 1


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Make different calls at the same time; their results in their order."""
    return list(in_order(lambda call: call(), calls))
