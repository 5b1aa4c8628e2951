"""Run an operation on several targets in parallel, and combine the results into one exit status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from oncallctl import parallel
from oncallctl.api.noun import Noun
from oncallctl.api.nouns import INTEGRATIONS
from oncallctl.api.resources.base import ServerObject
from oncallctl.errors import Bug, Interrupted, OncallError, OutcomeUnknown, PartialFailure, Signal
from oncallctl.process import sent_changes
from oncallctl.process.sent_changes import NOTHING_SENT, SentChange
from oncallctl.text import LONGEST_NAME, cut

Item = TypeVar("Item")
Object = TypeVar("Object", bound=ServerObject)


@dataclass(frozen=True)
class Target(Generic[Object]):
    """An object as last read from the server, with the name or ID that the user gave."""

    given: str
    found: Object
    noun: Noun = INTEGRATIONS

    @property
    def key(self) -> str:
        """The JSON key that holds the complete server object in each result."""
        return self.noun.singular.replace(" ", "_")

    @property
    def field(self) -> str:
        """The field with the name of the object, or with a text that describes it."""
        return self.noun.title or self.noun.caption

    @property
    def name(self) -> str:
        """The text that identifies the object."""
        return self.text_of(self.found) if self.noun.title else self.found.id

    def text_of(self, found: ServerObject) -> str:
        """Return the field `field` of this object, in whichever state it was read."""
        return str(getattr(found, self.field, found.raw.get(self.field)) or "")

    def __str__(self) -> str:
        title = cut(self.text_of(self.found), LONGEST_NAME)
        return repr(title) if self.noun.title else f"{self.name} {title!r}"


@dataclass
class Outcome(Generic[Object]):
    """The result for one target.

    Attributes:
        after: the object after the change, if it was read back.
        requests: the requests that a dry run would send.
        not_read_back: True if the change was made but the object could not be read back.
    """

    target: Target[Object]
    status: str
    after: Object | None = None
    error: OncallError | None = None
    requests: list[dict[str, Any]] | None = None
    not_read_back: bool = False

    def document(self) -> dict[str, Any]:
        """Return the element of this target in the JSON output."""
        known = self.after or self.target.found
        document: dict[str, Any] = {
            "target": self.target.given,
            "id": known.id,
            self.target.field: self.target.text_of(known),
            "status": self.status,
            "error": self.error.document() if self.error else None,
            self.target.key: None if self.not_read_back else known.raw,
        }
        return document if self.requests is None else {**document, "requests": self.requests}


@dataclass
class Report(Generic[Object]):
    """The results for all targets, in their order.

    Attributes:
        check: the command that shows the state of interrupted targets.
        signum: the signal that interrupted the operation.
    """

    outcomes: list[Outcome[Object]]
    check: str
    signum: int | None = None

    def raise_failures(self, repeat: Callable[[Sequence[Outcome[Object]]], str] | None = None) -> None:
        """Raise the error that sums up the outcomes, if any failed.

        Args:
            repeat: returns the hint for a partial failure: the command that repeats only the failed targets.

        Raises:
            Interrupted: a signal interrupted the operation.
            OncallError: the one target failed, or all failed the same way.
            PartialFailure: some failed.
        """
        failures = [outcome for outcome in self.outcomes if outcome.error]
        failed = [outcome.error for outcome in failures if outcome.error]
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
        hint = repeat(failures) if repeat else first.hint
        raise PartialFailure(f"{len(failed)} of {len(self.outcomes)} failed; the first: {first.message}", hint=hint)

    def _interrupted(self, signum: int) -> Interrupted:
        done = [outcome.target.name for outcome in self.outcomes if outcome.error is None]
        unknown = [outcome.target.name for outcome in self.outcomes if outcome.status == "unknown"]
        if not sent_changes.any_sent():
            return Interrupted(signum, NOTHING_SENT)
        message = f"interrupted; done: {', '.join(done) or 'none'}"
        if unknown:
            message += f"; sent, outcome unknown: {', '.join(unknown)}"
        return Interrupted(signum, message, hint=f"check before you try again: {self.check}")


def for_each(
    items: Sequence[Item],
    target: Callable[[Item], Target[Object]],
    work: Callable[[Item], Outcome[Object]],
    finished: Callable[[], None],
    check: str,
) -> Report[Object]:
    """Process several items in parallel; a failure of one, even a bug, does not stop the others.

    A signal stops them: changes not sent yet are dropped, and the outcome of changes without a response is unknown.

    Args:
        items: the items to process.
        target: returns the target of an item.
        work: processes one item.
        finished: called after each item.
        check: the command that shows the state of the targets.
    """
    outcomes: dict[int, Outcome[Object]] = {}
    sent: dict[int, list[SentChange]] = {}
    signum = None

    def process(index: int) -> Outcome[Object]:
        try:
            with sent_changes.named(str(target(items[index])), check) as sent[index]:
                return work(items[index])
        except OncallError as error:
            status = "unknown" if isinstance(error, OutcomeUnknown) else "failed"
            return Outcome(target(items[index]), status, error=error)
        except Exception as error:  # noqa: BLE001  # one bug must not lose the outcomes of the others
            return Outcome(target(items[index]), "unknown", error=Bug.of(error))

    try:
        for index, outcome in parallel.each(process, range(len(items))):
            outcomes[index] = outcome
            finished()
    except Signal as signal:
        signum = signal.signum
        for index, item in enumerate(items):
            if sent.get(index):
                lost = OutcomeUnknown("the change was sent, but the program ended before the response arrived")
                outcomes.setdefault(index, Outcome(target(item), "unknown", error=lost))
            else:
                outcomes.setdefault(index, Outcome(target(item), "not-begun", error=Interrupted(signum, "not begun")))
    sent_changes.account()
    return Report([outcomes[index] for index in range(len(items))], check, signum)
