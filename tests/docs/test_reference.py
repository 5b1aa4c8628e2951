"""docs/reference/ and the manual page are those of the command tree."""

import shutil
import subprocess

import pytest

from tests.places import ROOT
from tools.reference import files

MANUAL = ROOT / "man" / "oncallctl.1"


def test_reference_matches_the_command_tree() -> None:
    made = files()
    differing = [
        str(path)
        for path, text in made.items()
        if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != text
    ]
    assert differing == [], "run: make reference"
    pages = {path.relative_to(ROOT) for path in (ROOT / "docs" / "reference").glob("*.md")}
    assert pages == {path for path in made if path.parts[0] == "docs"}


@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
def test_manual_page_renders_without_warnings() -> None:
    done = subprocess.run(
        ["man", "--warnings", "--local-file", MANUAL],
        env={"MANWIDTH": "100", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert "oncallctl maintenance start [OPTIONS] [INTEGRATION]..." in done.stdout
