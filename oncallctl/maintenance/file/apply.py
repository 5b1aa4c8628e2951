"""Start the due windows of a file. Runs every minute, on several machines; each occurrence is started once."""

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
from oncallctl.maintenance.windows.settle import STATUS_COMMAND

# Largest difference between this machine's clock and the server's at which no occurrence is recognized late.
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class Result:
    """The outcome of an occurrence on one integration; `outcome` is None if its targets were not found."""

    occurrence: Occurrence
    outcome: Outcome[Integration] | None
    error: OncallError | None

    def document(self) -> dict[str, Any]:
        """Return the element of the JSON array."""
        return {**(self.outcome.document() if self.outcome else self._without_targets()), **self._occurrence()}

    def row(self) -> dict[str, Any]:
        """Return the document with the present window, for a table."""
        return {**(row(self.outcome) if self.outcome else self._without_targets()), **self._occurrence()}

    def _occurrence(self) -> dict[str, Any]:
        return {"window": self.occurrence.rule.name, "occurrence": utc(self.occurrence.start)}

    def _without_targets(self) -> dict[str, Any]:
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
            Report([item.outcome for item in self.items if item.outcome], STATUS_COMMAND, self.signum).raise_failures()
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

    Of overlapping occurrences of a rule only the last one counts. An occurrence is not due in its last minute: the
    server may have closed the window already, and it is not worth another start.
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


def apply(
    service: WindowService, rules: Sequence[WindowRule], debug: Callable[[str], None], *, dry_run: bool
) -> Results:
    """Start the occurrences that are due by the server's clock, unless they were started or stopped before.

    An integration has one window at a time. Of several due occurrences, the one that ends last is started; the others
    are tried only if it does not start.

    Args:
        service: changes the windows; the `window` of its author is set here.
        rules: the windows that may be due, see `near`.
        debug: logs a message.
        dry_run: return the requests instead of sending them.
    """
    found = _Targets(service.oncall)
    for rule in rules:
        found.of(rule)  # before the clock is read: responses have the server's time
    occurrences = due(rules, service.oncall.now())
    jobs, results = _jobs(found, occurrences)
    journaled = _JournaledWindows(service) if jobs else None
    waiting: dict[str, list[_Job]] = {}
    for job in jobs:
        if journaled and (objection := journaled.objection(job)):
            debug(f"{job.occurrence.key} {objection} on {job.target.found.name!r}; it is not started again")
            results.append(Result(job.occurrence, Outcome(job.target, "unchanged"), None))
        else:
            waiting.setdefault(job.target.found.id, []).append(job)
    signum = None
    while waiting and signum is None:
        turn = [jobs.pop(0) for jobs in waiting.values()]
        if dry_run:
            report = _rehearse(service, turn)
        else:
            report = for_each(turn, _target, lambda job: _start(service, job), _ignore_progress, STATUS_COMMAND)
        signum = report.signum
        for job, outcome in zip(turn, report.outcomes, strict=True):
            results.append(Result(job.occurrence, outcome, outcome.error))
            waiting_behind = waiting[job.target.found.id]
            if outcome.requests:  # if sent, the window would be active
                results += [Result(each.occurrence, Outcome(each.target, "unchanged"), None) for each in waiting_behind]
                waiting_behind.clear()
            _pass_on(outcome, waiting_behind)
        waiting = {ident: jobs for ident, jobs in waiting.items() if jobs}
    order = {each.key: index for index, each in enumerate(occurrences)}
    return Results(sorted(results, key=lambda each: order[each.occurrence.key]), signum)


def _target(job: _Job) -> Target[Integration]:
    return job.target


def _ignore_progress() -> None:
    pass


def _pass_on(outcome: Outcome[Integration], jobs: list[_Job]) -> None:
    """Update the integration in the jobs that wait for it."""
    if outcome.after:
        jobs[:] = [replace(job, target=replace(job.target, found=outcome.after)) for job in jobs]


class _Targets:
    """The targets of the rules, each looked up once."""

    def __init__(self, oncall: OnCall) -> None:
        self._oncall = oncall
        self._found: dict[str, list[Target[Integration]] | OncallError] = {}
        self._down: Unavailable | None = None

    def of(self, rule: WindowRule) -> list[Target[Integration]] | OncallError:
        """Return the integrations of a rule, or the error of their lookup."""
        if rule.name not in self._found:
            self._found[rule.name] = self._look_up(rule)
        return self._found[rule.name]

    def _look_up(self, rule: WindowRule) -> list[Target[Integration]] | OncallError:
        if self._down:  # each attempt would take as long as the first
            return self._down
        try:
            return targets(self._oncall, rule)
        except OncallError as error:
            self._down = error if isinstance(error, Unavailable) else None
            return error


