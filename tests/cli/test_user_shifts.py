"""`users shifts`, and `--ics` of the commands that show shifts, on both servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from oncallctl import sandbox
from tests.conftest import Runner, on_cloud
from tests.serving import Serving
from tests.unit.rota.making import ALICE, BOB, Maker

SINGLE = {"type": "single_event", "time_zone": "UTC"}


@pytest.fixture
def maker(server: Serving) -> Maker:
    return Maker(server)


def hours(start: float, length: float) -> dict[str, object]:
    """Return the times of a shift that starts in some hours, on the full hour."""
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=start)
    return {**SINGLE, "start": f"{at:%Y-%m-%dT%H:%M:%S}", "duration": round(length * 3600)}


def events(text: str) -> list[icalendar.Event]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


class TestUsersShifts:
    def test_json_has_the_user_the_schedule_and_the_times(self, server: Serving, run: Runner) -> None:
        shift = run("users shifts alice --days 2 -o json").json[0]
        assert set(shift) == {"user", "schedule_id", "schedule_name", "shift_start", "shift_end", "covering_for"}
        assert shift["user"] == {"id": ALICE, "username": "alice", "email": "alice@example.com"}
        assert shift["schedule_name"] == "platform-primary"
        assert shift["covering_for"] is None

    @on_cloud
    def test_shifts_of_all_schedules_are_in_the_order_of_their_starts(self, maker: Maker, run: Runner) -> None:
        maker.schedule("second", maker.shift(**hours(2, 1), users=[ALICE]))
        maker.schedule("third", maker.shift(**hours(1, 1), users=[ALICE]))
        shifts = run("users shifts alice --days 7 -o json").json
        assert {"second", "third", "platform-primary"} <= {each["schedule_name"] for each in shifts}
        starts = [each["shift_start"] for each in shifts]
        assert starts == sorted(starts)

    @on_cloud
    def test_adjacent_and_overlapping_shifts_of_a_schedule_are_merged(self, maker: Maker, run: Runner) -> None:
        parts = [maker.shift(**hours(start, length), users=[BOB]) for start, length in ((1, 2), (3, 1), (3, 3), (7, 1))]
        maker.schedule("parts", *parts)
        shifts = [each for each in run("users shifts bob --days 2 -o json").json if each["schedule_name"] == "parts"]
        lengths = [
            datetime.fromisoformat(each["shift_end"]) - datetime.fromisoformat(each["shift_start"]) for each in shifts
        ]
        assert lengths == [timedelta(hours=5), timedelta(hours=1)]

    @on_cloud
    def test_shift_that_has_begun_is_shown_from_its_start(self, maker: Maker, run: Runner) -> None:
        maker.schedule("now", maker.shift(**hours(-5, 48), users=[BOB]))
        (shift,) = (each for each in run("users shifts bob --days 1 -o json").json if each["schedule_name"] == "now")
        assert datetime.fromisoformat(shift["shift_start"]) < datetime.now(UTC) - timedelta(hours=4)
        assert datetime.fromisoformat(shift["shift_end"]) > datetime.now(UTC) + timedelta(hours=42)

    @pytest.mark.parametrize("words", ["", "me", "admin", "me admin"])
    @on_cloud
    def test_me_is_the_user_of_the_token_and_the_default(self, maker: Maker, run: Runner, words: str) -> None:
        admin = run("users whoami -o json").json["id"]
        maker.schedule("mine", maker.shift(**hours(1, 1), users=[admin]))
        assert [each["user"]["username"] for each in run(f"users shifts {words} -o json").json] == ["admin"]

    def test_table_has_one_row_per_shift(self, cloud: Serving, run: Runner) -> None:
        header, *rows = run("users shifts alice bob --days 3").stdout.splitlines()
        assert header.split("\t") == ["USER", "EMAIL", "SCHEDULE", "FROM", "UNTIL", "COVERING FOR"]
        assert {row.split("\t")[0] for row in rows} == {"alice", "bob"}

    def test_id_format_prints_each_person_once(self, cloud: Serving, run: Runner) -> None:
        assert set(run("users shifts alice bob --days 3 -o id").stdout.split()) == {ALICE, BOB}

    def test_user_without_shifts_has_a_note(self, cloud: Serving, run: Runner) -> None:
        done = run("users shifts frank --days 1")
        assert done.stdout.splitlines() == ["USER\tEMAIL\tSCHEDULE\tFROM\tUNTIL\tCOVERING FOR"]
        assert done.stderr == "note: not on call in the next 1 day: frank\n"

    def test_unknown_user_is_not_found(self, cloud: Serving, run: Runner) -> None:
        assert "'alcie'" in run("users shifts alcie", status=6).stderr

    def test_me_of_a_service_account_on_self_hosted_is_refused(self, oss: Serving, run: Runner) -> None:
        run("users shifts", status=3, ONCALLCTL_TOKEN=sandbox.SERVICE_ACCOUNT_TOKEN)


class TestSwaps:
    @pytest.fixture
    def schedule(self, maker: Maker) -> str:
        """Alice is on call for eight hours, tomorrow; Bob after her."""
        return maker.schedule(
            "swapped",
            maker.shift(**hours(24, 8), users=[ALICE]),
            maker.shift(**hours(32, 4), users=[BOB]),
        )

    @staticmethod
    def swap(server: Serving, schedule: str, start: float, length: float) -> str:
        at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=start)
        body = {
            "schedule": schedule,
            "swap_start": at.isoformat(),
            "swap_end": (at + timedelta(hours=length)).isoformat(),
            "beneficiary": ALICE,
        }
        return str(server.call("POST", "shift_swaps/", body)["id"])

    @staticmethod
    def of_bob(run: Runner) -> list[tuple[str, timedelta, str | None]]:
        return [
            (
                each["user"]["username"],
                datetime.fromisoformat(each["shift_end"]) - datetime.fromisoformat(each["shift_start"]),
                each["covering_for"],
            )
            for each in run("users shifts bob --days 3 -o json").json
            if each["schedule_name"] == "swapped"
        ]

    @on_cloud
    def test_shift_taken_in_a_swap_names_the_person_who_is_relieved(
        self, maker: Maker, schedule: str, run: Runner
    ) -> None:
        swap = self.swap(maker.server, schedule, 28, 4)
        maker.server.call("POST", f"shift_swaps/{swap}/take/", {"benefactor": BOB})
        four = timedelta(hours=4)
        assert self.of_bob(run) == [("bob", four, ALICE), ("bob", four, None)]
        rows = [line.split("\t") for line in run("users shifts bob --days 3").stdout.splitlines()]
        assert [row[5] for row in rows if row[2] == "swapped"] == ["alice", ""]
        summaries = [str(each["SUMMARY"]) for each in events(run("users shifts bob --days 3 --ics -").stdout)]
        assert "On call: bob (swapped), covering for alice" in summaries

    @on_cloud
    def test_swap_that_is_open_changes_nothing(self, maker: Maker, schedule: str, run: Runner) -> None:
        self.swap(maker.server, schedule, 28, 4)
        assert self.of_bob(run) == [("bob", timedelta(hours=4), None)]

    @on_cloud
    def test_swap_while_the_beneficiary_is_not_on_call_is_not_a_cover(
        self, maker: Maker, schedule: str, run: Runner
    ) -> None:
        swap = self.swap(maker.server, schedule, 32, 4)
        maker.server.call("POST", f"shift_swaps/{swap}/take/", {"benefactor": BOB})
        assert self.of_bob(run) == [("bob", timedelta(hours=4), None)]


class TestIcs:
    @pytest.mark.parametrize("line", ["users shifts alice", "schedules shifts platform-primary", "teams rota platform"])
    def test_calendar_has_an_event_per_shift_in_utc(self, cloud: Serving, run: Runner, line: str) -> None:
        shifts = run(f"{line} --days 3 -o json").json
        text = run(f"{line} --days 3 --ics -").stdout
        assert [(each.start.isoformat(), each.end.isoformat()) for each in events(text)] == [
            (each["shift_start"], each["shift_end"]) for each in shifts
        ]
        assert all(each["DTSTART"].to_ical().endswith(b"Z") for each in events(text))
        assert len({str(each["UID"]) for each in events(text)}) == len(shifts)

    def test_calendar_exported_twice_has_the_same_uids(self, cloud: Serving, run: Runner) -> None:
        first, second = (events(run("users shifts alice --days 3 --ics -").stdout) for _ in range(2))
        assert [str(each["UID"]) for each in first] == [str(each["UID"]) for each in second]

    def test_calendar_is_written_to_a_file_with_crlf_line_ends(self, cloud: Serving, run: Runner, world: Path) -> None:
        file = world / "shifts.ics"
        done = run(f"schedules shifts platform-primary --ics {file}")
        assert done.stdout == ""
        assert file.read_bytes().startswith(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
        assert all(len(line) <= 75 for line in file.read_bytes().split(b"\r\n"))

    def test_summary_has_the_person_and_the_schedule(self, cloud: Serving, run: Runner) -> None:
        event = events(run("users shifts alice --days 2 --ics -").stdout)[0]
        assert str(event["SUMMARY"]) == "On call: alice (platform-primary)"

    @on_cloud
    def test_hostile_schedule_name_adds_no_property(self, maker: Maker, run: Runner) -> None:
        name = "x\r\nATTACH:http://evil.example\r\nEND:VEVENT; a, b\\n\x1b[31m"
        maker.schedule(name, maker.shift(**hours(1, 1), users=[ALICE]))
        text = run("users shifts alice --days 1 --ics -").stdout
        assert "\x1b" not in text
        (event,) = (each for each in events(text) if "ATTACH" in str(each["SUMMARY"]))
        assert set(event) == {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "TRANSP"}
        assert "; a, b\\n" in str(event["SUMMARY"])

    def test_calendar_with_json_output_is_refused(self, cloud: Serving, run: Runner) -> None:
        done = run("users shifts alice --ics - -o json", status=2)
        assert "--ics and -o json exclude each other" in done.error["message"]
        assert cloud.seen == []

    def test_calendar_and_svg_are_both_written(self, cloud: Serving, run: Runner, world: Path) -> None:
        run(f"teams rota platform --svg {world}/rota.svg --ics {world}/rota.ics")
        assert (world / "rota.svg").read_text().startswith("<svg")
        assert (world / "rota.ics").read_text().startswith("BEGIN:VCALENDAR")
