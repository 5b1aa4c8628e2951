"""SECURITY.md keeps its word: the tests it names are there, and the lock file is what it says."""

import ast
import re
import socket
import subprocess
import sys
import tomllib
from urllib.parse import urlsplit

import pytest

from tests.places import ROOT

SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROMISED = SECURITY.partition("## What is promised")[2].partition("## What is not promised")[0]
PROMISES = re.findall(r"^- .*\(`([a-z0-9-]+)`\)$", PROMISED, re.MULTILINE)


def test_every_promise_has_an_id_and_a_test_that_proves_it() -> None:
    marked = {
        str(decorator.args[0].value)
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.promise"
        if isinstance(decorator.args[0], ast.Constant)
    }
    assert len(PROMISES) == len(re.findall(r"^- ", PROMISED, re.MULTILINE)) > 20
    assert set(PROMISES) == marked


def test_the_readme_leads_to_it() -> None:
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.promise("pinned-with-hash")
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


@pytest.mark.promise("sandbox-listens-on-this-machine")
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
