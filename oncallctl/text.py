"""Text from the server is data: made harmless before a terminal, a log or a spreadsheet sees it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

# Control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls, lone surrogates, tag
# characters, and whatever takes no room or looks like a space and is none: soft hyphens, joiners, fillers, selectors.
# They could move a cursor, reorder a line, hide in one, make two names look alike, or fail to encode.
_HIDDEN = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f"
    "\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\ud800-\\udfff"
    "\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff]"
)
_EMOJI = (
    "\\xa9\\xae\\u203c\\u2049\\u2122\\u2139\\u2190-\\u27bf\\u2900-\\u2bff\\u3030\\u303d\\u3297\\u3299"
    "\\U0001f000-\\U0001faff"
)
# A joiner between two emoji, and a variation selector after one or in a keycap, are part of how it looks.
_IN_EMOJI = re.compile(
    f"(?<=[{_EMOJI}\\ufe0f])\\u200d(?=[{_EMOJI}])|(?<=[{_EMOJI}])[\\ufe0e\\ufe0f]|\\ufe0f(?=\\u20e3)"
)
_SECRETS = frozenset({"link", "inbound_email", "password", "authorization_header"})

MASK = "********"
LONGEST_MESSAGE = 4000  # characters
LONGEST_NAME = 400  # characters, in pictures and in what is pasted


def visible(text: str) -> str:
    r"""Replace every character that a terminal might obey, or that shows nothing, by its escape, such as ``\x1b``.

    The result is one line.
    """
    return _escaped(text, lambda character: character.encode("unicode_escape", "surrogatepass").decode("ascii"))


def cut(text: str, most: int) -> str:
    """Leave out the middle of a text of more than so many characters: both its ends say what it is."""
    return text if len(text) <= most else f"{text[: most * 3 // 4]} … {text[-(most // 4) :]}"


def sentence(text: str) -> str:
    """What a person is told or asked, harmless, and as long as can be read, whatever names are in it."""
    return visible(cut(text, LONGEST_MESSAGE))


def caption(text: str) -> str:
    """A name in a picture: harmless, and no longer than names are."""
    return visible(cut(text, LONGEST_NAME))


def closest(word: str, words: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the words that begin with a given one; if none does, those most like it, longest common prefix first."""
    import difflib

    def likeness(candidate: str) -> tuple[int, float]:
        pair = (word.casefold(), candidate.casefold())
        common = next((place for place, (a, b) in enumerate(zip(*pair, strict=False)) if a != b), min(map(len, pair)))
        return common, difflib.SequenceMatcher(None, *pair).ratio()

    alike = {each: likeness(each) for each in words}
    longer = [each for each, (common, _) in alike.items() if common == len(word) > 1]
    near = longer or [each for each, (_, ratio) in alike.items() if ratio >= 0.6]
    near = [each for each in near if alike[each][0]] or near
    return sorted(near, key=lambda each: alike[each], reverse=True)[:most]


def dump_json(value: object, *, indent: int | None = None, to: TextIO | None = None) -> str:
    """Write JSON that reads back exactly, with nothing in it that a terminal would obey or not show.

    For a stream that is not in UTF-8, as JSON has to be, everything beyond ASCII is escaped.
    """
    ascii_only = to is not None and (to.encoding or "").lower() not in {"utf-8", "utf8"}
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=(",", ": ") if indent else None)
    # Line breaks of the indentation are the only control characters that are not inside a string.
    return _escaped(text, lambda character: "\n" if character == "\n" else _json_escape(character))


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    """Replace every hidden character, but for those that an emoji is made of."""

    def replacement(found: re.Match[str]) -> str:
        return found.group() if _IN_EMOJI.match(text, found.start()) else escape(found.group())

    return _HIDDEN.sub(replacement, text)


def _json_escape(character: str) -> str:
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def masked(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an object with its secrets masked.

    These are ``link``, ``heartbeat.link`` and ``inbound_email`` of an integration (the object itself, or the field
    ``integration``), which let anyone raise alerts, and ``password`` and ``authorization_header`` of a webhook. The
    payloads of alerts are not searched.
    """
    hidden: dict[str, Any] = {key: MASK if key in _SECRETS and item else item for key, item in value.items()}
    for key in ("heartbeat", "integration"):
        if isinstance(hidden.get(key), Mapping):
            hidden[key] = masked(hidden[key])
    return hidden
