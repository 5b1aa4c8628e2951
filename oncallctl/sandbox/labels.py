"""Labels of an integration, which only Cloud has. The rules stand at the end of Cloud's page on integrations."""

from __future__ import annotations

import re
from typing import Final

from oncallctl.sandbox.answers import bad_request
from oncallctl.sandbox.jinja import has_valid_syntax

KEY: Final = re.compile(r"[A-Za-z]([A-Za-z0-9_]{0,61}[A-Za-z])?")
VALUE: Final = re.compile(r"[A-Za-z_.-]([A-Za-z0-9_.-]{0,61}[A-Za-z_.-])?")


def view(stored: dict[str, str]) -> list[dict[str, dict[str, str]]]:
    """Say labels as the API does: a list of `{"key": {"name"}, "value": {"name"}}`."""
    return [{"key": {"name": key}, "value": {"name": value}} for key, value in stored.items()]


def read(value: object, field: str, *, dynamic: bool) -> dict[str, str]:
    """Check labels and turn them into a dictionary.

    Args:
        value: the list of a body.
        field: the name of the field, for the error.
        dynamic: whether the values are templates rather than plain words.

    Raises:
        Refusal: 400 with `{field: [problem]}`.
    """
    if not isinstance(value, list):
        raise _refused(field, f'Expected a list of items but got type "{type(value).__name__}".')
    labels: dict[str, str] = {}
    for item in value:
        key, content = _name(item, "key", field), _name(item, "value", field)
        if KEY.fullmatch(key) is None:
            raise _refused(field, f"Invalid label key: {key}")
        if key in labels:
            raise _refused(field, f"Duplicate label key: {key}")
        if not (has_valid_syntax(content) if dynamic else VALUE.fullmatch(content)):
            raise _refused(field, f"Invalid label value: {content}")
        labels[key] = content
    return labels


def _name(item: object, part: str, field: str) -> str:
    inner = item.get(part) if isinstance(item, dict) else None
    name = inner.get("name") if isinstance(inner, dict) else None
    if not isinstance(name, str):
        raise _refused(field, f"Each label needs a {part} with a name.")
    return name


def _refused(field: str, problem: str) -> Exception:
    return bad_request({field: [problem]})
