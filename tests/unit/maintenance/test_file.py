"""`maintenance check`: all mistakes of a file, each with its line."""

import textwrap
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from oncallctl.maintenance.file.schema import load
from tests.conftest import Runner

GOOD = """\
[[window]]
name = "nightly"
integrations = ["service-010"]
cron = "0 2 * * *"
timezone = "Europe/Berlin"
duration = "2h"
"""


def mistakes(text: str) -> list[tuple[int, str | None, str]]:
    return [(mistake.line, mistake.window, mistake.message) for mistake in load(text)[1]]


def changed(line: int, text: str) -> str:
    """Return the valid file with one line changed, or removed if the text is empty."""
    lines = GOOD.splitlines()
    lines[line - 1 : line] = [text] if text else []
    return "\n".join(lines) + "\n"


def test_valid_file_is_read_completely() -> None:
    text = """\
        timezone = "Europe/Berlin"
        [[window]]
        name = "all there is"
        label = "env=prod=eu"
        mode = "maintenance"
        cron = "0 2 * * SUN"
        duration = "PT2H"
        reason = "backup"
        skip = [2026-12-24, 2026-12-31]
        """
    (rule,), wrong = load(textwrap.dedent(text))
    assert wrong == []
    assert (rule.name, rule.label, rule.mode) == ("all there is", ("env", "prod=eu"), "group_alerts")
    assert (rule.duration, rule.reason) == (timedelta(hours=2), "backup")
    assert rule.skip == {date(2026, 12, 24), date(2026, 12, 31)}
    assert str(rule.schedule.zone) == "Europe/Berlin"


def test_mistake_in_a_window_is_reported_with_its_line() -> None:
    for line, text, at, expected in [
        (2, "", 1, "name is missing"),
        (2, "name = 1", 2, "name must be a string"),
        (2, 'name = " "', 2, "name must not be empty"),
        (3, "", 1, "one of integrations, team, match, label is required"),
        (
            3,
            'integrations = ["a"]\nteam = "b"',
            4,
            "only one of integrations, team, match, label can be set, not integrations and team",
        ),
        (3, 'team = "b"\nmatch = "a"\nlabel = "c=d"', 5, "can be set, not team and match and label"),
        (3, "integrations = []", 3, "must be an array of names or IDs that is not empty"),
        (3, 'integrations = "service-010"', 3, "must be an array of names"),
        (3, 'integrations = ["a", ""]', 3, "must be an array of names"),
        (3, "integrations = [1]", 3, "must be an array of names"),
        (3, "team = 7", 3, "team must be a string"),
        (3, 'match = ""', 3, "match must not be empty"),
        (3, 'label = "prod"', 3, "label must be KEY=VALUE, not 'prod'"),
        (3, 'label = "=prod"', 3, "label must be KEY=VALUE"),
        (4, "", 1, "one of cron, at is required"),
        (4, 'cron = "0 2 * * *"\nat = 2026-12-01T02:00:00', 5, "only one of cron, at can be set, not cron and at"),
        (4, 'cron = "0 2 * *"', 4, "five fields"),
        (4, 'cron = "0 25 * * *"', 4, "bad hour"),
        (4, 'cron = "0 0 */31 * MON#2"', 4, "matches no time"),
        (4, "cron = 5", 4, "cron must be a string"),
        (4, "at = 2026-12-01", 4, "at must be a date and a time"),
        (4, "at = 2026-12-01T02:00:00Z", 4, "must not have an offset"),
        (4, "at = 2026-03-29T02:30:00", 4, "does not exist in Europe/Berlin"),
        (4, "at = 2026-10-25T02:30:00", 4, "occurs twice in Europe/Berlin"),
        (5, "", 1, "timezone is missing, here and above all windows"),
        (5, 'timezone = "Mars"', 5, "no such time zone: 'Mars'"),
        (5, 'timezone = "local"', 5, "must be an IANA name"),
        (5, 'timezone = "../../etc/passwd"', 5, "no such time zone"),
        (5, "timezone = 1", 5, "must be an IANA name"),
        (6, "", 1, "duration is missing"),
        (6, 'duration = "soon"', 6, "not a duration: 'soon'"),
        (6, 'duration = "0"', 6, "must be positive"),
        (6, "duration = -5", 6, "not a duration: '-5'"),
        (6, "duration = 1.5", 6, "duration must be a string"),
        (6, "duration = true", 6, "duration must be a string"),
        (
            6,
            'duration = "2h"\nmode = "quiet"',
            7,
            "mode must be one of silence_escalations, group_alerts, disable_alerts, debug, maintenance",
        ),
        (6, 'duration = "2h"\nmode = ["debug"]', 7, "mode must be one of"),
        (6, 'duration = "2h"\nreason = 1', 7, "reason must be a string"),
        (6, 'duration = "2h"\nskip = 2026-12-24', 7, "skip must be an array of dates"),
        (6, 'duration = "2h"\nskip = ["2026-12-24"]', 7, "skip must be an array of dates"),
        (6, 'duration = "2h"\nskip = [2026-12-24T00:00:00]', 7, "skip must be an array of dates"),
        (6, 'durations = "2h"\nduration = "2h"', 6, "durations: unknown key (did you mean duration?)"),
        (6, 'duration = "2h"\nreason.who = "me"', 7, "reason must be a string"),
        (6, 'duration = "2h"\n[window.more]\na = 1', 7, "more: unknown key"),
        (1, 'zone = "UTC"\n[[window]]', 1, "zone: unknown key"),
        (1, 'timezone = "Mars"\n[[window]]', 1, "no such time zone: 'Mars'"),
        (1, '[[windows]]\nname = "x"\n[[window]]', 1, "windows: unknown key (did you mean window?)"),
    ]:
        ((number, _, message),) = mistakes(changed(line, text))
        assert number == at, text
        assert expected in message, text


