"""`shift-swaps list`, `request` and `take`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cli.test_cover import NIGHT, at, hours, iso, on_call, swaps
from tests.conftest import Runner
from tests.serving import Serving, drop, lose, status
from tests.unit.rota.making import ALICE, BOB, CAROL, Maker

SAMPLE = "SSRMQV5P6Y64NXH"
"""Alice's open request in platform-primary."""
TAKEN = "SSRB7K2WQ9XN4TE"
"""A swap of the past that Carol took."""
PRIMARY = "SN1XIG9SHWR2U"


@pytest.fixture
def night(server: Serving) -> str:
    """A schedule in which Alice is on call for eight hours in ten days."""
    maker = Maker(server)
    return maker.schedule("night", maker.shift(**hours(240, 8), users=[ALICE]))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def make(server: Serving, schedule: str, start: float, length: float, by: str | None = None) -> str:
    body = {
        "schedule": schedule,
        "swap_start": iso(at(start)),
        "swap_end": iso(at(start) + timedelta(hours=length)),
        "beneficiary": ALICE,
    }
    ident = str(server.call("POST", "shift_swaps/", body)["id"])
    if by:
        server.call("POST", f"shift_swaps/{ident}/take/", {"benefactor": by})
    return ident


class TestList:
    def test_list_leaves_out_swaps_that_have_ended(self, server: Serving, run: Runner) -> None:
        assert run("shift-swaps list -o id").stdout.split() == [SAMPLE]
        assert run("shift-swaps list --past -o id").stdout.split() == [TAKEN, SAMPLE]

    def test_swap_that_has_begun_is_listed(self, server: Serving, night: str, run: Runner) -> None:
        ident = make(server, PRIMARY, 1, 48, CAROL)
        server.ahead = timedelta(hours=5)
        assert run("shift-swaps list --schedule platform-primary -o id").stdout.split()[0] == ident

    def test_user_filter_takes_both_parties(self, server: Serving, night: str, run: Runner) -> None:
        taken, requested = make(server, night, 241, 1, BOB), make(server, night, 243, 1)
        assert run("shift-swaps list --user bob -o id").stdout.split() == [taken]
        assert run("shift-swaps list --user alice --schedule night -o id").stdout.split() == [taken, requested]
        assert run("shift-swaps list --user alice --schedule night --open -o id").stdout.split() == [requested]

    def test_swap_that_changes_no_shift_has_a_note(self, server: Serving, night: str, run: Runner) -> None:
        idle, useful = make(server, night, 100, 1, BOB), make(server, night, 241, 1, BOB)
        header, *rows = run("shift-swaps list --schedule night").stdout.splitlines()
        assert header.split("\t")[-1] == "NOTE"
        assert {row.split("\t")[0]: row.split("\t")[-1] for row in rows} == {idle: "changes no shift", useful: ""}
        assert [row.keys() for row in run("shift-swaps list --schedule night -o json").json if "note" in row] == []

    def test_limit_is_announced(self, server: Serving, night: str, run: Runner) -> None:
        make(server, night, 241, 1)
        assert "showing the first 1; omit --limit to show all" in run("shift-swaps list --limit 1 -o id").stderr


class TestRequest:
    def test_request_is_open(self, server: Serving, night: str, run: Runner) -> None:
        done = run(f"shift-swaps request alice --schedule night {NIGHT} --message help --yes -o json")
        (row,) = done.json
        assert (row["status"], row["swap"]["status"], row["swap"]["benefactor"]) == ("requested", "open", None)
        assert on_call(server, night, at(241)) == ["alice"]
        run(f"shift-swaps take {row['swap']['id']}")
        assert on_call(server, night, at(241)) == ["admin"]

    def test_repeated_request_is_unchanged(self, server: Serving, night: str, run: Runner) -> None:
        for expected in ("requested", "unchanged"):
            (row,) = run(f"shift-swaps request alice --schedule night {NIGHT} --yes -o json").json
            assert row["status"] == expected
        assert len(swaps(server, schedule=night)) == 1

    def test_request_for_another_user_needs_a_confirmation(self, server: Serving, night: str, run: Runner) -> None:
        assert "use --yes" in run(f"shift-swaps request alice --schedule night {NIGHT}", status=2).stderr
        assert swaps(server, schedule=night) == []

    def test_lost_request_is_found_by_reading_back(self, server: Serving, night: str, run: Runner) -> None:
        server.fail("POST", "shift_swaps/", lose)
        run(f"shift-swaps request alice --schedule night {NIGHT} --yes")
        assert len(swaps(server, schedule=night)) == 1


