"""Config files and responses for the tests of `doctor`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from tests.serving import Fault

READS = {"read-integrations", "read-teams", "read-users", "read-alert-groups"}
Rows = dict[str, dict[str, Any]]
Doctor = Callable[..., Rows]


def write(config: Path, text: str) -> None:
    config.write_text(f'default_profile = "work"\n{text}')
    config.chmod(0o600)


def passing(_request: Request, answer: Callable[[], Response]) -> Response:
    return answer()


def with_headers(**headers: str) -> Fault:
    def fault(_request: Request, answer: Callable[[], Response]) -> Response:
        response = answer()
        for name, value in headers.items():
            response.headers[name.replace("_", "-")] = value
        return response

    return fault