def _jobs(found: _Targets, occurrences: Sequence[Occurrence]) -> tuple[list[_Job], list[Result]]:
    """Pair occurrences with their targets. A failed lookup fails only its own occurrence."""
    jobs: list[_Job] = []
    failed: list[Result] = []
    for occurrence in occurrences:
        targets = found.of(occurrence.rule)
        if isinstance(targets, OncallError):
            failed.append(Result(occurrence, None, targets))
        else:
            jobs += [_Job(occurrence, target) for target in targets]
    return jobs, failed


def targets(oncall: OnCall, rule: WindowRule) -> list[Target[Integration]]:
    """Look up the integrations of a window, if the profile and the server allow the window.

    Raises:
        InvalidInput: a guard rail of the profile refuses the window.
        Unsupported, AccessDenied: the server does not support the mode or the token.
        NotFound, Ambiguous: a target cannot be resolved.
    """
    try:
        guards.check_window(oncall.profile, mode=rule.mode, seconds=rule.duration.total_seconds(), reason=rule.reason)
    except InvalidInput as error:
        hints = {"--max": "longest_window in the profile allows it", "--reason": "set reason in the file"}
        error.hint = next((hint for word, hint in hints.items() if word in (error.hint or "")), error.hint)
        raise
    check_start(oncall, WindowRequest(rule.mode, duration=rule.duration))
    selector = IntegrationSelector(list(rule.integrations), rule.team, rule.label, rule.match)
    found = select(oncall, selector, direct_paging=False)
    guards.check_targets(oncall.profile, len(found))
    return found


class _JournaledWindows:
    """The windows in this machine's journal, by integration."""

    def __init__(self, service: WindowService) -> None:
        self._entries: dict[str, list[Entry]] = defaultdict(list)
        for entry in service.journal.at(service.oncall.profile, service.warn):
            self._entries[entry.integration.id].append(entry)

    def objection(self, job: _Job) -> str | None:
        """Return the reason not to start an occurrence on an integration, or None.

        There are two: a window was stopped here while the occurrence was due, whoever started it; or a window for the
        occurrence, or one that covered it, was started here and was not ended by a replacement or a run. If that window
        is gone, somebody stopped it elsewhere. A user who stops the longer of two windows wants neither to come back.
        """
        occurrence, started = job.occurrence, None
        for entry in self._entries[job.target.found.id]:
            if entry.is_start:
                if entry.outcome == DONE and (entry.window == occurrence.key or _covers(entry, job)):
                    started = entry
            elif entry.cause not in {Cause.REPLACE, Cause.RUN}:  # no cause: written by an older version
                if occurrence.start <= entry.time < occurrence.end:
                    return f"was stopped at {utc(entry.time)}"
            elif started and entry.started_at == started.started_at:
                started = None
        return f"was started at {utc(started.time)}" if started else None


def _covers(entry: Entry, job: _Job) -> bool:
    return (
        entry.mode == job.wanted.mode
        and entry.ends_at is not None
        and entry.time >= job.occurrence.start
        and entry.ends_at >= job.occurrence.end - CLOSE_ENOUGH
    )


def _plan(service: WindowService, job: _Job) -> WindowChange:
    """Plan one job. An active window is never stopped here, even if it is overdue."""
    (step,) = plan_start(service.oncall, [job.target], job.wanted, IfActive.KEEP)
    if step.action is WindowAction.REPLACE:
        name = repr(job.target.found.name)
        warning = f"the window of {name} is overdue; {job.occurrence.rule.name!r} waits until the server closes it"
        step = WindowChange(job.target, WindowAction.NOTHING, warning=warning)
    if step.warning:
        service.warn(f"window {job.occurrence.rule.name!r}: {step.warning}")
    return step


def _start(service: WindowService, job: _Job) -> Outcome[Integration]:
    step = _plan(service, job)
    author = Author(job.occurrence.rule.reason, service.author.run, job.occurrence.key)
    if not step.starts:
        return Outcome(job.target, "unchanged")
    try:
        integration = replace(service, author=author).carry_out(step)
    except Conflict as taken:  # somebody else started another window first
        service.warn(f"window {job.occurrence.rule.name!r}: {taken.message}; it is left alone")
        return Outcome(job.target, "unchanged")
    return Outcome(job.target, "started", integration)


def _rehearse(service: WindowService, jobs: Sequence[_Job]) -> Report[Integration]:
    return rehearse(service.oncall, [_plan(service, job) for job in jobs])
