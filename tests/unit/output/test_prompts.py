"""Proposals, as prompts show them and as messages name them."""

import sys
from types import SimpleNamespace

import pytest

from oncallctl.config.profiles import sandbox
from oncallctl.config.settings import Settings
from oncallctl.errors import ConfirmationNeeded
from oncallctl.output.prompts import Proposal, confirm


def test_prompt_with_many_items_abbreviates_them() -> None:
    proposal = Proposal("Delete 12 teams", [f"team {number}" for number in range(12)], ["Nobody is on call then."])
    lines = list(proposal.lines(Settings()))
    assert lines[0] == "Delete 12 teams:"
    assert lines[-3:] == ["  team 9", "  and 2 more", "Nobody is on call then."]
    assert len(lines) == 13
    assert str(proposal).endswith("team 9, and 2 more. Nobody is on call then.")


def test_prompt_on_a_terminal_highlights_the_dangers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    settings = Settings(color=True)
    red = "\x1b[1;31m"
    ack, item, danger = Proposal("Acknowledge 1 alert group", ["I1"], ["It ends the window."]).lines(settings)
    assert (red in ack, red in item, red in danger) == (False, False, True)
    delete, *_ = Proposal("Delete 1 team", ["I1"], is_destructive=True).lines(settings)
    assert red in delete


def test_prompt_escapes_control_characters() -> None:
    assert list(Proposal("Delete \x1b[2J", ["a\nb"]).lines(Settings())) == ["Delete \\x1b[2J:", "  a\\nb"]


@pytest.mark.parametrize(("stdin", "stderr"), [(True, False), (False, True)])
def test_prompt_with_stdin_or_stderr_redirected_requires_yes(
    monkeypatch: pytest.MonkeyPatch, *, stdin: bool, stderr: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: stdin, readline=lambda: "y\n"))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: stderr)
    with pytest.raises(ConfirmationNeeded, match="--yes"):
        confirm(Settings(), sandbox("sandbox"), Proposal("Delete 1 team"))
