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


MANY = 20  # more targets than this need a confirmation
SHOWN = 10  # targets that a prompt lists


def interactive() -> bool:
    """True if a prompt is possible: stdin and stderr are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(place: Profile, question: str, *, yes: bool = False) -> bool:
    """Ask for confirmation, naming profile and host. Without a terminal, --yes is required.

    Returns:
        True if the user was asked. Time has passed then, and the question may be out of date.

    Raises:
        ConfirmationNeeded: there is no terminal.
        Declined: the user did not answer yes.
    """
    if yes:
        return False
    if not interactive():
        raise ConfirmationNeeded(
            f"{question} Confirmation required: not running in a terminal, use --yes", hint="add --yes"
        )
    ask(place, question)
    return True


def ask(place: Profile, question: str) -> None:
    """Ask a yes-or-no question on the terminal. Anything but yes means no."""
    print(
        f"{sentence(question)}\n[{visible(place.name)} at {visible(place.host)}] Continue? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    answer = sys.stdin.readline()
    if answer.strip().lower() not in {"y", "yes"}:
        raise Declined("declined; nothing was changed")


def ask_text(question: str) -> str:
    """Ask for a line of text on the terminal. Enter returns an empty string."""
    print(sentence(question), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def name_all(targets: Sequence[Target[Any]]) -> str:
    """Format targets for a prompt; abbreviate long lists."""
    noun = targets[0].noun
    shown = [str(target) for target in targets[:SHOWN]]
    more = f" and {len(targets) - SHOWN} more" if len(targets) > SHOWN else ""
    return f"{len(targets)} {noun.plural if len(targets) > 1 else noun.singular}: {', '.join(shown)}{more}"
