"""Templates of an integration: which there are, and whether their syntax is valid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.answers import bad_request, detail
from oncallctl.sandbox.fields import Invalid, dictionary
from oncallctl.sandbox.jinja import has_valid_syntax

if TYPE_CHECKING:
    from oncallctl.sandbox.dialects import Dialect

Templates = dict[str, object]

SINGLE: Final = ("grouping_key", "resolve_signal", "acknowledge_signal", "source_link")
GROUPS: Final = {
    "slack": ("title", "message", "image_url"),
    "web": ("title", "message", "image_url"),
    "sms": ("title",),
    "phone_call": ("title",),
    "telegram": ("title", "message", "image_url"),
    "mobile_app": ("title", "message"),
    "email": ("title", "message"),
}
CHAT: Final = ("title", "message", "image_url")


def groups(dialect: Dialect) -> dict[str, tuple[str, ...]]:
    """List the groups of templates and what each holds."""
    return GROUPS | {dialect.chat: CHAT}


def view(stored: Templates, dialect: Dialect) -> Templates:
    """Say all templates, null where the default is in force."""
    shown: Templates = {name: stored.get(name) for name in SINGLE}
    for group, names in groups(dialect).items():
        values = stored.get(group)
        shown[group] = {name: values.get(name) if isinstance(values, dict) else None for name in names}
    return shown


def changed(stored: Templates, value: object, dialect: Dialect) -> Templates:
    """Put what a body says over the stored templates; null resets one or a whole group; unknown names are ignored.

    Raises:
        Refusal: 400 for another kind of JSON, or for invalid Jinja2, named after the template.
    """
    try:
        given = dictionary(value)
    except Invalid as invalid:
        raise bad_request({"templates": invalid.problem}) from invalid
    result = dict(stored)
    for name in SINGLE:
        if name in given:
            result[name] = _checked(given[name], name)
    for group, names in groups(dialect).items():
        if group not in given:
            continue
        parts = given[group]
        if parts is None:
            result[group] = {}
        elif isinstance(parts, dict):
            before = result.get(group)
            fresh = {name: _checked(parts[name], f"{group} {name}") for name in names if name in parts}
            result[group] = (before if isinstance(before, dict) else {}) | fresh
        else:
            raise detail(f"invalid {group} template")
    return result


def _checked(value: object, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not has_valid_syntax(value):
        raise detail(f"invalid {name} template")
    return value
