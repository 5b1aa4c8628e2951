"""Reads the exchanges that were recorded from the OSS engine: recordings/*.jsonl, a line each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

FOLDER = Path(__file__).parent / "recordings"


@dataclass(frozen=True)
class Exchange:
    """One request and the engine's answer.

    Attributes:
        case: the name, `file/what`.
        method: of the request.
        path: of the request, escaped; may carry a query of its own.
        query: further parameters.
        headers: of the request; tokens are written `<token>` for an administrator's, `<token-NAME>` for others.
        body: what JSON was sent; a string is what was sent as it is; None is no body; `{"__form__": …}` is a form.
        status: of the answer.
        response_headers: of the answer, names in lower case.
        response_body: the answer's JSON, or its text; an empty string is no body.
    """

    case: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: object
    status: int
    response_headers: dict[str, str]
    response_body: object

    @property
    def content(self) -> bytes | None:
        """The bytes of the body."""
        if self.body is None:
            return None
        if isinstance(self.body, dict) and "__form__" in self.body:
            return urlencode(self.body["__form__"]).encode()
        # The one string that was sent as JSON; every other one was sent to be no JSON, or in another encoding.
        if isinstance(self.body, str) and self.case != "integrations/create_string_body":
            return self.body.encode("latin-1" if "latin-1" in self.headers["Content-Type"] else "utf-8")
        return json.dumps(self.body).encode()

    @property
    def content_type(self) -> str | None:
        """The content type of the body; an empty string is a header without a value."""
        if isinstance(self.body, dict) and "__form__" in self.body:
            return "application/x-www-form-urlencoded"
        return self.headers.get("Content-Type")


def load(*names: str) -> list[Exchange]:
    """Read the exchanges of some files, named without their suffix, in order."""
    return [
        _exchange(json.loads(line))
        for name in names
        for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def _exchange(line: dict[str, Any]) -> Exchange:
    request, response = line["request"], line["response"]
    return Exchange(
        case=line["case"],
        method=request["method"],
        path=request["path"],
        query={name: str(value) for name, value in request["query"].items()},
        headers=request["headers"],
        body=request["body"],
        status=response["status"],
        response_headers=response["headers"],
        response_body=response["body"],
    )
