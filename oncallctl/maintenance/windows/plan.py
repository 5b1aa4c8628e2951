"""Plans for changes of windows, from their present state. No request is sent here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command_line
from oncallctl.api.resources.base import Change
from oncallctl.api.resources.integrations import GROUP, Integration
from oncallctl.batch import Outcome, Target
from oncallctl.errors import Conflict, OncallError
from oncallctl.maintenance import IfActive
from oncallctl.maintenance.windows.model import CLOSE_ENOUGH, Window, WindowRequest, utc
from oncallctl.maintenance.windows.settle import seconds_left
from oncallctl.times import relative


class WindowAction(StrEnum):
    """What to do with one integration."""

    START = "start"
    STOP = "stop"
    REPLACE = "replace"
    EXTEND = "extend"
    NOTHING = "nothing"
    REFUSE = "refuse"


STATUSES = {
    WindowAction.START: "started",
    WindowAction.STOP: "stopped",
    WindowAction.REPLACE: "replaced",
    WindowAction.EXTEND: "extended",
    WindowAction.NOTHING: "unchanged",
}


@dataclass
class WindowChange:
    """A change planned for one target, or the reason why there is none.

    Attributes:
        wanted: the window to start, or None.
        reason: why, for the journal; None for the reason of the command.
    """

    target: Target[Integration]
    action: WindowAction
    wanted: WindowRequest | None = None
    error: OncallError | None = None
    warning: str | None = None
    reason: str | None = None

    @property
    def starts(self) -> bool:
        """True if it starts a window."""
        return self.wanted is not None

    @property
    def stops(self) -> bool:
        """True if it stops a window."""
        return self.action in {WindowAction.STOP, WindowAction.REPLACE, WindowAction.EXTEND}

    @property
    def resolves_groups(self) -> bool:
        """True if it stops a window whose end resolves the alert groups that it collected."""
        window = Window.of(self.target.found)
        return self.stops and window is not None and window.mode == GROUP

    def changes(self, oncall: OnCall) -> list[Change[Integration]]:
        """Return the requests that carry it out, in order."""
        ident = self.target.found.id
        made = [oncall.integrations.stop_maintenance(ident)] if self.stops else []
        if wanted := self.wanted:
            made.append(
                oncall.integrations.start_maintenance(ident, wanted.mode, lambda: seconds_left(wanted, oncall.now()))
            )
        return made


def check_start(oncall: OnCall, wanted: WindowRequest) -> None:
    """Refuse what this server or token does not support, before anything is fetched.

    Raises:
        Unsupported: the server does not know the mode.
        AccessDenied: the server fails on tokens of this kind.
    """
    oncall.integrations.start_maintenance("any", wanted.mode, 1)


def check_stop(oncall: OnCall) -> None:
    """Refuse a token that this server fails on, before anything is fetched."""
    oncall.integrations.stop_maintenance("any")


def plan_start(
    oncall: OnCall, targets: Sequence[Target[Integration]], wanted: WindowRequest, if_active: IfActive
) -> list[WindowChange]:
    """Plan the start of the window on each target, from the state that was just fetched."""
    return [_to_start(oncall, target, wanted, if_active) for target in targets]


def _to_start(oncall: OnCall, target: Target[Integration], wanted: WindowRequest, if_active: IfActive) -> WindowChange:
    window, at = Window.of(target.found), oncall.now()
    if window is None:
        return WindowChange(target, WindowAction.START, wanted)
    if is_overdue(oncall, window):
        return WindowChange(target, WindowAction.REPLACE, wanted)
    if window.mode == wanted.mode and (window.ends_at is None or window.ends_at >= wanted.ends_at(at) - CLOSE_ENOUGH):
        return WindowChange(target, WindowAction.NOTHING)
    conflict = f"{target.found.name!r} is already in maintenance: {_described(window, at)}"
    if if_active is IfActive.KEEP:
        return WindowChange(target, WindowAction.NOTHING, warning=f"{conflict}; it is left alone")
    if if_active is IfActive.REPLACE:
        return WindowChange(target, WindowAction.REPLACE, wanted)
    hint = "use --if-active keep to leave it, or --if-active replace to stop it and start yours"
    if window.mode == wanted.mode:
        extend = command_line(oncall, ["maintenance", "extend", target.found.id, "--until", utc(wanted.ends_at(at))])
        hint = f"{hint}; to extend it: {extend}"
    return WindowChange(target, WindowAction.REFUSE, error=Conflict(conflict, hint=hint))


def plan_extend(
    oncall: OnCall,
    targets: Sequence[Target[Integration]],
    *,
    by: timedelta | None,
    until: datetime | None,
    is_held: Callable[[Integration], bool],
) -> list[WindowChange]:
    """Plan a later end of the active window on each target. The server cannot move an end: it takes a stop and a start.

    Args:
        oncall: the server.
        targets: the integrations, as they were just fetched.
        by: how much later the windows end; an overdue window is extended from now.
        until: the new end, if `by` is None. A window that ends then or later is left alone.
        is_held: returns True if a run on this machine needs the window of an integration.
    """
    return [_to_extend(oncall, target, by, until, is_held) for target in targets]


def _to_extend(
    oncall: OnCall,
    target: Target[Integration],
    by: timedelta | None,
    until: datetime | None,
    is_held: Callable[[Integration], bool],
) -> WindowChange:
    integration, window = target.found, Window.of(target.found)
    if window is None:
        start = command_line(oncall, ["maintenance", "start", integration.id, "--for", "1h"])
        error = Conflict(f"{integration.name!r} is not in maintenance", hint=f"start a window: {start}")
        return WindowChange(target, WindowAction.REFUSE, error=error)
    if window.ends_at is None or (until and window.ends_at >= until - CLOSE_ENOUGH):
        return WindowChange(target, WindowAction.NOTHING)
    if is_held(integration):
        error = Conflict(
            f"a `maintenance run` on this machine holds the window of {integration.name!r}",
            hint="wait until that run has ended",
        )
        return WindowChange(target, WindowAction.REFUSE, error=error)
    end = until or max(window.ends_at, oncall.now()) + (by or timedelta())
    return WindowChange(target, WindowAction.EXTEND, WindowRequest(window.mode, until=end))


def is_overdue(oncall: OnCall, window: Window) -> bool:
    """True if a window is certainly past its end and the server has not closed it.

    Without the server's time an active window may only look overdue, and ending it would page people.
    """
    return oncall.transport.clock.is_known and window.is_overdue(oncall.now())


def _described(window: Window, at: datetime) -> str:
    end = f"ends {relative(window.ends_at, at=at)} ({utc(window.ends_at)})" if window.ends_at else "without an end"
    return f"{window.mode}, {end}"


def plan_stop(targets: Sequence[Target[Integration]]) -> list[WindowChange]:
    """Plan the stop of each target's window, even if it is overdue."""
    return [
        WindowChange(target, WindowAction.STOP if Window.of(target.found) else WindowAction.NOTHING)
        for target in targets
    ]


