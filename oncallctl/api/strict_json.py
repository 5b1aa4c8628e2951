"""Reading JSON as the server wrote it: what JSON has not, and what no reader of this program's output could hold."""

from __future__ import annotations

import json
import math
from typing import Any


class TooLarge(ValueError):
    """A number beyond all floats."""


def parse(text: str | bytes | bytearray) -> Any:  # noqa: ANN401  # a JSON value
    """Read a JSON document.

    Raises:
        TooLarge: it holds a number such as 1e400: Python would take it for Infinity, and write that, which is no JSON.
        ValueError: it is none, or holds NaN or an infinity.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise TooLarge(f"the number {digits[:20]} is too large")
    return number


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON's")
