import threading

import pytest

from oncallctl import parallel
from oncallctl.errors import NotFound


def test_in_order_slow_first_item_keeps_the_order_of_the_items() -> None:
    release = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            release.wait(5)
        else:
            release.set()
        return item * 10

    assert list(parallel.in_order(work, range(20))) == [item * 10 for item in range(20)]


def test_in_order_many_items_run_eight_at_a_time() -> None:
    running, most, lock = 0, 0, threading.Lock()
    full = threading.Barrier(parallel.WORKERS)

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        full.wait(5)
        with lock:
            running -= 1

    list(parallel.in_order(work, range(parallel.WORKERS * 3)))
    assert most == parallel.WORKERS


def test_in_order_slow_item_limits_started_items_to_ahead() -> None:
    early = threading.Semaphore(0)
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 0:
            for _ in range(9):
                assert early.acquire(timeout=20)
        else:
            early.release()
        return item

    results = parallel.in_order(work, range(100), ahead=10)
    assert next(results) == 0
    assert sorted(begun) == list(range(10))
    assert list(results) == list(range(1, 100))


@pytest.mark.parametrize("ahead", [1, 2, 9])
def test_in_order_any_ahead_yields_all_results(ahead: int) -> None:
    assert list(parallel.in_order(lambda item: item, range(30), ahead)) == list(range(30))


def test_in_order_exception_is_raised_in_the_calling_thread() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise NotFound("no three")
        return item

    with pytest.raises(NotFound, match="no three"):
        list(parallel.in_order(work, range(6)))


def test_in_order_workers_are_daemon_threads() -> None:
    seen = []

    def work(_: int) -> None:
        seen.append(threading.current_thread().daemon)

    list(parallel.in_order(work, range(3)))
    assert seen == [True, True, True]
