"""Changes whose answer was lost: sent once, and settled by looking, never by sending them again."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from oncallctl.api.client import OnCall
from oncallctl.api.resources.base import Change, Model
from oncallctl.errors import Interrupted, OncallError, OutcomeUnknown, Signal
from oncallctl.process import sent_changes

# How long to wait for a change whose answer was lost to show, between looks, in seconds.
LOOKS = (0.0, 1.0, 3.0)

Found = TypeVar("Found")


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
    hint = command(oncall, look)
    try:
        with sent_changes.named(what, hint) as sent:
            return oncall.send(change)
    except OutcomeUnknown as lost:
        lost.message, lost.hint = f"{what} may have been sent: {lost.message}", hint
        raise
    except Signal as signal:
        if not sent or sent[-1].response:
            raise
        message = f"interrupted while {what} was under way: it may have been sent"
        raise Interrupted(signal.signum, message, hint=hint) from signal


def command(oncall: OnCall, words: Sequence[str]) -> str:
    """A command line that can be pasted: it asks the server that was spoken to."""
    # A profile of the environment has no name to ask for it by.
    chosen = [] if oncall.profile.token_source == "environment" else ["--profile", oncall.profile.name]  # noqa: S105
    return shlex.join(["oncallctl", *words, *chosen])


def look_again(
    lost: OutcomeUnknown, read: Callable[[], Found], settled: Callable[[Found], bool], hint: str
) -> Found | None:
    """Read back until a change whose answer was lost shows; None when it does not.

    Raises:
        OutcomeUnknown: reading failed.
    """
    for pause in LOOKS:
        time.sleep(pause)
        try:
            found = read()
        except OncallError as error:
            raise OutcomeUnknown(f"{lost.message}; and looking at it failed: {error.message}", hint=hint) from error
        if settled(found):
            return found
    return None


def may_still_come(lost: OutcomeUnknown, state: str, hint: str) -> OutcomeUnknown:
    """Say of a change that it does not show, and may still come: a gateway answers 504 while the server goes on."""
    lost.message = f"{lost.message}; {state}, but it may still come"
    lost.hint = lost.hint or hint
    return lost
