"""What became of several targets: done at the same time, told one by one, and summed up in one exit status."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.models import Integration
from oncallctl.api.resource import Change, Model
from oncallctl.errors import Defect, Interrupted, OncallError, OutcomeUnknown, PartialFailure, Signal
from oncallctl.selection import Target

Item = TypeVar("Item")


def send_once(oncall: OnCall, change: Change[Model], what: str, look: Sequence[str]) -> Model:
    """Send a change that nobody may send again without looking.

    Args:
        oncall: the server.
        change: the request.
        what: what it does, such as "the page", for the message.
        look: the words of the command that shows what became of it.

    Raises:
        OutcomeUnknown: its answer was lost.
        Interrupted: a signal came while it was under way.
    """
    # A profile of the environment has no name to ask for it by.
    chosen = [] if oncall.profile.token_source == "environment" else ["--profile", oncall.profile.name]  # noqa: S105
    hint = shlex.join(["oncallctl", *look, *chosen])
    try:
        return oncall.send(change)
    except OutcomeUnknown as lost:
        lost.message, lost.hint = f"{what} may have been sent: {lost.message}", hint
        raise
    except Signal as signal:
        message = f"interrupted while {what} was under way: it may have been sent"
        raise Interrupted(signal.signum, message, hint=hint) from signal


@dataclass
class Outcome:
    """What became of one target; `requests` is what a dry run would have sent."""

    target: Target
    status: str
    integration: Integration | None = None
    error: OncallError | None = None
    requests: list[dict[str, Any]] | None = None

    def document(self) -> dict[str, Any]:
        """The element of the array that scripts read."""
        known = self.integration or self.target.integration
        document: dict[str, Any] = {
            "target": self.target.given,
            "id": known.id,
            "name": known.name,
            "status": self.status,
            "error": self.error.document() if self.error else None,
            "integration": known.raw,
        }
        return document if self.requests is None else {**document, "requests": self.requests}


@dataclass
class Report:
    """What became of all targets, in their order; `signum` says which signal cut it short."""

    outcomes: list[Outcome]
    signum: int | None = None

    def raise_failures(self) -> None:
        """End with the error that the outcomes amount to, if any.

        Raises:
            Interrupted: a signal cut it short.
            OncallError: the one target failed, or all failed the same way.
            PartialFailure: some failed.
        """
        failed = [outcome.error for outcome in self.outcomes if outcome.error]
        if self.signum is not None:
            raise self._interrupted(self.signum)
        if not failed:
            return
        if len(self.outcomes) == 1:
            raise failed[0]
        first = failed[0]
        if len(failed) == len(self.outcomes) and len({error.exit_code for error in failed}) == 1:
            message = f"all {len(failed)} failed; the first: {first.message}"
            raise type(first)(message, hint=first.hint, http_status=first.http_status)
        raise PartialFailure(
            f"{len(failed)} of {len(self.outcomes)} failed; the first: {first.message}", hint=first.hint
        )

    def _interrupted(self, signum: int) -> Interrupted:
        done = [outcome.target.integration.name for outcome in self.outcomes if outcome.error is None]
        unknown = [outcome.target.integration.name for outcome in self.outcomes if outcome.status == "unknown"]
        message = f"interrupted; done: {', '.join(done) or 'none'}"
        if unknown:
            message += f"; sent, outcome unknown: {', '.join(unknown)}"
        return Interrupted(signum, message, hint="look before you try again: oncallctl maintenance status")


def for_each(
    items: Sequence[Item],
    target: Callable[[Item], Target],
    work: Callable[[Item], Outcome],
    finished: Callable[[], None],
) -> Report:
    """Work on several items at a time; a failure of one, also a defect, does not stop the others.

    A signal does: what was not begun is left alone, and what was sent and not answered is unknown.
    """
    outcomes: dict[int, Outcome] = {}
    begun: set[int] = set()
    signum = None

    def one(index: int) -> Outcome:
        begun.add(index)
        try:
            return work(items[index])
        except OncallError as error:
            status = "unknown" if isinstance(error, OutcomeUnknown) else "failed"
            return Outcome(target(items[index]), status, error=error)
        except Exception as error:  # noqa: BLE001  # one defect must not lose what was done to the others
            return Outcome(target(items[index]), "unknown", error=Defect(f"{type(error).__name__}: {error}"))

    try:
        for index, outcome in parallel.each(one, range(len(items))):
            outcomes[index] = outcome
            finished()
    except Signal as signal:
        signum = signal.signum
        for index, item in enumerate(items):
            if index in begun:
                lost = OutcomeUnknown("it was sent, and the program ended before the answer came")
                outcomes.setdefault(index, Outcome(target(item), "unknown", error=lost))
            else:
                outcomes.setdefault(index, Outcome(target(item), "not-begun", error=Interrupted(signum, "not begun")))
    return Report([outcomes[index] for index in range(len(items))], signum)
