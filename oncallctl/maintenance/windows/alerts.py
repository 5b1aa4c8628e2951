"""Alert groups around a window: those that keep paging during it, and those that it suppressed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from oncallctl.api.client import OnCall
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.api.resources.integrations import GROUP, Integration
from oncallctl.errors import NotFound, OncallError
from oncallctl.maintenance.journal import Event, Journal
from oncallctl.maintenance.windows.model import Window

MOST = 300  # newest alert groups that are checked before a start

# Tolerance for the time at which the server closes a window and resolves what it collected.
SLACK = timedelta(seconds=60)


class SuppressedOutcome(StrEnum):
    """The outcome of an alert group that a window suppressed."""

    STILL_FIRING = "still-firing"
    RESOLVED_UNSEEN = "resolved-unseen"


@dataclass(frozen=True)
class SuppressedPeriod:
    """A time in which a window suppressed pages; `mode` is None if it is not known."""

    start: datetime
    end: datetime
    mode: str | None
    run: str | None = None


@dataclass(frozen=True)
class Escalating:
    """Alert groups that were firing before a window: the window does not stop their escalation.

    Attributes:
        groups: integration id -> its groups.
        is_cut: whether there may be more groups than were fetched.
    """

    groups: dict[str, list[AlertGroup]]
    is_cut: bool


def escalating(oncall: OnCall, integrations: Collection[Integration]) -> Escalating:
    """Return the alert groups that keep paging during windows; only the newest groups are checked.

    Groups that arrived during an active window have never escalated, and do not if another window replaces it.
    """
    wanted = {each.id: Window.of(each) for each in integrations}
    only = {"integration_id": next(iter(wanted))} if len(wanted) == 1 else {}
    newest = list(oncall.alert_groups.list(MOST, state="new", **only))
    found = defaultdict(list)
    for group in newest:
        if group.integration_id in wanted and not _is_quiet(group, wanted[group.integration_id]):
            found[group.integration_id].append(group)
    return Escalating(dict(found), len(newest) == MOST)


def _is_quiet(group: AlertGroup, window: Window | None) -> bool:
    """True if a group arrived during the window."""
    if window is None or window.started_at is None or group.created_at is None:
        return False
    return group.created_at >= window.started_at + timedelta(seconds=1)  # servers truncate the start


def collected(oncall: OnCall, integration: Integration) -> str | None:
    """Describe the unresolved alert groups that a window has collected: stopping it resolves them.

    Returns:
        The description, or None if there are none.
    """
    window = Window.of(integration)
    if window is None or window.started_at is None:
        return "the alert groups that it collected"
    try:
        arrived = oncall.alert_groups.between(window.started_at, oncall.now())
        groups = list(oncall.alert_groups.list(integration_id=integration.id, started_at=arrived))
    except OncallError as error:
        return f"an unknown number of alert groups that it collected ({error.message})"
    count = sum(group.state != "resolved" for group in groups)
    if not count:
        return None
    return f"{count} alert group{'' if count == 1 else 's'} that it collected and that may still be broken"


def quiet_times(
    oncall: OnCall,
    integration: Integration,
    journal: Journal,
    *,
    since: datetime | None,
    at: datetime,
    warn: Callable[[str], None],
) -> list[SuppressedPeriod]:
    """Return the windows to review: the active one, else the last in the journal, or all since a time.

    Raises:
        NotFound: no window is active or known, and no time was given.
    """
    known = list(_from_journal(oncall, integration, journal, at, warn))
    window = Window.of(integration)
    if window and window.started_at and all(each.start != window.started_at for each in known):
        known.append(SuppressedPeriod(window.started_at, at, window.mode))
    if since is not None:
        return [each for each in known if each.end > since] or [SuppressedPeriod(since, at, None)]
    if not known:
        raise NotFound(
            f"no window of {integration.name!r} is active, and the journal on this machine has none",
            hint="add --since, for example --since 24h",
        )
    last = max(known, key=lambda each: each.start)
    return [each for each in known if each is last or (each.run is not None and each.run == last.run)]


def _from_journal(
    oncall: OnCall, integration: Integration, journal: Journal, at: datetime, warn: Callable[[str], None]
) -> Iterator[SuppressedPeriod]:
    events = [entry for entry in journal.at(oncall.profile, warn) if entry.integration.id == integration.id]
    stopped = {entry.started_at: entry.time for entry in events if entry.event == Event.STOPPED}
    for entry in events:
        if entry.is_start and entry.started_at:
            end = stopped.get(entry.started_at) or entry.ends_at
            yield SuppressedPeriod(entry.started_at, min(end, at) if end else at, entry.mode, entry.run)


def left_behind(
    oncall: OnCall, integration: Integration, times: Collection[SuppressedPeriod]
) -> Iterator[tuple[AlertGroup, SuppressedOutcome]]:
    """Yield the alert groups that arrived in these periods and for which nobody was paged.

    Yields:
        Groups that are still firing, for which nobody will be paged; and those that the end of a `group_alerts` window
        resolved although nobody had seen them.
    """
    begin, end = min(each.start for each in times), max(each.end for each in times)
    arrived = oncall.alert_groups.between(begin, end)
    for group in oncall.alert_groups.list(integration_id=integration.id, started_at=arrived):
        for period in times:
            if group.created_at is None or not period.start <= group.created_at <= period.end:
                continue
            if group.state == "firing":
                yield group, SuppressedOutcome.STILL_FIRING
            elif period.mode == GROUP and _resolved_unseen(group, period):
                yield group, SuppressedOutcome.RESOLVED_UNSEEN
            break


def _resolved_unseen(group: AlertGroup, period: SuppressedPeriod) -> bool:
    seen = group.raw.get("acknowledged_at") or group.raw.get("resolved_by")
    return not seen and group.resolved_at is not None and group.resolved_at >= period.end - SLACK


def document(group: AlertGroup, outcome: SuppressedOutcome) -> dict[str, Any]:
    """Return the alert group with its outcome."""
    return {**group.raw, "outcome": outcome.value}
