"""Escape server text for terminals, logs and JSON: it is data and never obeyed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

# Control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls, lone surrogates, tag
# characters, and characters without a visible shape: soft hyphens, joiners, fillers, selectors.
# They could move the cursor, reorder a line, hide text, make two names look alike, or fail to encode.
_HIDDEN = (
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f"
    "\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\ud800-\\udfff"
    "\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff]"
)
_EMOJI = (
    "\\xa9\\xae\\u203c\\u2049\\u2122\\u2139\\u2190-\\u27bf\\u2900-\\u2bff\\u3030\\u303d\\u3297\\u3299"
    "\\U0001f000-\\U0001faff"
)
# Emoji contain a joiner between two parts, and a variation selector after one or in a keycap.
_IN_EMOJI = f"(?<=[{_EMOJI}\\ufe0f])\\u200d(?=[{_EMOJI}])|(?<=[{_EMOJI}])[\\ufe0e\\ufe0f]|\\ufe0f(?=\\u20e3)"
_SECRETS = frozenset({"link", "inbound_email", "password", "authorization_header"})

MASK = "********"
LONGEST_MESSAGE = 4000  # characters
_ALIKE = 0.6  # of 1: how similar a word must be to be suggested
LONGEST_NAME = 400  # characters, in drawings and prompts


def visible(text: str) -> str:
    r"""Escape every character that a terminal might obey or not show, for example as ``\x1b``.

    The result is one line.
    """
    return _escaped(text, lambda character: character.encode("unicode_escape", "surrogatepass").decode("ascii"))


def cut(text: str, most: int) -> str:
    """Shorten a text to about `most` characters by omitting its middle."""
    return text if len(text) <= most else f"{text[: most * 3 // 4]} … {text[-(most // 4) :]}"


def sentence(text: str) -> str:
    """Escape a message or prompt and limit its length, whatever names it quotes."""
    return visible(cut(text, LONGEST_MESSAGE))


def caption(text: str) -> str:
    """Escape a name and limit its length."""
    return visible(cut(text, LONGEST_NAME))


def counted(count: int, thing: str) -> str:
    """Return a number and its noun, such as "1 window" or "2 windows"."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def closest(word: str, words: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the words that begin with a given one; if none does, those most like it, longest common prefix first."""
    from difflib import SequenceMatcher

    folded = word.casefold()
    matcher = SequenceMatcher(None, "", folded)
    alike: dict[str, tuple[int, float, bool]] = {}
    for each in words:
        matcher.set_seq1(each.casefold())
        common = _common_prefix(each.casefold(), folded)
        begins = common == len(folded) > 1
        if begins or (matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE):
            ratio = matcher.ratio()
            if begins or ratio >= _ALIKE:
                alike[each] = (common, ratio, each[:1] == word[:1])
    longest = max((common for common, *_ in alike.values()), default=0)
    least = longest if longest == len(folded) else min(longest, 1)
    near = [each for each, (common, *_) in alike.items() if common >= least]
    return sorted(near, key=lambda each: alike[each], reverse=True)[:most]


def _common_prefix(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def dump_json(value: object, *, indent: int | None = None, to: TextIO | None = None) -> str:
    """Serialize to JSON, with every character escaped that a terminal might obey or not show.

    If the stream `to` is not UTF-8, all non-ASCII characters are escaped.
    """
    import json

    ascii_only = to is not None and (to.encoding or "").lower() not in {"utf-8", "utf8"}
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=(",", ": ") if indent else None)
    # Outside of strings, the only control characters are the line breaks of the indentation.
    return _escaped(text, lambda character: "\n" if character == "\n" else _json_escape(character))


def _escaped(text: str, escape: Callable[[str], str]) -> str:
    """Escape every hidden character, except those inside an emoji."""

    def replacement(found: re.Match[str]) -> str:
        return found.group() if re.compile(_IN_EMOJI).match(text, found.start()) else escape(found.group())

    return re.sub(_HIDDEN, replacement, text)


def _json_escape(character: str) -> str:
    import json

    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def masked(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an object with its secrets masked.

    These are ``link``, ``heartbeat.link`` and ``inbound_email`` of an integration (the object itself, or the field
    ``integration``), which let anyone raise alerts, and ``password`` and ``authorization_header`` of a webhook. The
    alert payloads are left alone.
    """
    hidden: dict[str, Any] = {key: MASK if key in _SECRETS and item else item for key, item in value.items()}
    for key in ("heartbeat", "integration"):
        if isinstance(hidden.get(key), Mapping):
            hidden[key] = masked(hidden[key])
    return hidden
