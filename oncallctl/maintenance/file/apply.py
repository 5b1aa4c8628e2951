"""Start the windows of a file that are due: run often, from several machines, each occurrence once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from oncallctl.api.client import OnCall
from oncallctl.api.resources.integrations import Integration
from oncallctl.batch import Outcome, Report, Target, for_each
from oncallctl.errors import Conflict, InvalidInput, OncallError, PartialFailure, Unavailable
from oncallctl.integrations.selection import IntegrationSelector, select
from oncallctl.maintenance import IfActive
from oncallctl.maintenance.file.rules import Occurrence, WindowRule
from oncallctl.maintenance.journal import DONE, Author, Cause, Entry
from oncallctl.maintenance.windows import guards
from oncallctl.maintenance.windows.change import WindowService, rehearse
from oncallctl.maintenance.windows.model import CLOSE_ENOUGH, WindowRequest, utc
from oncallctl.maintenance.windows.plan import WindowAction, WindowChange, check_start, plan_start, row
from oncallctl.maintenance.windows.settle import LOOK

# How far this machine's clock and the server's may be apart before an occurrence is recognized late.
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class Result:
    """The outcome of an occurrence on one integration; `outcome` is None if its targets were not found."""

    occurrence: Occurrence
    outcome: Outcome[Integration] | None
    error: OncallError | None

    def document(self) -> dict[str, Any]:
        """Return the element of the JSON array."""
        return {**(self.outcome.document() if self.outcome else self._lost()), **self._of()}

    def row(self) -> dict[str, Any]:
        """Return the document with the present window, for a table."""
        return {**(row(self.outcome) if self.outcome else self._lost()), **self._of()}

    def _of(self) -> dict[str, Any]:
        return {"window": self.occurrence.rule.name, "occurrence": utc(self.occurrence.start)}

    def _lost(self) -> dict[str, Any]:
        return {
            "target": self.occurrence.rule.targets,
            "id": None,
            "name": None,
            "status": "failed",
            "error": self.error.document() if self.error else None,
            "integration": None,
        }


@dataclass
class Results:
    """The outcomes of all occurrences that were due; `signum` is the signal that interrupted them, or None."""

    items: list[Result]
    signum: int | None = None

    def raise_failures(self) -> None:
        """Raise the error that combines the failures, if any, as a command on several targets does.

        Raises:
            Interrupted: a signal arrived.
            OncallError: all failed the same way.
            PartialFailure: some failed.
        """
        if self.signum is not None:
            Report([item.outcome for item in self.items if item.outcome], LOOK, self.signum).raise_failures()
        failed = [item for item in self.items if item.error]
        if not failed or failed[0].error is None:
            return
        first, name = failed[0].error, failed[0].occurrence.rule.name
        message = f"window {name!r}: {first.message}"
        if len(failed) < len(self.items):
            raise PartialFailure(f"{len(failed)} of {len(self.items)} failed; the first: {message}", hint=first.hint)
        codes = {item.error.exit_code for item in failed if item.error}
        message = message if len(failed) == 1 else f"all {len(failed)} failed; the first: {message}"
        kind = type(first) if len(codes) == 1 else PartialFailure
        raise kind(message, hint=first.hint, http_status=first.http_status)


def near(rules: Sequence[WindowRule], at: datetime) -> list[WindowRule]:
    """Return the rules that may be due on a server whose clock is not known yet; `at` is this machine's time."""
    return [rule for rule in rules if rule.touches(at - CLOCKS_DIFFER, at + CLOCKS_DIFFER)]


def due(rules: Sequence[WindowRule], at: datetime) -> list[Occurrence]:
    """Return the occurrences that are due, the one that ends last first.

    Of overlapping occurrences of a rule only the last one counts. The last minute of an occurrence is left out: the
    server may have closed the window already, and a minute is not worth starting it again.
    """
    found = [
        each
        for rule in rules
        if (each := rule.due(at)) and (each.end - at >= CLOSE_ENOUGH or at - each.start < CLOSE_ENOUGH)
    ]
    return sorted(found, key=lambda each: each.end, reverse=True)


