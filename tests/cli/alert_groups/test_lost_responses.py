"""Actions on alert groups whose response is lost: reading back, and never sending again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.wrappers import Request, Response

from tests.cli.alert_groups.support import CHANGES, EACH_CHANGE, EACH_VERB, FIRING, Case, first
from tests.conftest import Runner
from tests.serving import Serving, drop, lose, status


@pytest.fixture
def read_back_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0,))


@EACH_CHANGE
def test_change_that_was_carried_out_is_done_and_not_resent(cloud: Serving, run: Runner, case: Case) -> None:
    cloud.fail("POST", f"/{case.verb}/", lose)
    (outcome,) = run(case.line).json
    assert (outcome["status"], outcome["alert_group"]["state"]) == (case.status, case.after)
    assert len(cloud.changes()) == 1


@pytest.mark.usefixtures("read_back_once")
@EACH_VERB
def test_change_that_is_not_visible_has_an_unknown_outcome(cloud: Serving, run: Runner, case: Case) -> None:
    cloud.fail("POST", f"/{case.verb}/", drop)
    done = run(case.line, status=9)
    (outcome,) = done.json
    assert (outcome["status"], outcome["error"]["code"]) == ("unknown", "outcome_unknown")
    assert done.error["hint"] == f"oncallctl alert-groups get {case.ident}"
    assert len(cloud.changes()) == 1


@pytest.mark.usefixtures("read_back_once")
@pytest.mark.parametrize("case", [case for case in CHANGES if case.before != case.after], ids=str)
def test_success_response_without_effect_has_an_unknown_outcome(cloud: Serving, run: Runner, case: Case) -> None:
    cloud.fail("POST", f"/{case.verb}/", status(200, "{}"))
    (outcome,) = run(case.line, status=9).json
    assert (outcome["status"], outcome["error"]["code"]) == ("unknown", "outcome_unknown")
    assert len(cloud.changes()) == 1


@pytest.mark.usefixtures("read_back_once")
@pytest.mark.parametrize("code", [500, 502])
def test_server_error_leaves_the_outcome_unknown(cloud: Serving, run: Runner, code: int) -> None:
    cloud.fail("POST", "/resolve/", status(code))
    run(f"alert-groups resolve {FIRING}", status=9)
    assert len(cloud.changes()) == 1


def test_change_that_becomes_visible_late_is_done(cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0, 0.0, 0.0))
    reads = []

    def late(_request: Request, answer: Callable[[], Response]) -> Response:
        reads.append(1)
        if len(reads) == 3:
            cloud.call("POST", f"alert_groups/{FIRING}/resolve/")
        return answer()

    def begin(_request: Request, _answer: Callable[[], Response]) -> None:
        cloud.fail("GET", f"/{FIRING}/", late, times=3)

    cloud.fail("POST", "/resolve/", begin)
    assert run(f"alert-groups resolve {FIRING} -o json").json[0]["status"] == "resolved"
    assert len(reads) == 3
    assert len(cloud.changes()) == 1


@pytest.mark.parametrize("answered", [True, False])
def test_failed_reading_back_leaves_only_a_lost_change_unknown(cloud: Serving, run: Runner, *, answered: bool) -> None:
    def hide() -> None:
        cloud.fail("GET", f"/{FIRING}/", status(403, '{"detail": "no"}'))

    cloud.fail("POST", "/resolve/", first(hide, answered=answered))
    done = run(f"alert-groups resolve {FIRING} -o json", status=0 if answered else 9)
    if answered:
        (outcome,) = done.json
        assert (outcome["id"], outcome["status"], outcome["alert_group"]) == (FIRING, "resolved", None)
    else:
        assert done.error["hint"] == f"oncallctl alert-groups get {FIRING}"
