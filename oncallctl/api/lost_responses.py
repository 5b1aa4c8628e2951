"""Changes whose response was lost: read the state back instead of sending them again."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from oncallctl.api.client import OnCall
from oncallctl.api.resources.base import Change, Model
from oncallctl.errors import Interrupted, OncallError, OutcomeUnknown, Signal
from oncallctl.process import sent_changes

DELAYS = (0.0, 1.0, 3.0)
"""Seconds to wait before each attempt to read back: a change may take a moment to show."""

State = TypeVar("State")


def send_once(oncall: OnCall, change: Change[Model], name: str, check: Sequence[str]) -> Model:
    """Send a change that must not be resent without a check.

    Args:
        oncall: the server.
        change: the request.
        name: names the change in messages, for example "the page".
        check: arguments of the command that shows whether the change took effect.

    Raises:
        OutcomeUnknown: the response was lost.
        Interrupted: a signal arrived after the request was sent and before its response.
    """
    hint = command_line(oncall, check)
    try:
        with sent_changes.named(name, hint) as sent:
            return oncall.send(change)
    except OutcomeUnknown as lost:
        lost.message, lost.hint = f"{name} may have been sent: {lost.message}", hint
        raise
    except Signal as signal:
        if not sent or sent[-1].response:  # nothing was sent, or its outcome is known
            raise
        message = f"interrupted while {name} was under way: it may have been sent"
        raise Interrupted(signal.signum, message, hint=hint) from signal


def command_line(oncall: OnCall, words: Sequence[str]) -> str:
    """Return a command line for the same server, ready to paste."""
    # A server that is set by environment variables has no profile name for --profile.
    is_named = oncall.profile.token_source != "environment"  # noqa: S105  # the name of a source, not a token
    return shlex.join(["oncallctl", *words, *(["--profile", oncall.profile.name] if is_named else [])])


def read_back(
    lost: OutcomeUnknown, read: Callable[[], State], took_effect: Callable[[State], bool], hint: str
) -> State | None:
    """Read the state until it shows the change whose response was lost; return None if it never does.

    Raises:
        OutcomeUnknown: a read failed.
    """
    for delay in DELAYS:
        time.sleep(delay)
        try:
            state = read()
        except OncallError as error:
            raise OutcomeUnknown(f"{lost.message}; and reading back failed: {error.message}", hint=hint) from error
        if took_effect(state):
            return state
    return None


def not_yet_visible(lost: OutcomeUnknown, state: str, hint: str) -> OutcomeUnknown:
    """Return the error for a change that is not visible yet, but may still take effect.

    A gateway may respond with 504 while the server behind it keeps working.

    Args:
        lost: the error of the change, which is extended.
        state: what reading back showed, such as "alert group I1 is unchanged".
        hint: the hint, if the error has none.
    """
    lost.message = f"{lost.message}; {state}, but the change may still take effect"
    lost.hint = lost.hint or hint
    return lost
