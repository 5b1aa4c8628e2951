"""What README.md promises is what the program has."""

import re
import xml.etree.ElementTree as ET

import pytest
from typer.main import get_command

from oncallctl import errors
from oncallctl.cli import app
from oncallctl.config.config_file import KEYS
from tests.conftest import Runner
from tests.places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^\s*(?:\$ )?oncallctl ([a-z-]+(?: [a-z-]+)?)", README, re.MULTILINE)))


def all_errors(kind: type[errors.OncallError] = errors.OncallError) -> list[type[errors.OncallError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in all_errors(child))]


def test_the_error_codes_are_the_closed_set() -> None:
    documented = re.search(r"`code` is one of (.*?)\. Notes", README, re.DOTALL)
    assert documented
    assert set(re.findall(r"`(\w+)`", documented[1])) == {each.code for each in all_errors()}


def test_the_exit_statuses_are_all_there() -> None:
    rows = re.findall(r"^\| (\d+) \|", README, re.MULTILINE)
    assert [int(row) for row in rows] == [int(code) for code in errors.ExitCode]


def test_the_keys_of_a_profile_are_all_named() -> None:
    missing = {key for key in KEYS if key not in README}
    assert missing <= {"token_source"}


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_that_is_shown_is_there(words: str) -> None:
    noun, _, verb = words.partition(" ")
    command = get_command(app).commands[noun]  # type: ignore[attr-defined]
    if verb and hasattr(command, "commands"):
        assert verb in command.commands


@pytest.mark.parametrize("path", re.findall(r"!\[[^]]*\]\(([^)]+)\)", README))
def test_a_picture_is_one_that_the_program_made(path: str) -> None:
    picture = ET.parse(ROOT / path).getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert "platform-primary" in "".join(picture.itertext())


def test_every_command_says_what_it_does(run: Runner) -> None:
    root = get_command(app)
    for noun, group in root.commands.items():  # type: ignore[attr-defined]
        for verb in getattr(group, "commands", {"": group}):
            text = run(f"{noun} {verb} --help").stdout
            assert "--profile" in text
            assert re.search(r"\n\n  [A-Z][^\n]+\n", text), text
