"""Start or stop one window, and read it back if the response does not prove the outcome."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command_line, not_yet_visible, read_back
from oncallctl.api.problems import API
from oncallctl.api.resources.base import Change
from oncallctl.api.resources.integrations import Integration
from oncallctl.errors import Conflict, InvalidInput, OncallError, OutcomeUnknown
from oncallctl.maintenance.windows.model import CLOSE_ENOUGH, Window, WindowRequest

STATUS_COMMAND = "oncallctl maintenance status"  # the command that shows windows

# How often a change is sent again after a 5xx response, if reading back shows that it was not made.
RETRIES = 3

# Tolerance for a window that started before its request was sent: the Date header may come from a proxy.
CLOCKS_DIFFER = timedelta(minutes=1)
CLOCK_UNKNOWN = timedelta(minutes=5)

Sending = Callable[[datetime, int], None]


def start(
    oncall: OnCall,
    integration: Integration,
    wanted: WindowRequest,
    *,
    own: bool = False,
    sending: Sending | None = None,
) -> Integration:
    """Start a window on an integration that has none.

    Args:
        oncall: the server.
        integration: as it was read last.
        wanted: the window.
        own: refuse a window that somebody else started meanwhile, even an equivalent one.
        sending: called before each request with the server's time and the length in seconds.

    Returns:
        The integration with the window.

    Raises:
        AlreadyActive: somebody else started an equivalent window meanwhile (unless `own`).
        Conflict: somebody else started a different window meanwhile.
        Unavailable: the request certainly did not arrive; it is safe to try again.
        OutcomeUnknown: reading back did not settle it.
    """
    request = _Start(oncall, integration, wanted, sending)
    problem = Conflict(f"{integration.name!r} is in another maintenance window now")
    try:
        found, is_proven = _settle(oncall, request)
    except Conflict as taken:  # somebody else started a window first, or an earlier attempt took effect late
        if own and request.lost is None:
            raise
        problem, found, is_proven = taken, oncall.integrations.get(integration.id), False
    if is_proven or request.made(found):
        return found
    if not own and request.is_met_by(found):
        raise AlreadyActive(found) from problem
    if request.lost and request.lost.http_status == 200:  # it had an effect, but not the requested one
        raise _unsettled(request.lost, f"{problem.message}, which is not the requested one")
    raise problem


def stop(oncall: OnCall, integration: Integration) -> Integration:
    """Stop the window that is active.

    Returns:
        The integration without it.

    Raises:
        Unavailable: the request certainly did not arrive; it is safe to try again.
        OutcomeUnknown: reading back did not settle it.
    """
    return _settle(oncall, _Stop(oncall, integration))[0]


class AlreadyActive(Conflict):
    """Somebody else started an equivalent window first."""

    def __init__(self, integration: Integration) -> None:
        super().__init__(f"{integration.name!r} was put into maintenance by somebody else meanwhile")
        self.integration = integration


def seconds_left(wanted: WindowRequest, at: datetime) -> int:
    """Return the length in seconds of a window that starts at this moment.

    Raises:
        InvalidInput: its end has passed.
    """
    seconds = wanted.seconds(at)
    if seconds <= 0:
        raise InvalidInput("the end of the window has passed meanwhile")
    return seconds


class _Request(ABC):
    """A start or a stop, which may be sent several times.

    Attributes:
        integration: as it was read before.
        change: the request.
        undone: the state that reading back shows if it was not carried out, for the message.
        lost: the error of the first response that was lost, or None.
    """

    integration: Integration
    change: Change[Integration]
    undone: str
    lost: OutcomeUnknown | None = None

    @abstractmethod
    def is_done(self, response: Integration) -> bool:
        """True if the integration in the response is in the requested state."""

    @abstractmethod
    def is_settled(self, found: Integration) -> bool:
        """True if an integration that was read back is not in its former state."""

    def lose(self, error: OutcomeUnknown) -> None:
        """Record that the request was sent and may have been carried out."""
        self.lost = self.lost or error


class _Start(_Request):
    """A start; its length is counted when it is sent, after the wait for a rate limit."""

    def __init__(
        self, oncall: OnCall, integration: Integration, wanted: WindowRequest, sending: Sending | None
    ) -> None:
        self.integration = integration
        self.change = oncall.integrations.start_maintenance(integration.id, wanted.mode, self._length_now)
        self.undone = f"the window of {integration.name!r} is not active"
        self._oncall = oncall
        self._wanted = wanted
        self._sending = sending
        self._sent_at = self._lost_since = oncall.now()
        self._length = 0

    def is_done(self, response: Integration) -> bool:
        window = Window.of(response)
        if window is None or window.mode != self._wanted.mode or window.started_at is None or window.ends_at is None:
            return False
        wrong = abs((window.ends_at - window.started_at).total_seconds() - self._length)
        return wrong <= CLOSE_ENOUGH.total_seconds()

    def is_settled(self, found: Integration) -> bool:
        return Window.of(found) is not None

    def lose(self, error: OutcomeUnknown) -> None:
        if self.lost is None:
            self._lost_since = self._sent_at
        super().lose(error)

    def made(self, found: Integration) -> bool:
        """True if a window is that of the lost response: in its mode and length, and started since it was sent."""
        window = Window.of(found)
        if self.lost is None or window is None or window.started_at is None:
            return False
        earlier = CLOCKS_DIFFER if self._oncall.transport.clock.is_known else CLOCK_UNKNOWN
        return self.is_done(found) and window.started_at >= self._lost_since - earlier

    def is_met_by(self, found: Integration) -> bool:
        """True if a window is equivalent to the requested one, whoever started it."""
        window = Window.of(found)
        if window is None or window.mode != self._wanted.mode:
            return False
        return window.ends_at is None or window.ends_at >= self._wanted.ends_at(self._sent_at) - CLOSE_ENOUGH

    def _length_now(self) -> int:
        self._sent_at = self._oncall.now()
        self._length = seconds_left(self._wanted, self._sent_at)
        if self._sending:
            self._sending(self._sent_at, self._length)
        return self._length


class _Stop(_Request):
    """A stop."""

    def __init__(self, oncall: OnCall, integration: Integration) -> None:
        self.integration = integration
        self.change = oncall.integrations.stop_maintenance(integration.id)
        self.undone = f"the window of {integration.name!r} is still active"

    def is_done(self, response: Integration) -> bool:
        return Window.of(response) is None

    def is_settled(self, found: Integration) -> bool:
        before, window = Window.of(self.integration), Window.of(found)
        # A window with another start is somebody else's.
        return window is None or before is None or window.started_at != before.started_at


class _Turns:
    """Lets first attempts run concurrently, and each retry alone.

    An engine on SQLite answers 500 "database is locked" to changes that arrive together.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._is_alone = False

    @contextmanager
    def take(self, *, alone: bool) -> Iterator[None]:
        """Wait for the turn to send a change."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_alone and not (alone and self._under_way))
            self._under_way += 1
            self._is_alone = alone
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._is_alone = False
                self._changed.notify_all()


_TURNS = _Turns()


def _settle(oncall: OnCall, request: _Request) -> tuple[Integration, bool]:
    """Send a request until the response proves it or reading back settles it.

    Returns:
        The integration; and True if the response proved it, False if it was read back.
    """
    attempt = 0
    while True:
        try:
            with _TURNS.take(alone=attempt > 0):
                return _send(oncall, request), True
        except OutcomeUnknown as error:
            lost = error
        except Conflict:
            raise
        except OncallError as error:  # of this attempt; an earlier one may still be carried out
            if request.lost is None:
                raise
            raise _unsettled(request.lost, f"{request.undone}, and trying again failed: {error.message}") from error
        request.lose(lost)
        found = _read_back(oncall, request, lost)
        if found is not None:
            return found, False
        attempt += 1
        # A gateway's 5xx may come while the server goes on: a start is then refused, and a stop finds nothing to stop.
        if (lost.http_status or 0) < 500 or attempt > RETRIES:
            tried = f" after {attempt} attempts" if attempt > 1 else ""
            raise _unsettled(lost, f"{request.undone}{tried}")


def _send(oncall: OnCall, request: _Request) -> Integration:
    """Send a request once. A success response that does not show the requested state proves nothing."""
    response = oncall.send(request.change)
    if response.id == request.integration.id and request.is_done(response):
        return response
    raise OutcomeUnknown(
        f"{request.change.method} {API}{request.change.path} was sent, but the response shows another state",
        http_status=200,
    )


def _read_back(oncall: OnCall, request: _Request, lost: OutcomeUnknown) -> Integration | None:
    """Read the integration back until its state has changed; return None if it does not change."""
    ident = request.integration.id
    hint = command_line(oncall, ["maintenance", "status", ident])
    return read_back(lost, lambda: oncall.integrations.get(ident), request.is_settled, hint)


def _unsettled(lost: OutcomeUnknown, state: str) -> OutcomeUnknown:
    return not_yet_visible(lost, state, f"check before you try again: {STATUS_COMMAND}")