@dataclass(frozen=True)
class _Job:
    """An occurrence on one integration."""

    occurrence: Occurrence
    target: Target[Integration]

    @property
    def wanted(self) -> WindowRequest:
        """The window to start: the rest of the occurrence."""
        return WindowRequest(self.occurrence.rule.mode, until=self.occurrence.end)


def apply(desk: WindowService, rules: Sequence[WindowRule], debug: Callable[[str], None], *, dry_run: bool) -> Results:
    """Start the occurrences that are due by the server's clock, unless they were started or stopped before.

    An integration has one window at a time: of several occurrences on it the one that ends last is started, and the
    others wait behind it.

    Args:
        desk: changes the windows; the author's `window` is filled in here.
        rules: the windows that may be due; see `near`.
        debug: logs a message.
        dry_run: return the requests instead of sending them.
    """
    found = _Targets(desk.oncall)
    for rule in rules:
        found.of(rule)  # before the clock is read: the responses tell the server's time
    occurrences = due(rules, desk.oncall.now())
    jobs, results = _jobs(found, occurrences)
    journaled = _JournaledWindows(desk) if jobs else None
    waiting: dict[str, list[_Job]] = {}
    for job in jobs:
        if journaled and (objection := journaled.objection(job)):
            debug(f"{job.occurrence.key} {objection} on {job.target.found.name!r}; it is not opened again")
            results.append(Result(job.occurrence, Outcome(job.target, "unchanged"), None))
        else:
            waiting.setdefault(job.target.found.id, []).append(job)
    signum = None
    while waiting and signum is None:
        turn = [jobs.pop(0) for jobs in waiting.values()]
        if dry_run:
            report = _rehearse(desk, turn)
        else:
            report = for_each(turn, _target, lambda job: _open(desk, job), _nothing, LOOK)
        signum = report.signum
        for job, outcome in zip(turn, report.outcomes, strict=True):
            results.append(Result(job.occurrence, outcome, outcome.error))
            behind = waiting[job.target.found.id]
            if outcome.requests:  # had it been sent, the window would be open
                results += [Result(each.occurrence, Outcome(each.target, "unchanged"), None) for each in behind]
                behind.clear()
            _pass_on(outcome, behind)
        waiting = {ident: jobs for ident, jobs in waiting.items() if jobs}
    order = {each.key: index for index, each in enumerate(occurrences)}
    return Results(sorted(results, key=lambda each: order[each.occurrence.key]), signum)


def _target(job: _Job) -> Target[Integration]:
    return job.target


def _nothing() -> None:
    """Ignore progress."""


def _pass_on(outcome: Outcome[Integration], jobs: list[_Job]) -> None:
    """Give the present integration to the jobs that wait for it."""
    if outcome.after:
        jobs[:] = [replace(job, target=replace(job.target, found=outcome.after)) for job in jobs]


class _Targets:
    """The targets of the rules, each looked up once."""

    def __init__(self, oncall: OnCall) -> None:
        self._oncall = oncall
        self._found: dict[str, list[Target[Integration]] | OncallError] = {}
        self._down: Unavailable | None = None

    def of(self, rule: WindowRule) -> list[Target[Integration]] | OncallError:
        """Return the integrations of a rule, or why there are none."""
        if rule.name not in self._found:
            self._found[rule.name] = self._look_up(rule)
        return self._found[rule.name]

    def _look_up(self, rule: WindowRule) -> list[Target[Integration]] | OncallError:
        if self._down:  # each further attempt would take as long as the first one did
            return self._down
        try:
            return targets(self._oncall, rule)
        except OncallError as error:
            self._down = error if isinstance(error, Unavailable) else None
            return error


def _jobs(found: _Targets, occurrences: Sequence[Occurrence]) -> tuple[list[_Job], list[Result]]:
    """Pair occurrences with their targets; one whose targets cannot be found or are not allowed fails alone."""
    jobs: list[_Job] = []
    failed: list[Result] = []
    for occurrence in occurrences:
        there = found.of(occurrence.rule)
        if isinstance(there, OncallError):
            failed.append(Result(occurrence, None, there))
        else:
            jobs += [_Job(occurrence, target) for target in there]
    return jobs, failed


