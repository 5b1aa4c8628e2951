"""An integration as options and files describe it, turned into the body that creates or changes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oncallctl.api.resources.base import TeamFilter
from oncallctl.api.resources.integrations import Integration, label_pairs
from oncallctl.errors import InvalidInput

# "Create an integration" of the documents; `webhook` is in the recordings of the engine, `msteams` is Cloud's.
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

# What the server gives an integration by itself; a definition that was read from another one carries these.
_SERVERS_OWN = (
    "id",
    "link",
    "inbound_email",
    "heartbeat",
    "maintenance_mode",
    "maintenance_started_at",
    "maintenance_end_at",
)

# "Labels" of the Cloud document.
_KEY = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]{0,61}[A-Za-z])?")
_VALUE = re.compile(r"[A-Za-z_.-](?:[A-Za-z0-9_.-]{0,61}[A-Za-z_.-])?")


@dataclass(frozen=True)
class Definition:
    """What options say about an integration; None and empty say nothing.

    Attributes:
        team: whose it is, or of no team.
        escalation_chain: the ID of the chain of its default route.
        templates: dotted path -> text, or None to reset to the default.
        labels: key -> value.
        dynamic_labels: key -> Jinja2 template.
        remove_labels: keys, of either kind.
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
        """Whether the body depends on the labels that are there: the API replaces the whole list."""
        return bool(self.labels or self.dynamic_labels or self.remove_labels)

    def body(self, base: Mapping[str, Any] | None = None, present: Integration | None = None) -> dict[str, Any]:
        """Make the body of a create or an update.

        Args:
            base: a definition from a file, which the options add to.
            present: the integration that is updated, for its labels.

        Raises:
            InvalidInput: a template that there is not, a label that breaks the documented rules, or nothing to do.
        """
        body = {key: value for key, value in (base or {}).items() if key not in _SERVERS_OWN}
        plain = {
            "type": self.type,
            "name": self.name,
            "description_short": self.description,
        }
        body |= {key: value for key, value in plain.items() if value is not None}
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
            raise InvalidInput("nothing to change", hint="name the changes by options or --file")
        return body

    def _add_labels(self, body: dict[str, Any], present: Integration | None) -> None:
        fixed = label_pairs(present.labels if present else None) | label_pairs(body.get("labels"))
        dynamic = label_pairs(present.dynamic_labels if present else None) | label_pairs(body.get("dynamic_labels"))
        for key in self.remove_labels:
            if key not in fixed and key not in dynamic:
                raise InvalidInput(f"there is no label {key!r} to remove")
            fixed.pop(key, None)
            dynamic.pop(key, None)
        for key, value in self.labels.items():
            _check_label(key, value)
        for key in self.dynamic_labels:
            _check_label(key, None)
        body["labels"] = _label_list({**fixed, **self.labels})
        body["dynamic_labels"] = _label_list({**dynamic, **self.dynamic_labels})


def known_template(path: str) -> str:
    """Check the dotted path of a template.

    Raises:
        InvalidInput: there is no such template; the server would ignore it without a word.
    """
    group, dot, leaf = path.partition(".")
    leaves = TEMPLATES.get(group)
    if leaves is None or (leaf not in leaves if leaves else dot):
        known = ", ".join(
            f"{name}.{part}" if part else name for name, parts in TEMPLATES.items() for part in parts or ("",)
        )
        raise InvalidInput(f"no template {path!r}", hint=f"there are {known}")
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
            f"label key {key!r}: 1 to 63 letters, digits and underscores, with a letter at either end",
        )
    if value is not None and not _VALUE.fullmatch(value):
        raise InvalidInput(
            f"label value {value!r}: 1 to 63 letters, digits, -, _ and ., without a digit at either end",
        )


def _label_list(pairs: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": {"name": key}, "value": {"name": value}} for key, value in pairs.items()]
