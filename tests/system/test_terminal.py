"""Output at a terminal, and in a pipe."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Serving
from tests.system.program import CONTROL, PATIENCE, Program

BELL, ESC, C1 = "\x07", "\x1b", "\x9b"
HOSTILE = (
    f"top {ESC}]52;c;cm0gLXJmIH4={BELL} {ESC}]8;;http://evil.example{ESC}\\click{ESC}]8;;{ESC}\\ {ESC}[2J{ESC}[31m"
    f"\nroot\tadmin {C1}31m \r\u202e\u2028 [red]x[/red] [bold]b"
)
SHOWN = (
    r"top \x1b]52;c;cm0gLXJmIH4=\x07 \x1b]8;;http://evil.example\x1b\click\x1b]8;;\x1b\ \x1b[2J\x1b[31m"
    r"\nroot\tadmin \x9b31m \r\u202e\u2028 [red]x[/red] [bold]b"
)
COLOR = re.compile(r"\x1b\[[0-9;]*(?:3[0-8]|9[0-7]|4[0-8])[0-9;]*m")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
RELATIVE = re.compile(r"in (?:29|30)m \(\d\d:\d\d\)|in (?:29|30)m \(\d\d-\d\d \d\d:\d\d\)")


@pytest.fixture
def in_maintenance(work: Program) -> Program:
    work("maintenance", "start", "service-000", "--for", "30m")
    return work


@pytest.fixture
def hostile(cloud: Serving) -> Any:
    """Create an integration with a hostile name."""
    made = cloud.call("POST", "integrations/", {"type": "webhook", "name": HOSTILE})
    assert made["name"] == HOSTILE, "the server keeps the name as it is"
    return made


def at_terminal(program: Program, *words: str | Path, width: int = 200, **environment: str | None) -> str:
    """Run at a terminal, and return the output without the escape sequences of rich."""
    with program.at_terminal(*words, width=width, **environment) as terminal:
        terminal.end()
        return terminal.plain


def test_table_at_a_terminal_has_readable_times(in_maintenance: Program) -> None:
    header, row = at_terminal(in_maintenance, "maintenance", "status").splitlines()
    assert header.split() == ["ID", "NAME", "TEAM", "MODE", "STARTED", "ENDS", "BY"]  # and none that is empty
    assert "\t" not in header + row
    assert row.index("service-000") == header.index("NAME")
    assert RELATIVE.search(row), row
    assert not ISO.search(row)


def test_table_in_a_pipe_has_tabs_complete_values_and_iso_times(in_maintenance: Program) -> None:
    ran = in_maintenance("maintenance", "status")
    header, row = (line.split("\t") for line in ran.stdout.splitlines())
    assert header == ["ID", "NAME", "TEAM", "MODE", "STARTED", "ENDS", "OVERDUE", "BY", "REASON"]
    assert row[1:4] == ["service-000", "platform", "silence_escalations"]
    assert ISO.match(row[4])
    assert ISO.match(row[5])
    assert b"\x1b" not in ran.out + ran.err


def test_time_zone_option_applies_to_the_terminal_and_not_to_json(in_maintenance: Program) -> None:
    there = at_terminal(in_maintenance, "maintenance", "status", "--tz", "Asia/Kolkata")
    here = at_terminal(in_maintenance, "maintenance", "status")
    minutes = {int(clock[1]) % 30 for clock in re.finditer(r"\d\d:(\d\d)\)", here)}
    assert {int(clock[1]) % 30 for clock in re.finditer(r"\d\d:(\d\d)\)", there)} == minutes
    assert re.findall(r"\d\d:\d\d\)", there) != re.findall(r"\d\d:\d\d\)", here)
    piped = in_maintenance("maintenance", "status", "-o", "json").json
    elsewhere = in_maintenance("maintenance", "status", "-o", "json", "--tz", "Asia/Kolkata").json
    assert [each["ends_at"] for each in elsewhere] == [each["ends_at"] for each in piped]


@pytest.mark.parametrize("width", [40, 80, 300])
def test_table_is_truncated_to_the_width_of_the_terminal(work: Program, width: int) -> None:
    lines = at_terminal(work, "integrations", "list", "--match", "CXXX*", width=width).splitlines()
    assert len(lines) == 2, "a row is a line"
    assert all(len(line) <= width for line in lines)
    assert ("…" in lines[1]) is (width < 300)


def test_long_name_leaves_room_for_other_columns(work: Program) -> None:
    header, *rows = at_terminal(work, "integrations", "list", width=80).splitlines()
    assert header.split() == ["ID", "NAME", "TYPE", "TEAM"]  # nothing is in maintenance
    ids = work("integrations", "list", "-o", "id").stdout.split()
    assert [row.split()[0] for row in rows] == ids


def test_long_name_in_a_pipe_is_complete(work: Program) -> None:
    row = work("integrations", "list", "--match", "CXXX*", COLUMNS="40").stdout.splitlines()[1]
    assert len(row.split("\t")[1]) > 100
    assert "…" not in row


def test_several_targets_at_a_terminal_show_progress(work: Program) -> None:
    names = [f"service-00{number}" for number in range(3)]
    with work.at_terminal("maintenance", "start", *names, "--for", "30m") as terminal:
        shown = terminal.end()
    assert "maintenance" in shown
    assert "3/3" in shown
    assert "\x1b[?25h" in shown, "the cursor is there again"


def test_single_target_shows_no_progress(work: Program) -> None:
    with work.at_terminal("maintenance", "start", "service-000", "--for", "30m") as terminal:
        assert "1/1" not in terminal.end()


def test_quiet_shows_no_progress(work: Program) -> None:
    names = [f"service-00{number}" for number in range(3)]
    with work.at_terminal("maintenance", "start", *names, "--for", "30m", "--quiet") as terminal:
        assert terminal.end() == ""


def test_several_targets_in_a_pipe_show_no_progress(work: Program) -> None:
    names = [f"service-00{number}" for number in range(3)]
    ran = work("maintenance", "start", *names, "--for", "30m")
    assert ran.err == b""
    assert b"\x1b" not in ran.out
    rows = [line.split("\t") for line in ran.stdout.splitlines()]
    assert rows[0][:3] == ["ID", "NAME", "STATUS"]
    assert [row[1:3] for row in rows[1:]] == [[name, "started"] for name in names]


def test_progress_with_a_piped_stdout_goes_to_stderr(work: Program, tmp_path: Path) -> None:
    names = [f"service-00{number}" for number in range(3)]
    file = tmp_path / "out"
    with (
        file.open("wb") as out,
        work.at_terminal("maintenance", "start", *names, "--for", "30m", "-o", "id", stdout=out.fileno()) as terminal,
    ):
        assert "3/3" in terminal.end()
    assert len(file.read_text(encoding="utf-8").split()) == 3
    assert b"\x1b" not in file.read_bytes()


def test_terminal_output_has_colors(work: Program) -> None:
    assert COLOR.search(_progress(work))


@pytest.mark.parametrize(
    ("option", "environment"), [([], {"NO_COLOR": "1"}), (["--no-color"], {})], ids=["NO_COLOR", "--no-color"]
)
def test_colors_can_be_disabled(work: Program, option: list[str], environment: dict[str, str]) -> None:
    shown = _progress(work, *option, **environment)
    assert "3/3" in shown
    assert not COLOR.search(shown)


def test_empty_no_color_is_ignored(work: Program) -> None:
    assert COLOR.search(_progress(work, NO_COLOR=""))


def _progress(program: Program, *options: str, **environment: str) -> str:
    names = [f"service-00{number}" for number in range(3)]
    with program.at_terminal("maintenance", "start", *names, "--for", "30m", *options, **environment) as terminal:
        return terminal.end()


def test_dumb_terminal_receives_no_escapes(in_maintenance: Program) -> None:
    with in_maintenance.at_terminal("maintenance", "status", TERM="dumb") as terminal:
        assert "\x1b" not in terminal.end()


@pytest.mark.promise("dangerous-asked-about")
def test_delete_prompt_names_profile_and_host(work: Program, cloud: Serving) -> None:
    with work.at_terminal("integrations", "delete", "service-000") as terminal:
        prompt = terminal.expect("[y/N] ")
        assert terminal.plain.splitlines()[1:] == ["Delete 1 integration:", "  'service-000'", "Continue? [y/N] "]
        assert f"Profile work at {cloud.url.removeprefix('http://')}" in prompt
        assert cloud.changes() == []
        terminal.type("y\n")
        terminal.end()
    assert [each.partition(" ")[0] for each in cloud.changes()] == ["DELETE"]


def test_declined_delete_changes_nothing(work: Program, cloud: Serving) -> None:
    with work.at_terminal("integrations", "delete", "service-000") as terminal:
        terminal.expect("[y/N] ")
        terminal.type("n\n")
        assert "declined; nothing was changed" in terminal.end(status=5)
    assert cloud.changes() == []


def test_acknowledging_by_state_prompts_and_shows_progress(work: Program, cloud: Serving) -> None:
    with work.at_terminal("alert-groups", "acknowledge", "--state", "firing") as terminal:
        prompt = terminal.expect("[y/N] ")
        lines = terminal.plain.splitlines()
        assert lines[1:3] == ["Acknowledge 11 alert groups:", "  ICT3ZIXZWI2QX 'Alert 000 on [prod] api'"]
        assert lines[-2:] == ["  and 1 more", "Continue? [y/N] "]
        assert f"Profile work at {cloud.url.removeprefix('http://')}" in prompt
        assert cloud.changes() == []
        terminal.type("y\n")
        assert "11/11" in terminal.end()
    assert len(cloud.changes()) == 11


def test_prompt_with_a_piped_stdout_goes_to_the_terminal(work: Program, tmp_path: Path) -> None:
    file = tmp_path / "out"
    with (
        file.open("wb") as out,
        work.at_terminal("integrations", "delete", "service-000", "-o", "json", stdout=out.fileno()) as terminal,
    ):
        terminal.expect("[y/N] ")
        terminal.type("y\n")
        terminal.end()
    assert b'"deleted"' in file.read_bytes()
    assert b"[y/N]" not in file.read_bytes()


def test_hostile_name_in_a_prompt_is_harmless(work: Program, hostile: Any) -> None:
    with work.at_terminal("integrations", "delete", hostile["id"]) as terminal:
        prompt = terminal.expect("[y/N] ")
        assert not CONTROL.search(terminal.plain)
        assert "[red]x[/red]" in prompt
        terminal.type("n\n")
        terminal.end(status=5)


@pytest.mark.promise("data")
@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("width", [80, 400])
def test_hostile_name_in_a_table_is_harmless(work: Program, width: int) -> None:
    with work.at_terminal("integrations", "list", width=width) as terminal:
        shown = terminal.end()
        plain = terminal.plain
    assert f"{ESC}]" not in shown
    assert f"{ESC}[2J" not in shown
    assert not COLOR.search(shown), "the only color here would be that of the name"
    assert not CONTROL.search(plain)
    assert not set(plain) & {"\u202e", "\u2028", "\t", "\r"}
    header, *rows = plain.splitlines()
    (row,) = (row for row in rows if r"top \x1b" in row)
    if width == 400:
        assert row[header.index("NAME") : header.index("TYPE")].rstrip() == SHOWN
        assert row[header.index("TYPE") :].split()[0] == "webhook"
    assert len(row) <= width


def test_hostile_name_in_a_pipe_stays_in_its_column(work: Program, hostile: Any) -> None:
    ran = work("integrations", "list")
    assert not CONTROL.search(ran.stdout)
    (row,) = (line.split("\t") for line in ran.stdout.split("\n") if line.startswith(hostile["id"]))
    assert row[1:3] == [SHOWN, "webhook"]
    assert {line.count("\t") for line in ran.stdout.splitlines()} == {5}


def test_hostile_name_in_json_is_complete_and_harmless(work: Program, hostile: Any) -> None:
    with work.at_terminal("integrations", "get", hostile["id"], "-o", "json") as terminal:
        terminal.end()
    assert not CONTROL.search(terminal.plain)
    ran = work("integrations", "get", hostile["id"], "-o", "json")
    assert ran.json["name"] == HOSTILE
    lines = work("integrations", "list", "-o", "jsonl").stdout.split("\n")
    assert len(lines) == len(work("integrations", "list", "-o", "id").stdout.split("\n")), "an object is a line"


def test_get_at_a_terminal_shows_a_card_and_in_a_pipe_a_row(work: Program) -> None:
    card = at_terminal(work, "escalation-chains", "get", "platform-default", width=80)
    assert card.startswith("platform-default\nID ")
    assert "1  notify who is on call in platform-primary\n" in card
    row = at_terminal(work, "integrations", "get", "service-000", "-o", "csv", width=80)
    assert row.startswith("ID,NAME,")
    assert work("integrations", "get", "service-000").stdout.startswith("ID\tNAME\t")


def test_json_is_colored_at_a_terminal_only(work: Program) -> None:
    command = ("teams", "get", "platform", "-o", "json")
    with work.at_terminal(*command) as terminal:
        shown = terminal.end()
    assert '\x1b[1m"name"\x1b[0m: \x1b[32m"platform"\x1b[0m' in shown
    assert terminal.plain == work(*command).stdout
    with work.at_terminal(*command, NO_COLOR="1") as terminal:
        assert ESC not in terminal.end()


def test_hostile_candidate_in_an_error_is_harmless(work: Program, cloud: Serving, hostile: Any) -> None:
    cloud.call("POST", "integrations/", {"type": "webhook", "name": HOSTILE, "team_id": "TKPSLLWBFUI9R"})
    with work.at_terminal("integrations", "get", f"name:{HOSTILE}") as terminal:
        terminal.end(status=6)
        assert hostile["id"] in terminal.plain
        assert not CONTROL.search(terminal.plain)
        assert "[red]x[/red]" in terminal.plain


def test_hostile_title_of_an_alert_group_is_harmless(work: Program, cloud: Serving) -> None:
    cloud.call("POST", "escalation/", {"team": "TKPSLLWBFUI9R", "title": HOSTILE})
    with work.at_terminal("alert-groups", "list", width=400) as terminal:
        terminal.end()
        assert "[red]x[/red]" in terminal.plain
        assert not CONTROL.search(terminal.plain)


def test_list_of_alert_groups_is_truncated_at_a_terminal_and_complete_in_a_pipe(work: Program, cloud: Serving) -> None:
    integration = cloud.call("GET", "integrations/?name=service-016")["results"][0]["id"]
    for _ in range(100):
        cloud.alert(integration)
    everything = work("alert-groups", "list", "-o", "id").stdout.split()
    assert len(everything) > 100
    with work.at_terminal("alert-groups", "list", "-o", "id") as terminal:
        terminal.end()
    assert re.findall(r"\bI[A-Z1-9]{12}\b", terminal.plain) == everything[:100]
    assert "showing the newest 100; use --limit N to show more" in terminal.plain


def test_hostile_title_of_a_page_in_the_prompt_is_harmless(work: Program, cloud: Serving) -> None:
    with work.at_terminal("escalate", "--team", "platform", "--title", f"{ESC}]0;owned{BELL}") as terminal:
        terminal.expect("[y/N] ")
        assert not CONTROL.search(terminal.plain)
        terminal.type("n\n")
        terminal.end(status=5)
    assert cloud.changes() == []


@pytest.mark.promise("data")
@pytest.mark.parametrize("name", ["=1+1", '=cmd|"/c calc"!A1', "+1", "@SUM(A1)", "-2+3", "\t=1", "\r=1"])
def test_formula_in_csv_is_escaped(work: Program, cloud: Serving, name: str) -> None:
    made = cloud.call("POST", "integrations/", {"type": "webhook", "name": name})
    rows = list(csv.reader(io.StringIO(work("integrations", "list", "-o", "csv").stdout)))
    (row,) = (row for row in rows if row[0] == made["id"])
    assert len(row) == len(rows[0])
    assert not row[1].lstrip().startswith(("=", "+", "-", "@")), row[1]
    assert row[1].strip("'").endswith(name.strip())
    assert "\n" not in row[1]


def test_secret_links_in_a_table_are_masked(work: Program, cloud: Serving) -> None:
    link = cloud.call("GET", "integrations/CSD2TNTF42BF6/")["link"]
    columns = ("integrations", "get", "service-000", "--columns", "name,link")
    assert link not in at_terminal(work, *columns, width=300)
    assert link not in work(*columns).stdout
    assert link not in work(*columns, "-o", "csv").stdout
    assert link in at_terminal(work, *columns, "--show-secrets", width=300)


@pytest.mark.promise("dangerous-asked-about")
def test_closed_terminal_at_the_prompt_sends_nothing(work: Program, cloud: Serving) -> None:
    with work.at_terminal("escalate", "--team", "platform", "--title", "disk full") as terminal:
        terminal.expect("[y/N] ")
        terminal.hang_up()
        assert terminal.process.wait(PATIENCE) == 129
    assert cloud.changes() == []
