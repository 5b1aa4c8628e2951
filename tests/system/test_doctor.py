"""`doctor` at a terminal, and in a desktop session for a cron job, which runs outside of the session."""

from __future__ import annotations

from pathlib import Path

from oncallctl.sandbox import ADMIN_TOKEN
from tests.serving import Serving
from tests.system.program import Program
from tests.system.secret_service.session import desktop_session


def test_doctor_reports_a_keyring_that_cron_cannot_open(home: Path, cloud: Serving) -> None:
    with desktop_session(home) as session, session.gnome_keyring("open sesame"):
        program = Program(session.environment)
        program("auth", "login", "work", "--url", cloud.url, "--token-stdin", stdin=f"{ADMIN_TOKEN}\n")
        here = {row["check"]: row for row in program("doctor", "-o", "json").json}
        assert here["credentials"]["message"] == "a token from the keyring"
        assert {row["status"] for row in here.values()} <= {"ok", "warn"}
        ran = program("doctor", "--as-cron", "-o", "json", status=3)
        there = {row["check"]: row for row in ran.json}
    assert there["profile"]["message"] == "work: the default"
    assert there["credentials"]["status"] == "fail"
    assert there["credentials"]["message"] == "no keyring available: there is no D-Bus session"
    assert "--token-file" in there["credentials"]["hint"]
    assert ran.error["exit_code"] == 3
    assert ADMIN_TOKEN not in ran.stdout + ran.stderr


def test_doctor_at_a_terminal_prints_a_line_per_check_with_remedies(work: Program, token_file: Path) -> None:
    token_file.chmod(0o644)
    with work.at_terminal("doctor", width=60) as terminal:
        terminal.end(3)
        lines = terminal.plain.splitlines()
    failed = next(index for index, line in enumerate(lines) if line.startswith("fail"))
    assert lines[failed].split()[:2] == ["fail", "credentials"]
    assert lines[failed].endswith("(mode 0644)")  # complete even on a narrow terminal
    assert lines[failed + 1].strip() == f"hint: chmod 600 {token_file}"
    assert [line for line in lines if line.startswith("ok    config ")]
