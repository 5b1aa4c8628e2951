"""Routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oncallctl.api.nouns import ROUTES
from oncallctl.commands import generic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oncallctl.api.resources.routes import Route


def _described(route: Route) -> Mapping[str, Any]:
    from oncallctl.escalation.describe import condition

    return {"condition": condition(route)}


app = generic.app_of(ROUTES, described=_described)
