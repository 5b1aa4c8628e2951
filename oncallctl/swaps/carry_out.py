"""Planned covers and requests, carried out: one swap per schedule, each made and taken once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from oncallctl.api.client import OnCall
from oncallctl.api.lost_responses import command_line
from oncallctl.api.resources.schedules import Schedule
from oncallctl.api.resources.shift_swaps import ShiftSwap
from oncallctl.batch import Outcome, Report, for_each
from oncallctl.swaps.plan import Cover, CoverStep
from oncallctl.swaps.request import create, delete_command, take, take_or_withdraw

NEW_SWAP = "ID-OF-THE-NEW-SWAP"
"""Stands for the ID of a swap that a dry run does not create."""


@dataclass
class CoverReport:
    """The outcomes of a cover.

    Attributes:
        swaps: schedule ID -> the swap, as far as it is known.
    """

    oncall: OnCall
    report: Report[Schedule]
    swaps: dict[str, ShiftSwap] = field(default_factory=dict)

    def documents(self) -> list[dict[str, Any]]:
        """Return the JSON documents, one per schedule."""
        return [self._document(outcome) for outcome in self.report.outcomes]

    def _document(self, outcome: Outcome[Schedule]) -> dict[str, Any]:
        swap = self.swaps.get(outcome.target.found.id)
        document = outcome.document()
        del document[outcome.target.key]
        requests = document.pop("requests", None)
        made = {**document, "target": outcome.target.found.name, "swap": swap.raw if swap else None}
        return made if requests is None else {**made, "requests": requests}

    @property
    def covered(self) -> list[str]:
        """The IDs of the swaps that were made, and taken unless they are open requests."""
        return [*self._idents("covered"), *self._idents("requested")]

    @property
    def unsettled(self) -> list[str]:
        """The IDs of the swaps that may be open."""
        return self._idents("unknown")

    def _idents(self, status: str) -> list[str]:
        schedules = [outcome.target.found.id for outcome in self.report.outcomes if outcome.status == status]
        return [self.swaps[ident].id for ident in schedules if ident in self.swaps]

    def raise_failures(self) -> None:
        """Raise the error that sums up the outcomes. The hint of a partial failure undoes those that worked."""
        self.report.raise_failures(self._undo)

    def _undo(self, _failures: Sequence[Outcome[Schedule]]) -> str:
        undone = [*self.covered, *self.unsettled]
        if not undone:
            return self.report.check
        return f"run the command again for the rest, or undo those that worked: {delete_command(self.oncall, undone)}"


def rehearse(oncall: OnCall, steps: Sequence[CoverStep], cover: Cover) -> CoverReport:
    """Return the requests that `carry_out` would send."""
    outcomes = [_rehearsed(oncall, step, cover) for step in steps]
    return CoverReport(oncall, Report(outcomes, check(oncall, cover)), _done(steps))


def carry_out(oncall: OnCall, steps: Sequence[CoverStep], cover: Cover, finished: Callable[[], None]) -> CoverReport:
    """Make the planned swaps and take them, unless they are open requests.

    Schedules are handled one after the other: a self-hosted engine over SQLite answers concurrent changes with 500.
    """
    swaps, turn = _done(steps), threading.Lock()
    hint = check(oncall, cover)

    def one(step: CoverStep) -> Outcome[Schedule]:
        ident = step.target.found.id
        if step.error:
            raise step.error
        if step.done:
            return Outcome(step.target, "unchanged")
        with turn:
            if cover.by is None:
                swaps[ident] = create(oncall, step.request, step.known, hint)
            elif step.open:
                swaps[ident] = step.open
                swaps[ident] = take(oncall, step.open, cover.by, hint)
            else:
                swaps[ident] = create(oncall, step.request, step.known, hint)
                swaps[ident] = take_or_withdraw(oncall, swaps[ident], cover.by, hint)
        return Outcome(step.target, "covered" if cover.by else "requested")

    report = for_each(steps, lambda step: step.target, one, finished, hint)
    return CoverReport(oncall, report, swaps)


def check(oncall: OnCall, cover: Cover) -> str:
    """Return the command that shows the swaps of the user."""
    return command_line(oncall, ["shift-swaps", "list", "--user", cover.user.id])


def _done(steps: Sequence[CoverStep]) -> dict[str, ShiftSwap]:
    return {step.target.found.id: step.done for step in steps if step.done}


def _rehearsed(oncall: OnCall, step: CoverStep, cover: Cover) -> Outcome[Schedule]:
    if not step.changes:
        return Outcome(step.target, "failed" if step.error else "unchanged", error=step.error, requests=[])
    requests = [] if step.open else [oncall.dry_run_document(oncall.shift_swaps.create(step.request.body(oncall)))]
    if cover.by is None:
        return Outcome(step.target, "would-request", requests=requests)
    taking = oncall.shift_swaps.take(step.open.id if step.open else NEW_SWAP, cover.by.id)
    return Outcome(step.target, "would-cover", requests=[*requests, oncall.dry_run_document(taking)])
