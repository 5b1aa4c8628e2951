"""Hostile texts in errors, hints, warnings, notes and prompts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.wrappers import Response

from tests.conftest import Runner
from tests.faults.hostile.lines import FIRING, INTEGRATIONS, TEAM, USER
from tests.faults.hostile.spoiling import MARK, OBEYED, SHOWN, TEXT, Spoiled, exact, harmless, plain
from tests.serving import Fault
from tests.system.program import Program, Terminal
from tests.system.test_watch import Hasty

SHORT = TEXT[:300]  # messages quote only the beginning of an error response
SHAPES: dict[str, Any] = {
    "detail": {"detail": SHORT},
    "field": {"name": [SHORT]},
    "name of a field": {SHORT: ["no"]},
    "nested": {"templates": {"slack": [{"title": [SHORT]}]}},
    "list": [SHORT],
    "text": SHORT,
}
# Sequences that no terminal may receive; `harmless` checks the rest after the sequences of rich are removed.
NEVER = (b"\x1b]", b"\x1b[2J", b"\x1b[7;5m", "\x9b".encode())


def refusal(code: int, body: object, content_type: str = "application/json", **headers: str) -> Fault:
    made = {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, str) and "json" not in content_type else json.dumps(body)
    return lambda _request, _answer: Response(text, code, made, content_type=content_type)


@pytest.mark.promise("data")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("code", [400, 403, 404, 409])
def test_hostile_error_response_is_quoted_harmlessly(hostile: Spoiled, run: Runner, shape: str, code: int) -> None:
    lines = (
        ("GET", f"users get {USER}"),
        ("PUT", f"integrations update {INTEGRATIONS[0]} --description x"),
        ("POST", f"alert-groups acknowledge {FIRING[0]}"),
    )
    for method, words in lines:
        hostile.fail(method, "/", refusal(code, SHAPES[shape]), times=2)
        done = run(f"{words} -vv", status=None)
        assert done.status in {1, 3, 6, 7}
        harmless(done.stdout + done.stderr)
        assert (MARK in done.stderr) is (code != 404)
        hostile.faults.clear()
        hostile.fail(method, "/", refusal(code, SHAPES[shape]), times=2)
        error = run(f"{words} -o json", status=None)
        harmless(error.stdout + error.stderr)
        exact(error.error, SHORT)
        hostile.faults.clear()


def test_html_error_response_is_not_quoted(hostile: Spoiled, run: Runner) -> None:
    hostile.fail("GET", "users", refusal(400, f"<html>{MARK}\x1b]0;x\x07</html>", "text/html"))
    assert MARK not in run(f"users get {USER}", status=1).stderr


HEADERS = {"ID", "id"}  # how tables begin
LATIN = "\x9b31m\x85 \xad x"  # what a header can carry


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (f"users get {USER}", refusal(200, "no json", f"text/html; {LATIN}")),
        (f"users get {USER}", refusal(302, "", "text/html", Location=f"https://{LATIN}.example/{LATIN}")),
        (f"users get {USER}", refusal(302, "", "text/html", Location=f"//xn--{LATIN}")),
        ("doctor", refusal(429, {}, Retry_After=LATIN)),
        ("doctor", refusal(200, {"results": []}, RateLimit_Remaining=LATIN, RateLimit=LATIN)),
        ("doctor", refusal(200, {"results": []}, RateLimit_Remaining="9" * 5000)),
        ("doctor", refusal(200, {"results": []}, RateLimit="r=" + "9" * 5000)),
        ("doctor", refusal(200, {"results": []}, RateLimit_Remaining="0", RateLimit_Limit="9" * 5000)),
        ("doctor", refusal(200, {"results": []}, Date=LATIN)),
    ],
    ids=lambda value: None if isinstance(value, str) else "",
)
def test_hostile_headers_are_harmless(hostile: Spoiled, run: Runner, words: str, fault: Fault) -> None:
    for options in ("-vv", "-o json"):
        hostile.fail("GET", "/", fault, times=20)
        done = run(f"--timeout 5 {words} {options}", status=None)
        hostile.faults.clear()
        harmless(done.stdout + done.stderr)
        assert "bug in oncallctl" not in done.stderr


@pytest.fixture
def namesakes(hostile: Spoiled) -> str:
    """Return the name of every object, without the characters that a query cannot contain."""
    hostile.text = TEXT.replace(OBEYED["surrogate"], "")
    return hostile.text


@pytest.mark.parametrize(
    "words", ["integrations get", "teams get", "users get", "schedules get", "escalation-chains get"]
)
def test_hostile_candidates_are_listed_harmlessly(namesakes: str, run: Runner, words: str) -> None:
    import shlex

    done = run(f"{words} {shlex.quote(f'name:{namesakes}')} -v", status=6)
    harmless(done.stderr)
    assert "are called" in done.stderr
    assert done.stderr.count(MARK) > 2
    error = run(f"{words} {shlex.quote(f'name:{namesakes}')} -o json", status=6).error
    exact(error["hint"], namesakes)


@pytest.mark.parametrize(
    "words", ["integrations get", "teams get", "users get", "schedules get", "escalation-chains get"]
)
def test_hostile_suggestion_is_harmless(hostile: Spoiled, run: Runner, words: str) -> None:
    hostile.text = "webs\x1b[7;5m"
    done = run(f"{words} webs", status=6)
    harmless(done.stderr)
    assert r"did you mean 'webs\x1b[7;5m'" in done.stderr


def test_wait_with_a_hostile_name_is_harmless(hostile: Spoiled, run: Runner) -> None:
    hostile.change = lambda document: _taken(hostile, document)
    done = run(f"escalate --user {USER} --title t --wait acknowledged --within 1m")
    harmless(done.stdout + done.stderr)
    assert SHOWN in done.stderr


def _taken(hostile: Spoiled, document: Any) -> Any:
    from tests.faults.hostile.spoiling import spoiled

    group = isinstance(document, dict) and "acknowledged_by" in document
    return {**spoiled(document, hostile.text), **({"state": "acknowledged", "acknowledged_by": USER} if group else {})}


def test_hostile_names_in_notes_and_warnings_are_harmless(hostile: Spoiled, run: Runner) -> None:
    run(f"maintenance start {INTEGRATIONS[0]} --for 30m")
    lines = (
        f"maintenance start {INTEGRATIONS[0]} --for 5h --if-active keep",
        f"maintenance run {INTEGRATIONS[1]} --for 5m -v -- true",
        f"maintenance status {INTEGRATIONS[0]} --require inactive",
        "schedules shifts SFXCICA3QCWD8",
        "escalation-chains get FGD4PM64AR6BA",
        "teams who-is-on-call --require",
        "teams gaps --require covered",
        f"maintenance start {INTEGRATIONS[0]} --for 5h",
        f"escalate --team {TEAM} --title t",
    )
    for words in lines:
        for options, extra in (("", ""), ("-o json", "")):
            line = words.replace(" -v", f" -v {options}") if "--" in words.split() else f"{words} {options}{extra}"
            done = run(line, status=None)
            assert done.status in {0, 7, 10}, done
            harmless(done.stdout + done.stderr)
            assert MARK in done.stderr or words.startswith("maintenance run"), words


@pytest.mark.parametrize(
    "words",
    [
        f"integrations delete {INTEGRATIONS[0]} {INTEGRATIONS[1]}",
        "maintenance start --match * --for 30m",
        "maintenance start --all --for 30m",
        "alert-groups resolve --state firing",
        f"escalate --team {TEAM} --title t",
    ],
)
def test_hostile_names_in_a_prompt_are_harmless(hostile: Spoiled, program: Program, words: str) -> None:
    hostile.rows = None if words.startswith("escalate") else 3  # the check needs the team's integration
    with program.at_terminal(*words.split()) as terminal:
        prompt = terminal.expect("[y/N] ")
        assert MARK in prompt
        terminal.type("n\n")
        terminal.end(5)
    assert_harmless_at(terminal)
    assert hostile.changes() == []


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("integrations list", 3),
        ("users list", 3),
        ("alert-groups list", 9),  # three in each of the states that are not resolved
        ("schedules list", 3),
        (f"teams who-is-on-call {TEAM}", None),
        ("routes list", 3),
        ("escalation-chains get F3VV9WSX4RBEK", None),
        ("api GET teams/ -o table", 3),
        (f"maintenance start {' '.join(INTEGRATIONS[:2])} --for 30m", 2),
    ],
)
@pytest.mark.parametrize("width", [60, 1000])
def test_hostile_row_at_a_terminal_takes_one_line(
    hostile: Spoiled, program: Program, words: str, rows: int | None, width: int
) -> None:
    hostile.rows = 3
    with program.at_terminal(*words.split(), width=width) as terminal:
        terminal.end()
    assert_harmless_at(terminal)
    lines = terminal.plain.replace("\r", "\n").splitlines()
    if rows is not None:
        lines = lines[-rows - 1 :]
        assert lines[0].split()[0] in HEADERS
    if not words.startswith("escalation-chains get"):  # prints steps as text, not as a table
        assert [line for line in lines if len(line) > width] == []
    assert any(SHOWN[: width // 12] in line for line in lines)
    if width == 1000 and "users" not in words:
        assert "[red]x[/red] [bold]b" in terminal.plain


def test_hostile_live_list_is_harmless(hostile: Spoiled, program: Program) -> None:
    hostile.rows = 3
    hasty = Hasty(program.environment, program.folder, forks=False)
    with hasty.at_terminal("alert-groups", "list", "--watch", width=300) as terminal:
        terminal.expect("Ctrl-C")
        hostile.fail("GET", "alert_groups", refusal(400, {"detail": SHORT}), times=1000)
        terminal.expect("not updated since")
        terminal.expect(MARK)
        terminal.type("\x03")
        terminal.end(0)
    assert_harmless_at(terminal)
    assert SHOWN[:20] in terminal.plain


def test_hostile_error_at_a_terminal_is_harmless(hostile: Spoiled, program: Program) -> None:
    hostile.fail("GET", "users", refusal(400, {"detail": SHORT}))
    with program.at_terminal("users", "get", USER) as terminal:
        terminal.end(1)
    assert_harmless_at(terminal)
    assert MARK in terminal.plain


@pytest.mark.parametrize("words", [f"teams handoff {TEAM}", f"teams rota {TEAM}", "doctor"])
def test_hostile_texts_and_drawings_at_a_terminal_are_harmless(hostile: Spoiled, program: Program, words: str) -> None:
    with program.at_terminal(*words.split(), width=80) as terminal:
        terminal.end()
    assert_harmless_at(terminal)
    assert MARK in terminal.plain.replace("\\@", "@")


def assert_harmless_at(terminal: Terminal) -> None:
    """Assert that a terminal received no escape sequences but those of rich."""
    shown = bytes(terminal.shown)
    assert not [each for each in NEVER if each in shown]
    harmless(plain(shown))
