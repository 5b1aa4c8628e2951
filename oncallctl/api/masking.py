"""The token is masked in whatever form a server, or a proxy, echoes it."""

from __future__ import annotations

import base64
import re
from functools import cache
from typing import Any

from oncallctl.text import MASK

LIKE_A_TOKEN = 16  # characters; a shorter one may be part of anything that a server says
PREFIX = 12  # characters that give a token away even if a length limit cut off the rest

_CHUNK = 256 * 1024


class TokenMask:
    """Replaces a token in texts and documents.

    Args:
        token: the token; case, escapes and percent-encoding do not hide it, nor does its end being cut off.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._start = re.compile("".join(map(_forms, token[:PREFIX])))
        self._encoded = _base64_of(token) if len(token) >= LIKE_A_TOKEN else ()

    def hide(self, text: str) -> str:
        """Return the text with the mask in place of each form of the token."""
        if len(self._token) < PREFIX:
            return text.replace(self._token, MASK)
        for encoded in self._encoded:
            text = text.replace(encoded, MASK)
        parts, end = [], 0
        while found := self._start.search(text, end):
            parts.append(text[end : found.start()])
            end = found.end()
            for character in self._token[PREFIX:]:
                following = re.compile(_forms(character)).match(text, end)
                if not following:
                    break
                end = following.end()
            parts.append(MASK)
        return "".join([*parts, text[end:]])

    def hide_in(self, document: Any, body: bytes) -> Any:  # noqa: ANN401  # a JSON value
        """Return a document with the token masked in its strings; `body` is what it was parsed from."""
        if len(self._token) < LIKE_A_TOKEN:
            return document
        overlap = 16 * len(self._token)
        for position in range(0, len(body), _CHUNK):
            text = body[position : position + _CHUNK + overlap].decode("utf-8", "replace")
            if self._start.search(text) or any(encoded in text for encoded in self._encoded):
                return self._hide_in(document)
        return document

    def _hide_in(self, value: Any) -> Any:  # noqa: ANN401  # a JSON value
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, list):
            return [self._hide_in(item) for item in value]
        if isinstance(value, dict):
            return {self.hide(key): self._hide_in(item) for key, item in value.items()}
        return value


@cache
def _forms(character: str) -> str:
    r"""Return a pattern of the forms of one character: either case, ``\u0041`` and ``\x41``, %41, &#65; and &#x41;.

    Each alternative begins with one certain character: `re` searches for these quickly. Repetitions are bounded, so
    that a text of backslashes takes no time either.
    """
    alternatives = {re.escape(character.lower()), re.escape(character.upper())}
    if not character.isalnum():
        alternatives.add(rf"\\\\{{0,7}}{re.escape(character)}")
    for each in {character.lower(), character.upper()}:
        code = "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{ord(each):02x}")
        alternatives |= {
            rf"\\\\{{0,7}}(?:u00|U00|x|X){code}",
            rf"%(?:25){{0,3}}{code}",
            rf"&#(?:[xX]0{{0,7}}{code}|0{{0,7}}{ord(each)});?",
        }
    return f"(?:{'|'.join(sorted(alternatives))})"


def _base64_of(token: str) -> tuple[str, ...]:
    """Return the base64 forms of a token inside any text: what it looks like at each of the three offsets."""
    found = set()
    for offset in range(3):
        padded = b"\0" * offset + token.encode()
        whole = len(padded) - len(padded) % 3
        encoded = base64.b64encode(padded[:whole]).decode()[4 if offset else 0 :]
        found |= {encoded, encoded.replace("+", "-").replace("/", "_")}
    return tuple(found)
