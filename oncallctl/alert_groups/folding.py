"""Alert groups that share a title, folded into one row: a check that fires again and again opens a group each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from oncallctl.api.resources.alert_groups import AlertGroup

COLUMNS = {"COUNT": "count", "TITLE": "title", "STATES": "states", "LATEST": "latest", "ID": "id"}


@dataclass
class Fold:
    """Alert groups with the same title, newest first."""

    title: str | None
    groups: list[AlertGroup] = field(default_factory=list)

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object, with the title as the server sent it."""
        return {
            "title": self.title,
            "count": len(self.groups),
            "states": dict(Counter(group.state for group in self.groups)),
            "latest": self.groups[0].raw.get("created_at"),
            "ids": [group.id for group in self.groups],
        }

    @property
    def row(self) -> dict[str, Any]:
        """The table row, with the ID of the latest alert group."""
        document = self.document
        states = [f"{count} {state}" if len(self.groups) > 1 else state for state, count in document["states"].items()]
        return {**document, "title": unescape(self.title or ""), "states": ", ".join(states), "id": self.groups[0].id}


def by_title(groups: Iterable[AlertGroup]) -> list[Fold]:
    """Fold alert groups, which are newest first; the fold with the newest group comes first."""
    folds: dict[str | None, Fold] = {}
    for group in groups:
        title = group.raw.get("title")
        folds.setdefault(title, Fold(title)).groups.append(group)
    return list(folds.values())
