"""Every operation of the API layer against every fault, over real sockets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from oncallctl.api.client import Dialect, OnCall
from oncallctl.api.memory import ResponseTooLarge
from oncallctl.api.resources.base import Resource
from oncallctl.api.retry import ATTEMPTS, PATIENCE, RATE_PATIENCE
from oncallctl.api.transport import Transport
from oncallctl.config.profiles import Profile
from oncallctl.errors import NotFound, OncallError, OutcomeUnknown, Unavailable
from tests import certificates
from tests.faults.clocks import Clocks, use_clocks
from tests.faults.faults import ELSEWHERE, ENOUGH, FAULTS, Fault
from tests.faults.operations import ASIDE, OPERATIONS, Operation, anywhere, collections, public
from tests.unit.api.clock import Ears
from tests.unit.api.wire import Wire, answer

PAGE_SIZES = (100, 25, 5, 1)  # rows that are requested at a time, while the response is too large
TOKEN = "a-token-that-nobody-else-may-see"


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Clocks:
    clocks = use_clocks(monkeypatch)
    monkeypatch.setattr("oncallctl.api.body.LARGEST_BODY", ENOUGH)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.trust_in(tmp_path)))
    return clocks


def wire_for(fault: Fault, elsewhere: Wire) -> Wire:
    shown = fault.certificate if fault.certificate != "none" else None
    reaction = fault.reaction
    if isinstance(reaction, bytes):
        reaction = reaction.replace(ELSEWHERE.encode(), elsewhere.url.encode())
    return Wire(reaction, listening=fault.listening, tls=certificates.shown(shown) if shown else None)


@dataclass(frozen=True)
class Outcome:
    """What an operation came to, and how many requests reached the server; `wrong` is what should not be."""

    error: str | None
    arrived: int
    wrong: tuple[str, ...] = ()


def outcome(operation: Operation, fault: Fault, elsewhere: Wire, clocks: Clocks) -> Outcome:
    ears, error, wrong = Ears(), None, []
    with wire_for(fault, elsewhere) as wire:
        url = wire.url.replace("http:", "https:") if fault.certificate == "none" else wire.url
        transport = Transport(url, {"Authorization": TOKEN}, timeout=0.3 if fault.hangs else 20, listener=ears)
        began = clocks.mine.now
        with OnCall(transport, Dialect.CLOUD, profile=Profile(name="test", url=url)) as oncall:
            try:
                operation.run(oncall)
            except OncallError as problem:
                error = problem
    if error and (len(error.message.splitlines()) != 1 or len(error.message) > 800):
        wrong.append(f"a long message: {error.message!r}")
    if TOKEN in "\n".join([*ears.debugs, *ears.notes, str(error and error.document())]):
        wrong.append("the token is told")
    if clocks.mine.now - began > PATIENCE + RATE_PATIENCE:
        wrong.append(f"it waits {clocks.mine.now - began} s")
    return Outcome(type(error).__name__ if error else None, len(wire.arrived), tuple(wrong))


def wanted(operation: Operation, fault: Fault) -> Outcome:
    error = fault.change if operation.changes else fault.read
    if (fault.shape and operation.takes_anything) or (error is NotFound and operation.finds_nothing):
        return Outcome(None, 1)
    reads = len(PAGE_SIZES) if error is ResponseTooLarge and operation.paginates else fault.reads
    looked = reads if operation.looks and error is OutcomeUnknown else 0
    return Outcome(error.__name__, fault.changes + looked if operation.changes else reads)


def as_often(found: Outcome, may: Outcome) -> Outcome:
    """Where a time-out ends it, a busy machine may end a request before it arrives; none may arrive too often."""
    return replace(found, arrived=max(found.arrived, may.arrived))


@pytest.mark.parametrize("name", FAULTS)
def test_every_operation_ends_in_the_right_error_and_asks_as_often_as_it_may(name: str, clocks: Clocks) -> None:
    fault = FAULTS[name]
    may = {each: wanted(operation, fault) for each, operation in OPERATIONS.items()}
    with Wire(answer(200, {"id": "X"})) as elsewhere, ThreadPoolExecutor(len(may) if fault.hangs else 4) as pool:
        running = {
            each: pool.submit(outcome, operation, fault, elsewhere, clocks) for each, operation in OPERATIONS.items()
        }
        found = {each: future.result() for each, future in running.items()}
        assert elsewhere.arrived == []
    if fault.hangs:
        found = {each: as_often(found[each], may[each]) for each in may}
    assert found == may


def test_no_operation_of_the_api_is_left_out() -> None:
    there = set(public(Resource)) - ASIDE
    assert there <= {name.rpartition(".")[2] for name in OPERATIONS}
    for name, collection in collections(anywhere()).items():
        own = {f"{name}.{method}" for method in public(type(collection)) if method not in ASIDE}
        assert own <= {*OPERATIONS, *ASIDE}, f"the fault tests lack {own - {*OPERATIONS, *ASIDE}}"


def test_the_table_of_faults_knows_what_is_tried_again() -> None:
    assert {fault.reads for fault in FAULTS.values() if issubclass(fault.read, Unavailable)} == {0, 1, ATTEMPTS}
    assert all(fault.changes == 1 for fault in FAULTS.values() if fault.change is OutcomeUnknown)
