"""Completion scripts: generated whole from the command tree, so that TAB starts no Python and asks no server.

``oncallctl completion SHELL`` prints them; ``completions/`` holds them for packages.
"""

from __future__ import annotations

from typing import Any

from oncallctl.completion import bash, fish, zsh
from oncallctl.completion.tree import read

_GENERATORS = {"bash": bash.generate, "zsh": zsh.generate, "fish": fish.generate}


def script(shell: str, root: Any) -> str:  # noqa: ANN401  # Typer's own Click is private
    """Return the completion script of a shell: bash, zsh or fish; the same text for the same tree.

    Args:
        shell: one of the three.
        root: the Click command of the whole program.

    Raises:
        KeyError: another shell.
        ValueError: a word of the tree would need quoting in a shell.
    """
    return _GENERATORS[shell](read(root))
