"""`cover`: who is relieved, the requests that are sent, and what is left when they fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from oncallctl.drawing.local_time import DASH
from tests.conftest import Run, Runner, on_cloud
from tests.serving import Serving, drop, lose, status
from tests.unit.rota.making import ALICE, BOB, CAROL, DAVE, Maker

SINGLE = {"type": "single_event", "time_zone": "UTC"}
LOCKED = "<title>Server Error (500)</title>"


def at(hours: float) -> datetime:
    """Return a full hour in the future; 0 is the one that begins next."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours + 1)


def hours(start: float, length: float) -> dict[str, object]:
    return {**SINGLE, "start": f"{at(start):%Y-%m-%dT%H:%M:%S}", "duration": round(length * 3600)}


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def maker(server: Serving) -> Maker:
    return Maker(server)


@pytest.fixture
def night(maker: Maker) -> str:
    """A schedule in which Alice is on call for eight hours in ten days, and Bob after her."""
    return maker.schedule(
        "night", maker.shift(**hours(240, 8), users=[ALICE]), maker.shift(**hours(248, 4), users=[BOB])
    )


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


NIGHT = f"--from {iso(at(241))} --until {iso(at(243))}"
"""Two hours of Alice's shift in `night`."""


def on_call(server: Serving, schedule: str, moment: datetime) -> list[str]:
    query = f"start_date={moment:%Y-%m-%dT%H:%M}&end_date={moment + timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    results = server.call("GET", f"schedules/{schedule}/final_shifts?{query}")["results"]
    return [row["user_username"] for row in results]


def swaps(server: Serving, **fields: object) -> list[dict[str, Any]]:
    results = server.call("GET", "shift_swaps/?starting_after=2000-01-01T00:00:00Z")["results"]
    return [row for row in results if fields.items() <= row.items()]


