"""`--watch` at a terminal: the screen, and the end."""

from __future__ import annotations

import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from oncallctl.sandbox import EDITOR_TOKEN
from tests.serving import Serving, status
from tests.system.program import CONTROL, Program, Terminal

FIRING = "IWM9M5WQXRBEN"
INTEGRATION = "service-016"
ANOTHER_TEAMS = "CRX5VWIUH5PFF"  # an integration of the team payments, which the editor is not in
CTRL_C = "\x03"
WATCH = ("alert-groups", "list", "--watch")
FIRING_ONES = (*WATCH, "--state", "firing")

# The program with a short interval between updates.
_HASTY = (
    "import sys, oncallctl.output.live; oncallctl.output.live.EVERY = 0.2; from oncallctl.__main__ import main; main()"
)


@dataclass
class Hasty(Program):
    """The program with five updates a second."""

    def words(self, *words: str | Path) -> list[str]:
        return [sys.executable, "-c", _HASTY, *map(str, words)]


@pytest.fixture
def hasty(work: Program) -> Hasty:
    return Hasty(work.environment, work.folder, forks=False)


def last(terminal: Terminal) -> str:
    """Return the last state of the list."""
    return terminal.plain[terminal.plain.rindex("ID ") :]


def ended_by_ctrl_c(terminal: Terminal) -> str:
    """Press Ctrl-C, and return the rest of the screen."""
    terminal.type(CTRL_C)
    terminal.end()
    return last(terminal)


def test_change_on_the_server_updates_the_screen(hasty: Hasty, cloud: Serving) -> None:
    with hasty.at_terminal(*WATCH, "--integration", INTEGRATION) as terminal:
        assert "Alert 016 on service-016" in terminal.expect("Ctrl-C")
        cloud.call("POST", f"alert_groups/{FIRING}/acknowledge/")
        terminal.expect("acknowledged")
        cloud.call("POST", f"alert_groups/{FIRING}/unacknowledge/")
        cloud.call("POST", f"alert_groups/{FIRING}/silence/", {"delay": 3600})
        terminal.expect("silenced")
        left = ended_by_ctrl_c(terminal)
    assert re.match(rf"ID +STATE +SEVERITY +TITLE.*\n{FIRING} +silenced +\w* +Alert 016 on service-016 ", left)


def test_resolved_group_disappears_and_new_group_appears(hasty: Hasty, cloud: Serving) -> None:
    (group,) = cloud.call("GET", f"alert_groups/?id={FIRING}")["results"]
    with hasty.at_terminal(*FIRING_ONES, "--integration", INTEGRATION, "--since", "1d") as terminal:
        terminal.expect(FIRING)
        cloud.call("POST", f"alert_groups/{FIRING}/resolve/")
        terminal.expect("nothing matches")
        cloud.alert(group["integration_id"])
        terminal.expect("Incident")
        left = ended_by_ctrl_c(terminal)
    assert FIRING not in left
    assert "Incident" in left


def test_new_group_is_marked_and_counted_and_rings_the_bell(hasty: Hasty, cloud: Serving) -> None:
    (group,) = cloud.call("GET", f"alert_groups/?id={FIRING}")["results"]
    with hasty.at_terminal(*WATCH, "--integration", INTEGRATION, "--bell") as terminal:
        assert "NEW" not in terminal.expect("1 alert group; as of ")
        assert "\a" not in terminal.text
        cloud.alert(group["integration_id"])
        terminal.expect("2 alert groups, 1 new; as of ")
        left = ended_by_ctrl_c(terminal)
    assert [line.split()[0] for line in left.splitlines()[1:3]] == ["new", FIRING]
    assert terminal.text.count("\a") == 1


def test_group_that_moves_up_into_a_limit_is_not_new(hasty: Hasty, cloud: Serving) -> None:
    with hasty.at_terminal(*WATCH, "--limit", "2") as terminal:
        shown = terminal.expect("more than 2 alert groups; as of ")
        first = re.findall(r"\bI[A-Z1-9]{12}\b", shown)[0]
        cloud.call("POST", f"alert_groups/{first}/resolve/")
        while first in terminal.expect("as of "):
            pass
        assert " new" not in ended_by_ctrl_c(terminal)


