"""Alert groups of the sample data, and what the tests read from the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from werkzeug.wrappers import Request, Response

from tests.serving import Fault, Serving

PLATFORM, PAYMENTS = "TKPSLLWBFUI9R", "TNFI27MJ312BL"
FIRING, ACKNOWLEDGED, RESOLVED, SILENCED = "IWM9M5WQXRBEN", "ITZS8C3IAPIQD", "IXVZICTNDV9PQ", "ISHJTMEUMF6E6"
GROUP = {"firing": FIRING, "acknowledged": ACKNOWLEDGED, "resolved": RESOLVED, "silenced": SILENCED}

# A command per action, complete but for its targets.
COMMANDS = {
    "acknowledge": "acknowledge",
    "unacknowledge": "unacknowledge",
    "resolve": "resolve",
    "unresolve": "unresolve",
    "silence": "silence --for 90m",
    "unsilence": "unsilence",
}


class Case(NamedTuple):
    """An action on a group in a state: the status in the output, and the resulting state."""

    verb: str
    before: str
    status: str
    after: str

    @property
    def ident(self) -> str:
        return GROUP[self.before]

    @property
    def line(self) -> str:
        return f"alert-groups {COMMANDS[self.verb]} {self.ident} -o json"

    def __str__(self) -> str:
        return f"{self.verb} {self.before}"


CHANGES = [
    Case("acknowledge", "firing", "acknowledged", "acknowledged"),
    Case("acknowledge", "silenced", "acknowledged", "acknowledged"),
    Case("unacknowledge", "acknowledged", "unacknowledged", "firing"),
    Case("resolve", "firing", "resolved", "resolved"),
    Case("resolve", "acknowledged", "resolved", "resolved"),
    Case("resolve", "silenced", "resolved", "resolved"),
    Case("unresolve", "resolved", "unresolved", "firing"),
    Case("silence", "firing", "silenced", "silenced"),
    Case("silence", "silenced", "silenced", "silenced"),
    Case("unsilence", "silenced", "unsilenced", "firing"),
]
EACH_CHANGE = pytest.mark.parametrize("case", CHANGES, ids=str)
EACH_VERB = pytest.mark.parametrize("case", list({case.verb: case for case in CHANGES}.values()), ids=str)


def groups(server: Serving, **conditions: str | None) -> dict[str, dict[str, Any]]:
    """Return the groups on the server with these fields, newest first."""
    everything = server.call("GET", "alert_groups/?perpage=100")["results"]
    return {each["id"]: each for each in everything if all(each[name] == is_ for name, is_ in conditions.items())}


def state(server: Serving, ident: str) -> str:
    return server.call("GET", f"alert_groups/{ident}/")["state"]


def first(action: Callable[[], object], *, answered: bool) -> Fault:
    """Run an action when the request arrives; then respond, or drop the response after the request was carried out."""

    def fault(_request: Request, answer: Callable[[], Response]) -> Response | None:
        action()
        response = answer()
        return response if answered else None

    return fault