class TestCover:
    def test_cover_makes_one_swap_and_takes_it(self, server: Serving, night: str, run: Runner) -> None:
        server.seen.clear()
        done = run(f"cover alice --by carol {NIGHT} --schedule night --message 'dentist' --yes -o json")
        (row,) = done.json
        assert row.keys() == {"target", "id", "name", "status", "error", "swap"}
        assert (row["target"], row["id"], row["name"], row["status"]) == ("night", night, "night", "covered")
        assert (row["swap"]["status"], row["swap"]["benefactor"]) == ("taken", CAROL)
        assert [each.removeprefix("POST /api/v1/shift_swaps/") for each in server.changes()] == [
            "",
            f"{row['swap']['id']}/take/",
        ]
        assert server.bodies() == [
            {
                "schedule": night,
                "swap_start": iso(at(241)),
                "swap_end": iso(at(243)),
                "beneficiary": ALICE,
                "description": "dentist",
            },
            {"benefactor": CAROL},
        ]
        assert [on_call(server, night, at(hour)) for hour in (240, 241, 242, 243)] == [
            ["alice"],
            ["carol"],
            ["carol"],
            ["alice"],
        ]

    @on_cloud
    def test_cover_shows_the_change_and_how_to_undo_it(self, server: Serving, night: str, run: Runner) -> None:
        done = run(f"cover alice --by carol {NIGHT} --schedule night --yes --tz UTC")
        day, end = f"{at(241):%a} {at(241).day} {at(241):%b %H:%M}", at(243)
        assert f"note: night: alice {day} {DASH} " in done.stderr
        assert f"{end:%H:%M} → carol" in done.stderr
        (swap,) = swaps(server, schedule=night)
        assert f"note: to undo it: oncallctl shift-swaps delete {swap['id']} --yes\n" in done.stderr
        run(f"shift-swaps delete {swap['id']} --yes")
        assert on_call(server, night, at(241)) == ["alice"]

    def test_cover_without_schedule_takes_every_schedule_with_a_shift(
        self, server: Serving, maker: Maker, night: str, run: Runner
    ) -> None:
        other = maker.schedule("other", maker.shift(**hours(241, 1), users=[ALICE]))
        maker.schedule("elsewhere", maker.shift(**hours(241, 1), users=[BOB]))
        rows = run(f"cover alice --by carol {NIGHT} --yes -o json").json
        assert {"night": night, "other": other}.items() <= {row["name"]: row["id"] for row in rows}.items()
        assert "elsewhere" not in [row["name"] for row in rows]
        assert {row["status"] for row in rows} == {"covered"}

    @on_cloud
    def test_vacation_covers_several_shifts_with_one_swap(self, server: Serving, maker: Maker, run: Runner) -> None:
        shifts = [maker.shift(**hours(240 + 24 * day, 8), users=[ALICE]) for day in range(4)]
        schedule = maker.schedule("days", *shifts)
        times = f"--from {iso(at(230))} --until {iso(at(320))}"
        run(f"cover alice --by dave --schedule days {times} --yes")
        assert len(swaps(server, schedule=schedule)) == 1
        assert [on_call(server, schedule, at(241 + 24 * day)) for day in range(4)] == [["dave"]] * 4

    @on_cloud
    def test_default_is_from_now_a_minute_ahead_by_the_token_user(
        self, server: Serving, maker: Maker, run: Runner
    ) -> None:
        schedule = maker.schedule("now", maker.shift(**hours(-3, 12), users=[ALICE]))
        server.ahead = timedelta(minutes=10)
        done = run("cover alice --for 4h --schedule now --yes")
        (swap,) = swaps(server, schedule=schedule)
        begins = datetime.fromisoformat(swap["swap_start"]) - datetime.now(UTC) - server.ahead
        assert timedelta(seconds=30) < begins < timedelta(seconds=75)
        lasts = datetime.fromisoformat(swap["swap_end"]) - datetime.fromisoformat(swap["swap_start"])
        # The start moves to the time of sending, and a busy machine sends some seconds later.
        assert timedelta(hours=4, seconds=-20) < lasts <= timedelta(hours=4)
        assert server.call("GET", f"users/{swap['benefactor']}/")["username"] == "admin"
        assert "note: holds from " in done.stderr

    def test_repeated_cover_is_unchanged(self, server: Serving, night: str, run: Runner) -> None:
        run(f"cover alice --by carol {NIGHT} --schedule night --yes")
        server.seen.clear()
        (row,) = run(f"cover alice --by carol {NIGHT} --schedule night -o json").json
        assert (row["status"], row["swap"]["benefactor"]) == ("unchanged", CAROL)
        assert server.changes() == []

    @pytest.mark.parametrize(("minutes", "expected"), [(1, "unchanged"), (3, "covered")])
    def test_swap_shorter_by_at_most_a_minute_counts_as_covered(
        self, minutes: int, expected: str, server: Serving, night: str, run: Runner
    ) -> None:
        run(f"cover alice --by carol {NIGHT} --schedule night --yes")
        longer = f"--from {iso(at(241))} --until {iso(at(243) + timedelta(minutes=minutes))}"
        (row,) = run(f"cover alice --by carol {longer} --schedule night --yes -o json").json
        assert row["status"] == expected

    @on_cloud
    def test_cover_after_the_shifts_were_handed_back_makes_a_new_swap(
        self, server: Serving, night: str, run: Runner
    ) -> None:
        for words in ("alice --by carol", "carol --by alice", "alice --by carol"):
            (row,) = run(f"cover {words} {NIGHT} --schedule night --yes -o json").json
            assert row["status"] == "covered"
        assert on_call(server, night, at(241)) == ["carol"]

    @on_cloud
    def test_open_request_for_the_same_time_is_taken_instead_of_a_new_one(
        self, server: Serving, night: str, run: Runner
    ) -> None:
        body = {"schedule": night, "swap_start": iso(at(241)), "swap_end": iso(at(243)), "beneficiary": ALICE}
        ident = server.call("POST", "shift_swaps/", body)["id"]
        server.seen.clear()
        (row,) = run(f"cover alice --by carol {NIGHT} --schedule night --yes -o json").json
        assert (row["status"], row["swap"]["id"]) == ("covered", ident)
        assert server.changes() == [f"POST /api/v1/shift_swaps/{ident}/take/"]

    @on_cloud
    def test_dry_run_prints_both_requests_and_sends_none(self, server: Serving, night: str, run: Runner) -> None:
        done = run(f"cover alice --by carol {NIGHT} --schedule night --dry-run")
        assert "# night: would-cover" in done.stdout
        assert f"POST {server.url}/api/v1/shift_swaps/\n" in done.stdout
        assert f'/take/?starting_after=2000-01-01T00:00:00Z\n  {{\n    "benefactor": "{CAROL}"' in done.stdout
        assert server.changes() == [each for each in server.changes() if "shift_swaps" not in each]

    @on_cloud
    def test_schedule_that_lags_behind_is_reported(
        self, server: Serving, night: str, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.swaps.refresh.stale", lambda _oncall, _cover, accepted: list(accepted))
        done = run(f"cover alice --by carol {NIGHT} --schedule night --yes")
        assert done.stderr.endswith("note: accepted; the schedule shows it within a minute or two\n")


class TestWait:
    @on_cloud
    def test_wait_ends_when_the_schedule_shows_the_swap(
        self, server: Serving, night: str, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lag(server, night, times=2)
        pauses: list[float] = []
        monkeypatch.setattr("oncallctl.swaps.refresh.time.sleep", pauses.append)
        run(f"cover alice --by carol {NIGHT} --schedule night --yes --wait")
        assert pauses == [5.0, 5.0]

    @on_cloud
    def test_wait_gives_up_after_five_minutes(
        self, server: Serving, night: str, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lag(server, night, times=1000)
        clock = {"now": 0.0}
        monkeypatch.setattr("oncallctl.swaps.refresh.time", Clock(clock))
        done = run(f"cover alice --by carol {NIGHT} --schedule night --yes --wait", status=10)
        assert "the swaps were accepted, but the final shifts of 'night' did not show them within 5m" in done.stderr
        assert clock["now"] == 300
        assert done.stdout.splitlines()[1].startswith("night\tcovered\t")


class Clock:
    """Stands for the module `time`."""

    def __init__(self, state: dict[str, float]) -> None:
        self._state = state

    def monotonic(self) -> float:
        return self._state["now"]

    def sleep(self, seconds: float) -> None:
        self._state["now"] += seconds


def lag(server: Serving, schedule: str, *, times: int) -> None:
    """Let the final shifts of a schedule stay as they are now for some reads after the next one."""
    stale: list[Response] = []

    def first(_request: Request, answer: Callable[[], Response]) -> Response:
        stale.append(answer())
        return stale[0]

    def again(_request: Request, _answer: Callable[[], Response]) -> Response:
        return Response(stale[0].data, 200, content_type="application/json")

    server.fail("GET", f"{schedule}/final_shifts", first)
    server.fail("GET", f"{schedule}/final_shifts", again, times=times)


class TestRefused:
    @on_cloud
    def test_user_who_is_not_on_call_is_refused_with_their_next_shifts(
        self, server: Serving, night: str, run: Runner
    ) -> None:
        before = f"--from {iso(at(230))} --until {iso(at(232))}"
        done = run(f"cover alice --by carol {before} --schedule night", status=7)
        assert "alice is not on call" in done.stderr
        assert f"hint: next shifts of alice: night {at(240):%a} {at(240).day} {at(240):%b %H:%M} {DASH}" in done.stderr
        assert swaps(server, schedule=night) == []

    @pytest.mark.parametrize(
        ("words", "problem"),
        [
            ("alice --by alice --for 1h", "alice cannot cover for themselves"),
            ("me --for 1h", "admin cannot cover for themselves"),
            ("alice", "missing end: give --until or --for"),
            ("alice --for 1h --until 18:00", "--until and --for exclude each other"),
            ("alice --from 2020-01-01T00:00Z --for 1h", "time in the past"),
            ("alice --from +2h --until +1h", "is not after the start"),
            ("alice --until +30s", "is not after the start"),
            ("alice --for 200d", "a swap may last 180 days at most"),
        ],
    )
    def test_contradictory_options_are_refused(self, words: str, problem: str, cloud: Serving, run: Runner) -> None:
        assert problem in run(f"cover {words} --yes", status=2).stderr
        assert cloud.changes() == []

    def test_cover_without_a_terminal_needs_yes(self, cloud: Serving, run: Runner) -> None:
        done = run("cover alice --by bob --from +10d --for 2d", status=2)
        assert "use --yes" in done.stderr
        assert "platform-primary: alice " in done.stderr
        assert cloud.changes() == []

    def test_unknown_schedule_is_not_found(self, cloud: Serving, run: Runner) -> None:
        run("cover alice --by bob --for 2d --schedule nope --yes", status=6)

    @on_cloud
    def test_benefactor_who_is_on_call_already_is_a_warning(self, server: Serving, maker: Maker, run: Runner) -> None:
        maker.schedule("both", maker.shift(**hours(241, 2), users=[ALICE]), maker.shift(**hours(242, 4), users=[BOB]))
        done = run(f"cover alice --by bob {NIGHT} --schedule both --yes")
        assert "warning: bob is already on call in 'both' " in done.stderr

    def test_viewer_on_self_hosted_is_a_warning(self, oss: Serving, run: Runner) -> None:
        done = run("cover alice --by frank --from +10d --for 2d --dry-run")
        assert "warning: frank has the role viewer: a self-hosted engine never notifies them" in done.stderr

    @pytest.mark.parametrize(("by", "expected"), [("bob", 7), ("me", 0)])
    def test_profile_may_forbid_covers_between_others(
        self, by: str, expected: int, cloud: Serving, run: Runner, tmp_path: Any
    ) -> None:
        token = tmp_path / "token"
        token.write_text(cloud.token)
        token.chmod(0o600)
        config = tmp_path / "config.toml"
        config.write_text(
            f'[profiles.work]\nurl = "{cloud.url}"\napi = "cloud"\ntoken_file = "{token}"\ncover_for_others = false\n'
        )
        config.chmod(0o600)
        done = run(
            f"cover alice --by {by} --from +10d --for 2d --yes -p work", status=expected, ONCALLCTL_CONFIG=str(config)
        )
        assert bool(cloud.changes()) == (expected == 0)
        assert ("the profile allows only shift swaps of admin" in done.stderr) == (expected == 7)


class TestLostResponses:
    @staticmethod
    def cover(run: Runner, expected: int, **environment: str) -> Run:
        return run(f"cover alice --by carol {NIGHT} --schedule night --yes", status=expected, **environment)

    @on_cloud
    def test_lost_create_is_found_by_reading_back(self, server: Serving, night: str, run: Runner) -> None:
        server.fail("POST", "shift_swaps/", lose)
        self.cover(run, 0)
        (swap,) = swaps(server, schedule=night)
        assert swap["benefactor"] == CAROL

    @on_cloud
    def test_create_that_never_arrived_is_unknown_and_not_repeated(
        self, server: Serving, night: str, run: Runner
    ) -> None:
        server.fail("POST", "shift_swaps/", drop)
        done = self.cover(run, 9)
        assert f"hint: oncallctl shift-swaps list --user {ALICE}\n" in done.stderr
        assert len([each for each in server.changes() if each.endswith("shift_swaps/")]) == 1
        assert swaps(server, schedule=night) == []

    def test_create_that_crashed_the_engine_may_be_repeated(self, server: Serving, night: str, run: Runner) -> None:
        server.fail("POST", "shift_swaps/", status(500, LOCKED))
        assert "no shift swap was created" in self.cover(run, 8).stderr

    def test_lost_take_is_found_by_reading_back(self, server: Serving, night: str, run: Runner) -> None:
        server.fail("POST", "/take/", lose)
        self.cover(run, 0)
        assert [each["benefactor"] for each in swaps(server, schedule=night)] == [CAROL]

    @pytest.mark.parametrize(
        ("fault", "expected"),
        [
            (drop, 8),
            (status(500, LOCKED), 8),
            (status(403, '{"detail": "no"}'), 3),
            (status(400, '{"detail": "no"}'), 1),
        ],
    )
    @on_cloud
    def test_take_that_fails_deletes_the_open_request(
        self, fault: Any, expected: int, server: Serving, night: str, run: Runner
    ) -> None:
        server.fail("POST", "/take/", fault)
        done = self.cover(run, expected)
        assert "was deleted, so nothing has changed" in done.stderr
        assert swaps(server, schedule=night) == []
        assert on_call(server, night, at(241)) == ["alice"]

    @pytest.mark.parametrize("fault", [drop, status(503), status(403, '{"detail": "no"}')])
    @on_cloud
    def test_request_that_cannot_be_deleted_is_named_with_the_command(
        self, fault: Any, server: Serving, night: str, run: Runner
    ) -> None:
        server.fail("POST", "/take/", status(400, '{"detail": "no"}'))
        server.fail("DELETE", "shift_swaps/", fault)
        done = self.cover(run, 9)
        (swap,) = swaps(server, schedule=night, status="open")
        assert f"hint: oncallctl shift-swaps delete {swap['id']} --yes\n" in done.stderr
        assert "may still be open, since deleting it failed" in done.stderr

    def test_request_taken_by_another_meanwhile_stays(self, server: Serving, night: str, run: Runner) -> None:
        def taken_by_dave(request: Request, _answer: Callable[[], Response]) -> Response:
            server.call("POST", f"{request.path.removeprefix('/api/v1/')}", {"benefactor": DAVE})
            return Response(
                '{"detail": "The shift swap request is not in a state which allows it to be taken"}',
                400,
                content_type="application/json",
            )

        server.fail("POST", "/take/", taken_by_dave)
        assert "was taken by dave meanwhile" in self.cover(run, 7).stderr
        assert [each["benefactor"] for each in swaps(server, schedule=night)] == [DAVE]

    @on_cloud
    def test_several_schedules_of_which_one_fails_name_the_undo(
        self, server: Serving, maker: Maker, night: str, run: Runner
    ) -> None:
        maker.schedule("second", maker.shift(**hours(241, 2), users=[ALICE]))
        server.fail("POST", "/take/", status(400, '{"detail": "no"}'))
        done = run(f"cover alice --by carol {NIGHT} --schedule night --schedule second --yes -o json", status=4)
        assert sorted(row["status"] for row in done.json) == ["covered", "failed"]
        (swap,) = [row["swap"]["id"] for row in done.json if row["status"] == "covered"]
        assert f"undo those that worked: oncallctl shift-swaps delete {swap} --yes" in done.error["hint"]
        assert len(swaps(server, beneficiary=ALICE, benefactor=CAROL)) == 1


class TestAbsent:
    TOML = '[[absent]]\nuser = "bob"\nfrom = {start:%Y-%m-%d}\nuntil = {end:%Y-%m-%d}\n'
    ICS = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:{start:%Y%m%d}\r\n"
        "DTEND;VALUE=DATE:{end:%Y%m%d}\r\nSUMMARY:Vacation\r\n"
        "ATTENDEE:mailto:bob@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )

    @pytest.mark.parametrize("text", [TOML, ICS])
    def test_shifts_of_absent_users_have_a_command_that_covers_them(
        self, text: str, server: Serving, run: Runner, tmp_path: Path
    ) -> None:
        file = tmp_path / "absent"
        file.write_text(text.format(start=at(72), end=at(96)))
        words = f"teams gaps platform --absent {file} --tz UTC"
        rows = run(f"{words} -o json").json
        assert {row["user"]["username"] for row in rows} == {"bob"}
        assert {row["shift_start"][:10] for row in rows} >= {f"{at(72):%Y-%m-%d}"}
        assert "on call while absent: bob" in run(f"{words} --require covered", status=10).stderr
        for row in rows:
            run(f"{row['command'].removeprefix('oncallctl ')} --yes")
        done = run(f"{words} --require covered -o json")
        assert (done.json, "no user has a shift while absent" in done.stderr) == ([], True)

    @pytest.mark.parametrize(
        ("text", "expected", "problem"),
        [
            ("", 2, "no absences"),
            ("[[absent]]\nuser = 1\nfrom = 2026-01-01\nuntil = 2026-01-02\n", 2, "user must be a string"),
            ('[[absent]]\nuser = "alice"\nfrom = 2026-01-01\n', 2, "must have the keys user, from and until"),
            ('[[absent]]\nuser = "alice"\nfrom = 2026-01-05\nuntil = 2026-01-01\n', 2, "ends before it starts"),
            ('[[absent]]\nuser = "alice"\nfrom = "soon"\nuntil = 2026-01-01\n', 2, "not a time: 'soon'"),
            ("[[absent\n", 2, "at line 1"),
            ("BEGIN:VCALENDAR\nnonsense", 2, "absent"),
            ('[[absent]]\nuser = "alcie"\nfrom = 2026-01-01\nuntil = 2026-01-02\n', 6, "alcie"),
        ],
    )
    def test_invalid_file_is_refused(
        self, text: str, expected: int, problem: str, cloud: Serving, run: Runner, tmp_path: Path
    ) -> None:
        file = tmp_path / "absent"
        file.write_text(text)
        assert problem in run(f"teams gaps platform --absent {file}", status=expected).stderr
