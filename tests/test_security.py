"""SECURITY.md keeps its word: the tests it names are there, and the lock file is what it says."""

import ast
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[1]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROMISED = SECURITY.partition("## What is promised")[2].partition("## What is not promised")[0]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", SECURITY)


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_is_named_is_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_promise_names_a_test() -> None:
    promises = re.findall(r"^- .*$", PROMISED, re.MULTILINE)
    assert len(promises) > 20
    assert [promise for promise in promises if "::test_" not in promise] == []


def test_the_readme_leads_to_it() -> None:
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_file_of_the_lock_has_a_hash_and_comes_from_the_registry() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    packages = [package for package in lock["package"] if package["source"] != {"editable": "."}]
    assert len(packages) == len(lock["package"]) - 1
    assert {package["source"].get("registry") for package in packages} == {"https://pypi.org/simple"}
    for package in packages:
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files, package["name"]
        for file in files:
            assert re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]), file["url"]
            assert urlsplit(file["url"])[:2] == ("https", "files.pythonhosted.org")


def test_the_sandbox_listens_on_this_machine_alone() -> None:
    words = [sys.executable, "-m", "oncallctl", "sandbox", "serve"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as serving:
        try:
            assert serving.stdout is not None
            port = urlsplit(serving.stdout.readline().strip()).port
            assert port is not None
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
            # Another address of this machine, which one that listens everywhere would answer at.
            with pytest.raises(OSError):
                socket.create_connection(("127.0.0.2", port), timeout=10).close()
        finally:
            serving.terminate()
