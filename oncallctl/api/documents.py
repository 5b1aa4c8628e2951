"""Reading JSON as the server wrote it: what JSON has not, and what no reader of this program's output could hold."""

from __future__ import annotations

import json
import math
from typing import Any


def parse(text: str | bytes | bytearray) -> Any:  # noqa: ANN401  # a JSON value
    """Read a JSON document.

    Raises:
        ValueError: it is none, or holds NaN, an infinity or a number beyond all floats (1e400): Python would take it
            for Infinity, and write that, which is no JSON.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)


def _refuse(word: str) -> float:
    raise ValueError(f"{word[:20]} is no number of JSON's, or too large for one")