def test_relative_since_moves_with_the_clock(hasty: Hasty, cloud: Serving) -> None:
    (group,) = cloud.call("GET", f"alert_groups/?id={FIRING}")["results"]
    cloud.alert(group["integration_id"])
    with hasty.at_terminal(*WATCH, "--integration", INTEGRATION, "--since", "8s") as terminal:
        terminal.expect("Incident")
        terminal.expect("nothing matches")
        ended_by_ctrl_c(terminal)


def test_ctrl_c_ends_watch_silently_and_leaves_the_list(hasty: Hasty) -> None:
    with hasty.at_terminal(*WATCH) as terminal:
        terminal.expect("Ctrl-C")
        left = ended_by_ctrl_c(terminal)
        assert "error" not in terminal.plain
        assert "\x1b[?1049h" not in terminal.text, "not on a screen that goes away with it"
        assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l"), "the cursor is there again"
    assert FIRING in left


def test_sigterm_ends_watch_with_an_error(hasty: Hasty) -> None:
    with hasty.at_terminal(*WATCH) as terminal:
        terminal.expect("Ctrl-C")
        terminal.process.send_signal(signal.SIGTERM)
        terminal.end(status=128 + signal.SIGTERM)
        assert "error: interrupted" in terminal.plain


@pytest.mark.parametrize(("height", "shown"), [(50, 18), (10, 6), (5, 1), (4, 0)])
def test_groups_beyond_the_screen_are_counted(work: Program, hasty: Hasty, height: int, shown: int) -> None:
    ids = work("alert-groups", "list", "-o", "id").stdout.split()
    assert len(ids) == 18
    with hasty.at_terminal(*WATCH, height=height) as terminal:
        terminal.expect("Ctrl-C")
        lines = ended_by_ctrl_c(terminal).splitlines()
    assert [line.split()[0] for line in lines[1 : shown + 1]] == ids[:shown]
    assert len(lines) < height
    assert [line.rstrip() for line in lines if line.startswith("and ")] == (
        [f"and {18 - shown} more"] if shown < 18 else []
    )


def test_limited_watch_says_that_there_is_more(hasty: Hasty) -> None:
    with hasty.at_terminal(*WATCH, "--limit", "2") as terminal:
        terminal.expect("Ctrl-C")
        lines = ended_by_ctrl_c(terminal).splitlines()
    assert len(lines) == 5
    assert lines[3].rstrip() == "and there are more"


def test_watch_of_my_groups_says_that_only_the_newest_were_read(hasty: Hasty, cloud: Serving) -> None:
    for number in range(100):
        cloud.alert(ANOTHER_TEAMS, f"alert {number}")
    arrived = cloud.call("GET", f"alert_groups/?state=new&integration_id={ANOTHER_TEAMS}&perpage=100")["results"]
    with hasty.at_terminal(*WATCH, "--mine", ONCALLCTL_URL=cloud.url, ONCALLCTL_TOKEN=EDITOR_TOKEN) as terminal:
        assert "only the newest" not in terminal.expect("Ctrl-C")
        for group in arrived:
            cloud.call("POST", f"alert_groups/{group['id']}/acknowledge/")
        terminal.expect("and there may be more; only the newest were read")
        assert FIRING in ended_by_ctrl_c(terminal)
    assert {each.query["page"] for each in cloud.seen if each.path.endswith("/alert_groups/")} == {"1"}


def test_failed_update_is_reported_until_the_next_one_succeeds(hasty: Hasty, cloud: Serving) -> None:
    with hasty.at_terminal(*FIRING_ONES) as terminal:
        terminal.expect("Ctrl-C")
        cloud.fail("GET", "alert_groups/", status(503), times=3)
        terminal.expect("not updated since ")
        shown = terminal.expect("the server responded with 503")
        assert re.match(r"\d\d:\d\d:\d\d \(\d+s ago\):", shown)
        terminal.expect("Ctrl-C")
        assert "not updated" not in ended_by_ctrl_c(terminal)


