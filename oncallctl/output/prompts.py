"""Prompts: ask for confirmation on a terminal; without a terminal, require --yes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from oncallctl.errors import ConfirmationNeeded, Declined
from oncallctl.output import colors
from oncallctl.text import caption, sentence, visible

if TYPE_CHECKING:
    from oncallctl.batch import Target
    from oncallctl.config.profiles import Profile
    from oncallctl.config.settings import Settings


Item = TypeVar("Item")

MANY = 20  # more targets than this need a confirmation
SHOWN = 10  # targets that a prompt lists


@dataclass(frozen=True)
class Proposal:
    """A change that needs a confirmation.

    Attributes:
        heading: the change, such as "Acknowledge 2 alert groups"; empty if only the dangers need a confirmation.
        items: the things that it will change.
        dangers: sentences about consequences that cannot be undone.
        is_destructive: whether the change itself cannot be undone.
    """

    heading: str = ""
    items: Sequence[str] = ()
    dangers: Sequence[str] = ()
    is_destructive: bool = False

    def __str__(self) -> str:
        """Return the proposal as one line, for messages."""
        items = f": {', '.join(_abbreviated(self.items))}" if self.items else ""
        return " ".join([*([f"{self.heading}{items}."] if self.heading else []), *self.dangers])

    def lines(self, settings: Settings) -> Iterable[str]:
        """Yield the lines of a prompt, with colors."""
        if self.heading:
            heading = caption(self.heading) + (":" if self.items else "")
            yield colors.on_stderr(settings, heading, colors.DANGER if self.is_destructive else colors.HEADING)
            yield from (f"  {caption(item)}" for item in _abbreviated(self.items))
        yield from (colors.on_stderr(settings, sentence(danger), colors.DANGER) for danger in self.dangers)


def on_targets(action: str, targets: Sequence[Target[Any]], *, is_destructive: bool = False) -> Proposal:
    """Return the proposal to apply an action, such as "Delete", to targets."""
    items = [str(target) for target in targets]
    return Proposal(f"{action} {_counted(targets)}", items, is_destructive=is_destructive)


def interactive() -> bool:
    """True if a prompt is possible: stdin and stderr are terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(settings: Settings, profile: Profile, proposal: Proposal, *, yes: bool = False) -> bool:
    """Ask for confirmation. Without a terminal, --yes is required.

    Returns:
        True if the user was prompted. Time has passed then, and the proposal may be out of date.

    Raises:
        ConfirmationNeeded: there is no terminal.
        Declined: the user did not confirm.
    """
    if yes:
        return False
    if not interactive():
        raise ConfirmationNeeded(
            f"confirmation required: not running in a terminal, use --yes: {proposal}", hint="add --yes"
        )
    prompt(settings, profile, proposal)
    return True


def prompt(settings: Settings, profile: Profile, proposal: Proposal) -> None:
    """Show profile, host and proposal on the terminal, and ask for confirmation. Anything but yes means no."""
    place = f"Profile {visible(profile.name)} at {visible(profile.host)}"
    text = "\n".join([place, *proposal.lines(settings), "Continue? [y/N] "])
    print(text, end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if answer.strip().lower() not in {"y", "yes"}:
        raise Declined("declined; nothing was changed")


def ask_text(question: str) -> str:
    """Ask for a line of text on the terminal. Enter returns an empty string."""
    print(sentence(question), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def choose(question: str, items: Sequence[Item], names: Callable[[Item], Iterable[str]], declined: str) -> Item:
    """Let the user choose on the terminal: by a part of a name, and by a number if several names match.

    Args:
        question: the first prompt.
        items: the things to choose from; their texts are shown.
        names: returns the names of an item.
        declined: the message if the input ends.

    Raises:
        Declined: the input ended.
    """
    shown: Sequence[Item] = ()
    while True:
        print(sentence(question), end=" ", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise Declined(declined)
        word = line.strip()
        if word.isdecimal() and 1 <= int(word) <= len(shown):
            return shown[int(word) - 1]
        matches = _matching(word, items, names)
        if len(matches) == 1:
            return matches[0]
        shown = matches[:SHOWN]
        numbered = [f"{number:4}  {caption(str(item))}" for number, item in enumerate(shown, 1)]
        if len(matches) > SHOWN:
            numbered.append(f"      and {len(matches) - SHOWN} more; type a longer part of the name")
        if word and not matches:
            numbered.append(f"no match for {visible(repr(word))}")
        print(*numbered, sep="\n", end="\n" if numbered else "", file=sys.stderr)
        question = "Number, or another part of a name:" if shown else question


def _matching(word: str, items: Sequence[Item], names: Callable[[Item], Iterable[str]]) -> list[Item]:
    """Return the items with exactly this name in any case, or else those with the word in a name."""
    part = word.casefold()
    exact = [item for item in items if any(name.casefold() == part for name in names(item))]
    return exact or [item for item in items if part and any(part in name.casefold() for name in names(item))]


def name_all(targets: Sequence[Target[Any]]) -> str:
    """Format targets for a message; abbreviate long lists."""
    return f"{_counted(targets)}: {', '.join(_abbreviated([str(target) for target in targets]))}"


def _counted(targets: Sequence[Target[Any]]) -> str:
    noun = targets[0].noun
    return f"{len(targets)} {noun.plural if len(targets) > 1 else noun.singular}"


def _abbreviated(items: Sequence[str]) -> list[str]:
    hidden = len(items) - SHOWN
    return [*items[:SHOWN], *([f"and {hidden} more"] if hidden > 0 else [])]