def test_mistake_of_the_file_is_reported_with_its_line() -> None:
    for text, line, expected in [
        ("", 1, "there is no [[window]]"),
        ('timezone = "UTC"\nwindow = []\n', 1, "there is no [[window]]"),
        (GOOD + "oops", 7, "not TOML"),
        (GOOD + 'reason = """', 7, "not TOML"),
        (GOOD + 'name = "again"\n', 7, "not TOML: Cannot overwrite a value"),
        ("[window]\nname = 'x'\n", 1, "each below a line [[window]]"),
        ("x = 1\nwindow = 1\n", 2, "each below a line [[window]]"),
        ("window = " + "[" * 5000, 1, "not TOML"),
    ]:
        number, window, message = mistakes(text)[-1]
        assert (number, window) == (line, None), text
        assert expected in message, text


def test_duplicate_name_is_reported_with_the_other_line() -> None:
    assert mistakes(GOOD + GOOD) == [(8, "nightly", "the window on line 2 has the same name")]


def test_several_mistakes_are_reported_in_the_order_of_their_lines() -> None:
    text = GOOD.replace("2h", "never") + GOOD.replace("Berlin", "Atlantis") + "[[window]]\n"
    assert [line for line, _, _ in mistakes(text)] == [6, 8, 11, *[13] * 5]


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_lines_in_a_multiline_string_are_not_keys_or_headers(quotes: str) -> None:
    reason = f'reason = {quotes}\n[[window]]\nduration = "2h"\nname = 3\n{quotes}\n'
    text = GOOD.replace("[[window]]\n", f"[[window]]\n{reason}") + '\n# [[window]]\n[[ "window" ]] # two\nname = 4\n'
    wrong = mistakes(text)
    assert {line for line, _, _ in wrong} == {14, 15}
    assert (15, None, "name must be a string") in wrong


def test_mistake_in_a_multiline_array_has_the_line_of_its_key() -> None:
    assert mistakes(changed(3, "integrations = [\n  'a', # one\n  3,\n]"))[0][0] == 3


def test_long_array_is_read_quickly() -> None:
    text = changed(3, "integrations = [\n" + "  'service-010',\n" * 20_000 + "]") + "more = 1\n"
    assert [line for line, _, _ in mistakes(text)] == [20_008]


@given(st.lists(st.sampled_from([*GOOD.splitlines(), "", "# a", "x = [", "]", '"""', "[[window]]", "[a.b]"])))
def test_any_text_has_windows_or_mistakes(lines: list[str]) -> None:
    text = "\n".join(lines)
    rules, wrong = load(text)
    assert rules or wrong
    assert all(1 <= mistake.line <= max(len(lines), 1) for mistake in wrong)


def test_check_prints_mistakes_in_the_format_of_compilers_and_exits_with_2(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_text(changed(5, 'timezone = "Mars"'))
    done = run(f"maintenance check {path}", status=2)
    assert done.stdout == f"{path}:5: window \"nightly\": timezone: no such time zone: 'Mars'\n"
    done = run(f"maintenance check {path} -o json", status=2)
    assert done.json == [{"line": 5, "window": "nightly", "message": "timezone: no such time zone: 'Mars'"}]
    assert done.error["code"] == "invalid_input"


def test_check_of_a_valid_file_needs_no_server_and_prints_nothing(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_text(GOOD)
    assert run(f"maintenance check {path}").stdout == ""
    assert run(f"maintenance check {path} -o json").json == []
    assert run(f"maintenance check {path} -q").stderr == ""


def test_check_of_a_window_over_the_default_limit_warns(run: Runner, tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_text('[[window]]\nname = "w"\nteam = "t"\ncron = "* * * * *"\ntimezone = "UTC"\nduration = "3650d"\n')
    assert "warning: window 'w': 3650d is longer than 7d" in run(f"maintenance check {path}").stderr


def test_check_reads_stdin_and_refuses_a_missing_file(run: Runner) -> None:
    assert run("maintenance check -", stdin=changed(6, ""), status=2).stdout.startswith("-:1: ")
    assert "cannot read" in run("maintenance check nowhere.toml", status=2).stderr
