"""Parallel calls in daemon threads, which never keep the program alive."""

from __future__ import annotations

import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

WORKERS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Raised(NamedTuple):
    error: BaseException


def each(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Result]]:
    """Call a function for every item, eight at a time; yield ``(index, result)`` in the order of completion.

    The first exception is raised here, and the remaining items are dropped. The calling thread hands out the items:
    signals arrive there, so a signal stops the rest. The workers are daemons, because a ThreadPoolExecutor would keep
    an interrupted program alive until its last request times out.
    """
    return _each(function, items, lambda _: True)


def _each(
    function: Callable[[Item], Result], items: Sequence[Item], may_begin: Callable[[int], bool]
) -> Iterator[tuple[int, Result]]:
    """Like `each`, but hand out an item only if `may_begin` returns True for its index."""
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
            begin_more(finished)  # the caller may have made room since the last result
            index, outcome = done.get()
            if isinstance(outcome, _Raised):
                raise outcome.error
            begin_more(finished + 1)  # keep the workers busy while the caller handles the result
            yield index, outcome
    finally:
        for _ in range(workers):
            waiting.put(None)


def _start(
    workers: int, function: Callable[[Item], Result], items: Sequence[Item]
) -> tuple[queue.SimpleQueue[int | None], queue.SimpleQueue[tuple[int, Result | _Raised]]]:
    """Start workers; return their input queue (the index of an item, or None to stop) and their output queue."""
    waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Result | _Raised]] = queue.SimpleQueue()

    def work() -> None:
        _leave_signals()
        while (index := waiting.get()) is not None:
            done.put((index, _outcome(function, items[index])))

    for _ in range(workers):
        threading.Thread(target=work, daemon=True).start()
    return waiting, done


def begin(call: Callable[[], Result]) -> Callable[..., Result]:
    """Start a call in a thread; return a function that waits for its result, or raises its exception.

    The function takes a timeout in seconds, or None to wait without one, and raises TimeoutError when it expires.
    """
    done: queue.SimpleQueue[Result | _Raised] = queue.SimpleQueue()

    def work() -> None:
        _leave_signals()
        done.put(_outcome(lambda _: call(), None))

    def wait(seconds: float | None = None) -> Result:
        try:
            outcome = done.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(outcome, _Raised):
            raise outcome.error
        return outcome

    threading.Thread(target=work, daemon=True).start()
    return wait


def _leave_signals() -> None:
    """Leave signals to the main thread: delivered to another one, they would not wake it up."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def _outcome(function: Callable[[Item], Result], item: Item) -> Result | _Raised:
    try:
        return function(item)
    except BaseException as error:  # noqa: BLE001  # raised again in the calling thread
        return _Raised(error)


def in_order(function: Callable[[Item], Result], items: Sequence[Item], ahead: int = sys.maxsize) -> Iterator[Result]:
    """Call a function for every item, eight at a time; yield the results in the order of the items.

    At most `ahead` items are started and not yet yielded, so that results do not pile up behind a slow call.
    """
    early: dict[int, Result] = {}
    turn = 0

    def may_begin(index: int) -> bool:
        return index < turn + ahead

    for index, result in _each(function, items, may_begin):
        early[index] = result
        del result
        while turn in early:
            yield early.pop(turn)
            turn += 1


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Run different calls in parallel; return their results in the order of the calls."""
    return list(in_order(lambda call: call(), calls))
