"""Masks the token in every form in which a server or a proxy may echo it."""

from __future__ import annotations

import base64
import re
from functools import cache

from oncallctl.text import MASK

LIKE_A_TOKEN = 16  # characters; a shorter token may occur in unrelated text
PREFIX = 12  # characters that reveal a token even if the rest was truncated

_CHUNK = 256 * 1024


class TokenMask:
    """Replaces a token in texts and documents.

    Args:
        token: found in any case, escaped, percent-encoded or truncated.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._start = re.compile("".join(map(_forms, token[:PREFIX])))
        self._encoded = _base64_of(token) if len(token) >= LIKE_A_TOKEN else ()

    def hide(self, text: str) -> str:
        """Return the text with each form of the token replaced by the mask."""
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

    def hide_in(self, document: object, body: bytes) -> object:
        """Return a JSON document with the token masked in its strings; `body` is the source it was parsed from."""
        if len(self._token) < LIKE_A_TOKEN:
            return document
        overlap = 16 * len(self._token)
        for position in range(0, len(body), _CHUNK):
            text = body[position : position + _CHUNK + overlap].decode("utf-8", "replace")
            if self._start.search(text) or any(encoded in text for encoded in self._encoded):
                return self._hide_in(document)
        return document

    def _hide_in(self, value: object) -> object:
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, list):
            return [self._hide_in(item) for item in value]
        if isinstance(value, dict):
            return {self.hide(key): self._hide_in(item) for key, item in value.items()}
        return value


@cache
def _forms(character: str) -> str:
    r"""Return a pattern for the forms of one character: either case, ``\u0041`` and ``\x41``, %41, &#65; and &#x41;.

    Each alternative begins with a fixed character, which `re` finds quickly. Repetitions are bounded, so that a long
    run of backslashes is fast too.
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
    """Return the base64 forms of a token within a longer text: one for each of the three byte offsets."""
    found = set()
    for offset in range(3):
        padded = b"\0" * offset + token.encode()
        complete = len(padded) - len(padded) % 3
        encoded = base64.b64encode(padded[:complete]).decode()[4 if offset else 0 :]
        found |= {encoded, encoded.replace("+", "-").replace("/", "_")}
    return tuple(found)
