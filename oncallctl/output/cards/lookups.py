"""What cards have in common: names, times, and requests that may fail."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from oncallctl import parallel
from oncallctl.config.settings import Settings
from oncallctl.errors import OncallError
from oncallctl.output import card
from oncallctl.output.linked_names import names_of
from oncallctl.text import dump_json
from oncallctl.times import now

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.noun import Noun

Result = TypeVar("Result")

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Lookups:
    """The server, and the settings of the card."""

    oncall: OnCall
    settings: Settings
    at: datetime = field(default_factory=now)

    def begin(self, thing: str, fetch: Callable[[], Result]) -> Callable[[], Result | None]:
        """Fetch in the background; return a function that waits for the result, to be called once.

        If fetching fails, it warns that the thing cannot be shown, and returns None.
        """
        wait = parallel.begin(fetch)

        def result() -> Result | None:
            try:
                return wait()
            except OncallError as error:
                self.settings.warn(f"{thing} cannot be shown: {error.message}")
                return None

        return result

    def names(self, idents: Mapping[Noun, Collection[str]]) -> dict[str, str]:
        """Return ID -> name, for IDs of several kinds."""
        return names_of(self.oncall, self.settings, idents)

    def moment(self, time: object) -> str:
        """Return a time, relative and absolute."""
        return card.moment(self.settings, time, self.at) if isinstance(time, str | datetime) else ""

    def since(self, time: object) -> str:
        """Return a time, absolute and relative: "2026-11-25 14:00 UTC, 2h ago"."""
        relative, _, absolute = self.moment(time).rstrip(")").partition(" (")
        return f"{absolute}, {relative}" if absolute else relative

    def text(self, value: object) -> str:
        """Return a field of any kind as text."""
        match value:
            case None:
                return ""
            case bool():
                return "yes" if value else "no"
            case str():
                return self.moment(value) if _TIME.fullmatch(value) else value
            case list() if all(isinstance(each, str | int) for each in value):
                return ", ".join(map(str, value))
            case _:
                return dump_json(value)


def named(linked: object) -> str:
    """Return the name of a linked object, ``{"id", "name"}``, with its ID."""
    if not isinstance(linked, Mapping):
        return ""
    ident, name = linked.get("id"), linked.get("name")
    return f"{name} ({ident})" if name != ident else str(ident)