def targets(oncall: OnCall, rule: WindowRule) -> list[Target[Integration]]:
    """Find the integrations of a window, once the profile and the server allow it.

    Raises:
        InvalidInput: a guard rail of the profile.
        Unsupported, AccessDenied: a mode that this server has not, or a token that it fails on.
        NotFound, Ambiguous: the targets.
    """
    try:
        guards.check_window(oncall.profile, mode=rule.mode, seconds=rule.duration.total_seconds(), reason=rule.reason)
    except InvalidInput as error:
        hints = {"--max": "longest_window in the profile allows it", "--reason": "give it a reason in the file"}
        error.hint = next((hint for word, hint in hints.items() if word in (error.hint or "")), error.hint)
        raise
    check_start(oncall, WindowRequest(rule.mode, duration=rule.duration))
    selector = IntegrationSelector(list(rule.integrations), rule.team, rule.label, rule.match)
    found = select(oncall, selector, direct_paging=False)
    guards.check_targets(oncall.profile, len(found))
    return found


class _JournaledWindows:
    """The windows in this machine's journal, by integration."""

    def __init__(self, desk: WindowService) -> None:
        self._entries: dict[str, list[Entry]] = defaultdict(list)
        for entry in desk.journal.at(desk.oncall.profile, desk.warn):
            self._entries[entry.integration.id].append(entry)

    def objection(self, job: _Job) -> str | None:
        """Return why an occurrence must not be started on an integration, or None.

        Either a window was stopped here while the occurrence was due, whoever had started it. Or a window was started
        here for it, or one that covered it, and its end was neither a replacement nor the end of a run: if it is gone,
        somebody stopped it elsewhere. Whoever stops the longer of two windows early wants neither to come back.
        """
        occurrence, opened = job.occurrence, None
        for entry in self._entries[job.target.found.id]:
            if entry.opens:
                if entry.outcome == DONE and (entry.window == occurrence.key or _covers(entry, job)):
                    opened = entry
            elif entry.cause not in {Cause.REPLACE, Cause.RUN}:  # without a cause: from a version that recorded none
                if occurrence.start <= entry.time < occurrence.end:
                    return f"was stopped at {utc(entry.time)}"
            elif opened and entry.started_at == opened.started_at:
                opened = None
        return f"was opened at {utc(opened.time)}" if opened else None


def _covers(entry: Entry, job: _Job) -> bool:
    return (
        entry.mode == job.wanted.mode
        and entry.ends_at is not None
        and entry.time >= job.occurrence.start
        and entry.ends_at >= job.occurrence.end - CLOSE_ENOUGH
    )


def _judge(desk: WindowService, job: _Job) -> WindowChange:
    """Plan one job. An active window is never stopped here, not even an overdue one."""
    (step,) = plan_start(desk.oncall, [job.target], job.wanted, IfActive.KEEP)
    if step.action is WindowAction.REPLACE:
        name = repr(job.target.found.name)
        warning = (
            f"{name} is still in a window that is over; {job.occurrence.rule.name!r} waits until the server ends it"
        )
        step = WindowChange(job.target, WindowAction.NOTHING, warning=warning)
    if step.warning:
        desk.warn(f"window {job.occurrence.rule.name!r}: {step.warning}")
    return step


def _open(desk: WindowService, job: _Job) -> Outcome[Integration]:
    step = _judge(desk, job)
    author = Author(job.occurrence.rule.reason, desk.author.run, job.occurrence.key)
    if not step.opens:
        return Outcome(job.target, "unchanged")
    try:
        integration = replace(desk, author=author).carry_out(step)
    except Conflict as taken:  # somebody was quicker, with another window
        desk.warn(f"window {job.occurrence.rule.name!r}: {taken.message}; it is kept as it is")
        return Outcome(job.target, "unchanged")
    return Outcome(job.target, "started", integration)


def _rehearse(desk: WindowService, jobs: Sequence[_Job]) -> Report[Integration]:
    return rehearse(desk.oncall, [_judge(desk, job) for job in jobs])
