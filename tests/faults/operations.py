"""Operations of the API layer for the fault tests. A test fails if the API layer has an operation that is not here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from oncallctl.api import raw
from oncallctl.api.client import Dialect, OnCall
from oncallctl.api.noun import Noun
from oncallctl.api.nouns import COLLECTIONS
from oncallctl.api.resources.base import Change, Resource, ServerObject, TeamFilter
from oncallctl.api.resources.escalation import Escalation
from oncallctl.config.profiles import Profile

IDENT = "XAAAAAAAAAAAA"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Operation:
    """A call of the API layer.

    Attributes:
        run: makes the call.
        changes: True if it sends a change.
        looks: True if it reads back when the response is lost.
        takes_anything: True if it accepts JSON of any shape.
        finds_nothing: True if it omits objects that the server does not find.
        paginates: True if it reads result pages, and requests fewer rows when one is too large.
    """

    run: Callable[[OnCall], object]
    changes: bool = False
    looks: bool = False
    takes_anything: bool = False
    finds_nothing: bool = False
    paginates: bool = False


def sent(make: Callable[[OnCall], Change[Any]]) -> Operation:
    return Operation(lambda oncall: oncall.send(make(oncall)), changes=True)


def sent_for_nothing(make: Callable[[OnCall], Change[Any]]) -> Operation:
    return Operation(lambda oncall: oncall.send_without_result(make(oncall)), changes=True, takes_anything=True)


def collections(oncall: OnCall) -> dict[str, Resource[Any] | Escalation]:
    """Return the collections of a server, by name."""
    return {"escalation": oncall.escalation, **{path: oncall.collection(noun) for path, noun in COLLECTIONS.items()}}


def anywhere() -> OnCall:
    """Return a server that receives no requests."""
    return OnCall(None, Dialect.CLOUD, profile=Profile(name="none", url="http://none.invalid"))  # type: ignore[arg-type]


def public(kind: type) -> set[str]:
    """Return the public methods that a class defines."""
    return {name for name, each in vars(kind).items() if inspect.isfunction(each) and not name.startswith("_")}


def of_noun(noun: Noun) -> dict[str, Operation]:
    """Return the operations that follow from the declaration of a noun."""
    found = {
        "get": Operation(lambda oncall: oncall.collection(noun).get(IDENT), paginates=not noun.has_get),
        "list": Operation(lambda oncall: list(oncall.collection(noun).list()), paginates=True),
    }
    if noun.writes:
        found |= {
            "create": sent(lambda oncall: oncall.collection(noun).create({"type": "x"})),
            "update": sent(lambda oncall: oncall.collection(noun).update(IDENT, {"type": "x"})),
            "delete": sent_for_nothing(lambda oncall: oncall.collection(noun).delete(IDENT)),
            "remove": Operation(
                lambda oncall: oncall.collection(noun).remove(ServerObject(id=IDENT)),
                changes=True,
                looks=True,
                takes_anything=True,
            ),
        }
    return {f"{noun.path}.{name}": operation for name, operation in found.items()}


OF_NOUNS = {name: each for noun in COLLECTIONS.values() for name, each in of_noun(noun).items()}

OWN: dict[str, Operation] = {
    "integrations.of_team": Operation(
        lambda oncall: list(oncall.integrations.of_team(TeamFilter("T"))), paginates=True
    ),
    "integrations.everything": Operation(lambda oncall: oncall.integrations.everything(), paginates=True),
    "users.several": Operation(lambda oncall: oncall.users.several([IDENT]), finds_nothing=True),
    "integrations.start_maintenance": sent(
        lambda oncall: oncall.integrations.start_maintenance(IDENT, "group_alerts", lambda: 60)
    ),
    "integrations.stop_maintenance": sent(lambda oncall: oncall.integrations.stop_maintenance(IDENT)),
    "teams.on_call": Operation(lambda oncall: oncall.teams.on_call(IDENT, "current")),
    "users.current": Operation(lambda oncall: oncall.users.current()),
    "alert_groups.act": sent_for_nothing(lambda oncall: oncall.alert_groups.act(IDENT, "silence", {"delay": 60})),
    "schedules.final_shifts": Operation(
        lambda oncall: oncall.schedules.final_shifts(IDENT, NOON, NOON + timedelta(days=7))
    ),
    "shift_swaps.take": sent(lambda oncall: oncall.shift_swaps.take(IDENT, "U1")),
    "escalation_policies.of_chain": Operation(
        lambda oncall: oncall.escalation_policies.of_chain(IDENT), paginates=True
    ),
    "escalation.page": sent(lambda oncall: oncall.escalation.page({"team": IDENT, "users": []})),
}

# `oncallctl api` accepts any response.
RAW: dict[str, Operation] = {
    "raw.read": Operation(lambda oncall: raw.request("GET", "teams/", []).read(oncall), takes_anything=True),
    "raw.change": Operation(
        lambda oncall: oncall.send(raw.request("POST", "webhooks/", []).change), changes=True, takes_anything=True
    ),
}

OPERATIONS = {**OF_NOUNS, **OWN, **RAW}

# Methods without requests, and the lookup of the token's role, which ignores errors because it follows a refusal.
ASIDE = {"reuse_fetched", "alert_groups.between", "users.own_role"}
