"""Colors on a terminal."""

import io
from types import SimpleNamespace

import pytest

from oncallctl.config.settings import Settings
from oncallctl.output import colors


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    streams = SimpleNamespace(stderr=Terminal(), stdout=io.StringIO())
    monkeypatch.setattr("oncallctl.output.colors.sys", streams)  # pytest replaces those of sys after each fixture


def test_prefix_on_a_terminal_has_a_color_and_the_rest_has_none() -> None:
    assert colors.prefix(Settings(), "error") == "\x1b[1;31merror:\x1b[0m"


def test_style_on_a_piped_stdout_is_left_out_while_stderr_has_it() -> None:
    assert colors.on_stdout(Settings(), "firing", colors.BAD) == "firing"
    assert colors.on_stderr(Settings(), "firing", colors.BAD) == "\x1b[1;31mfiring\x1b[0m"


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_environment_without_colors_leaves_text_plain(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert colors.prefix(Settings(), "warning") == "warning:"


def test_option_no_color_leaves_text_plain() -> None:
    assert colors.prefix(Settings(color=False), "warning") == "warning:"


@pytest.mark.parametrize("word", ["firing", "failed", "error", "critical", "fail", "overdue"])
def test_meanings_that_need_a_person_share_a_style(word: str) -> None:
    assert colors.style_of(word) == colors.BAD


def test_word_without_a_meaning_has_no_style() -> None:
    assert colors.style_of("payments") == ""
    assert colors.on_stderr(Settings(), "payments", "") == "payments"
