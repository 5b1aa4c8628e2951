"""The templates of an integration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oncallctl.sandbox.fields import InvalidField, dictionary
from oncallctl.sandbox.jinja import has_valid_syntax
from oncallctl.sandbox.responses import bad_request, detail

if TYPE_CHECKING:
    from oncallctl.sandbox.variants import Variant

Templates = dict[str, Any]

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


def _groups(variant: Variant) -> dict[str, tuple[str, ...]]:
    return GROUPS | {variant.chat: CHAT}


def view(stored: Templates, variant: Variant) -> Templates:
    """Return the JSON of all templates, with null for a default."""
    shown: Templates = {name: stored.get(name) for name in SINGLE}
    for group, names in _groups(variant).items():
        shown[group] = {name: stored.get(group, {}).get(name) for name in names}
    return shown


def updated(stored: Templates, value: object, variant: Variant) -> Templates:
    """Return the stored templates, updated from a body. null resets one or a group; unknown names are ignored.

    Raises:
        HttpError: 400 for another kind of JSON, or for invalid Jinja2, with the name of the template.
    """
    try:
        given = dictionary(value)
    except InvalidField as invalid:
        raise bad_request({"templates": invalid.problem}) from invalid
    result = dict(stored)
    for name in SINGLE:
        if name in given:
            result[name] = _checked(given[name], name)
    for group, names in _groups(variant).items():
        if group not in given:
            continue
        parts = given[group]
        if parts is None:
            result[group] = {}
        elif isinstance(parts, dict):
            new = {name: _checked(parts[name], f"{group} {name}") for name in names if name in parts}
            result[group] = result.get(group, {}) | new
        else:
            raise detail(f"invalid {group} template")
    return result


def _checked(value: object, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not has_valid_syntax(value):
        raise detail(f"invalid {name} template")
    return value
