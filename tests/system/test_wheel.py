"""The wheel: its files, and the program installed from it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.places import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_has_the_manual_page_and_the_help_topics(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (manual,) = [name for name in names if name.endswith(".data/data/share/man/man1/oncallctl.1")]
        assert archive.read(manual) == (ROOT / "man" / "oncallctl.1").read_bytes()
    topics = ROOT / "oncallctl" / "commands" / "help_topics"
    texts = [path.relative_to(ROOT).as_posix() for path in topics.iterdir() if path.suffix in {".txt", ".md"}]
    assert texts
    assert [text for text in texts if text not in names] == []


def test_wheel_has_the_completions_in_the_folders_of_the_shells(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for place, source in (
        ("share/bash-completion/completions/oncallctl", "oncallctl.bash"),
        ("share/zsh/site-functions/_oncallctl", "_oncallctl"),
        ("share/fish/vendor_completions.d/oncallctl.fish", "oncallctl.fish"),
    ):
        (found,) = [name for name in names if name.endswith(f".data/data/{place}")]
        assert zipfile.ZipFile(wheel).read(found) == (ROOT / "completions" / source).read_bytes()


def test_wheel_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """It runs in another folder, where nothing but the wheel can be imported."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        "import sys\nsys.path.insert(0, sys.argv.pop(1))\n"
        "import oncallctl.__main__ as begin\nprint(begin.__file__)\nbegin.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "site", "-p", "sandbox", "teams", "list", "-o", "id"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[0] == str(tmp_path / "site/oncallctl/__main__.py")
    assert len(done.stdout.splitlines()) == 5
