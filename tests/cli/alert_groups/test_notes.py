"""`alert-groups note`."""

from __future__ import annotations

from pathlib import Path

import pytest

from oncallctl.sandbox import EDITOR_TOKEN
from tests.cli.alert_groups.support import FIRING, PAYMENTS, SILENCED, groups
from tests.conftest import Runner
from tests.serving import Fault, Serving, drop, lose, status


def notes(server: Serving, ident: str) -> list[str]:
    return [each["text"] for each in server.call("GET", f"resolution_notes/?alert_group_id={ident}")["results"]]


def test_note_is_added(cloud: Serving, run: Runner) -> None:
    (outcome,) = run(f"alert-groups note {FIRING} --text 'it was the disk' -o json").json
    assert (outcome["id"], outcome["status"], outcome["error"]) == (FIRING, "noted", None)
    assert outcome["alert_group"]["id"] == FIRING
    assert cloud.changes() == ["POST /api/v1/resolution_notes/"]
    assert cloud.bodies() == [{"alert_group_id": FIRING, "text": "it was the disk"}]
    assert notes(cloud, FIRING) == ["it was the disk"]


def test_text_may_follow_a_single_id(cloud: Serving, run: Runner) -> None:
    (outcome,) = run(f"alert-groups note {FIRING} 'it was the disk' -o json").json
    assert (outcome["id"], outcome["status"]) == (FIRING, "noted")
    assert notes(cloud, FIRING) == ["it was the disk"]
    run(f"alert-groups note {FIRING} -", stdin="from stdin\n")
    assert "from stdin" in notes(cloud, FIRING)


def test_id_in_place_of_the_text_is_not_taken_for_it(cloud: Serving, run: Runner) -> None:
    for words in (f"{FIRING} {SILENCED}", f"{FIRING} id:{SILENCED}", f"{FIRING} {SILENCED} text", "- text"):
        assert "--text" in run(f"alert-groups note {words}", stdin=f"{FIRING}\n", status=2).stderr
    assert cloud.seen == []


def test_note_that_exists_is_not_added_again(cloud: Serving, run: Runner) -> None:
    run(f"alert-groups note {FIRING} --text same", ONCALLCTL_TOKEN=EDITOR_TOKEN)
    (outcome,) = run(f"alert-groups note {FIRING} --text same -o json").json
    assert outcome["status"] == "unchanged"
    run(f"alert-groups note {FIRING} --text another")
    run(f"alert-groups note {SILENCED} --text same")
    assert sorted(notes(cloud, FIRING)) == ["another", "same"]
    assert notes(cloud, SILENCED) == ["same"]


def test_text_is_read_from_a_file_or_stdin_and_stripped(cloud: Serving, run: Runner, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("first\n\nlast\n", encoding="utf-8")
    run(f"alert-groups note {FIRING} --text @{tmp_path}/note")
    (outcome,) = run(f"alert-groups note {FIRING} --text - -o json", stdin=" first\n\nlast\n\n").json
    assert outcome["status"] == "unchanged"
    assert notes(cloud, FIRING) == ["first\n\nlast"]


def test_stdin_holds_ids_or_the_text_and_not_both(cloud: Serving, run: Runner) -> None:
    run("alert-groups note - --text x", stdin=f"{FIRING}\n{SILENCED}\n")
    assert len(cloud.changes()) == 2
    cloud.seen.clear()
    run("alert-groups note - --text -", stdin=f"{FIRING}\n", status=2)
    assert cloud.seen == []


@pytest.mark.parametrize("option", ["--text ''", "--text ' '", "--text -", "", "' '"])
def test_blank_or_missing_text_is_refused(cloud: Serving, run: Runner, option: str) -> None:
    run(f"alert-groups note {FIRING} {option}", stdin="\n", status=2)
    assert cloud.seen == []


def test_filter_selects_groups_that_are_not_resolved(cloud: Serving, run: Runner) -> None:
    outcomes = run("alert-groups note --team payments --text x --yes -o json").json
    assert {each["id"] for each in outcomes} == set(groups(cloud, team_id=PAYMENTS))
    outcomes = run("alert-groups note --state resolved --since 1h --text x -o json").json
    assert [each["id"] for each in outcomes] == ["ICRA95TYN2LTV"]


def test_dry_run_prints_requests_for_missing_notes_only(cloud: Serving, run: Runner) -> None:
    cloud.call("POST", "resolution_notes/", {"alert_group_id": SILENCED, "text": "x"})
    there, missing = run(f"alert-groups note {SILENCED} {FIRING} --text x --dry-run -o json").json
    assert (there["status"], there["requests"]) == ("unchanged", [])
    assert missing["status"] == "would-note"
    body = {"alert_group_id": FIRING, "text": "x"}
    assert missing["requests"] == [{"method": "POST", "url": f"{cloud.url}/api/v1/resolution_notes/", "body": body}]
    assert cloud.changes() == []


def test_lost_response_is_settled_by_reading_back(cloud: Serving, run: Runner) -> None:
    cloud.fail("POST", "resolution_notes/", lose)
    assert run(f"alert-groups note {FIRING} --text x -o json").json[0]["status"] == "noted"
    assert notes(cloud, FIRING) == ["x"]


@pytest.mark.parametrize(
    "fault",
    [
        drop,
        status(201, f'{{"id": "M1", "alert_group_id": "{FIRING}", "text": "y"}}'),
        status(201, f'{{"id": "M1", "alert_group_id": "{SILENCED}", "text": "x"}}'),
    ],
    ids=["no response", "another text", "another group"],
)
def test_note_that_is_not_visible_has_an_unknown_outcome(
    cloud: Serving, run: Runner, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr("oncallctl.api.lost_responses.DELAYS", (0.0,))
    cloud.fail("POST", "resolution_notes/", fault)
    done = run(f"alert-groups note {FIRING} --text x -o json", status=9)
    assert done.json[0]["status"] == "unknown"
    assert "--dry-run" in done.error["hint"]
    assert len(cloud.changes()) == 1