def test_failing_updates_keep_the_list_on_the_screen(hasty: Hasty, cloud: Serving) -> None:
    with hasty.at_terminal(*FIRING_ONES) as terminal:
        terminal.expect("Ctrl-C")
        cloud.fail("GET", "alert_groups/", status(503), times=1000)
        terminal.expect("not updated since ")
        left = ended_by_ctrl_c(terminal)
    assert FIRING in left
    assert "the server responded with 503" in left


def test_refused_token_ends_watch(hasty: Hasty, cloud: Serving) -> None:
    with hasty.at_terminal(*FIRING_ONES) as terminal:
        terminal.expect("Ctrl-C")
        cloud.fail("GET", "alert_groups/", status(403, '{"detail": "Invalid token."}'))
        terminal.end(status=3)
        assert "error: the server refused the token" in terminal.plain
        assert FIRING in last(terminal)


def test_failed_first_read_ends_watch(hasty: Hasty, cloud: Serving) -> None:
    cloud.fail("GET", "alert_groups/", status(403, '{"detail": "Invalid token."}'))
    with hasty.at_terminal(*WATCH) as terminal:
        terminal.end(status=3)


def test_hostile_title_and_error_in_watch_are_harmless(hasty: Hasty, cloud: Serving) -> None:
    hostile = "top \x1b]0;owned\x07 \x1b[2J\u202e\n[red]x[/red]"
    cloud.call("POST", "escalation/", {"team": "TKPSLLWBFUI9R", "title": hostile})
    with hasty.at_terminal(*WATCH, width=300) as terminal:
        terminal.expect("Ctrl-C")
        cloud.fail("GET", "alert_groups/", status(503, '{"detail": "\\u001b]0;owned\\u0007 [red]y[/red]"}'), times=1000)
        terminal.expect("[red]y[/red]")
        left = ended_by_ctrl_c(terminal)
        assert "\x1b]" not in terminal.text
        assert "\x1b[2J" not in terminal.text
    assert r"top \x1b]0;owned\x07 \x1b[2J\u202e\n[red]x[/red]" in left
    assert not CONTROL.search(left)


def test_watch_of_an_unknown_column_is_refused(hasty: Hasty) -> None:
    with hasty.at_terminal(*WATCH, "--columns", "id,nope") as terminal:
        assert "unknown column: 'nope'" in terminal.end(status=2)


@pytest.mark.parametrize("options", [("-o", "json"), ("-o", "csv"), ("--quiet",)], ids=" ".join)
def test_watch_with_another_format_is_refused(work: Program, cloud: Serving, options: tuple[str, ...]) -> None:
    with work.at_terminal(*WATCH, *options) as terminal:
        assert "--watch shows a table" in terminal.end(status=2)
    assert cloud.seen == []


def test_watch_without_a_terminal_is_refused(work: Program, cloud: Serving, tmp_path: Path) -> None:
    assert "--watch needs a terminal" in work(*WATCH, status=2).stderr
    with work.at_terminal(*WATCH, TERM="dumb") as terminal:
        assert "--watch needs a terminal" in terminal.end(status=2)
    with (
        (tmp_path / "out").open("wb") as out,
        work.at_terminal(*WATCH, stdout=out.fileno()) as terminal,
    ):
        assert "--watch needs a terminal" in terminal.end(status=2)
    assert cloud.seen == []


def test_maintenance_status_follows_the_windows_and_ctrl_c_succeeds(hasty: Hasty, cloud: Serving) -> None:
    ident = "C5BPMMTY9FMXJ"
    with hasty.at_terminal("maintenance", "status", "--watch") as terminal:
        terminal.expect("nothing matches")
        cloud.call(
            "POST",
            f"integrations/{ident}/maintenance_start",
            {"mode": "silence_escalations", "duration": 600},
        )
        terminal.expect("silence_escalations")
        terminal.type(CTRL_C)
        terminal.end(status=0)
    assert ident in last(terminal)
