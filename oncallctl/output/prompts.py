"""Prompts: ask for confirmation on a terminal; without a terminal, require --yes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from oncallctl.errors import ConfirmationNeeded, Declined
from oncallctl.text import sentence, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oncallctl.batch import Target
    from oncallctl.config.profiles import Profile


MANY = 20  # targets that are changed without asking

SHOWN = 10


def interactive() -> bool:
    """Whether a person can be asked: stdin and stderr are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(place: Profile, question: str, *, yes: bool = False) -> bool:
    """Ask before something dangerous, naming profile and host; without a terminal it needs --yes.

    Returns:
        Whether somebody was asked: time has passed since the question was made.

    Raises:
        ConfirmationNeeded: there is nobody to ask.
        Declined: the answer is not yes.
    """
    if yes:
        return False
    if not interactive():
        raise ConfirmationNeeded(
            f"{question} Not without --yes: stdin and stderr are no terminal to ask at", hint="add --yes"
        )
    ask(place, question)
    return True


def ask(place: Profile, question: str) -> None:
    """Put a yes-or-no question to the person at the terminal; anything but yes is no."""
    print(
        f"{sentence(question)}\n[{visible(place.name)} at {visible(place.host)}] Go on? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    answer = sys.stdin.readline()
    if answer.strip().lower() not in {"y", "yes"}:
        raise Declined("declined; nothing was changed")


def ask_text(question: str) -> str:
    """Ask the person at the terminal for a line of text; nothing if they press Enter."""
    print(sentence(question), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def name_all(targets: Sequence[Target[Any]]) -> str:
    """Name targets in a question: all of a few, the first of many and how many there are."""
    what = targets[0].wording.key.replace("_", " ")
    shown = [str(target) for target in targets[:SHOWN]]
    more = f" and {len(targets) - SHOWN} more" if len(targets) > SHOWN else ""
    return f"{len(targets)} {what}{'s' if len(targets) > 1 else ''}: {', '.join(shown)}{more}"
