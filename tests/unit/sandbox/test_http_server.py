"""The sandbox as an HTTP server."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from oncallctl import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """
import sys, pathlib
from oncallctl import sandbox
sandbox.serve(pathlib.Path(sys.argv[1]), "cloud", ready=lambda url: print(url, flush=True))
print("over", flush=True)
"""


@pytest.fixture
def program(database: Path) -> Iterator[subprocess.Popen[str]]:
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(database)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield running
    running.kill()
    running.communicate()


def connect(program: subprocess.Popen[str]) -> http.client.HTTPConnection:
    assert program.stdout is not None
    address = urlsplit(program.stdout.readline().strip())
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)


def send(
    connection: http.client.HTTPConnection, method: str, path: str, token: str, body: object = None
) -> tuple[int, str]:
    content = None if body is None else json.dumps(body)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, path, content, headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_connection_is_reused_after_an_unread_body(
    program: subprocess.Popen[str],
) -> None:
    connection = connect(program)
    assert send(connection, "POST", "/api/v1/escalation/", "nope", {"title": "x" * 100_000})[0] == 403
    assert send(connection, "POST", "/api/v1/nope/", sandbox.ADMIN_TOKEN, {"a": 1})[0] == 404
    status, text = send(connection, "GET", "/api/v1/teams/", sandbox.ADMIN_TOKEN)
    assert (status, json.loads(text)["count"]) == (200, 4)


def test_requests_are_not_logged(program: subprocess.Popen[str]) -> None:
    connection = connect(program)
    assert send(connection, "GET", "/api/v1/teams/", sandbox.ADMIN_TOKEN)[0] == 200
    assert send(connection, "GET", "/nope", sandbox.ADMIN_TOKEN)[0] == 404
    program.send_signal(signal.SIGINT)
    assert program.communicate(timeout=10) == ("over\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_server_exits_with_0_on_a_signal(program: subprocess.Popen[str], number: signal.Signals) -> None:
    connect(program)
    program.send_signal(number)
    assert program.communicate(timeout=10) == ("over\n", "")
    assert program.returncode == 0
