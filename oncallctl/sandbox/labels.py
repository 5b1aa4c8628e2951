"""Labels of an integration, which only Cloud has. Cloud's page on integrations has the rules, at its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.jinja import has_valid_syntax
from oncallctl.sandbox.responses import bad_request

if TYPE_CHECKING:
    from oncallctl.sandbox.responses import HttpError

KEY: Final = re.compile(r"[A-Za-z]([A-Za-z0-9_]{0,61}[A-Za-z])?")
VALUE: Final = re.compile(r"[A-Za-z_.-]([A-Za-z0-9_.-]{0,61}[A-Za-z_.-])?")


def view(stored: dict[str, str]) -> list[dict[str, dict[str, str]]]:
    """Return the JSON of labels: a list of `{"key": {"name"}, "value": {"name"}}`."""
    return [{"key": {"name": key}, "value": {"name": value}} for key, value in stored.items()]


def parse(value: object, field: str, *, dynamic: bool) -> dict[str, str]:
    """Return the labels of a body as a dictionary.

    Args:
        value: the list in the body.
        field: the name of the field, for the error.
        dynamic: True if the values are templates.

    Raises:
        HttpError: 400 with `{field: [problem]}`.
    """
    if not isinstance(value, list):
        raise _invalid(field, f'Expected a list of items but got type "{type(value).__name__}".')
    labels: dict[str, str] = {}
    for item in value:
        key, content = _name(item, "key", field), _name(item, "value", field)
        if KEY.fullmatch(key) is None:
            raise _invalid(field, f"Invalid label key: {key}")
        if key in labels:
            raise _invalid(field, f"Duplicate label key: {key}")
        if not (has_valid_syntax(content) if dynamic else VALUE.fullmatch(content)):
            raise _invalid(field, f"Invalid label value: {content}")
        labels[key] = content
    return labels


def _name(item: object, part: str, field: str) -> str:
    inner = item.get(part) if isinstance(item, dict) else None
    name = inner.get("name") if isinstance(inner, dict) else None
    if not isinstance(name, str):
        raise _invalid(field, f"Each label needs a {part} with a name.")
    return name


def _invalid(field: str, problem: str) -> HttpError:
    return bad_request({field: [problem]})
