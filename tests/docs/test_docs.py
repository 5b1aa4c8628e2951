"""README.md and docs/ show what the program does: their commands run on the sandbox, and their tables are complete."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.main import get_command

from oncallctl import __version__, errors
from oncallctl.cli import app
from oncallctl.config.config_file import KEYS
from tests.conftest import Runner
from tests.places import ROOT

AGENTS = ROOT / "oncallctl" / "commands" / "help_topics" / "AGENTS.md"
PAGES = [ROOT / "README.md", ROOT / "RELEASING.md", AGENTS, *sorted((ROOT / "docs").glob("*.md"))]
SCRIPTING = (ROOT / "docs" / "scripting.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
WINDOWS = (ROOT / "docs" / "windows-file.md").read_text(encoding="utf-8")

# Commands that cannot run here: they need a real server, run until they are interrupted, or run another program.
ELSEWHERE = re.compile(r"auth (login|status)|doctor|--watch|sandbox serve|maintenance run|auth switch")


def commands() -> list[str]:
    """Return the command lines in the shell and console blocks of all pages, without comments and pipes."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```(?:sh|console)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in re.findall(r"^\s*(?:\$ )?\(?(?:crontab -l; )?oncallctl (.*)$", block, re.MULTILINE):
                words = shlex.split(line.replace(")", ""), comments=True)
                stop = next((index for index, word in enumerate(words) if word in {"|", ">", ">>"}), len(words))
                found.append(shlex.join(words[:stop]))
    return sorted(set(found))


COMMANDS = [line for line in commands() if not ELSEWHERE.search(line)]


def all_errors(kind: type[errors.OncallError] = errors.OncallError) -> list[type[errors.OncallError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in all_errors(child))]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the files that the pages name."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (toml,) = re.findall(r"```toml\n(.*?)```", WINDOWS, re.DOTALL)
    (folder / "windows.toml").write_text(toml, encoding="utf-8")
    (folder / "details.txt").write_text("disk full", encoding="utf-8")
    return folder


@pytest.mark.parametrize("line", COMMANDS)
def test_documented_command_run_on_the_sandbox_succeeds(run: Runner, folder: Path, line: str) -> None:
    if "export" in line or line.startswith("config "):
        config = folder / "config.toml"
        config.write_text(
            '[profiles.prod]\nurl = "https://oncall.example.org"\ntoken_file = "/etc/token"\ntimeout = 5\n'
        )
        config.chmod(0o600)
        run(line, ONCALLCTL_CONFIG=str(config))
        return
    if "debrief" in line or "extend" in line:  # they need a window
        run("maintenance start checkout --for 1h", ONCALLCTL_PROFILE="sandbox")
    run(line, ONCALLCTL_PROFILE="sandbox")


def test_error_codes_in_the_docs_are_the_closed_set() -> None:
    documented = re.search(r"`code` is one of (.*?)\. Notes", SCRIPTING, re.DOTALL)
    assert documented
    assert set(re.findall(r"`(\w+)`", documented[1])) == {each.code for each in all_errors()}


def test_exit_codes_in_the_docs_are_those_of_the_program() -> None:
    table = SCRIPTING.partition("| exit | meaning | retry? |\n|---|---|---|\n")[2].partition("\n\n")[0]
    rows = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in table.splitlines()]
    assert [(code, text.replace("`", ""), retry.strip("\u2013")) for code, text, retry in rows] == list(
        errors.EXIT_CODES
    )
    assert [code for code, *_ in errors.EXIT_CODES if code.isdigit()] == [str(int(code)) for code in errors.ExitCode]


def test_profile_keys_in_the_docs_are_complete() -> None:
    missing = {key for key in KEYS if key not in CONFIGURATION}
    assert missing <= {"token_source"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if "://" not in target and not (page.parent / target).exists()] == []


def test_picture_of_the_rota_is_a_drawing_of_the_program() -> None:
    picture = ET.parse(ROOT / "docs" / "rota.svg").getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert "platform-primary" in "".join(picture.itertext())


def test_picture_of_the_readme_shows_who_page_window_and_rota() -> None:
    picture = (ROOT / "docs" / "terminal.svg").read_text(encoding="utf-8")
    text = "".join(ET.fromstring(picture).itertext()).replace("\xa0", " ")
    shown = ["who platform", "page --team", "maintenance start", "teams rota", "sandbox: nobody was paged"]
    assert [line for line in shown if line not in text] == []
    assert "@font-face" not in picture  # a font on another host


def test_newest_version_in_the_changelog_is_that_of_the_package() -> None:
    headings = re.findall(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    versions = [heading for heading in headings if heading != "Unreleased"]
    assert versions[:1] in ([], [__version__])
    assert headings


def test_readme_fits_a_few_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130


def test_help_of_every_command_describes_it(run: Runner) -> None:
    root = get_command(app)
    for noun, group in root.commands.items():  # type: ignore[attr-defined]
        for verb in getattr(group, "commands", {"": group}):
            text = run(f"{noun} {verb} --help").stdout
            assert "--profile" in text
            assert re.search(r"\n\n  [A-Z][^\n]+\n", text), text
