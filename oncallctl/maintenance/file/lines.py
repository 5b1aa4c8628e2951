"""The lines on which the keys of a file of windows stand; `tomllib` does not tell them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# Marks that can end a statement of several lines.
_CLOSING = ('"""', "'''", "]", "}")


@dataclass
class Lines:
    """The line numbers of the top-level keys, and of the header and keys of each window."""

    top: dict[str, int] = field(default_factory=dict)
    windows: list[tuple[int, dict[str, int]]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Lines:
        """Find the lines in a valid document.

        A statement ends on the first line with which it parses as TOML, so that lines within a string or an array are
        not mistaken for keys and headers.
        """
        found = cls()
        here = found.top
        for number, header, statement in _statements(text):
            for key, value in statement.items():
                if header and key == "window" and value == [{}]:
                    here = {}
                    found.windows.append((number, here))
                elif header and key == "window" and found.windows and isinstance(value, dict):
                    here = {}  # [window.more], which the check of the window reports
                    found.windows[-1][1].update(dict.fromkeys(value, number))
                elif header:
                    here = {}
                    found.top.setdefault(key, number)
                else:
                    here.setdefault(key, number)
        return found

    def of_window(self, index: int, key: str | None = None) -> int:
        """Return the line of a key of a window, or of its header."""
        if index >= len(self.windows):  # window = [{…}, {…}]
            return self.top.get("window", 1)
        header, keys = self.windows[index]
        return keys.get(key, header) if key else header


def _statements(text: str) -> Iterator[tuple[int, bool, dict[str, Any]]]:
    """Yield ``(line, True if it is a header, parsed statement)``."""
    pending, number = "", 1
    for last, line in enumerate(text.split("\n"), start=1):
        closes = not pending or any(mark in line for mark in _CLOSING)
        pending += f"{line}\n"
        if not closes:
            continue
        try:
            statement = tomllib.loads(pending)
        except ValueError:
            continue
        if statement:
            yield number, pending.lstrip().startswith("["), statement
        pending, number = "", last + 1
