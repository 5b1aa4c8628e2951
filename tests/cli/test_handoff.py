"""`teams handoff` on both servers."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from tests.conftest import Runner, on_cloud
from tests.serving import Serving
from tests.unit.rota.making import ALICE, BOB, DAVE, EMPTY_TEAM, WEEKLY, Maker, notify

NOW = datetime(2026, 10, 24, 10, tzinfo=UTC)  # Saturday; the shift of Alice began at 08:00
SERVICE, PAYMENTS = "C5BPMMTY9FMXJ", "TNFI27MJ312BL"
ALWAYS = {"type": "single_event", "start": "2026-10-01T00:00:00", "duration": 90 * 86_400, "time_zone": "UTC"}
HOSTILE = "@here `code` **bold** [x](http://evil.example) <!channel>\n# big \x1b[31m"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = SimpleNamespace(time=NOW.timestamp, monotonic=time.monotonic)
    monkeypatch.setattr("oncallctl.sandbox.server.time", stopped)
    monkeypatch.setattr("oncallctl.commands.teams.handoff.now", lambda: NOW)


@pytest.fixture
def weekdays(server: Serving) -> Maker:
    make = Maker(server)
    make.around_the_clock()
    return make


def add_group(
    server: Serving, ident: str, hours_ago: float, *, title: str = "disk full", **changes: tuple[float, str | None]
) -> None:
    """Add an alert group of the empty team.

    Args:
        server: the server.
        ident: the ID of the group.
        hours_ago: the hours between its start and now.
        title: its title.
        changes: ``acknowledged``, ``resolved`` or ``silenced``: the minutes after its start, and the ID of the user.
    """
    created = (NOW - timedelta(hours=hours_ago)).timestamp()
    fields: dict[str, object] = {
        "id": ident,
        "integration_id": SERVICE,
        "team_id": EMPTY_TEAM,
        "route_id": "RMRXVRQ1RJMKS",
        "title": title,
        "state": next(reversed(changes), "firing"),
        "created_at": created,
    }
    for change, (minutes, user) in changes.items():
        fields[f"{change}_at"] = created + 60 * minutes
        if user:
            fields[f"{change}_by"] = user
    alert = {"id": f"A{ident[1:]}", "alert_group_id": ident, "created_at": created, "payload_json": "{}"}
    with sqlite3.connect(server.database) as database:
        for table, row in (("alert_groups", fields), ("alerts", alert)):
            places = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))


class TestHandovers:
    @on_cloud
    def test_text_has_who_takes_over_and_when(self, weekdays: Maker, run: Runner) -> None:
        text = run("teams handoff empty-team --tz Europe/Berlin").stdout
        assert "- around the clock: alice → dave, Sat 24 Oct 16:00 CEST (in 4h)" in text.splitlines()
        assert "**Still open: nothing**" in text

    @on_cloud
    def test_json_has_people_with_ids_and_names(self, weekdays: Maker, run: Runner) -> None:
        (handover,) = run("teams handoff empty-team -o json").json["handovers"]
        assert handover["leaving"] == [{"id": ALICE, "username": "alice"}]
        assert handover["taking_over"] == [{"id": DAVE, "username": "dave"}]
        assert handover["at"] == "2026-10-24T14:00:00+00:00"
        assert handover["on_call"] == [{"id": ALICE, "username": "alice"}]

    def test_schedule_without_handovers_has_the_people_on_call(self, cloud: Serving, run: Runner) -> None:
        make = Maker(cloud)
        make.chain(notify(make.schedule("always", make.shift(**ALWAYS, users=[DAVE]))))
        (handover,) = run("teams handoff empty-team -o json").json["handovers"]
        assert handover["on_call"] == [{"id": DAVE, "username": "dave"}]
        assert (handover["at"], handover["leaving"], handover["taking_over"]) == (None, [], [])
        assert "- always: dave, and no handover in 14 days" in run("teams handoff empty-team").stdout

    def test_person_who_stays_is_named(self, cloud: Serving, run: Runner) -> None:
        make = Maker(cloud)
        both = make.shift(**ALWAYS, users=[BOB])
        before, after = (
            make.shift(**WEEKLY, by_day=["SA"], start=f"2026-10-03T{hour}:00:00", duration=14_400, users=[user])
            for hour, user in (("08", ALICE), ("12", DAVE))
        )
        make.chain(notify(make.schedule("two at a time", both, before, after)))
        assert "- two at a time: alice → dave (bob stays), Sat 24 Oct 12:00" in run("teams handoff empty-team").stdout

    @on_cloud
    def test_handover_before_a_gap_is_to_nobody(
        self, weekdays: Maker, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.commands.teams.handoff.now", lambda: NOW + timedelta(hours=7))
        assert "alice → nobody, Sat 24 Oct 20:00 UTC" in run("teams handoff empty-team").stdout

    @on_cloud
    def test_team_given_by_id_is_shown_with_its_name(self, weekdays: Maker, run: Runner) -> None:
        assert run(f"teams handoff {EMPTY_TEAM}").stdout.startswith("**On call: empty-team**\n")

    def test_unknown_team_is_not_found(self, cloud: Serving, run: Runner) -> None:
        run("teams handoff TNXPENXPENXPE", status=6)


class TestEndingShift:
    @on_cloud
    def test_alerts_since_the_last_handover_are_summed_up(self, weekdays: Maker, run: Runner) -> None:
        add_group(weekdays.server, "ISHIFTONEAAAA", 1.5, acknowledged=(4, ALICE), resolved=(30, ALICE))
        add_group(weekdays.server, "ISHIFTTWOAAAA", 1, acknowledged=(8, BOB), resolved=(50, None))
        add_group(weekdays.server, "ISHIFTTHREEAA", 0.5)
        add_group(weekdays.server, "IEARLIERAAAAA", 3, acknowledged=(1, DAVE), resolved=(2, DAVE))
        assert run("teams handoff empty-team").stdout.split("\n\n")[1].splitlines() == [
            "**Since Sat 24 Oct 08:00 UTC (2h ago): 3 alert groups**",
            "- by integration: service-010 3",
            "- acknowledged: 2 (bob 1, alice 1), median after 6m",
            "- resolved: 2 (without a person 1, alice 1), median after 40m",
            "- neither acknowledged nor resolved by anybody: 1",
        ]

    def test_json_has_the_alerts_of_the_ending_shift(self, weekdays: Maker, run: Runner) -> None:
        add_group(weekdays.server, "ISHIFTONEAAAA", 1.5, acknowledged=(4, ALICE), resolved=(30, None))
        assert run("teams handoff empty-team --tz UTC -o json").json["ending"] == {
            "since": "2026-10-24T08:00:00+00:00",
            "alert_groups": 1,
            "night": 0,
            "by_integration": [{"id": SERVICE, "name": "service-010", "alert_groups": 1}],
            "acknowledged": {
                "count": 1,
                "median_seconds": 240.0,
                "by": [{"id": ALICE, "username": "alice", "alert_groups": 1}],
            },
            "resolved": {
                "count": 1,
                "median_seconds": 1800.0,
                "by": [{"id": None, "username": None, "alert_groups": 1}],
            },
            "never_acknowledged": 0,
        }

    @on_cloud
    def test_handoff_shortly_after_a_handover_is_about_the_shift_before(
        self, weekdays: Maker, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oncallctl.commands.teams.handoff.now", lambda: NOW - timedelta(minutes=90))
        assert "**Since Fri 23 Oct 20:00 UTC (12h 30m ago): no alert groups**" in run("teams handoff empty-team").stdout

    def test_handoff_without_a_handover_looks_back_a_week(self, cloud: Serving, run: Runner) -> None:
        make = Maker(cloud)
        make.chain(notify(make.schedule("always", make.shift(**ALWAYS, users=[DAVE]))))
        assert "**Since Sat 17 Oct 10:00 UTC (7d ago): " in run("teams handoff empty-team").stdout

    @pytest.mark.parametrize("since", ["04:00", "6h", "2026-10-24T04:00Z"])
    @on_cloud
    def test_since_takes_a_time_or_a_duration(self, weekdays: Maker, run: Runner, since: str) -> None:
        add_group(weekdays.server, "IEARLIERAAAAA", 5)
        text = run(f"teams handoff empty-team --since {since} --tz UTC").stdout
        assert "**Since Sat 24 Oct 04:00 UTC (6h ago): 1 alert group, 1 at night (22:00 to 07:00)**" in text

    @pytest.mark.parametrize("since", ["2026-10-24T11:00Z", "shift", ""])
    @on_cloud
    def test_since_that_is_not_in_the_past_is_refused(self, weekdays: Maker, run: Runner, since: str) -> None:
        run(f"teams handoff empty-team --since '{since}'", status=2)


class TestOpen:
    def test_open_groups_are_listed_and_resolved_ones_are_not(self, cloud: Serving, run: Runner) -> None:
        groups = cloud.call("GET", f"alert_groups/?team_id={PAYMENTS}&perpage=200")["results"]
        unresolved = [group["id"] for group in groups if group["state"] != "resolved"]
        text = run("teams handoff payments").stdout
        assert {group["id"] for group in groups if group["id"] in text} == set(unresolved)
        assert [group["id"] for group in run("teams handoff payments -o json").json["open"]] == unresolved
        assert run("teams handoff payments -o id").stdout.split() == unresolved

    @on_cloud
    def test_silenced_group_has_the_start_of_its_silence(self, weekdays: Maker, run: Runner) -> None:
        add_group(weekdays.server, "ISHIFTONEAAAA", 1.5, silenced=(30, None))
        line = next(line for line in run("teams handoff empty-team").stdout.splitlines() if "ISHIFTONEAAAA" in line)
        assert line.startswith(
            "- service-010: silenced, open for 1h 30m, silenced 1h ago, end not known: `disk full` [ISHIFTONEAAAA](http"
        )

    @on_cloud
    def test_groups_beyond_the_limit_are_counted(self, weekdays: Maker, run: Runner) -> None:
        for number in range(33):
            add_group(weekdays.server, f"IMANYAAAAAA{chr(65 + number // 26)}{chr(65 + number % 26)}", 1)
        lines = run("teams handoff empty-team").stdout.splitlines()
        assert sum("IMANY" in line for line in lines) == 30
        assert lines[-1] == "- and 3 more of team empty-team"

    def test_maintenance_windows_of_the_team_are_listed_with_their_end(self, server: Serving, run: Runner) -> None:
        team = server.call("GET", f"integrations/{SERVICE}/")["team_id"]
        mode = "debug" if server.dialect == "oss" else "silence_escalations"
        server.call("POST", f"integrations/{SERVICE}/maintenance_start", {"mode": mode, "duration": 7200})
        ends = datetime.fromisoformat(server.call("GET", f"integrations/{SERVICE}/")["maintenance_end_at"])
        text = run(f"teams handoff {team} --tz UTC").stdout
        assert f"- service-010: `silence_escalations` until {ends:%a %d %b %H:%M} UTC (in " in text
        window = next(each for each in run(f"teams handoff {team} -o json").json["windows"] if each["id"] == SERVICE)
        assert (window["mode"], window["overdue"]) == ("silence_escalations", False)


class TestSwapRequests:
    @on_cloud
    def test_open_swap_request_is_listed_and_a_taken_one_is_not(
        self, weekdays: Maker, run: Runner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = weekdays.server
        schedule = next(
            each["id"] for each in server.call("GET", "schedules/")["results"] if each["name"] == "around the clock"
        )
        real = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        monkeypatch.setattr("oncallctl.commands.teams.handoff.now", lambda: real)
        requests = [
            server.call(
                "POST",
                "shift_swaps/",
                {
                    "schedule": schedule,
                    "beneficiary": ALICE,
                    "swap_start": (real + timedelta(days=days)).isoformat(),
                    "swap_end": (real + timedelta(days=days, hours=8)).isoformat(),
                },
            )["id"]
            for days in (2, 3)
        ]
        server.call("POST", f"shift_swaps/{requests[1]}/take/", {"benefactor": BOB})
        text = run("teams handoff empty-team --tz UTC").stdout
        start = real + timedelta(days=2)
        times = f"{start:%a %d %b %H:%M} UTC (in 2d) until {start + timedelta(hours=8):%a %d %b %H:%M} UTC"
        assert text.split("\n\n")[-1].splitlines() == [
            "**Open swap requests: 1**",
            f"- around the clock: alice asks to be relieved, {times}: {requests[0]}",
        ]
        assert [each["id"] for each in run("teams handoff empty-team -o json").json["swap_requests"]] == requests[:1]


class TestFormats:
    @on_cloud
    def test_title_in_markdown_is_code(self, weekdays: Maker, run: Runner) -> None:
        add_group(weekdays.server, "ISHIFTONEAAAA", 1, title=HOSTILE)
        (line,) = (line for line in run("teams handoff empty-team").stdout.splitlines() if "ISHIFTONEAAAA" in line)
        assert "\x1b" not in line
        assert ": `` " in line
        assert line.index("``") < line.index("evil.example") < line.rindex("``")

    @on_cloud
    def test_title_in_slack_format_is_code_without_links(self, weekdays: Maker, run: Runner) -> None:
        add_group(weekdays.server, "ISHIFTONEAAAA", 1, title=HOSTILE)
        text = run("teams handoff empty-team --format slack").stdout
        (line,) = (line for line in text.splitlines() if "ISHIFTONEAAAA" in line)
        assert text.startswith("*On call: empty-team*\n• around the clock: alice → dave, Sat 24 Oct")
        assert "\x1b" not in line
        assert "&lt;!channel&gt;" in line
        assert line.count("`") == 2
        assert line.count("<") == 1
        assert line.endswith("|ISHIFTONEAAAA>")

    def test_name_with_formatting_in_slack_format_is_code(self, cloud: Serving, run: Runner) -> None:
        make = Maker(cloud)
        make.chain(notify(make.schedule("*now* <!here>", make.shift(**ALWAYS, users=[DAVE]))))
        assert "• `*now* &lt;!here&gt;`: dave" in run("teams handoff empty-team --format slack").stdout

    @on_cloud
    def test_text_format_has_no_markup(self, weekdays: Maker, run: Runner) -> None:
        add_group(weekdays.server, "ISHIFTONEAAAA", 1)
        text = run("teams handoff empty-team --format text").stdout
        assert not set("*`[]") & set(text)
        assert text.startswith("On call: empty-team\n- around the clock: alice → dave")
        assert '"disk full" ISHIFTONEAAAA http' in text

    def test_format_with_json_output_is_refused(self, cloud: Serving, run: Runner) -> None:
        run("teams handoff payments --format slack -o json", status=2)
        assert cloud.seen == []
