"""Strict JSON parser: rejects NaN, Infinity, and numbers that overflow a float."""

from __future__ import annotations

import json
import math


class TooLarge(ValueError):
    """A number that overflows a float."""


def parse(text: str | bytes | bytearray) -> object:
    """Parse a JSON document.

    Raises:
        TooLarge: the document contains a number such as 1e400, which Python would read and write as Infinity.
        ValueError: the text is not JSON, or contains NaN or Infinity.
        RecursionError: the document is nested too deeply.
    """
    document: object = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    return document


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise TooLarge(f"the number {digits[:20]} is too large")
    return number


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is not a JSON number")
