"""Operations of the API layer against faults, over real sockets.

The operations with code of their own meet every fault. Those that follow from the declaration of a noun share their
code: for each fault they run on `NOUNS_PER_FAULT` nouns in turn, so that every noun meets many faults.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from oncallctl.api.client import Dialect, OnCall
from oncallctl.api.memory import ResponseTooLarge
from oncallctl.api.nouns import COLLECTIONS
from oncallctl.api.resources.base import Resource
from oncallctl.api.retry import ATTEMPTS, PATIENCE, RATE_PATIENCE
from oncallctl.api.transport import Transport
from oncallctl.config.profiles import Profile
from oncallctl.errors import NotFound, OncallError, OutcomeUnknown, Unavailable
from tests import certificates
from tests.faults.clocks import Clocks, use_clocks
from tests.faults.faults import ELSEWHERE, ENOUGH, FAULTS, Fault
from tests.faults.operations import ASIDE, OF_NOUNS, OPERATIONS, OWN, RAW, Operation, anywhere, collections, public
from tests.unit.api.clock import RecordingListener
from tests.unit.api.wire import Wire, answer

NOUNS_PER_FAULT = 3
PAGE_SIZES = (100, 25, 5, 1)  # rows requested at a time while the response is too large
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
    """Result of an operation.

    Attributes:
        error: name of the error's class.
        arrived: number of requests that reached the server.
        wrong: broken rules about messages, secrets and waiting.
    """

    error: str | None
    arrived: int
    wrong: tuple[str, ...] = ()


def outcome(operation: Operation, fault: Fault, elsewhere: Wire, clocks: Clocks) -> Outcome:
    """Run an operation on a server with a fault."""
    listener, error, wrong = RecordingListener(), None, []
    with wire_for(fault, elsewhere) as wire:
        url = wire.url.replace("http:", "https:") if fault.certificate == "none" else wire.url
        transport = Transport(url, {"Authorization": TOKEN}, timeout=0.3 if fault.hangs else 20, listener=listener)
        began = clocks.mine.now
        with OnCall(transport, Dialect.CLOUD, profile=Profile(name="test", url=url)) as oncall:
            try:
                operation.run(oncall)
            except OncallError as problem:
                error = problem
    if error and (len(error.message.splitlines()) != 1 or len(error.message) > 800):
        wrong.append(f"long message: {error.message!r}")
    if TOKEN in "\n".join([*listener.debugs, *listener.notes, str(error and error.document())]):
        wrong.append("token in a message")
    if clocks.mine.now - began > PATIENCE + RATE_PATIENCE:
        wrong.append(f"waited {clocks.mine.now - began} s")
    return Outcome(type(error).__name__ if error else None, len(wire.arrived), tuple(wrong))


def expected(operation: Operation, fault: Fault) -> Outcome:
    """Return the outcome that the fault must have."""
    error = fault.change if operation.changes else fault.read
    if (fault.shape and operation.takes_anything) or (error is NotFound and operation.finds_nothing):
        return Outcome(None, 1)
    reads = len(PAGE_SIZES) if error is ResponseTooLarge and operation.paginates else fault.reads
    read_back = reads if operation.looks and error is OutcomeUnknown else 0
    return Outcome(error.__name__, fault.changes + read_back if operation.changes else reads)


def operations_for(fault: str) -> dict[str, Operation]:
    """Return the operations to run with a fault: all with code of their own, and those of some nouns."""
    paths = list(COLLECTIONS)
    first = list(FAULTS).index(fault) * NOUNS_PER_FAULT
    chosen = [paths[(first + number) % len(paths)] for number in range(NOUNS_PER_FAULT)]
    shared = {name: each for name, each in OF_NOUNS.items() if name.partition(".")[0] in chosen}
    return {**shared, **OWN, **RAW}


@pytest.mark.parametrize("name", FAULTS)
def test_operation_on_a_faulty_server_ends_in_the_documented_error_after_the_allowed_requests(
    name: str, clocks: Clocks
) -> None:
    fault, operations = FAULTS[name], operations_for(name)
    wanted = {each: expected(operation, fault) for each, operation in operations.items()}
    with Wire(answer(200, {"id": "X"})) as elsewhere, ThreadPoolExecutor(len(wanted) if fault.hangs else 4) as pool:
        running = {each: pool.submit(outcome, *(run, fault, elsewhere, clocks)) for each, run in operations.items()}
        outcomes = {each: future.result() for each, future in running.items()}
        assert elsewhere.arrived == []
    if fault.hangs:  # on a busy machine the timeout may end a request before it arrives
        outcomes = {
            each: replace(result, arrived=max(result.arrived, wanted[each].arrived))
            for each, result in outcomes.items()
        }
    assert outcomes == wanted


def test_faults_meet_every_operation_of_every_noun() -> None:
    assert {name for fault in FAULTS for name in operations_for(fault)} == OPERATIONS.keys()


def test_table_of_operations_covers_every_public_method_of_the_api() -> None:
    there = set(public(Resource)) - ASIDE
    assert there <= {name.rpartition(".")[2] for name in OPERATIONS}
    for name, collection in collections(anywhere()).items():
        own = {f"{name}.{method}" for method in public(type(collection)) if method not in ASIDE}
        assert own <= {*OPERATIONS, *ASIDE}, f"the fault tests lack {own - {*OPERATIONS, *ASIDE}}"


def test_table_of_faults_covers_retries_and_single_attempts() -> None:
    assert {fault.reads for fault in FAULTS.values() if issubclass(fault.read, Unavailable)} == {0, 1, ATTEMPTS}
    assert all(fault.changes == 1 for fault in FAULTS.values() if fault.change is OutcomeUnknown)
