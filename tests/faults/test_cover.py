"""`cover` with each fault at each of its changes: a swap left open is reported, and none is made twice."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from oncallctl import sandbox
from oncallctl.errors import OutcomeUnknown
from tests.conftest import Run, Runner
from tests.faults.clocks import use_clocks
from tests.faults.commands import OTHER_USER, SCHEDULE, USER
from tests.faults.faults import ELSEWHERE, ENOUGH, FAULTS, Fault
from tests.serving import copy_sample_data
from tests.unit.api.wire import Arrived, Reaction, Wire, answer

CHANGES = {"create": "POST .*/shift_swaps/$", "take": "POST .*/take/", "delete": "DELETE .*"}
CASES = list(product(CHANGES, (False, True), (False, True)))
CASES_PER_FAULT = 3  # in turn, so that each case meets many faults
LINE = f"cover {USER} --by {OTHER_USER} --schedule {SCHEDULE} --from +10d --for 2d --yes"


@dataclass
class Faulty:
    """The sandbox as Cloud, with a fault at one change of `cover`.

    Attributes:
        at: the change.
        is_carried_out: True if the change takes effect all the same.
        lasts: True if all later requests meet the fault, too.
        created: number of creations that took effect.
    """

    database: Path
    fault: Fault
    at: str
    is_carried_out: bool
    lasts: bool
    is_hit: bool = False
    created: int = 0
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(sandbox.application(copy_sample_data(self.database), "cloud", rate_limit=100_000))
        self.before = {row["id"] for row in self.swaps()}

    def decide(self, arrived: Arrived) -> Reaction:
        request = f"{arrived.method} {arrived.target}"
        is_target = re.match(CHANGES[self.at], request) is not None
        if (self.is_hit and self.lasts) or (is_target and not self.is_hit):
            if is_target and self.is_carried_out and not self.is_hit:
                self._carry_out(arrived)
            self.is_hit = True
            reaction = self.fault.reaction
            return (
                reaction.replace(ELSEWHERE.encode(), b"http://e.invalid") if isinstance(reaction, bytes) else reaction
            )
        if self.at == "delete" and re.match(CHANGES["take"], request):
            return answer(400, {"detail": "no"})
        return self._carry_out(arrived)

    def _carry_out(self, arrived: Arrived) -> bytes:
        done = self._send(arrived.method, arrived.target, data=arrived.body or None, content_type="application/json")
        self.created += done.status_code == 201
        return answer(done.status_code, text=done.data, content_type="application/json")

    def swaps(self) -> list[dict[str, Any]]:
        path = "/api/v1/shift_swaps/?perpage=1000&starting_after=2000-01-01T00:00:00Z"
        rows: list[dict[str, Any]] = self._send("GET", path).json["results"]
        return rows

    def made(self) -> list[dict[str, Any]]:
        return [row for row in self.swaps() if row["id"] not in self.before]

    def _send(self, method: str, target: str, **more: Any) -> Any:
        authorization = {"Authorization": f"Bearer {sandbox.ADMIN_TOKEN}"}
        return self.client.open(target, method=method, headers=authorization, **more)


def mistakes(faulty: Faulty, done: Run) -> list[str]:
    """Return the broken promises."""
    made, found = faulty.made(), []
    taken = [row for row in made if row["benefactor"] == OTHER_USER]
    if faulty.created > 1 or len(made) > 1:
        found.append("made twice")
    if done.status == 0 and not taken:
        found.append("reported as covered, and it is not")
    if taken and done.status not in {0, 9}:
        found.append(f"covered, and reported with exit {done.status}")
    reported = [row for row in made if row["id"] in done.stderr or f"shift-swaps list --user {USER}" in done.stderr]
    if any(row["status"] == "open" and (done.status != 9 or row not in reported) for row in made):
        found.append(f"left open with exit {done.status}")
    return [f"{each}: {done.stderr}" for each in found]


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.listening and not fault.certificate])
def test_cover_with_a_fault_at_any_change_leaves_nothing_unreported(
    name: str, run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_clocks(monkeypatch)
    monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0, 0.0))
    monkeypatch.setattr("oncallctl.api.body.LARGEST_BODY", ENOUGH)
    fault, failures = FAULTS[name], []
    first = list(FAULTS).index(name)
    for number in range(CASES_PER_FAULT):
        at, is_carried_out, lasts = CASES[(first * CASES_PER_FAULT + number) % len(CASES)]
        if is_carried_out and fault.change is not OutcomeUnknown:  # such a response says that it was not
            continue
        faulty = Faulty(tmp_path / f"{at}{is_carried_out}{lasts}.sqlite3", fault, at, is_carried_out, lasts)
        with Wire(decide=faulty.decide) as wire:
            environment = {
                "ONCALLCTL_URL": wire.url,
                "ONCALLCTL_TOKEN": sandbox.ADMIN_TOKEN,
                "ONCALLCTL_API": "cloud",
            }
            done = run(f"{LINE} --timeout {0.5 if fault.hangs else 20}", status=None, **environment)
        assert faulty.is_hit, done.stderr
        failures += [f"{at}, {is_carried_out=}, {lasts=}: {each}" for each in mistakes(faulty, done)]
    assert failures == [], "\n".join(failures)
