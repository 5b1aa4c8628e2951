"""Retries of one operation: which failures are repeated, how often, and how long a rate limit is waited for."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import copy
from typing import TypeVar

from oncallctl import parallel
from oncallctl.api.memory import OutOfMemory
from oncallctl.errors import Unavailable
from oncallctl.process import interrupts

ATTEMPTS = 4
PATIENCE = 120.0  # seconds that the attempts of one operation may take together, waiting for a rate limit aside
RATE_PATIENCE = 900.0  # seconds that one operation waits for a rate limit in all
SLICE = 0.2  # seconds between two looks at whether to go on waiting
LONGEST_RATE_WAIT = 300.0  # a Retry-After beyond this is no rate limit of OnCall's, which are per minute

Result = TypeVar("Result")


class Throttled(Exception):
    """429; `seconds` is the wait that Retry-After asked for, if it did."""

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds

    def given_up(self) -> Unavailable:
        """Return the error for a rate limit that is not waited for any longer."""
        if self.seconds is None:  # what an engine answers to a stack that it does not know
            hint = "if it stays so, the profile's grafana_url may be one that the server does not know"
        else:
            hint = f"the server asks to wait {self.seconds:.0f} s; try again then"
        return Unavailable(str(self), hint=hint, http_status=429)


class TimedOut(Unavailable):
    """A read whose response did not come in time."""


class _Gate:
    """Lets reads pass all at once; after a timeout one at a time, until enough of them succeeded."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._one_at_a_time = 0  # for so many more successes

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
    """Repeats operations on one server; the wait that its rate limit asks for is shared by all threads.

    Args:
        timeout: seconds for one request.
        note: tells a person about a wait.
        debug: logs why an attempt is repeated.

    Attributes:
        patient: whether what fails is tried again, and a rate limit waited for.
    """

    def __init__(self, timeout: float, note: Callable[[str], None], debug: Callable[[str], None]) -> None:
        self.patient = True
        self._timeout = timeout
        self._note = note
        self._debug = debug
        self._until: float | None = None
        self._rest_until = 0.0
        self._rest_lock = threading.Lock()
        self._gate = _Gate()

    def within(self, seconds: float) -> Retries:
        """Return the retries of operations that must all end in so many seconds: none is repeated or waited for."""
        limited = copy(self)
        limited.patient = False
        limited._until = time.monotonic() + seconds  # noqa: SLF001  # its own
        limited._gate = _Gate()  # noqa: SLF001  # nobody waits for a check that is given up
        return limited

    def run(self, once: Callable[[float], Result], *, is_read: bool = False, rate_retries: int | None = None) -> Result:
        """Repeat what fails with `Unavailable`, within the limits on attempts and time.

        Args:
            once: makes one attempt; its argument is the timeout of this attempt, in seconds.
            is_read: whether it changes nothing: after a timeout, reads are repeated one at a time, because a server
                that is overloaded answers none of eight.
            rate_retries: how many more times it may be sent after a 429; None if only the time waited counts.
        """
        attempt, waited, started = 0, 0.0, time.monotonic()
        while True:
            self._rest()
            try:
                with self._gate.passing() if is_read else nullcontext():
                    return once(self._left(PATIENCE - (time.monotonic() - started - waited)))
            except Throttled as throttled:
                seconds = throttled.seconds
                may_wait = self.patient and rate_retries != 0
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
            pause = 2.0**attempt * random.uniform(0.2, 0.4)  # noqa: S311  # spreads retries, keeps no secret
            if not self.patient or attempt >= ATTEMPTS or time.monotonic() - started - waited + pause > PATIENCE:
                raise problem
            self._debug(f"{problem.message}; next try in {pause:.1f} s")
            del problem  # its traceback keeps the refused body alive, while the next attempt reads another one
            time.sleep(pause)

    def _left(self, patience: float) -> float:
        """Return the seconds that the next request may take.

        Raises:
            Unavailable: the time for all of them is over.
        """
        timeout = min(self._timeout, max(patience, 1.0))
        if self._until is None:
            return timeout
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unavailable("the server takes too long")
        return min(timeout, left)

    def throttle(self, seconds: float) -> float:
        """Hold all requests back for a while; announce it once, however many threads were asked to wait."""
        with self._rest_lock:
            until = time.monotonic() + seconds
            if until > self._rest_until + 1:
                self._note(f"rate limited, next try in {seconds:.0f} s")
            self._rest_until = max(self._rest_until, until)
        return seconds

    def _rest(self) -> None:
        """Wait for the end of a rate limit, in slices: a signal, which only the main thread gets, ends the wait."""
        while self.patient and (left := self._rest_until - time.monotonic()) > 0:  # another thread may lengthen it
            interrupts.check()
            time.sleep(min(left, SLICE))
