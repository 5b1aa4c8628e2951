"""Bodies of requests that create or update an integration, from options and files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oncallctl.api.resources.base import TeamFilter
from oncallctl.api.resources.integrations import Integration, label_pairs
from oncallctl.errors import InvalidInput

# Source: "Create an integration" in both API documents. `webhook` is only in recordings, `msteams` only on Cloud.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "grouping_key": (),
    "resolve_signal": (),
    "acknowledge_signal": (),
    "source_link": (),
    "slack": ("title", "message", "image_url"),
    "web": ("title", "message", "image_url"),
    "telegram": ("title", "message", "image_url"),
    "msteams": ("title", "message", "image_url"),
    "webhook": ("title", "message", "image_url"),
    "email": ("title", "message"),
    "mobile_app": ("title", "message"),
    "sms": ("title",),
    "phone_call": ("title",),
}

# Fields that the server sets. A file that was read from another integration contains them.
_READ_ONLY = (
    "id",
    "link",
    "inbound_email",
    "heartbeat",
    "maintenance_mode",
    "maintenance_started_at",
    "maintenance_end_at",
)

# Source: "Labels" in the Cloud document.
_KEY = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]{0,61}[A-Za-z])?")
_VALUE = re.compile(r"[A-Za-z_.-](?:[A-Za-z0-9_.-]{0,61}[A-Za-z_.-])?")


@dataclass(frozen=True)
class Definition:
    """Integration fields given on the command line; None and empty mean "not given".

    Attributes:
        team: a team, or no team.
        escalation_chain: the ID of the chain of the default route.
        templates: dotted path -> text, or None to reset to the default.
        labels: key -> value.
        dynamic_labels: key -> Jinja2 template.
        remove_labels: keys of labels of either kind.
    """

    type: str | None = None
    name: str | None = None
    team: TeamFilter | None = None
    description: str | None = None
    escalation_chain: str | None = None
    templates: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    dynamic_labels: Mapping[str, str] = field(default_factory=dict)
    remove_labels: Sequence[str] = ()

    @property
    def needs_present_labels(self) -> bool:
        """True if the body depends on the present labels, because the API replaces the complete list."""
        return bool(self.labels or self.dynamic_labels or self.remove_labels)

    def body(self, base: Mapping[str, Any] | None = None, present: Integration | None = None) -> dict[str, Any]:
        """Return the body of a create or an update.

        Args:
            base: the object of a file, which the options override.
            present: the integration to update, for its labels.

        Raises:
            InvalidInput: an unknown template, a label that breaks the documented rules, or nothing to change.
        """
        body = {key: value for key, value in (base or {}).items() if key not in _READ_ONLY}
        simple = {
            "type": self.type,
            "name": self.name,
            "description_short": self.description,
        }
        body |= {key: value for key, value in simple.items() if value is not None}
        if self.team:
            body["team_id"] = self.team.id
        if self.escalation_chain:
            route = {key: value for key, value in (body.get("default_route") or {}).items() if key != "id"}
            body["default_route"] = {**route, "escalation_chain_id": self.escalation_chain}
        elif isinstance(body.get("default_route"), dict):
            body["default_route"] = {key: value for key, value in body["default_route"].items() if key != "id"}
        if self.templates:
            body["templates"] = _templates(body.get("templates") or {}, self.templates)
        if self.needs_present_labels:
            self._add_labels(body, present)
        if not body:
            raise InvalidInput("nothing to change", hint="give the changes as options or with --file")
        return body

    def _add_labels(self, body: dict[str, Any], present: Integration | None) -> None:
        static = label_pairs(present.labels if present else None) | label_pairs(body.get("labels"))
        dynamic = label_pairs(present.dynamic_labels if present else None) | label_pairs(body.get("dynamic_labels"))
        for key in self.remove_labels:
            if key not in static and key not in dynamic:
                raise InvalidInput(f"cannot remove label {key!r}: the integration does not have it")
            static.pop(key, None)
            dynamic.pop(key, None)
        for key, value in self.labels.items():
            _check_label(key, value)
        for key in self.dynamic_labels:
            _check_label(key, None)
        body["labels"] = _label_list({**static, **self.labels})
        body["dynamic_labels"] = _label_list({**dynamic, **self.dynamic_labels})


def known_template(path: str) -> str:
    """Return the dotted path of a template if it exists.

    Raises:
        InvalidInput: there is no such template. The server would silently ignore it.
    """
    group, dot, leaf = path.partition(".")
    leaves = TEMPLATES.get(group)
    if leaves is None or (leaf not in leaves if leaves else dot):
        known = ", ".join(
            f"{name}.{part}" if part else name for name, parts in TEMPLATES.items() for part in parts or ("",)
        )
        raise InvalidInput(f"unknown template {path!r}", hint=f"templates: {known}")
    return path


def _templates(base: Mapping[str, Any], given: Mapping[str, str | None]) -> dict[str, Any]:
    nested = {key: dict(value) if isinstance(value, dict) else value for key, value in base.items()}
    for path, text in given.items():
        group, dot, leaf = known_template(path).partition(".")
        if dot:
            inner = nested.get(group)
            nested[group] = {**(inner if isinstance(inner, dict) else {}), leaf: text}
        else:
            nested[group] = text
    return nested


def _check_label(key: str, value: str | None) -> None:
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            f"invalid label key {key!r}: use 1 to 63 letters, digits and underscores, with a letter at both ends",
        )
    if value is not None and not _VALUE.fullmatch(value):
        raise InvalidInput(
            f"invalid label value {value!r}: use 1 to 63 letters, digits, -, _ and ., without a digit at the ends",
        )


def _label_list(pairs: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": {"name": key}, "value": {"name": value}} for key, value in pairs.items()]
