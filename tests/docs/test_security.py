"""SECURITY.md is true: each promise has a test, and the lock file pins everything."""

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
PROMISED = SECURITY.partition("## Promises")[2].partition("## Limits")[0]
PROMISES = re.findall(r"^- .*\(`([a-z0-9-]+)`\)$", PROMISED, re.MULTILINE)


def test_every_promise_has_an_id_and_a_test() -> None:
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


def test_readme_links_to_the_security_page() -> None:
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.promise("pinned-with-hash")
def test_lock_file_pins_each_file_of_the_registry_with_a_hash() -> None:
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
def test_sandbox_refuses_connections_from_another_address() -> None:
    words = [sys.executable, "-m", "oncallctl", "sandbox", "serve"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as serving:
        try:
            assert serving.stdout is not None
            port = urlsplit(serving.stdout.readline().strip()).port
            assert port is not None
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
            # Another address of this machine: a server that listens on all addresses would accept the connection.
            with pytest.raises(OSError):
                socket.create_connection(("127.0.0.2", port), timeout=10).close()
        finally:
            serving.terminate()
