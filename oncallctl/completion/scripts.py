"""Completion scripts, generated from the command tree.

The scripts contain commands, options and choices, so that these are completed without starting the program. For other
names they run `oncallctl completion names`. The folder ``completions/`` has the scripts for packages.
"""

from __future__ import annotations

from oncallctl.completion import bash, fish, zsh
from oncallctl.completion.tree import read

_GENERATORS = {"bash": bash.generate, "zsh": zsh.generate, "fish": fish.generate}


def script(shell: str, root: object) -> str:
    """Return the completion script for bash, zsh or fish; the same text for the same tree.

    Args:
        shell: bash, zsh or fish.
        root: the root command.

    Raises:
        KeyError: the shell is not supported.
        ValueError: a word of the tree would need quoting in a shell.
    """
    return _GENERATORS[shell](read(root))