class TestTake:
    def test_take_puts_the_benefactor_on_call(self, server: Serving, night: str, run: Runner) -> None:
        ident = make(server, night, 241, 2)
        row = run(f"shift-swaps take {ident} --by bob --yes -o json").json
        assert (row["id"], row["status"], row["benefactor"]) == (ident, "taken", BOB)
        assert on_call(server, night, at(241)) == ["bob"]

    def test_repeated_take_is_unchanged(self, server: Serving, night: str, run: Runner) -> None:
        ident = make(server, night, 241, 2, BOB)
        server.seen.clear()
        assert "already taken by bob" in run(f"shift-swaps take {ident} --by bob").stderr
        assert server.changes() == []

    @pytest.mark.parametrize(
        ("by", "words", "refusal"),
        [
            (BOB, "--by carol --yes", (7, "cannot be taken: it is taken")),
            (None, "--by alice --yes", (2, "somebody else must take it")),
            (None, "--by bob", (2, "use --yes")),
        ],
    )
    def test_take_is_refused_before_it_is_sent(
        self, by: str | None, words: str, refusal: tuple[int, str], server: Serving, night: str, run: Runner
    ) -> None:
        ident = make(server, night, 241, 2, by)
        server.seen.clear()
        code, problem = refusal
        assert problem in run(f"shift-swaps take {ident} {words}", status=code).stderr
        assert server.changes() == []

    @pytest.mark.parametrize(("fault", "expected"), [(lose, 0), (drop, 9), (status(403, '{"detail": "no"}'), 3)])
    def test_take_that_fails_keeps_the_request(
        self, fault: Any, expected: int, server: Serving, night: str, run: Runner
    ) -> None:
        ident = make(server, night, 241, 2)
        server.fail("POST", "/take/", fault)
        run(f"shift-swaps take {ident} --by bob --yes", status=expected)
        assert [each["id"] for each in swaps(server, schedule=night)] == [ident]
        assert len([each for each in server.changes() if "/take/" in each]) == 1

    def test_dry_run_sends_nothing(self, cloud: Serving, run: Runner) -> None:
        assert f"/shift_swaps/{SAMPLE}/take/" in run(f"shift-swaps take {SAMPLE} --dry-run").stdout
        assert cloud.changes() == []


class TestWhoIsOnCall:
    @pytest.mark.parametrize("words", ["who-is-on-call platform --at +36h", "who-is-on-call platform --at +36h -o csv"])
    def test_table_names_the_user_who_is_relieved(self, server: Serving, run: Runner, words: str) -> None:
        (before,) = {row["users"][0] for row in run("teams who-is-on-call platform --at +36h -o json").json["shifts"]}
        run(f"cover {before} --by dave --schedule platform-primary --from +34h --for 6h --yes")
        name = server.call("GET", f"users/{before}/")["username"]
        header, *rows = run(f"teams {words}").stdout.replace(",", "\t").splitlines()
        found = {row.split("\t")[1]: row.split("\t")[-1] for row in rows}
        assert (header.split("\t")[-1], found["dave"]) == ("COVERING FOR", name)

    def test_failed_lookup_of_swaps_is_a_warning(self, server: Serving, run: Runner) -> None:
        server.fail("GET", "shift_swaps/", status(403, '{"detail": "no"}'))
        assert "warning: not known who covers" in run("teams who-is-on-call platform").stderr

    def test_json_needs_no_request_for_swaps(self, server: Serving, run: Runner) -> None:
        run("teams who-is-on-call platform -o json")
        assert [each for each in server.reads() if "shift_swaps" in each] == []
