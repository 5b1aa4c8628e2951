"""Hypothesis strategies for JSON documents, and functions that change fields of a document."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

UNUSUAL: list[Any] = [
    None,
    True,
    False,
    "",
    " ",
    "../../x",
    "text",
    "\ud800",
    0,
    -1,
    10**30,
    -(10**30),
    1e308,
    float("inf"),
    float("nan"),
    0.5,
    1_700_000_000,
    "1700000000",
    "9" * 400,
    [],
    [None],
    ["x"],
    [[]],
    [{}],
    {},
    {"id": None},
    {"key": {"name": 1}, "value": {"name": None}},
    "2026-01-01T00:00:00",
    "2026-01-01",
    "2026-01-01 00:00:00+00:00",
    "2026-01-01T00:00:00.123456789Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-12:00",
    "9999-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z",
]

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.datetimes().map(str)
VALUES = st.sampled_from(UNUSUAL) | st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def changed(document: Any, field: str, value: Any, *, drop: bool = False) -> Any:
    """Return the document with every field of this name replaced by a value, or removed."""
    if isinstance(document, dict):
        return {
            key: value if key == field else changed(item, field, value, drop=drop)
            for key, item in document.items()
            if not (drop and key == field)
        }
    if isinstance(document, list):
        return [changed(item, field, value, drop=drop) for item in document]
    return document


def fields(document: Any) -> set[str]:
    """Return the names of all fields of a document."""
    if isinstance(document, dict):
        return {*document, *(name for item in document.values() for name in fields(item))}
    return {name for item in document for name in fields(item)} if isinstance(document, list) else set()