def recheck(oncall: OnCall, step: WindowChange) -> WindowChange:
    """Refuse the step if the window to stop has changed since the prompt was shown."""
    if not step.stops:
        return step
    found = oncall.integrations.get(step.target.found.id)
    if Window.of(found) == Window.of(step.target.found):
        return step
    changed = Conflict(
        f"the maintenance of {found.name!r} was changed by somebody else after the prompt", hint="run the command again"
    )
    return WindowChange(step.target, WindowAction.REFUSE, error=changed)


def status(oncall: OnCall, integration: Integration) -> dict[str, object]:
    """Return the element of `maintenance status`.

    `mode` is None if no window is active. `overdue` is None if only this machine's clock says so.
    """
    window, at = Window.of(integration), oncall.now()
    is_past_end = window is not None and window.is_overdue(at)
    return {
        "id": integration.id,
        "name": integration.name,
        "team_id": integration.team_id,
        "mode": window.mode if window else None,
        "started_at": integration.raw.get("maintenance_started_at"),
        "ends_at": integration.raw.get("maintenance_end_at"),
        "remaining_seconds": max(window.remaining(at) or 0, 0) if window and window.ends_at else None,
        "overdue": None if is_past_end and not oncall.transport.clock.is_known else is_past_end,
        "integration": integration.raw,
    }


def row(outcome: Outcome[Integration]) -> dict[str, object]:
    """Return an outcome with the window as it is now, for a table."""
    integration = outcome.after or outcome.target.found
    window = Window.of(integration)
    now = {"mode": window.mode if window else None, "ends_at": integration.raw.get("maintenance_end_at")}
    return {**now, **outcome.document()}


def ends_within(integration: Integration, within: timedelta, at: datetime) -> bool:
    """True if a window is active and ends within this time, or is overdue."""
    window = Window.of(integration)
    return window is not None and window.ends_at is not None and window.ends_at <= at + within
