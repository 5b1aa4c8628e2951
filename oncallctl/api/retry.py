"""Retries of one operation: which failures are retried, how often, and how long to wait for a rate limit."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from oncallctl import parallel
from oncallctl.api.memory import OutOfMemory
from oncallctl.errors import Unavailable
from oncallctl.process import interrupts

ATTEMPTS = 4
PATIENCE = 120.0  # seconds for all attempts of one operation together, not counting waits for a rate limit
RATE_PATIENCE = 900.0  # seconds that one operation waits for a rate limit in total
SLICE = 0.2  # seconds between checks for a signal during a wait
LONGEST_RATE_WAIT = 300.0  # OnCall's rate limits are per minute, so a longer Retry-After is from another system

Result = TypeVar("Result")


class Throttled(Exception):
    """A 429 response; `seconds` is the value of Retry-After, or None."""

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds

    def given_up(self) -> Unavailable:
        """Return the error for a rate limit that the operation no longer waits for."""
        if self.seconds is None:  # an engine that does not know the stack sends no Retry-After
            hint = "if this persists, check the profile's grafana_url: the server may not know it"
        else:
            hint = f"try again in {self.seconds:.0f} s"
        return Unavailable(str(self), hint=hint, http_status=429)


class TimedOut(Unavailable):
    """A read without a response before the timeout."""


class _Gate:
    """Admits reads in parallel; after a timeout one at a time, until enough have succeeded."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._one_at_a_time = 0  # for this number of further successes

    @contextmanager
    def passing(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not (self._one_at_a_time and self._under_way))
            self._under_way += 1
        try:
            yield
        except TimedOut:
            self._one_at_a_time = parallel.WORKERS
            raise
        else:
            self._one_at_a_time = max(0, self._one_at_a_time - 1)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()


class Retries:
    """Retries operations on one server; all threads share the wait for its rate limit.

    Args:
        timeout: seconds for one request.
        note: shows a message about a wait.
        debug: logs the reason for a retry.
        until: the deadline for all operations, as monotonic time. If it is set, nothing is retried or waited for.

    Attributes:
        enabled: False to raise errors at once, without retrying or waiting for a rate limit.
    """

    def __init__(
        self,
        timeout: float,
        note: Callable[[str], None],
        debug: Callable[[str], None],
        *,
        until: float | None = None,
    ) -> None:
        self.enabled = until is None
        self._timeout = timeout
        self._note = note
        self._debug = debug
        self._until = until
        self._rest_until = 0.0
        self._rest_lock = threading.Lock()
        self._gate = _Gate()

    def with_deadline(self, seconds: float) -> Retries:
        """Return retries for operations that must all end within some seconds. They do not wait for a rate limit."""
        return Retries(self._timeout, self._note, self._debug, until=time.monotonic() + seconds)

    def run(self, once: Callable[[float], Result], *, is_read: bool = False, rate_retries: int | None = None) -> Result:
        """Retry an operation that fails with `Unavailable`, within the limits on attempts and time.

        Args:
            once: makes one attempt; its argument is the timeout of this attempt, in seconds.
            is_read: True if the operation changes nothing. After a timeout, reads are retried one at a time, because an
                overloaded server responds to one read, but not to eight at once.
            rate_retries: the number of retries after a 429; None if only the total wait is limited.
        """
        attempt, waited, started = 0, 0.0, time.monotonic()
        while True:
            self._rest()
            try:
                with self._gate.passing() if is_read else nullcontext():
                    return once(self._timeout_of_next(PATIENCE - (time.monotonic() - started - waited)))
            except Throttled as throttled:
                seconds = throttled.seconds
                may_wait = self.enabled and rate_retries != 0
                if seconds is not None and may_wait and seconds <= min(LONGEST_RATE_WAIT, RATE_PATIENCE - waited):
                    rate_retries = rate_retries and rate_retries - 1
                    waited += self.throttle(seconds)
                    continue
                problem = throttled.given_up()
                if seconds is not None:
                    raise problem from throttled
            except OutOfMemory:
                raise
            except Unavailable as error:
                problem = error
            attempt += 1
            pause = 2.0**attempt * random.uniform(0.2, 0.4)  # noqa: S311  # spreads retries, is not a secret
            if not self.enabled or attempt >= ATTEMPTS or time.monotonic() - started - waited + pause > PATIENCE:
                raise problem
            self._debug(f"{problem.message}; next try in {pause:.1f} s")
            del problem  # free memory: the traceback keeps the response body alive during the retry
            time.sleep(pause)

    def _timeout_of_next(self, remaining: float) -> float:
        """Return the timeout of the next request.

        Raises:
            Unavailable: the deadline for all operations has passed.
        """
        timeout = min(self._timeout, max(remaining, 1.0))
        if self._until is None:
            return timeout
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unavailable("the server takes too long")
        return min(timeout, left)

    def throttle(self, seconds: float) -> float:
        """Delay all requests; announce it once, even if several threads receive the rate limit."""
        with self._rest_lock:
            until = time.monotonic() + seconds
            if until > self._rest_until + 1:
                self._note(f"rate limited, next try in {seconds:.0f} s")
            self._rest_until = max(self._rest_until, until)
        return seconds

    def _rest(self) -> None:
        """Wait for the end of a rate limit, in slices, so that a signal in the main thread ends the wait."""
        while self.enabled and (left := self._rest_until - time.monotonic()) > 0:  # another thread may extend it
            interrupts.check()
            time.sleep(min(left, SLICE))
