"""Opening and ending one window, with an answer that was lost settled by looking, never by sending it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from oncallctl.api.client import OnCall
from oncallctl.api.models import Integration
from oncallctl.errors import Conflict, InvalidInput, OutcomeUnknown
from oncallctl.lost_answers import look_again, may_still_come
from oncallctl.maintenance.window import CLOSE_ENOUGH, Wanted, Window
from oncallctl.times import now

# How far the server's clock may be behind this one.
CLOCKS_DIFFER = timedelta(minutes=5)
LOOK = "oncallctl maintenance status"  # the command that shows windows


def start(oncall: OnCall, integration: Integration, wanted: Wanted, *, own: bool = False) -> Integration:
    """Open a window where none is; settle it by reading back when the answer was lost.

    Args:
        oncall: the server.
        integration: as it was read last.
        wanted: the window.
        own: whether it has to be this very one: by default somebody else's that does what was asked will do.

    Returns:
        The integration with the window open.

    Raises:
        AlreadyOpen: somebody else opened a window meanwhile that does what was asked (unless `own`).
        Conflict: somebody else opened another window meanwhile.
        Unavailable: it certainly did not arrive; it is safe to try again.
        OutcomeUnknown: reading back did not settle it.
    """
    sent = now()
    asked = Wanted(wanted.mode, until=wanted.ends_at(sent))
    # The length is counted when it is sent: a rate limit may have been waited for until then.
    change = oncall.integrations.start_maintenance(integration.id, wanted.mode, lambda: seconds_left(wanted))
    try:
        return oncall.send(change)
    except Conflict as taken:  # somebody was quicker since we looked; perhaps with the same window
        if own:
            raise
        raise AlreadyOpen(_accept(oncall.integrations.get(integration.id), asked, taken)) from taken
    except OutcomeUnknown as lost:
        after = _look_again(oncall, integration, lost, lambda found: Window.of(found) is not None)
        if after is None:
            raise _still_without(lost, f"the window of {integration.name!r} is not open") from lost
        another = Conflict(f"{integration.name!r} is in another maintenance window now")
        if _is_ours(after, asked, sent):
            return after
        if own:
            raise another from lost
        raise AlreadyOpen(_accept(after, asked, another)) from lost


class AlreadyOpen(Conflict):
    """Somebody else was quicker, and opened a window that does what was asked."""

    def __init__(self, integration: Integration) -> None:
        super().__init__(f"{integration.name!r} was put into maintenance by somebody else meanwhile")
        self.integration = integration


def seconds_left(wanted: Wanted) -> int:
    """How long a window that is opened now has to be.

    Raises:
        InvalidInput: its end has passed.
    """
    seconds = wanted.seconds(now())
    if seconds <= 0:
        raise InvalidInput("the time that the window was to end at has passed meanwhile")
    return seconds


def _is_ours(found: Integration, asked: Wanted, sent: datetime) -> bool:
    """Whether a window is the one whose answer was lost: begun since it was sent, and of just its mode and length."""
    window = Window.of(found)
    if window is None or window.mode != asked.mode or window.started_at is None or window.ends_at is None:
        return False
    wrong = abs((window.ends_at - window.started_at).total_seconds() - asked.seconds(sent))
    return window.started_at >= sent - CLOCKS_DIFFER and wrong <= CLOSE_ENOUGH.total_seconds()


def _accept(found: Integration, wanted: Wanted, otherwise: Conflict) -> Integration:
    """Take a window that is open now for the one that was asked for, if it does what was asked."""
    window = Window.of(found)
    if window is None or window.mode != wanted.mode:
        raise otherwise
    if window.ends_at is not None and window.ends_at < wanted.ends_at(now()) - CLOSE_ENOUGH:
        raise otherwise
    return found


def stop(oncall: OnCall, integration: Integration) -> Integration:
    """End the window that is open; settle it by reading back when the answer was lost.

    Returns:
        The integration without it.

    Raises:
        Unavailable: it certainly did not arrive; it is safe to try again.
        OutcomeUnknown: reading back did not settle it.
    """
    before = Window.of(integration)
    try:
        return oncall.send(oncall.integrations.stop_maintenance(integration.id))
    except OutcomeUnknown as lost:
        after = _look_again(oncall, integration, lost, lambda found: _is_gone(before, found))
        if after is None:
            raise _still_without(lost, f"the window of {integration.name!r} is still open") from lost
        return after


def _is_gone(before: Window | None, found: Integration) -> bool:
    """Whether the window is no longer there; another one, begun at another time, is somebody else's."""
    window = Window.of(found)
    return window is None or before is None or window.started_at != before.started_at


def _look_again(
    oncall: OnCall, integration: Integration, lost: OutcomeUnknown, settled: Callable[[Integration], bool]
) -> Integration | None:
    """Read the integration back until what was asked for shows; None when it does not."""
    return look_again(lost, lambda: oncall.integrations.get(integration.id), settled, f"{LOOK} {integration.id}")


def _still_without(lost: OutcomeUnknown, state: str) -> OutcomeUnknown:
    return may_still_come(lost, state, f"look before you try again: {LOOK}")
