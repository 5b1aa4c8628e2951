"""Text from the server is data: made harmless before a terminal, a log or a spreadsheet sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TextIO

# Control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls, zero-width and tag
# characters, and lone surrogates: whatever could move a cursor, reorder a line, hide in one, or fail to encode.
_CONTROL = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f"
    "\\ufeff\\ufff9-\\ufffb\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)
_SECRETS = frozenset({"link", "inbound_email"})

MASK = "********"
LONGEST_MESSAGE = 4000  # characters
LONGEST_NAME = 400  # characters, in pictures and in what is pasted


def visible(text: str) -> str:
    r"""Replace every character that a terminal might obey by its escape, such as ``\x1b``; the result is one line."""
    return _CONTROL.sub(lambda match: match.group().encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def cut(text: str, most: int) -> str:
    """Leave out the middle of a text of more than so many characters: both its ends say what it is."""
    return text if len(text) <= most else f"{text[: most * 3 // 4]} … {text[-(most // 4) :]}"


def sentence(text: str) -> str:
    """What a person is told or asked, harmless, and as long as can be read, whatever names are in it."""
    return visible(cut(text, LONGEST_MESSAGE))


def caption(text: str) -> str:
    """A name in a picture: harmless, and no longer than names are."""
    return visible(cut(text, LONGEST_NAME))


def dump_json(value: object, *, indent: int | None = None, to: TextIO | None = None) -> str:
    """Write JSON that reads back exactly, with nothing in it that a terminal would obey.

    For a stream that is not in UTF-8, as JSON has to be, everything beyond ASCII is escaped.
    """
    ascii_only = to is not None and (to.encoding or "").lower() not in {"utf-8", "utf8"}
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=(",", ": ") if indent else None)
    # Line breaks of the indentation are the only control characters that are not inside a string.
    return _CONTROL.sub(lambda match: "\n" if match.group() == "\n" else _json_escape(match.group()), text)


def _json_escape(character: str) -> str:
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def masked(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an object in which the fields that let anyone raise alerts are hidden.

    These are ``link``, ``heartbeat.link`` and ``inbound_email`` of an integration: the object itself, or the one that
    it carries as ``integration``. What an alert brought along is somebody's data, and stays.
    """
    hidden: dict[str, Any] = {key: MASK if key in _SECRETS and item else item for key, item in value.items()}
    for key in ("heartbeat", "integration"):
        if isinstance(hidden.get(key), Mapping):
            hidden[key] = masked(hidden[key])
    return hidden
