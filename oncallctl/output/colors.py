"""Colors of states, outcomes, severities and messages: the same meaning has the same style everywhere.

Styles are written as rich understands them ("bold red"). They use only the 16 ANSI colors, which each terminal theme
makes readable on its own background. Colors appear on a terminal only, and never with NO_COLOR, ``--no-color`` or
TERM=dumb.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

from oncallctl.config.settings import Settings

BAD = "bold red"
ATTENTION = "yellow"
GOOD = "green"
PENDING = "cyan"
QUIET = "dim"
HEADING = "bold"
DANGER = BAD  # the part of a prompt that cannot be undone
LINK = "underline"

_STYLES = {
    # states of alert groups
    "firing": BAD,
    "acknowledged": ATTENTION,
    "silenced": QUIET,
    "resolved": GOOD,
    # outcomes
    "unchanged": QUIET,
    "failed": BAD,
    "unknown": "bold magenta",
    "not-begun": ATTENTION,
    "given-up": ATTENTION,
    **dict.fromkeys(
        (
            *("started", "stopped", "replaced", "extended", "renewed", "shared", "covered"),
            *("created", "updated", "deleted", "noted", "unacknowledged", "unresolved", "unsilenced"),
        ),
        GOOD,
    ),
    # maintenance windows and shift swaps
    "active": ATTENTION,
    "inactive": QUIET,
    "overdue": BAD,
    "open": ATTENTION,
    "taken": GOOD,
    "past_due": QUIET,
    # severities, of findings and of alerts
    "critical": BAD,
    "high": BAD,
    "error": BAD,
    "warning": ATTENTION,
    "medium": ATTENTION,
    "info": PENDING,
    "low": PENDING,
    # checks
    "ok": GOOD,
    "warn": ATTENTION,
    "fail": BAD,
    # prefixes of other messages
    "hint": PENDING,
    "note": QUIET,
}
_PREFIXES = {"warning": "bold yellow"}  # bold like an error: it stands in a line of plain text

_JSON_STYLES = {"key": "bold", "string": "green", "number": "cyan", "word": "magenta"}
_JSON_PARTS = (
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=:))|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<word>\b(?:true|false|null)\b)|(?P<number>-?\d[\d.eE+-]*)"
)

_CODES = {
    "bold": 1,
    "dim": 2,
    "italic": 3,
    "underline": 4,
    "reverse": 7,
    **{
        color: 30 + number
        for number, color in enumerate(("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"))
    },
}
_RESET = "\x1b[0m"


def style_of(word: str) -> str:
    """Return the style of a state, outcome, severity or kind of message; empty for other words."""
    return PENDING if word.startswith("would-") else _STYLES.get(word.lower(), "")


def enabled(settings: Settings, stream: TextIO) -> bool:
    """True if text on a stream may have colors."""
    if not settings.color or os.environ.get("NO_COLOR") or os.environ.get("TERM") in {"dumb", "unknown"}:
        return False
    return stream.isatty()


def on_stderr(settings: Settings, text: str, style: str) -> str:
    """Return text for stderr with a style, or unchanged if stderr has no colors. The text must be escaped already."""
    return _painted(text, style) if enabled(settings, sys.stderr) else text


def on_stdout(settings: Settings, text: str, style: str) -> str:
    """Return text for stdout with a style, or unchanged if stdout has no colors. The text must be escaped already."""
    return _painted(text, style) if enabled(settings, sys.stdout) else text


def json_on_stdout(settings: Settings, text: str) -> str:
    """Return JSON for stdout with colors. The text must come from `dump_json`, which escapes what a terminal obeys."""
    if not enabled(settings, sys.stdout):
        return text
    # rich's own highlighter takes a second for 300 kB, this 40 ms.
    return re.sub(_JSON_PARTS, lambda token: _painted(token.group(), _JSON_STYLES[str(token.lastgroup)]), text)


def prefix(settings: Settings, kind: str) -> str:
    """Return the beginning of a message on stderr, such as ``error:``."""
    return on_stderr(settings, f"{kind}:", _PREFIXES.get(kind, style_of(kind)))


def _painted(text: str, style: str) -> str:
    codes = ";".join(str(_CODES[word]) for word in style.split())
    return f"\x1b[{codes}m{text}{_RESET}" if codes and text else text
